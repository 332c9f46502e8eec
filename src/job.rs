//! Jobs that were started: get their state, wait for their end, follow their progress.
//!
//! - [`Job`] identifies one job. [`Client::job`](crate::Client::job) makes it of the output of a Start call, of a
//!   stored [`JobToken`], and [`Client::export_job`](crate::Client::export_job) and its siblings of ids.
//! - [`Wait`] polls one job until it has ended, [`Watch`] any number of jobs together.
//! - [`Outcome`] is how a job ended; [`OutcomeSummary`] is the same as plain data, whatever the kind of the job.
//! - [`Progress`] and [`WatchProgress`] are reported until then.
//!
//! The [guide](crate::guide::waiting) shows them in use.
//!
//! # Storing and unit tests
//!
//! The outputs of calls, [`JobToken`], [`OutcomeSummary`], [`Progress`], [`WatchProgress`] and [`Retrying`] can be
//! written and read by `serde` without loss. That is also how a unit test makes them, as most of them are
//! `#[non_exhaustive]`. A [`WaitError`] is stored as its text, and the [summary](crate::Error::summary) of its
//! [`call_error`](WaitError::call_error).
//!
//! ```
//! use healthomics::job::{Import, Outcome, OutcomeSummary, Progress};
//! use healthomics::read_set::GetReadSetImportJobOutput;
//! use serde_json::json;
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let job: GetReadSetImportJobOutput = serde_json::from_value(json!({
//!     "id": "1234567890",
//!     "sequenceStoreId": "5555555555",
//!     "status": "FAILED",
//!     "sources": [{
//!         "sourceFiles": { "source1": "s3://my-bucket/a.bam" },
//!         "status": "FAILED",
//!     }],
//! }))?;
//! let outcome: Outcome<Import> = Outcome::Failed(job);
//! assert_eq!(outcome.failed_items().count(), 1);
//!
//! let summary = outcome.summary();
//! let stored = serde_json::to_string(&summary)?;
//! assert_eq!(serde_json::from_str::<OutcomeSummary>(&stored)?, summary);
//!
//! // Fields that are absent have their default.
//! let progress: Progress = serde_json::from_value(json!({ "total": 5, "settled": 2 }))?;
//! assert_eq!(progress.fraction(), 0.4);
//! # Ok(()) }
//! ```

mod handle;
pub(crate) mod in_flight;
mod kind;
mod outcome;
mod progress;
mod reporter;
mod retrying;
pub(crate) mod schedule;
mod states;
mod store_watch;
mod summary;
pub(crate) mod timer;
mod token;
mod wait;
mod wait_error;
mod watch;

pub use handle::Job;
pub use kind::{Activation, Export, Import, JobItem, JobKind, JobState, Started};
pub(crate) use outcome::write_failed;
pub use outcome::{JobFailed, Outcome};
pub use progress::Progress;
pub(crate) use reporter::{OnProgress, ProgressReporter};
pub(crate) use retrying::Failures;
pub use retrying::Retrying;
pub use states::States;
pub use store_watch::Watched;
pub(crate) use store_watch::{StoreWatch, WatchEvent};
pub use summary::{ItemSummary, OutcomeSummary};
pub use token::JobToken;
pub use wait::Wait;
pub use wait_error::WaitError;
pub use watch::{Watch, WatchProgress};

#[cfg(test)]
mod tests;
