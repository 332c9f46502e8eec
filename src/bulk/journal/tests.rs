mod damage;
mod files;
mod format;

use std::fs::{self, OpenOptions};

use super::line::MAGIC;
use super::reader::Reader;
use super::*;
use crate::bulk::{Duplicates, Planner};
use crate::job::{Activation, Export, Import};
use crate::model::{ExportJobId, ItemStatus};

/// When starts are sent.
const START: OffsetDateTime = time::macros::datetime!(2026-11-28 12:00 UTC);

/// A new directory that is removed when it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("healthomics-journal-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&directory).unwrap();
        Self(directory)
    }

    fn file(&self) -> PathBuf {
        self.0.join("run.jsonl")
    }
}

impl Drop for Directory {
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

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn try_open<K: BulkKind>(
    path: &Path,
    plan: &Plan<K>,
    activation_plan: Option<&Plan<Activation>>,
) -> Result<(Journal, JournalStates<K>), BulkError> {
    block_on(Journal::open(file_storage(path.to_owned()), plan, activation_plan))
}

/// Opens the journal of a plan without activations.
fn open<K: BulkKind>(path: &Path, plan: &Plan<K>) -> (Journal, Vec<GroupState<K::Id>>) {
    let (journal, states) = try_open(path, plan, None).unwrap();
    (journal, states.groups.into_iter().map(|group| group.state).collect())
}

fn starting<K: BulkKind>(journal: &mut Journal, group: &Group<'_, K>) {
    block_on(journal.starting(group, &group.client_token(), Some(START), &[])).unwrap();
}

fn states(path: &Path, plan: &Plan<Export>) -> Vec<GroupState<ExportJobId>> {
    open(path, plan).1
}

fn refusal<K: BulkKind>(path: &Path, plan: &Plan<K>) -> BulkError {
    try_open(path, plan, None).err().expect("it is refused")
}

fn results(group: &Group<'_, Export>) -> Vec<ItemResult> {
    let result = |position| ItemResult {
        position,
        status: Some(if position % 2 == 0 { ItemStatus::Finished } else { "NEW_ONE".into() }),
        read_set_id: (position % 2 == 0).then(|| "7777777777".into()),
        reason: (position % 2 == 1).then(|| "not\nthere: \"é\"".to_owned()),
        activation: None,
    };
    group.positions().map(result).collect()
}

/// Writes a group in each state, in the order of [`GroupState`], and returns the states.
fn write_all(path: &Path, plan: &Plan<Export>) -> Vec<GroupState<ExportJobId>> {
    let (mut journal, initial) = open(path, plan);
    assert_eq!(initial, vec![GroupState::Untouched; plan.groups().len()]);
    let groups: Vec<_> = plan.groups().collect();
    let job = |number: usize| format!("{:010}", 10 + number).into();
    starting(&mut journal, &groups[1]);
    starting(&mut journal, &groups[2]);
    starting(&mut journal, &groups[3]);
    block_on(journal.started(&groups[3], &job(3))).unwrap();
    block_on(journal.started(&groups[2], &job(2))).unwrap();
    block_on(journal.ended(&groups[3], &job(3), &JobStatus::CompletedWithFailures, &results(&groups[3]))).unwrap();
    starting(&mut journal, &groups[4]);
    block_on(journal.refused(&groups[4], "StartReadSetExportJob: AccessDeniedException (403): no")).unwrap();
    vec![
        GroupState::Untouched,
        GroupState::Indeterminate,
        GroupState::Running { job: job(2) },
        GroupState::Finished { job: job(3), status: JobStatus::CompletedWithFailures, items: results(&groups[3]) },
        GroupState::Refused { error: "StartReadSetExportJob: AccessDeniedException (403): no".to_owned() },
    ]
}

/// Changes one line of a journal, with valid checksums. Lines are counted from 0.
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

/// Reads a journal without a file.
fn read(bytes: &[u8], plan: &Plan<Export>) -> Result<Option<Vec<GroupState<ExportJobId>>>, BulkError> {
    let mut reader = Reader::new(Path::new("run.jsonl"), plan, None);
    reader.push(bytes)?;
    let (version, states) = reader.finish()?;
    Ok(version.map(|_| states.groups.into_iter().map(|group| group.state).collect()))
}
