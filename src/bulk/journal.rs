//! What a bulk run has done so far, in a file: one JSON object a line, only ever appended to.
//!
//! The first line says which plan it is of. A line is on the disk before what it announces is done, and before what it
//! tells of is relied on; whatever moment a crash comes at, each group is known to be untouched, indeterminate, running,
//! finished, refused or missing.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use self::line::ItemResult;
use self::line::{Header, Line, MAGIC, VERSION};
use super::{BulkError, BulkKind, Group, Plan};
use crate::job::JobKind;
use crate::model::{ItemStatus, JobStatus};

mod line;

/// More than a hundred items can take whose messages come out of an answer of 8 MiB, each character escaped.
const LONGEST_LINE: u64 = 64 << 20;

/// Where a group stands, by its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupState<Id> {
    /// No start was sent.
    Untouched,
    /// A start may have been sent: send it again, with the same token.
    Indeterminate,
    /// It has a job.
    Running { job: Id },
    /// Its job has ended.
    Finished { job: Id, status: JobStatus, items: Vec<ItemResult> },
    /// The service refused it for good.
    Refused { error: String },
    /// The service does not know its job any more.
    Missing { job: Id, error: String },
}

/// Where each group of a plan's shard stands, in its order.
pub(crate) type States<K> = Vec<GroupState<<K as JobKind>::Id>>;

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
    /// The format of the file: one that was begun by an earlier version goes on as it is.
    version: u64,
    kind: PhantomData<fn() -> K>,
}

impl<K: BulkKind> Journal<K> {
    /// Opens the journal of a plan, or begins one, and tells where its groups stand.
    pub(crate) fn open(path: impl Into<PathBuf>, plan: &Plan<K>) -> Result<(Self, States<K>), BulkError> {
        let path = path.into();
        // Opening a device may do something, and reading a FIFO may wait forever.
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(BulkError::JournalNotRegular { path });
        }
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BulkError::JournalLocked { path }),
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
        let mut lines = Lines::new(&path, BufReader::new(&file));
        let version = lines.header(&Header::of(plan))?;
        let states = match version {
            Some(_) => lines.states(plan)?,
            None => plan.groups().map(|_| GroupState::Untouched).collect(),
        };
        let end = lines.end;
        let mut journal = Self { path, file, end, torn: true, version: version.unwrap_or(VERSION), kind: PhantomData };
        if version.is_some() {
            journal.cut().map_err(failed("write", &journal.path))?;
        } else {
            journal.append(&Header::of(plan))?;
            journal.sync_folder();
        }
        Ok((journal, states))
    }

    /// A start of the group is about to be sent.
    pub(crate) fn starting(&mut self, group: &Group<'_, K>) -> Result<(), BulkError> {
        self.append(&Line::Starting { group: group.index(), token: group.client_token().to_string() })
    }

    /// The group has a job.
    pub(crate) fn started(&mut self, group: &Group<'_, K>, job: &K::Id) -> Result<(), BulkError> {
        self.append(&Line::Started { group: group.index(), job: job.as_ref().to_owned() })
    }

    /// The group's job has ended.
    pub(crate) fn ended(
        &mut self,
        group: &Group<'_, K>,
        job: &K::Id,
        status: &JobStatus,
        items: &[ItemResult],
    ) -> Result<(), BulkError> {
        self.append(&Line::Ended {
            group: group.index(),
            job: job.as_ref().to_owned(),
            status: status.clone(),
            items: items.to_vec(),
        })
    }

    /// The service refused the group for good.
    pub(crate) fn refused(&mut self, group: &Group<'_, K>, error: &str) -> Result<(), BulkError> {
        self.append(&Line::Refused { group: group.index(), error: error.to_owned() })
    }

    /// The service does not know the group's job any more.
    pub(crate) fn missing(&mut self, group: &Group<'_, K>, job: &K::Id, error: &str) -> Result<(), BulkError> {
        self.append(&Line::Missing { group: group.index(), job: job.as_ref().to_owned(), error: error.to_owned() })
    }

    /// Writes a line down to the disk. After an error the next line takes its place.
    fn append(&mut self, line: &impl Serialize) -> Result<(), BulkError> {
        let line = line::to_line(line, self.version);
        self.write(&line).map_err(failed("write", &self.path))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.cut()?;
        }
        self.torn = true;
        self.file.write_all(line)?;
        self.file.sync_data()?;
        self.torn = false;
        self.end += line.len() as u64;
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
        // The path may be a symbolic link: it is the folder of its target that has the file.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        if let Some(Ok(folder)) = target.parent().map(File::open) {
            let _ = folder.sync_all();
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BulkError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            BulkError::JournalStorageFull { path: path.to_owned(), source }
        }
        _ => BulkError::JournalIo { action, path: path.to_owned(), source },
    }
}

/// Reads whole lines; what is behind the last newline was cut by a crash.
struct Lines<'a, R> {
    path: &'a Path,
    reader: R,
    line: Vec<u8>,
    number: usize,
    end: u64,
    /// Whether lines have a checksum.
    checked: bool,
}

impl<'a, R: BufRead> Lines<'a, R> {
    fn new(path: &'a Path, reader: R) -> Self {
        Self { path, reader, line: Vec::new(), number: 0, end: 0, checked: false }
    }

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
        if self.checked {
            if whole && !line::verifies(&self.line) {
                return Err(self.broken("its checksum is wrong"));
            }
            if !whole && line::has_lost_its_newline(&self.line) {
                self.number += 1;
                return Err(self.broken("it does not end in a newline"));
            }
        }
        Ok(whole)
    }

    /// The version of the format, by the header; `None` if there is no header yet.
    fn header(&mut self, expected: &Header) -> Result<Option<u64>, BulkError> {
        if !self.next()? {
            // A header that was not written to its end is written again. Anything else is somebody's file: leave it
            // alone.
            let torn = &self.line;
            let ours = torn.starts_with(MAGIC) || MAGIC.starts_with(torn) || torn.iter().all(|byte| *byte == 0);
            self.number = 1;
            if ours && !line::has_lost_its_newline(torn) {
                return Ok(None);
            }
            return Err(self.broken("not a journal of a bulk run"));
        }
        if !self.line.starts_with(MAGIC) {
            return Err(self.broken("not a journal of a bulk run"));
        }
        let header: Header = self.parse()?;
        let version = header.version;
        if version == 0 {
            return Err(self.broken("it has no version"));
        }
        if version > VERSION {
            let path = self.path.to_owned();
            return Err(BulkError::JournalUnsupportedVersion { path, version, supported: VERSION });
        }
        self.checked = version > 1;
        if self.checked && !line::verifies(&self.line) {
            return Err(self.broken("its checksum is wrong"));
        }
        for ((field, found), (_, expected)) in header.fields().into_iter().zip(expected.fields()) {
            if found != expected {
                return Err(BulkError::JournalMismatch { path: self.path.to_owned(), field, found, expected });
            }
        }
        Ok(Some(version))
    }

    /// Where each group stands after the last line.
    fn states<K: BulkKind>(&mut self, plan: &Plan<K>) -> Result<States<K>, BulkError> {
        let groups: Vec<_> = plan.groups().collect();
        let mut states: Vec<_> = groups.iter().map(|_| GroupState::Untouched).collect();
        while self.next()? {
            let (index, state) = match self.parse()? {
                Line::Starting { group, token } => {
                    if self.group(&groups, group)?.client_token() != token {
                        return Err(self.broken("the token is not that of the group"));
                    }
                    (group, GroupState::Indeterminate)
                }
                Line::Started { group, job } => (group, GroupState::Running { job: job.into() }),
                Line::Ended { group, job, status, mut items } => {
                    if status == JobStatus::Completed {
                        // Version 1 had no status for items that a completed job does not list.
                        for item in &mut items {
                            item.status.get_or_insert(ItemStatus::Finished);
                        }
                    }
                    let positions: Vec<_> = self.group(&groups, group)?.positions().collect();
                    if items.iter().any(|item| positions.binary_search(&item.position).is_err()) {
                        return Err(self.broken("an item is not of the group"));
                    }
                    (group, GroupState::Finished { job: job.into(), status, items })
                }
                Line::Refused { group, error } => (group, GroupState::Refused { error }),
                Line::Missing { group, job, error } => (group, GroupState::Missing { job: job.into(), error }),
                Line::Unknown => continue,
            };
            let slot = self.slot(&groups, index)?;
            states[slot] = state;
        }
        Ok(states)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, BulkError> {
        let line = str::from_utf8(&self.line).map_err(|error| self.broken(&error.to_string()))?;
        serde_json::from_str(line).map_err(|error| self.broken(&error.to_string()))
    }

    fn group<'p, K: BulkKind>(&self, groups: &[Group<'p, K>], index: usize) -> Result<Group<'p, K>, BulkError> {
        self.slot(groups, index).map(|slot| groups[slot])
    }

    /// Where a group stands in the plan.
    fn slot<K: BulkKind>(&self, groups: &[Group<'_, K>], index: usize) -> Result<usize, BulkError> {
        let slot = groups.binary_search_by_key(&index, Group::index);
        slot.map_err(|_| self.broken(&format!("group {index} is not of this run and shard")))
    }

    fn broken(&self, reason: &str) -> BulkError {
        BulkError::JournalCorrupt { path: self.path.to_owned(), line: self.number, reason: reason.to_owned() }
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod tests;
