use std::fs;

use super::*;
use crate::bulk::{Duplicates, Planner};
use crate::job::{Activation, Export, Import};
use crate::model::{ExportJobId, ItemStatus};

/// A folder of its own, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("healthomics-journal-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("run.jsonl")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ids(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("{:010}", 5_000_000_000 + n))
}

fn planner() -> Planner<Export> {
    let role = "arn:aws:iam::123456789012:role/Omics";
    Planner::export("run-7".into(), "1234567890".into(), "s3://bucket/out/".into(), role.into())
}

/// Five groups of two items.
fn plan() -> Plan<Export> {
    planner().group_size(2).plan(ids(10)).unwrap()
}

fn states(path: &Path, plan: &Plan<Export>) -> Vec<GroupState<ExportJobId>> {
    Journal::open(path, plan).unwrap().1
}

fn refusal<K: BulkKind>(path: &Path, plan: &Plan<K>) -> BulkError {
    Journal::open(path, plan).expect_err("it is refused")
}

fn results(group: &Group<'_, Export>) -> Vec<ItemResult> {
    let result = |position| ItemResult {
        position,
        status: Some(if position % 2 == 0 { ItemStatus::Finished } else { "NEW_ONE".into() }),
        read_set_id: (position % 2 == 0).then(|| "7777777777".into()),
        reason: (position % 2 == 1).then(|| "not\nthere: \"é\"".to_owned()),
    };
    group.positions().map(result).collect()
}

/// A group in each state, in the order of [`GroupState`], and back again.
fn write_all(path: &Path, plan: &Plan<Export>) -> Vec<GroupState<ExportJobId>> {
    let (mut journal, fresh) = Journal::open(path, plan).unwrap();
    assert_eq!(fresh, vec![GroupState::Untouched; plan.groups().len()]);
    let groups: Vec<_> = plan.groups().collect();
    let job = |number: usize| format!("{:010}", 10 + number).into();
    journal.starting(&groups[1]).unwrap();
    journal.starting(&groups[2]).unwrap();
    journal.starting(&groups[3]).unwrap();
    journal.started(&groups[3], &job(3)).unwrap();
    journal.started(&groups[2], &job(2)).unwrap();
    journal.ended(&groups[3], &job(3), &JobStatus::CompletedWithFailures, &results(&groups[3])).unwrap();
    journal.starting(&groups[4]).unwrap();
    journal.refused(&groups[4], "StartReadSetExportJob: AccessDeniedException (403): no").unwrap();
    vec![
        GroupState::Untouched,
        GroupState::Indeterminate,
        GroupState::Running { job: job(2) },
        GroupState::Finished { job: job(3), status: JobStatus::CompletedWithFailures, items: results(&groups[3]) },
        GroupState::Refused { error: "StartReadSetExportJob: AccessDeniedException (403): no".to_owned() },
    ]
}

/// The whole journal with one line changed, and checksums that are right: `line` counts from 0.
fn with_line(path: &Path, line: usize, change: impl FnOnce(&str) -> String) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines: Vec<_> = text.lines().map(without_checksum).collect();
    lines[line] = change(&lines[line]);
    let text: String = lines.join("\n").lines().map(with_checksum).collect();
    fs::write(path, text).unwrap();
}

fn without_checksum(line: &str) -> String {
    format!("{}}}", line.rsplit_once(",\"crc32\":").unwrap().0)
}

fn with_checksum(line: &str) -> String {
    let Some(front) = line.strip_suffix('}') else { return format!("{line}\n") };
    format!("{front},\"crc32\":\"{:08x}\"}}\n", crc32fast::hash(front.as_bytes()))
}

#[test]
fn every_state_is_read_back() {
    let (folder, plan) = (Folder::new(), plan());
    let expected = write_all(&folder.file(), &plan);
    assert_eq!(states(&folder.file(), &plan), expected);
    // Once more: reading changes nothing.
    assert_eq!(states(&folder.file(), &plan), expected);
}

#[test]
fn the_format_is_what_it_was() {
    let (folder, plan) = (Folder::new(), plan());
    write_all(&folder.file(), &plan);
    let text = fs::read_to_string(folder.file()).unwrap();
    assert!(text.lines().all(|line| with_checksum(&without_checksum(line)) == format!("{line}\n")));
    let lines: Vec<_> = text.lines().map(without_checksum).collect();
    let token = plan.groups().nth(1).unwrap().client_token();
    assert_eq!(
        lines[0],
        format!(
            r#"{{"journal":"healthomics-bulk","version":2,"runId":"run-7","kind":"export","sequenceStoreId":"1234567890","roleArn":"arn:aws:iam::123456789012:role/Omics","destination":"s3://bucket/out/","groups":5,"groupSize":2,"plan":"{}","shard":0,"shards":1}}"#,
            plan.digest()
        )
    );
    assert!(lines[0].as_bytes().starts_with(MAGIC));
    assert_eq!(lines[1], format!(r#"{{"line":"starting","group":1,"token":"{token}"}}"#));
    assert_eq!(lines[4], r#"{"line":"started","group":3,"job":"0000000013"}"#);
    assert_eq!(
        lines[6],
        r#"{"line":"ended","group":3,"job":"0000000013","status":"COMPLETED_WITH_FAILURES","items":[{"position":6,"status":"FINISHED","readSetId":"7777777777"},{"position":7,"status":"NEW_ONE","reason":"not\nthere: \"é\""}]}"#
    );
    assert_eq!(
        lines[8],
        r#"{"line":"refused","group":4,"error":"StartReadSetExportJob: AccessDeniedException (403): no"}"#
    );
}

#[test]
fn a_missing_job_is_read_back() {
    let (folder, plan) = (Folder::new(), plan());
    write_all(&folder.file(), &plan);
    let (mut journal, _) = Journal::open(folder.file(), &plan).unwrap();
    journal.missing(&plan.groups().nth(2).unwrap(), &"0000000012".into(), "no such job").unwrap();
    drop(journal);
    let expected = GroupState::Missing { job: "0000000012".into(), error: "no such job".to_owned() };
    assert_eq!(states(&folder.file(), &plan)[2], expected);
    let text = fs::read_to_string(folder.file()).unwrap();
    let line = without_checksum(text.lines().last().unwrap());
    assert_eq!(line, r#"{"line":"missing","group":2,"job":"0000000012","error":"no such job"}"#);
}

#[test]
fn later_lines_win() {
    let (folder, plan) = (Folder::new(), plan());
    write_all(&folder.file(), &plan);
    let (mut journal, _) = Journal::open(folder.file(), &plan).unwrap();
    for group in plan.groups() {
        journal.starting(&group).unwrap();
    }
    drop(journal);
    assert_eq!(states(&folder.file(), &plan), vec![GroupState::Indeterminate; 5]);
}

/// Cut anywhere, every whole line counts and the next line stands on its own.
#[test]
fn torn_at_every_byte() {
    let (folder, plan) = (Folder::new(), plan());
    write_all(&folder.file(), &plan);
    let whole = fs::read(folder.file()).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let group = plan.groups().next().unwrap();
    let write = |bytes: &[u8]| fs::write(folder.file(), bytes).unwrap();
    for cut in (0..header).chain(last..whole.len()) {
        write(&whole[..cut]);
        let (mut journal, read) = Journal::open(folder.file(), &plan).unwrap();
        if cut >= header {
            assert_eq!((&read[3], &read[4]), (&states_after_cut(&plan)[0], &GroupState::Indeterminate), "{cut}");
        }
        journal.starting(&group).unwrap();
        drop(journal);
        let again = states(&folder.file(), &plan);
        assert_eq!((&again[0], &again[1..]), (&GroupState::Indeterminate, &read[1..]), "{cut}");
        let text = fs::read_to_string(folder.file()).unwrap();
        assert!(text.ends_with('\n') && text.lines().all(|line| line.starts_with('{') && line.ends_with('}')));
    }
}

fn states_after_cut(plan: &Plan<Export>) -> [GroupState<ExportJobId>; 1] {
    let group = plan.groups().nth(3).unwrap();
    let (job, status) = ("0000000013".into(), JobStatus::CompletedWithFailures);
    [GroupState::Finished { job, status, items: results(&group) }]
}

#[test]
fn whatever_is_behind_the_last_newline_goes() {
    let (folder, plan) = (Folder::new(), plan());
    let expected = write_all(&folder.file(), &plan);
    let whole = fs::read(folder.file()).unwrap();
    for tail in
        [&b"\0\0\0\0"[..], b"\xff\xfe", b"{\"line\":\"refused\",\"group\":0,\"error\":\"whole, but no end\"}", b"{"]
    {
        fs::write(folder.file(), [&whole, tail].concat()).unwrap();
        assert_eq!(states(&folder.file(), &plan), expected);
        assert_eq!(fs::read(folder.file()).unwrap(), whole);
    }
}

#[test]
fn an_empty_file_becomes_a_journal() {
    let (folder, plan) = (Folder::new(), plan());
    for begun in [&b""[..], b"\0\0\0", b"{\"jour"] {
        fs::write(folder.file(), begun).unwrap();
        assert_eq!(states(&folder.file(), &plan), vec![GroupState::Untouched; 5]);
        assert!(fs::read(folder.file()).unwrap().starts_with(MAGIC));
    }
}

#[test]
fn somebody_elses_file_is_left_alone() {
    let (folder, plan) = (Folder::new(), plan());
    for foreign in ["5555555555", "{\"some\":\"json\"}", "{\"some\":\"json\"}\n", "id\n5555555555\n", "\n"] {
        fs::write(folder.file(), foreign).unwrap();
        let error = refusal(&folder.file(), &plan);
        assert!(matches!(error, BulkError::JournalCorrupt { line: 1, .. }), "{error}");
        assert!(error.to_string().contains("not a journal of a bulk run"), "{error}");
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), foreign);
    }
}

#[test]
fn a_journal_of_another_run_is_refused_with_what_differs() {
    let folder = Folder::new();
    write_all(&folder.file(), &plan());
    let before = fs::read(folder.file()).unwrap();
    let export = |run: &str, store: &str, to: &str, role: &str| {
        Planner::export(run.into(), store.into(), to.into(), role.into()).group_size(2).plan(ids(10)).unwrap()
    };
    let [run, store, to, role] = ["run-7", "1234567890", "s3://bucket/out/", "arn:aws:iam::123456789012:role/Omics"];
    let others = ["5000000000", "5000000001", "5000000001"].into_iter().map(str::to_owned).chain(ids(10).skip(2));
    let dropped = planner().group_size(2).duplicates(Duplicates::Drop).plan(others).unwrap();
    for (expected, other) in [
        (r#"its run id is "run-7", here it is "run-8"; "#, export("run-8", store, to, role)),
        ("its store is 1234567890, here it is 1234567891; ", export(run, "1234567891", to, role)),
        (
            r#"its destination is "s3://bucket/out/", here it is "s3://bucket"; "#,
            export(run, store, "s3://bucket", role),
        ),
        (
            r#"its role is "arn:aws:iam::123456789012:role/Omics", here it is "arn"#,
            export(run, store, to, &format!("{role}2")),
        ),
        ("its group size is 2, here it is 5; ", planner().group_size(5).plan(ids(10)).unwrap()),
        ("its number of groups is 5, here it is 6; ", planner().group_size(2).plan(ids(11)).unwrap()),
        ("its input is SHA-256 ", planner().group_size(2).plan(ids(11).skip(1)).unwrap()),
        ("its input is SHA-256 ", dropped),
        ("its shard is 0 of 1, here it is 1 of 2; ", plan().shard(1, 2).unwrap()),
    ] {
        let error = refusal(&folder.file(), &other);
        assert!(matches!(error, BulkError::JournalMismatch { .. }) && error.to_string().contains(expected), "{error}");
    }
    let activations = Planner::activation(run.into(), store.into()).group_size(2).plan(ids(10)).unwrap();
    let error = refusal::<Activation>(&folder.file(), &activations);
    assert!(error.to_string().contains("its kind is export, here it is activation; "), "{error}");
    assert_eq!(fs::read(folder.file()).unwrap(), before, "a refused journal is not touched");
}

#[test]
fn a_shard_has_states_of_its_own_groups() {
    let (folder, shard) = (Folder::new(), plan().shard(1, 2).unwrap());
    let (mut journal, states) = Journal::open(folder.file(), &shard).unwrap();
    assert_eq!(states.len(), 2);
    let group = shard.groups().nth(1).unwrap();
    journal.started(&group, &"0000000001".into()).unwrap();
    drop(journal);
    let running = GroupState::Running { job: "0000000001".into() };
    assert_eq!(self::states(&folder.file(), &shard), [GroupState::Untouched, running]);
    with_line(&folder.file(), 1, |line| line.replace(":3,", ":2,"));
    let error = refusal(&folder.file(), &shard);
    assert!(error.to_string().contains("group 2 is not of this run and shard"), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_newer_lines_are_passed_over() {
    let (folder, plan) = (Folder::new(), plan());
    let expected = write_all(&folder.file(), &plan);
    with_line(&folder.file(), 0, |line| line.replace("\"shards\":1", "\"shards\":1,\"new\":{\"a\":[1]}"));
    let more =
        |line: &str| format!("{}\n{}", r#"{"line":"paused","group":"all"}"#, line.replace('}', r#","new":null}"#));
    with_line(&folder.file(), 4, more);
    assert_eq!(states(&folder.file(), &plan), expected);

    fs::write(folder.file(), "{\"journal\":\"healthomics-bulk\",\"version\":3,\"else\":true}\n").unwrap();
    let error = refusal(&folder.file(), &plan);
    assert!(matches!(error, BulkError::JournalUnsupportedVersion { version: 3, supported: 2, .. }), "{error}");
}

#[test]
fn a_broken_line_is_named() {
    let (folder, plan) = (Folder::new(), plan());
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
        let _ = fs::remove_file(folder.file());
        write_all(&folder.file(), &plan);
        with_line(&folder.file(), 4, |_| broken.to_owned());
        let before = fs::read(folder.file()).unwrap();
        let error = refusal(&folder.file(), &plan);
        assert!(matches!(error, BulkError::JournalCorrupt { line: 5, .. }), "{broken}: {error}");
        assert!(
            error.to_string().starts_with("line 5 of the journal ") && !error.to_string().contains('\n'),
            "{error}"
        );
        assert_eq!(fs::read(folder.file()).unwrap(), before);
    }
}

#[test]
fn two_writers_are_one_too_many() {
    let (folder, plan) = (Folder::new(), plan());
    let (journal, _) = Journal::open(folder.file(), &plan).unwrap();
    let error = refusal(&folder.file(), &plan);
    assert!(matches!(error, BulkError::JournalLocked { .. }), "{error}");
    drop(journal);
    assert_eq!(states(&folder.file(), &plan).len(), 5);
}

#[test]
fn folders_that_cant_be_written() {
    let (folder, plan) = (Folder::new(), plan());
    let path = folder.0.join("missing/run.jsonl");
    let error = refusal(&path, &plan);
    assert!(matches!(&error, BulkError::JournalIo { action: "open", .. }), "{error}");
    assert!(error.to_string().contains(&format!("{path:?}")) && std::error::Error::source(&error).is_some());
    let writable = fs::metadata(&folder.0).unwrap().permissions();
    let mut read_only = writable.clone();
    read_only.set_readonly(true);
    fs::set_permissions(&folder.0, read_only).unwrap();
    // Some users and systems may write all the same: what anyone may do there, the journal may.
    let allowed = fs::write(folder.0.join("probe"), "").is_ok();
    let opened = Journal::open(folder.file(), &plan);
    fs::set_permissions(&folder.0, writable).unwrap();
    assert_eq!(opened.is_ok(), allowed);
    assert!(allowed || matches!(opened, Err(BulkError::JournalIo { action: "open", .. })));
}

/// A disk that is full for a moment.
#[cfg(target_os = "linux")]
#[test]
fn a_line_that_could_not_be_written_is_not_there() {
    let (folder, plan) = (Folder::new(), plan());
    let (mut journal, _) = Journal::open(folder.file(), &plan).unwrap();
    let groups: Vec<_> = plan.groups().collect();
    journal.starting(&groups[0]).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let file = std::mem::replace(&mut journal.file, full);
    let error = journal.starting(&groups[1]).unwrap_err();
    assert!(matches!(error, BulkError::JournalStorageFull { .. }), "{error}");
    assert!(error.to_string().starts_with("no space is left on the device for the journal "), "{error}");
    journal.file = file;
    (&journal.file).write_all(b"{\"line\":\"star").unwrap();
    journal.starting(&groups[2]).unwrap();
    drop(journal);
    let (touched, not) = (GroupState::Indeterminate, GroupState::Untouched);
    assert_eq!(states(&folder.file(), &plan), [touched.clone(), not.clone(), touched, not.clone(), not]);
}

#[test]
fn imports_tell_what_they_became() {
    let folder = Folder::new();
    let source = |n: usize| {
        let source = crate::read_set::ImportReadSetSource::builder().source_files(format!("s3://bucket/{n}.bam"));
        source.source_file_type(crate::model::FileType::Ubam).subject_id("S").sample_id("s").build()
    };
    let plan: Plan<Import> =
        Planner::import("run-7".into(), "1234567890".into(), "arn:aws:iam::123456789012:role/Omics".into())
            .plan((0..3).map(source))
            .unwrap();
    let (mut journal, _) = Journal::open(folder.file(), &plan).unwrap();
    let item = |position| ItemResult {
        position,
        status: Some(ItemStatus::Finished),
        read_set_id: Some("7777777777".into()),
        reason: None,
    };
    // The job need not list each item.
    let unlisted = ItemResult { status: None, read_set_id: None, ..item(2) };
    let (job, items) = ("0000000001".into(), vec![item(0), item(1), unlisted]);
    let status = JobStatus::CompletedWithFailures;
    journal.ended(&plan.groups().next().unwrap(), &job, &status, &items).unwrap();
    drop(journal);
    let (_, read) = Journal::open(folder.file(), &plan).unwrap();
    assert_eq!(read, [GroupState::Finished { job, status, items }]);
}

/// A hundred results a group: a million items.
#[test]
fn ten_thousand_groups_are_read() {
    let size = if cfg!(debug_assertions) { 5 } else { 100 };
    let (folder, plan) = (Folder::new(), planner().group_size(size).plan(ids(10_000 * size)).unwrap());
    drop(Journal::open(folder.file(), &plan).unwrap());
    let mut text = fs::read(folder.file()).unwrap();
    for group in plan.groups() {
        let index = group.index();
        let (job, status, items) = ("0000000001".to_owned(), JobStatus::Completed, results(&group));
        let token = group.client_token().to_string();
        text.extend(line::to_line(&Line::Starting { group: index, token }, VERSION));
        text.extend(line::to_line(&Line::Started { group: index, job: job.clone() }, VERSION));
        text.extend(line::to_line(&Line::Ended { group: index, job, status, items }, VERSION));
    }
    fs::write(folder.file(), &text).unwrap();
    let states = states(&folder.file(), &plan);
    assert!(states.iter().all(|state| matches!(state, GroupState::Finished { items, .. } if items.len() == size)));
}

#[test]
fn a_line_that_would_fill_the_memory_is_refused() {
    let (folder, plan) = (Folder::new(), plan());
    write_all(&folder.file(), &plan);
    let file = OpenOptions::new().write(true).open(folder.file()).unwrap();
    file.set_len(80 << 20).unwrap();
    let error = refusal(&folder.file(), &plan);
    assert!(matches!(error, BulkError::JournalCorrupt { line: 10, .. }), "{error}");
    assert_eq!(file.metadata().unwrap().len(), 80 << 20, "it is left alone");
}

#[test]
fn a_journal_from_elsewhere_tells_its_members_on_one_line() {
    let (folder, plan) = (Folder::new(), plan());
    write_all(&folder.file(), &plan);
    with_line(&folder.file(), 0, |line| line.replace(r#""kind":"export""#, r#""kind":"a\nb\u001b""#));
    let error = refusal(&folder.file(), &plan).to_string();
    assert!(error.contains(r"its kind is a\nb\u{1b}, here it is export; "), "{error}");
}

/// Reads a journal without a file.
fn read(bytes: &[u8], plan: &Plan<Export>) -> Result<Option<Vec<GroupState<ExportJobId>>>, BulkError> {
    let mut lines = Lines::new(Path::new("run.jsonl"), bytes);
    match lines.header(&Header::of(plan))? {
        Some(_) => lines.states(plan).map(Some),
        None => Ok(None),
    }
}

#[test]
fn no_flipped_bit_is_read_as_another_state() {
    let (folder, plan) = (Folder::new(), plan());
    let expected = write_all(&folder.file(), &plan);
    let mut bytes = fs::read(folder.file()).unwrap();
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

/// As the version before checksums has written it.
#[test]
fn a_journal_of_version_1_is_read_and_continued() {
    let (folder, plan) = (Folder::new(), plan());
    let expected = write_all(&folder.file(), &plan);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal_v1.jsonl");
    fs::copy(fixture, folder.file()).unwrap();
    assert_eq!(states(&folder.file(), &plan), expected);
    let (mut journal, _) = Journal::open(folder.file(), &plan).unwrap();
    journal.starting(&plan.groups().next().unwrap()).unwrap();
    drop(journal);
    let states = states(&folder.file(), &plan);
    assert_eq!((&states[0], &states[1..]), (&GroupState::Indeterminate, &expected[1..]));
    let text = fs::read_to_string(folder.file()).unwrap();
    assert!(!text.contains("crc32"), "a version that knows no checksums may go on with it");
}

/// In version 1, an item that a completed job did not list had an empty status.
#[test]
fn an_empty_status_of_version_1_is_none_unless_the_job_is_completed() {
    let plan = plan();
    let header = String::from_utf8(line::to_line(&Header { version: 1, ..Header::of(&plan) }, 1)).unwrap();
    for (status, expected) in [("COMPLETED", Some(ItemStatus::Finished)), ("FAILED", None)] {
        let items = r#"[{"position":0,"status":""},{"position":1,"status":"FINISHED"}]"#;
        let ended = format!(r#"{{"line":"ended","group":0,"job":"1","status":"{status}","items":{items}}}"#);
        let states = read(format!("{header}{ended}\n").as_bytes(), &plan).unwrap().unwrap();
        let GroupState::Finished { items, .. } = &states[0] else { panic!("{states:?}") };
        assert_eq!(
            items.iter().map(|item| item.status.clone()).collect::<Vec<_>>(),
            [expected, Some(ItemStatus::Finished)]
        );
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused() {
    let (folder, plan) = (Folder::new(), plan());
    let _socket = std::os::unix::net::UnixListener::bind(folder.file()).unwrap();
    for path in [folder.file(), folder.0.clone(), "/dev/null".into()] {
        let error = refusal(&path, &plan);
        assert!(matches!(error, BulkError::JournalNotRegular { .. }), "{error}");
        assert!(error.to_string().contains("is not a regular file"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_leads_to_the_journal() {
    let (folder, plan) = (Folder::new(), plan());
    let target = folder.0.join("there");
    fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(target.join("run.jsonl"), folder.file()).unwrap();
    let expected = write_all(&folder.file(), &plan);
    assert_eq!(states(&target.join("run.jsonl"), &plan), expected);
}
