//! Journals that are not as they were written.

use super::*;

/// Cut anywhere, every whole line counts and the next line stands on its own.
#[test]
fn a_journal_truncated_at_any_byte_keeps_its_complete_lines() {
    let (directory, plan) = (Directory::new(), plan());
    write_all(&directory.file(), &plan);
    let whole = fs::read(directory.file()).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let group = plan.groups().next().unwrap();
    let write = |bytes: &[u8]| fs::write(directory.file(), bytes).unwrap();
    for cut in (0..header).chain(last..whole.len()) {
        write(&whole[..cut]);
        let (mut journal, read) = open(&directory.file(), &plan);
        if cut >= header {
            assert_eq!((&read[3], &read[4]), (&ended_state(&plan)[0], &GroupState::Indeterminate), "{cut}");
        }
        starting(&mut journal, &group);
        drop(journal);
        let again = states(&directory.file(), &plan);
        assert_eq!((&again[0], &again[1..]), (&GroupState::Indeterminate, &read[1..]), "{cut}");
        let text = fs::read_to_string(directory.file()).unwrap();
        assert!(text.ends_with('\n') && text.lines().all(|line| line.starts_with('{') && line.ends_with('}')));
    }
}

fn ended_state(plan: &Plan<Export>) -> [GroupState<ExportJobId>; 1] {
    let group = plan.groups().nth(3).unwrap();
    let (job, status) = ("0000000013".into(), JobStatus::CompletedWithFailures);
    [GroupState::Finished { job, status, items: results(&group) }]
}

#[test]
fn bytes_after_the_last_newline_are_removed() {
    let (directory, plan) = (Directory::new(), plan());
    let expected = write_all(&directory.file(), &plan);
    let whole = fs::read(directory.file()).unwrap();
    for tail in
        [&b"\0\0\0\0"[..], b"\xff\xfe", b"{\"line\":\"refused\",\"group\":0,\"error\":\"whole, but no end\"}", b"{"]
    {
        fs::write(directory.file(), [&whole, tail].concat()).unwrap();
        assert_eq!(states(&directory.file(), &plan), expected);
        assert_eq!(fs::read(directory.file()).unwrap(), whole);
    }
}

#[test]
fn a_corrupt_line_is_named() {
    let (directory, plan) = (Directory::new(), plan());
    for broken in [
        "",
        "{",
        "nonsense",
        "\0\0\0",
        "[]",
        r#"{"group":1}"#,
        r#"{"line":"started","group":1}"#,
        r#"{"line":"started","group":5,"job":"1"}"#,
        r#"{"line":"started","group":-1,"job":"1"}"#,
        r#"{"line":"starting","group":1,"token":"another"}"#,
        r#"{"line":"ended","group":0,"job":"1","status":"FAILED","items":[{"position":2,"status":"FAILED"}]}"#,
    ] {
        let _ = fs::remove_file(directory.file());
        write_all(&directory.file(), &plan);
        with_line(&directory.file(), 4, |_| broken.to_owned());
        let before = fs::read(directory.file()).unwrap();
        let error = refusal(&directory.file(), &plan);
        assert!(matches!(error, BulkError::JournalCorrupt { line: 5, .. }), "{broken}: {error}");
        assert!(
            error.to_string().starts_with("line 5 of the journal ") && !error.to_string().contains('\n'),
            "{error}"
        );
        assert_eq!(fs::read(directory.file()).unwrap(), before);
    }
}

#[test]
fn a_line_over_the_limit_is_refused() {
    let (directory, plan) = (Directory::new(), plan());
    write_all(&directory.file(), &plan);
    let file = OpenOptions::new().write(true).open(directory.file()).unwrap();
    file.set_len(80 << 20).unwrap();
    let error = refusal(&directory.file(), &plan);
    assert!(matches!(error, BulkError::JournalCorrupt { line: 10, .. }), "{error}");
    assert_eq!(file.metadata().unwrap().len(), 80 << 20, "it is left alone");
}

#[test]
fn every_flipped_bit_is_detected() {
    let (directory, plan) = (Directory::new(), plan());
    let expected = write_all(&directory.file(), &plan);
    let mut bytes = fs::read(directory.file()).unwrap();
    assert_eq!(read(&bytes, &plan).unwrap(), Some(expected));
    let mut flips = 0;
    for byte in 0..bytes.len() {
        for bit in 0..8 {
            bytes[byte] ^= 1 << bit;
            let error = read(&bytes, &plan).expect_err("a flipped bit is found");
            let is_named = matches!(
                error,
                BulkError::JournalCorrupt { .. }
                    | BulkError::JournalUnsupportedVersion { .. }
                    | BulkError::JournalMismatch { .. }
            );
            assert!(is_named, "byte {byte}, bit {bit}: {error}");
            bytes[byte] ^= 1 << bit;
            flips += 1;
        }
    }
    assert!(flips > 9_000, "{flips}");
}

/// A disk that is full for a moment.
#[cfg(target_os = "linux")]
#[test]
fn a_line_that_could_not_be_written_is_removed() {
    let (directory, plan) = (Directory::new(), plan());
    let (mut journal, _) = open(&directory.file(), &plan);
    let groups: Vec<_> = plan.groups().collect();
    starting(&mut journal, &groups[0]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let file = std::mem::replace(&mut journal.file, full);
    let error = journal.starting(&groups[1], &groups[1].client_token(), START, &[]).unwrap_err();
    assert!(matches!(error, BulkError::JournalStorageFull { .. }), "{error}");
    assert!(error.to_string().starts_with("no space is left on the device for the journal "), "{error}");
    journal.file = file;
    (&journal.file).write_all(b"{\"line\":\"star").unwrap();
    starting(&mut journal, &groups[2]);
    drop(journal);
    let (touched, not) = (GroupState::Indeterminate, GroupState::Untouched);
    assert_eq!(states(&directory.file(), &plan), [touched.clone(), not.clone(), touched, not.clone(), not]);
}
