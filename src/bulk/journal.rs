//! What a bulk run has done so far, in a file: one JSON object a line, only ever appended to.
//!
//! The first line says which plan it is of. A line is on the disk before what it announces is done, and before what it
//! tells of is relied on; whatever moment a crash comes at, each group is known to be untouched, undecided, running,
//! finished or refused.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BulkError, BulkKind, Group, Plan};
use crate::job::JobKind;
use crate::model::{ItemStatus, JobStatus, ReadSetId};

/// The format that this version writes, and the newest it reads.
const VERSION: u64 = 1;
/// More than a hundred items can take whose messages come out of an answer of 8 MiB, each character escaped.
const LONGEST_LINE: u64 = 64 << 20;
/// How much of what is wrong with a line is told, in characters: the parser quotes what it can't use.
const LONGEST_REASON: usize = 300;
/// How every journal begins.
const MAGIC: &[u8] = br#"{"journal":"healthomics-bulk","#;

/// Where a group stands, by its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupState<Id> {
    /// No start was sent.
    Untouched,
    /// A start may have been sent: send it again, with the same token.
    Undecided,
    /// It has a job.
    Running { job: Id },
    /// Its job has ended.
    Finished { job: Id, status: JobStatus, items: Vec<ItemResult> },
    /// The service refused it for good.
    Refused { error: String },
}

/// Where each group of a plan's shard stands, in its order.
pub(crate) type States<K> = Vec<GroupState<<K as JobKind>::Id>>;

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemResult {
    /// Where it stands in the input.
    pub(crate) position: usize,
    pub(crate) status: ItemStatus,
    /// What a source became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_set_id: Option<ReadSetId>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// The first line. Later versions may add members, and change anything but the first two with the version.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    journal: String,
    version: u64,
    run_id: String,
    kind: String,
    sequence_store_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    groups: usize,
    group_size: usize,
    plan: String,
    shard: usize,
    shards: usize,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

/// Which kind of line it is. Kinds that a later version adds are passed over.
#[derive(Deserialize)]
struct Kind {
    line: String,
}

#[derive(Serialize, Deserialize)]
struct Starting {
    group: usize,
    token: String,
}

#[derive(Serialize, Deserialize)]
struct Started {
    group: usize,
    job: String,
}

#[derive(Serialize, Deserialize)]
struct Ended<Items> {
    group: usize,
    job: String,
    status: JobStatus,
    items: Items,
}

#[derive(Serialize, Deserialize)]
struct Refused {
    group: usize,
    error: String,
}

#[derive(Serialize)]
struct Line<'a, T> {
    line: &'a str,
    #[serde(flatten)]
    rest: T,
}

/// The journal of one shard of a plan, open for writing and locked.
///
/// Blocks on the disk: one flush a line.
#[derive(Debug)]
pub(crate) struct Journal<K> {
    path: PathBuf,
    file: File,
    /// Where the last whole line ends.
    end: u64,
    /// Whether there may be part of a line behind it.
    torn: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: BulkKind> Journal<K> {
    /// Opens the journal of a plan, or begins one, and tells where its groups stand.
    pub(crate) fn open(path: impl Into<PathBuf>, plan: &Plan<K>) -> Result<(Self, States<K>), BulkError> {
        let path = path.into();
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BulkError::JournalInUse { path }),
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
        let mut lines = Lines { path: &path, reader: BufReader::new(&file), line: Vec::new(), number: 0, end: 0 };
        let begun = lines.header(&Header::of(plan))?;
        let states = if begun { lines.states(plan)? } else { plan.groups().map(|_| GroupState::Untouched).collect() };
        let end = lines.end;
        let mut journal = Self { path, file, end, torn: true, kind: PhantomData };
        if begun {
            journal.cut().map_err(failed("write", &journal.path))?;
        } else {
            journal.append(&Header::of(plan))?;
            journal.sync_folder();
        }
        Ok((journal, states))
    }

    /// A start of the group is about to be sent.
    pub(crate) fn starting(&mut self, group: &Group<'_, K>) -> Result<(), BulkError> {
        let rest = Starting { group: group.index(), token: group.client_token().into() };
        self.append(&Line { line: "starting", rest })
    }

    /// The group has a job.
    pub(crate) fn started(&mut self, group: &Group<'_, K>, job: &K::Id) -> Result<(), BulkError> {
        self.append(&Line { line: "started", rest: Started { group: group.index(), job: job.to_string() } })
    }

    /// The group's job has ended.
    pub(crate) fn ended(
        &mut self,
        group: &Group<'_, K>,
        job: &K::Id,
        status: &JobStatus,
        items: &[ItemResult],
    ) -> Result<(), BulkError> {
        let rest = Ended { group: group.index(), job: job.to_string(), status: status.clone(), items };
        self.append(&Line { line: "ended", rest })
    }

    /// The service refused the group for good.
    pub(crate) fn refused(&mut self, group: &Group<'_, K>, error: &str) -> Result<(), BulkError> {
        self.append(&Line { line: "refused", rest: Refused { group: group.index(), error: error.to_owned() } })
    }

    /// Writes a line down to the disk. After an error the next line takes its place.
    fn append(&mut self, line: &impl Serialize) -> Result<(), BulkError> {
        self.write(line).map_err(failed("write", &self.path))
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        if self.torn {
            self.cut()?;
        }
        self.torn = true;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.torn = false;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Cuts off what is behind the last whole line.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.sync_data()?;
        self.torn = false;
        Ok(())
    }

    /// A new file outlives a power cut only when its folder is on the disk too. Not every system can do that.
    fn sync_folder(&self) {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BulkError {
    move |source| BulkError::JournalIo { action, path: path.to_owned(), source }
}

impl Header {
    fn of<K: BulkKind>(plan: &Plan<K>) -> Self {
        Self {
            journal: "healthomics-bulk".to_owned(),
            version: VERSION,
            run_id: plan.run_id().to_string(),
            kind: K::NAME.to_owned(),
            sequence_store_id: plan.sequence_store_id().to_string(),
            role_arn: plan.role_arn().map(ToString::to_string),
            destination: plan.destination().map(ToString::to_string),
            groups: plan.group_count(),
            group_size: plan.group_size(),
            plan: plan.digest().to_owned(),
            shard: plan.current_shard().index,
            shards: plan.current_shard().count,
        }
    }

    /// What a person would look at, the most telling first.
    fn members(&self) -> [(&'static str, String); 9] {
        // Another's journal may say anything.
        let escaped = |text: &str| text.escape_debug().to_string();
        let quoted = |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("{text:?}"));
        [
            ("run id", format!("{:?}", self.run_id)),
            ("kind", escaped(&self.kind)),
            ("store", escaped(&self.sequence_store_id)),
            ("destination", quoted(&self.destination)),
            ("role", quoted(&self.role_arn)),
            ("group size", self.group_size.to_string()),
            ("number of groups", self.groups.to_string()),
            ("input", format!("SHA-256 {}", escaped(&self.plan))),
            ("shard", format!("{} of {}", self.shard, self.shards)),
        ]
    }
}

/// Reads whole lines; what is behind the last newline was cut by a crash.
struct Lines<'a, R> {
    path: &'a Path,
    reader: R,
    line: Vec<u8>,
    number: usize,
    end: u64,
}

impl<R: BufRead> Lines<'_, R> {
    /// Whether there is one more, in `line`. If there is none, what was cut stands there.
    fn next(&mut self) -> Result<bool, BulkError> {
        self.line.clear();
        let mut limited = (&mut self.reader).take(LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut self.line).map_err(failed("read", self.path))?;
        if read as u64 == LONGEST_LINE {
            self.number += 1;
            return Err(self.broken("it is longer than any line of a journal"));
        }
        let whole = self.line.ends_with(b"\n");
        if whole {
            self.number += 1;
            self.end += read as u64;
        }
        Ok(whole)
    }

    /// Whether there is a header; the right one if so.
    fn header(&mut self, here: &Header) -> Result<bool, BulkError> {
        if !self.next()? {
            // A header that was cut is written anew. Anything else is somebody's file: leave it alone.
            let cut = &self.line;
            let ours = cut.starts_with(MAGIC) || MAGIC.starts_with(cut) || cut.iter().all(|byte| *byte == 0);
            self.number = 1;
            return if ours { Ok(false) } else { Err(self.broken("not a journal of a bulk run")) };
        }
        if !self.line.starts_with(MAGIC) {
            return Err(self.broken("not a journal of a bulk run"));
        }
        let Version { version } = self.parse()?;
        if version > VERSION {
            return Err(BulkError::JournalIsNewer { path: self.path.to_owned(), version, known: VERSION });
        }
        let header: Header = self.parse()?;
        for ((member, journal), (_, here)) in header.members().into_iter().zip(here.members()) {
            if journal != here {
                return Err(BulkError::JournalOfAnotherRun { path: self.path.to_owned(), member, journal, here });
            }
        }
        Ok(true)
    }

    /// Where each group stands after the last line.
    fn states<K: BulkKind>(&mut self, plan: &Plan<K>) -> Result<States<K>, BulkError> {
        let groups: Vec<_> = plan.groups().collect();
        let mut states: Vec<_> = groups.iter().map(|_| GroupState::Untouched).collect();
        while self.next()? {
            let Kind { line } = self.parse()?;
            let (group, state) = match line.as_str() {
                "starting" => {
                    let Starting { group, token } = self.parse()?;
                    let slot = self.slot(&groups, group)?;
                    if groups[slot].client_token() != token.as_str() {
                        return Err(self.broken("the token is not that of the group"));
                    }
                    (slot, GroupState::Undecided)
                }
                "started" => {
                    let Started { group, job } = self.parse()?;
                    (self.slot(&groups, group)?, GroupState::Running { job: job.into() })
                }
                "ended" => {
                    let Ended::<Vec<ItemResult>> { group, job, status, items } = self.parse()?;
                    let slot = self.slot(&groups, group)?;
                    let positions: Vec<_> = groups[slot].positions().collect();
                    if items.iter().any(|item| positions.binary_search(&item.position).is_err()) {
                        return Err(self.broken("an item is not of the group"));
                    }
                    (slot, GroupState::Finished { job: job.into(), status, items })
                }
                "refused" => {
                    let Refused { group, error } = self.parse()?;
                    (self.slot(&groups, group)?, GroupState::Refused { error })
                }
                _ => continue,
            };
            states[group] = state;
        }
        Ok(states)
    }

    /// Where the group stands in its shard.
    fn slot<K: BulkKind>(&self, groups: &[Group<'_, K>], index: usize) -> Result<usize, BulkError> {
        let found = groups.binary_search_by_key(&index, Group::index);
        found.map_err(|_| self.broken(&format!("group {index} is not of this run and shard")))
    }

    fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BulkError> {
        // As text, like answers: JSON is then read by one kind of parser, which is compiled once.
        let line = str::from_utf8(&self.line).map_err(|error| self.broken(&error.to_string()))?;
        serde_json::from_str(line).map_err(|error| self.broken(&error.to_string()))
    }

    fn broken(&self, reason: &str) -> BulkError {
        let reason = reason.chars().take(LONGEST_REASON).collect();
        BulkError::JournalIsBroken { path: self.path.to_owned(), line: self.number, reason }
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod tests;
