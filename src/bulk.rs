//! Bulk runs: any number of read sets, in as few jobs as possible.
//!
//! [`Client::export_read_sets`](crate::Client::export_read_sets), `import_read_sets` and `activate_read_sets` divide
//! their input into groups by a [`Plan`]; each group becomes a job. [`BulkRun::run`] starts the jobs, follows them to
//! their end, and returns a [`Report`] with the result of each item.
//!
//! The plan has the client token of each job. It is a pure function of the input, the options and the
//! [run id](crate::RunId), the same on every machine. So each job is started once, no matter how often and by how many
//! workers a plan is run.
//!
//! ```
//! use healthomics::bulk::{Duplicates, Planner};
//!
//! let ids = (0..250).map(|n| format!("{:010}", 5_555_555_555_u64 + n));
//! let plan = Planner::export(
//!     "run-7".into(),
//!     "1234567890".into(),
//!     "s3://my-bucket/exports/".into(),
//!     "arn:aws:iam::123456789012:role/OmicsExport".into(),
//! )
//! .duplicates(Duplicates::Drop)
//! .plan(ids)?;
//! assert_eq!(
//!     plan.groups().map(|group| group.items().len()).collect::<Vec<_>>(),
//!     [100, 100, 50]
//! );
//!
//! // The second of two workers has the jobs 1, 3, 5…
//! let mine = plan.shard(1, 2)?;
//! assert_eq!(mine.groups().map(|group| group.index()).collect::<Vec<_>>(), [1]);
//! # Ok::<(), healthomics::bulk::BulkError>(())
//! ```

mod calls;
mod failed;
mod group_outcome;
mod journal;
#[doc = include_str!("bulk/sharding.md")]
pub mod sharding {}
mod plan;
mod progress;
mod report;
mod run;
mod start;

use std::io;
use std::path::PathBuf;

pub use calls::{ActivateReadSets, ExportReadSets, ImportReadSets};
pub use failed::RunFailed;
pub use journal::{JournalFuture, JournalStorage};
pub use plan::{BulkKind, Duplicate, DuplicateItem, Duplicates, Group, Plan, Planner, Shard};
pub use progress::{BulkProgress, ProgressHandle};
pub use report::{GroupSummary, ItemSummary, Report, ReportError, ReportItem, ReportSummary};
pub use run::BulkRun;
pub use start::BulkStart;

/// The builders, each in a module that is named like the method that makes it: the type of a complete one, and the
/// names of its required fields.
///
/// [`builder`](crate::builder) has an example.
pub mod builders {
    pub use super::calls::{activate_read_sets, export_read_sets, import_read_sets};
}

#[cfg(any(test, fuzzing))]
pub(crate) use journal::fuzzing as journal_fuzzing;

use crate::Error;
use crate::error::readable_debug;
use crate::model::validation::Violations;

/// Why a bulk run can't be planned or run. Its `Debug` is the text with its causes.
///
/// ```
/// use healthomics::bulk::{BulkError, Planner};
///
/// let planner = Planner::activation("run-7".into(), "1234567890".into());
/// match planner.clone().plan(["5555555555", "5555555555"]) {
///     Err(BulkError::DuplicateItems { count, .. }) => assert_eq!(count, 1),
///     other => panic!("{other:?}"),
/// }
/// let error = planner.group_size(21).plan(["5555555555"]).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "groups of 21: an activation job takes 1 to 20 items, choose a size of those"
/// );
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BulkError {
    /// Options or items are invalid, and the service would reject them. Nothing was started; fix each violation.
    #[error("invalid input, nothing was started: {0}")]
    InvalidInput(Violations),
    /// A group can't have this size.
    #[error("groups of {size}: an {kind} job takes 1 to {max} items, choose a size of those")]
    #[non_exhaustive]
    InvalidGroupSize {
        /// The kind of the jobs: `export`, `import` or `activation`.
        kind: &'static str,
        /// The requested size.
        size: usize,
        /// The largest possible size.
        max: usize,
    },
    /// The index of a shard is not below the number of shards.
    #[error("shard {index} of {count}: shards are numbered from 0, choose one below their number")]
    #[non_exhaustive]
    InvalidShard {
        /// The requested index, from 0.
        index: usize,
        /// The number of shards.
        count: usize,
    },
    /// Items are in the input more than once. Nothing was started; fix the input, or drop duplicates by
    /// [`Duplicates::Drop`].
    #[error(
        "{count} duplicate{}, nothing was started: {}; fix the input or have them dropped",
        if *count == 1 { "" } else { "s" },
        plan::list_duplicates(first, *count)
    )]
    #[non_exhaustive]
    DuplicateItems {
        /// The first few of the duplicates.
        first: Vec<DuplicateItem>,
        /// The number of all duplicates.
        count: usize,
    },
    /// An error that concerns all items stopped the run: missing rights, no credentials, no such store. No job was
    /// started, and no start may have been applied. Fix the cause and make the same call again.
    #[error("nothing was started: {}", error.report())]
    #[non_exhaustive]
    NothingStarted {
        /// The error of the first start.
        error: Error,
    },
    /// The journal is in use by another run, in this process or another. If this run had begun, the other one has taken the
    /// journal over and continues the run.
    #[error("the journal {path:?} is in use by another run: wait for its end, or give each shard a journal of its own")]
    #[non_exhaustive]
    JournalLocked {
        /// The path of the journal.
        path: PathBuf,
    },
    /// The journal belongs to a run with other options or another input.
    #[error(
        "the journal {path:?} is of another run: its {field} is {found}, here it is {expected}; use the input and \
         options that it was made with, or another journal"
    )]
    #[non_exhaustive]
    JournalMismatch {
        /// The path of the journal.
        path: PathBuf,
        /// The name of the field that differs.
        field: &'static str,
        /// The value in the journal.
        found: String,
        /// The value of this run.
        expected: String,
    },
    /// The journal was written by a newer version of this crate.
    #[error(
        "the journal {path:?} has format {version}, this version supports {supported}: use the newer healthomics that wrote it"
    )]
    #[non_exhaustive]
    JournalUnsupportedVersion {
        /// The path of the journal.
        path: PathBuf,
        /// The version of its format.
        version: u64,
        /// The newest version of the format that this version of the crate supports.
        supported: u64,
    },
    /// A line of the journal can't be read, and it is not a last line that a crash has truncated.
    #[error(
        "line {line} of the journal {path:?} is corrupt ({reason}): restore the file, or start a new one under the same \
         run id, which keeps the client tokens"
    )]
    #[non_exhaustive]
    JournalCorrupt {
        /// The path of the journal.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with the line.
        reason: String,
    },
    /// The path of the journal is a directory, a FIFO, a device or a socket.
    #[error("the journal {path:?} is not a regular file: choose the path of a file, or one where there is nothing yet")]
    #[non_exhaustive]
    JournalNotRegular {
        /// The path of the journal.
        path: PathBuf,
    },
    /// The device of the journal is full, or the disk quota is used up.
    #[error(
        "no space is left on the device for the journal {path:?}: free some and make the same call again, which starts \
         nothing twice"
    )]
    #[non_exhaustive]
    JournalStorageFull {
        /// The path of the journal.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The journal can't be opened, read or written; the source is the error of the operating system or of the
    /// [`JournalStorage`].
    #[error(
        "can't {action} the journal {path:?}: it must be in a place that exists and can be written; the same call resumes \
         the run"
    )]
    #[non_exhaustive]
    JournalIo {
        /// The action that failed: `open`, `read` or `write`.
        action: &'static str,
        /// The path of the journal.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

readable_debug!(BulkError);
