//! The journal of a bulk run: one JSON object a line, only ever appended to.
//!
//! The first line is a header with the plan. A line is stored before the action that it announces, and before a result
//! that it holds is used. So after a crash at any moment, each group is known to be untouched, indeterminate, running,
//! finished, refused or missing.

mod file;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod line;
mod reader;
mod storage;

use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use self::file::{FileStorage, NotRegular};
use self::line::{Entry, Header, Line, VERSION};
pub(crate) use self::line::{FailedActivation, ItemResult};
use self::reader::Reader;
pub use self::storage::{JournalFuture, JournalStorage};
use super::{BulkError, BulkKind, Group, Plan};
use crate::job::Activation;
use crate::model::{ActivationJobId, ClientToken, JobStatus};

/// The state of a group by its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupState<Id> {
    /// No start was sent.
    Untouched,
    /// A start may have been sent, and its result is not known. It is sent again with the same token; if tokens are not
    /// trusted, its job is searched for first.
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
    /// When the first start was sent. `None` if none was, or if that is not known.
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
#[derive(Debug)]
pub(crate) struct Journal {
    storage: Box<dyn JournalStorage>,
    /// The version of the format. A journal of an earlier version is continued in that version.
    version: u64,
    /// The kind of the plan's jobs. Groups of another kind are activations before the exports.
    kind: &'static str,
}

/// A journal in a file.
pub(crate) fn file_storage(path: PathBuf) -> Box<dyn JournalStorage> {
    Box::new(FileStorage::new(path))
}

impl Journal {
    /// Opens the journal of a plan, or creates one, and returns the states of its groups.
    pub(crate) async fn open<K: BulkKind>(
        mut storage: Box<dyn JournalStorage>,
        plan: &Plan<K>,
        activation_plan: Option<&Plan<Activation>>,
    ) -> Result<(Self, JournalStates<K>), BulkError> {
        let path = storage.path().to_owned();
        storage.lock().await.map_err(storage_error("open", &path))?;
        let mut reader = Reader::new(&path, plan, activation_plan);
        while let Some(part) = storage.read().await.map_err(storage_error("read", &path))? {
            reader.push(&part)?;
        }
        let (version, states) = reader.finish()?;
        let mut journal = Self { storage, version: version.unwrap_or(VERSION), kind: K::NAME };
        if version.is_none() {
            journal.append(line::to_line(&Header::of(plan), VERSION)).await?;
        }
        Ok((journal, states))
    }

    /// Writes that a start of the group is about to be sent, without the items that were not activated. `first_start` is
    /// when the first one was; `None` if that is not known.
    pub(crate) async fn starting<K: BulkKind>(
        &mut self,
        group: &Group<'_, K>,
        token: &ClientToken,
        first_start: Option<OffsetDateTime>,
        excluded: &[ItemResult],
    ) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Starting {
            group: group.index(),
            token: token.to_string(),
            first_start,
            excluded: excluded.to_vec(),
        })
        .await
    }

    /// Writes that the service accepted a start of the group.
    pub(crate) async fn started<K: BulkKind>(&mut self, group: &Group<'_, K>, job: &K::Id) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Started { group: group.index(), job: job.as_ref().to_owned() }).await
    }

    /// Writes that the job of the group has ended.
    pub(crate) async fn ended<K: BulkKind>(
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
        .await
    }

    /// Writes that the service refused the start of the group for good.
    pub(crate) async fn refused<K: BulkKind>(&mut self, group: &Group<'_, K>, error: &str) -> Result<(), BulkError> {
        self.append_line::<K>(Line::Refused { group: group.index(), error: error.to_owned() }).await
    }

    /// Writes that the service does not know the job of the group any more.
    pub(crate) async fn missing<K: BulkKind>(
        &mut self,
        group: &Group<'_, K>,
        job: &K::Id,
        error: &str,
    ) -> Result<(), BulkError> {
        let job = job.as_ref().to_owned();
        self.append_line::<K>(Line::Missing { group: group.index(), job, error: error.to_owned() }).await
    }

    async fn append_line<K: BulkKind>(&mut self, line: Line) -> Result<(), BulkError> {
        let entry = Entry { line, activation: K::NAME != self.kind };
        self.append(line::to_line(&entry, self.version)).await
    }

    async fn append(&mut self, line: Vec<u8>) -> Result<(), BulkError> {
        let result = self.storage.append(line.into()).await;
        result.map_err(|error| storage_error("write", self.storage.path())(error))
    }
}

fn storage_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BulkError {
    move |source| {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::ResourceBusy => BulkError::JournalLocked { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => BulkError::JournalStorageFull { path, source },
            _ if source.get_ref().is_some_and(|error| error.is::<NotRegular>()) => {
                BulkError::JournalNotRegular { path }
            }
            _ => BulkError::JournalIo { action, path, source },
        }
    }
}

#[cfg(test)]
mod tests;
