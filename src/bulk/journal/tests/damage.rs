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
        let (mut journal, read) = open(&directory.file(), &plan);
        assert_eq!(read, expected);
        starting(&mut journal, &plan.groups().next().unwrap());
        drop(journal);
        let bytes = fs::read(directory.file()).unwrap();
        let (before, line) = bytes.split_at(whole.len());
        assert_eq!(before, whole);
        assert!(line.starts_with(b"{\"line\":\"starting\",\"group\":0,") && line.ends_with(b"\"}\n"));
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

#[test]
fn the_kind_of_an_error_decides_about_the_variant() {
    let error = |kind: io::ErrorKind| storage_error("write", Path::new("run.jsonl"))(kind.into());
    let full = error(io::ErrorKind::StorageFull);
    assert!(full.to_string().starts_with("no space is left on the device for the journal "), "{full}");
    assert!(matches!(error(io::ErrorKind::QuotaExceeded), BulkError::JournalStorageFull { .. }));
    assert!(matches!(error(io::ErrorKind::ResourceBusy), BulkError::JournalLocked { .. }));
    assert!(matches!(error(io::ErrorKind::TimedOut), BulkError::JournalIo { action: "write", .. }));
}
