//! The journal of a bulk run: a file of one JSON object a line, only ever appended to.
//!
//! The first line is a header with the plan. A line is on the disk before the action that it announces, and before a
//! result that it holds is used. So after a crash at any moment, each group is known to be untouched, indeterminate,
//! running, finished, refused or missing.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod line;
mod reader;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;

use self::line::{Entry, Header, Line, VERSION};
pub(crate) use self::line::{FailedActivation, ItemResult};
use self::reader::Reader;
use super::{BulkError, BulkKind, Group, Plan};
use crate::job::Activation;
use crate::model::{ActivationJobId, ClientToken, JobStatus};

/// The state of a group by its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupState<Id> {
    /// No start was sent.
    Untouched,
    /// A start may have been sent. It is to be sent again, with the same token.
    Indeterminate,
    /// The group has a job, which has not ended as far as is known.
    Running { job: Id },
    /// The job of the group has ended.
    Finished { job: Id, status: JobStatus, items: Vec<ItemResult> },
    /// The service refused the start for good.
    Refused { error: String },
    /// The service does not know the job of the group any more.
    Missing { job: Id, error: String },
}

impl<Id> GroupState<Id> {
    /// Whether the group has a job, or may have one.
    pub(crate) fn has_job(&self) -> bool {
        !matches!(self, Self::Untouched | Self::Refused { .. })
    }
}

/// What a journal has of a group.
#[derive(Clone, Debug)]
pub(crate) struct GroupRecord<Id> {
    pub(crate) state: GroupState<Id>,
    /// When the first start was sent. `None` if none was, and in journals of earlier versions.
    pub(crate) first_start: Option<OffsetDateTime>,
    /// The items that are not in the job of the group, as they were not activated.
    pub(crate) excluded: Vec<ItemResult>,
}

impl<Id: Clone> GroupRecord<Id> {
    fn untouched(groups: usize) -> Vec<Self> {
        vec![Self { state: GroupState::Untouched, first_start: None, excluded: Vec::new() }; groups]
    }
}

/// What a journal has of the groups of a run.
pub(crate) struct JournalStates<K: BulkKind> {
    /// The groups of the plan's shard, in the order of the plan.
    pub(crate) groups: Vec<GroupRecord<K::Id>>,
    /// The groups of the plan of activations; empty if there is none.
    pub(crate) activations: Vec<GroupRecord<ActivationJobId>>,
}

impl<K: BulkKind> JournalStates<K> {
    /// The states of a run that has not begun.
    pub(crate) fn untouched(plan: &Plan<K>, activation_plan: Option<&Plan<Activation>>) -> Self {
        Self {
            groups: GroupRecord::untouched(plan.groups().len()),
            activations: GroupRecord::untouched(activation_plan.map_or(0, Plan::group_count)),
        }
    }
}

/// The journal of one shard of a plan, open for writing and locked.
///
/// Writing a line blocks until it is on the disk.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    /// The offset of the end of the last complete line, in bytes.
    end: u64,
    /// Whether the file may have a part of a line after that.
    may_have_partial_line: bool,
    /// The version of the format. A journal of an earlier version is continued in that version.
    version: u64,
    /// The kind of the plan's jobs. Groups of another kind are activations before the exports.
    kind: &'static str,
}

impl Journal {
    /// Opens the journal of a plan, or creates one, and returns the states of its groups.
    pub(crate) fn open<K: BulkKind>(
        path: impl Into<PathBuf>,
        plan: &Plan<K>,
        activation_plan: Option<&Plan<Activation>>,
    ) -> Result<(Self, JournalStates<K>), BulkError> {
        let path = path.into();
        // Opening a device may do something, and reading a FIFO may wait forever.
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(BulkError::JournalNotRegular { path });
        }
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = open.map_err(io_error("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BulkError::JournalLocked { path }),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
        }
        let mut reader = Reader::new(&path, BufReader::new(&file));
        let version = reader.header(&Header::of(plan))?;
        let states = match version {
            Some(_) => reader.states(plan, activation_plan)?,
            None => JournalStates::untouched(plan, activation_plan),
        };
        let end = reader.end();
        let mut journal =
            Self { path, file, end, may_have_partial_line: true, version: version.unwrap_or(VERSION), kind: K::NAME };
        if version.is_some() {
            journal.remove_partial_line().map_err(io_error("write", &journal.path))?;
        } else {
            journal.append(&Header::of(plan))?;
            journal.sync_directory();
        }
        Ok((journal, states))
    }

    /// Writes that a start of the group is about to be sent, without the items that were not activated. `first_start` is
    /// when the first one was.
    pub(crate) fn starting<K: BulkKind>(
        &mut self,
        group: &Group<'_, K>,
        token: &ClientToken,
        first_start: OffsetDateTime,
        excluded: &[ItemResult],
    ) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Starting {
            group: group.index(),
            token: token.to_string(),
            first_start: Some(first_start),
            excluded: excluded.to_vec(),
        })
    }

    /// Writes that the service accepted a start of the group.
    pub(crate) fn started<K: BulkKind>(&mut self, group: &Group<'_, K>, job: &K::Id) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Started { group: group.index(), job: job.as_ref().to_owned() })
    }

    /// Writes that the job of the group has ended.
    pub(crate) fn ended<K: BulkKind>(
        &mut self,
        group: &Group<'_, K>,
        job: &K::Id,
        status: &JobStatus,
        items: &[ItemResult],
    ) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Ended {
            group: group.index(),
            job: job.as_ref().to_owned(),
            status: status.clone(),
            items: items.to_vec(),
        })
    }

    /// Writes that the service refused the start of the group for good.
    pub(crate) fn refused<K: BulkKind>(&mut self, group: &Group<'_, K>, error: &str) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Refused { group: group.index(), error: error.to_owned() })
    }

    /// Writes that the service does not know the job of the group any more.
    pub(crate) fn missing<K: BulkKind>(
        &mut self,
        group: &Group<'_, K>,
        job: &K::Id,
        error: &str,
    ) -> Result<(), BulkError> {
        let job = job.as_ref().to_owned();
        self.append_line::<K>(Line::Missing { group: group.index(), job, error: error.to_owned() })
    }

    fn append_line<K: BulkKind>(&mut self, line: Line) -> Result<(), BulkError> {
        self.append(&Entry { line, activation: K::NAME != self.kind })
    }

    /// Writes a line to the disk. After an error, the next line replaces it.
    fn append(&mut self, line: &impl Serialize) -> Result<(), BulkError> {
        let line = line::to_line(line, self.version);
        self.write(&line).map_err(io_error("write", &self.path))
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.may_have_partial_line {
            self.remove_partial_line()?;
        }
        self.may_have_partial_line = true;
        self.file.write_all(line)?;
        self.file.sync_data()?;
        self.may_have_partial_line = false;
        self.end += line.len() as u64;
        Ok(())
    }

    /// Truncates the file to its complete lines.
    fn remove_partial_line(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.sync_data()?;
        self.may_have_partial_line = false;
        Ok(())
    }

    /// Writes the directory to the disk: without that, a new file may be lost at a power failure. Systems that can't do
    /// it are left as they are.
    fn sync_directory(&self) {
        // The path may be a symbolic link: the directory of its target has the file.
        let target = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        if let Some(Ok(directory)) = target.parent().map(File::open) {
            let _ = directory.sync_all();
        }
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BulkError {
    move |source| match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            BulkError::JournalStorageFull { path: path.to_owned(), source }
        }
        _ => BulkError::JournalIo { action, path: path.to_owned(), source },
    }
}

#[cfg(test)]
mod tests;
