//! How far a job is.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::kind::{JobItem, JobState};
use super::retrying::Retrying;
use crate::model::text::OneLine;
use crate::model::{ItemStatus, JobStatus};

/// How far a job is: what a progress bar needs.
///
/// [`Wait::on_progress`](super::Wait::on_progress) reports it, [`States::progress`](super::States::progress) returns
/// it. Before the first successful poll, it has no status and no items.
///
/// In JSON it is an object with the fields below in camel case; `elapsed` is an object of `secs` and `nanos`. What is
/// read back equals what was written, and absent fields have their default.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
/// # let wait = client.job(&started).wait();
/// let wait = wait.on_progress(|progress| {
///     println!("{progress}"); // IN_PROGRESS, 3 of 5 items settled, 1 failed
///     println!("{:.0} % after {:?}", progress.fraction() * 100.0, progress.elapsed);
/// #   let ended = progress.status.as_ref().is_some_and(|status| status.is_terminal());
/// #   assert_eq!(progress.fraction() == 1.0, ended);
/// });
/// let outcome = wait.await?;
/// # assert!(!outcome.is_completed());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Progress {
    /// The status of the job by the last successful poll; `None` before the first.
    pub status: Option<JobStatus>,
    /// How many items the job has.
    pub total: usize,
    /// How many items have finished.
    pub finished: usize,
    /// How many items have failed.
    pub failed: usize,
    /// How many items are in progress, or have a status that this version does not know.
    pub in_progress: usize,
    /// How many items have not been started.
    pub not_started: usize,
    /// How many items have reached their final status: finished and failed ones.
    pub settled: usize,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// Since when polls of the job fail, and with which error; `None` if the last one succeeded.
    pub retrying: Option<Retrying>,
}

impl Progress {
    pub(super) fn of<S: JobState>(state: Option<&S>, elapsed: Duration, retrying: Option<Retrying>) -> Self {
        let status = state.map(|state| state.status().clone());
        let mut progress = Self { status, elapsed, retrying, ..Self::default() };
        for item in state.into_iter().flat_map(JobState::items) {
            progress.total += 1;
            match item.status() {
                ItemStatus::Finished => progress.finished += 1,
                ItemStatus::Failed => progress.failed += 1,
                ItemStatus::NotStarted => progress.not_started += 1,
                ItemStatus::InProgress | ItemStatus::Unknown(_) => progress.in_progress += 1,
            }
        }
        progress.settled = progress.finished + progress.failed;
        progress
    }

    /// The share of the items that are settled, from 0 to 1. It is 1 once the job has ended.
    pub fn fraction(&self) -> f64 {
        if self.status.as_ref().is_some_and(JobStatus::is_terminal) {
            return 1.0;
        }
        #[allow(clippy::cast_precision_loss, reason = "a job has at most 100 items")]
        let fraction = self.settled as f64 / self.total.max(1) as f64;
        fraction
    }
}

/// `IN_PROGRESS, 3 of 5 items settled, 1 failed`
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.status {
            Some(status) => {
                let status = OneLine(status.as_str());
                write!(f, "{status}, {} of {} items settled, {} failed", self.settled, self.total, self.failed)?;
            }
            None => f.write_str("not polled yet")?,
        }
        match &self.retrying {
            Some(retrying) => write!(f, ", {retrying}"),
            None => Ok(()),
        }
    }
}
