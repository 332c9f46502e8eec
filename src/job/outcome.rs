//! How a job ended, and how far it is until then.

use std::fmt;
use std::time::Duration;

use super::{JobItem, JobKind, JobState, Retrying};
use crate::model::text::OneLine;
use crate::model::{ItemStatus, JobStatus};

/// How many failed items an error names.
const NAMED_ITEMS: usize = 3;

type Item<K> = <<K as JobKind>::State as JobState>::Item;

/// How a job ended, with its final state. All of these are answers: whether one is an error is the caller's to say, see
/// [`into_completed`](Self::into_completed).
///
/// ```
/// use healthomics::job::Outcome;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
/// # let wait = client.job(&started).wait();
/// match wait.await? {
///     Outcome::Completed(job) => println!("all {} are active", job.sources.len()),
///     outcome => {
///         for item in outcome.failed_items() {
///             println!("{}: {}", item.read_set_id, item.reason());
///         }
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use = "a job that ended need not have succeeded"]
pub enum Outcome<K: JobKind> {
    /// Every item finished.
    Completed(K::State),
    /// Some items failed: look at each.
    CompletedWithFailures(K::State),
    /// The job failed.
    Failed(K::State),
    /// The service stopped the job.
    Cancelled(K::State),
}

impl<K: JobKind> Outcome<K> {
    /// `None` while the job has not ended.
    pub(super) fn of(state: K::State) -> Result<Self, K::State> {
        match state.status() {
            JobStatus::Completed => Ok(Self::Completed(state)),
            JobStatus::CompletedWithFailures => Ok(Self::CompletedWithFailures(state)),
            JobStatus::Failed => Ok(Self::Failed(state)),
            JobStatus::Cancelled => Ok(Self::Cancelled(state)),
            _ => Err(state),
        }
    }

    /// The final state of the job.
    pub fn job(&self) -> &K::State {
        match self {
            Self::Completed(job) | Self::CompletedWithFailures(job) | Self::Failed(job) | Self::Cancelled(job) => job,
        }
    }

    /// The final state of the job.
    pub fn into_job(self) -> K::State {
        match self {
            Self::Completed(job) | Self::CompletedWithFailures(job) | Self::Failed(job) | Self::Cancelled(job) => job,
        }
    }

    /// Whether every item finished.
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Completed(_))
    }

    /// All items, in the order they were given.
    pub fn items(&self) -> &[Item<K>] {
        self.job().items()
    }

    /// The items that did not finish, whatever the job's status. Each tells its `reason()`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let there = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// # let sources = [there.as_str(), "5555555555"];
    /// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(sources).send().await?;
    /// let outcome = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5)).await?;
    /// let again: Vec<_> = outcome.failed_items().map(|item| &item.read_set_id).collect();
    /// assert_eq!((again, outcome.finished_items().count()), (vec![&"5555555555".into()], 1));
    /// # Ok(()) }
    /// ```
    pub fn failed_items(&self) -> impl Iterator<Item = &Item<K>> {
        self.items().iter().filter(|item| *item.status() != ItemStatus::Finished)
    }

    /// The items that finished.
    pub fn finished_items(&self) -> impl Iterator<Item = &Item<K>> {
        self.items().iter().filter(|item| *item.status() == ItemStatus::Finished)
    }
}

impl<K: JobKind> Outcome<K> {
    /// The job if every item finished; for those to whom anything else is an error.
    ///
    /// # Errors
    ///
    /// [`JobFailed`], with the job, and a message that names how many items failed and the first reasons.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # local.fail_item("5555555555", "no such read set");
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// # let started = call.send().await?;
    /// # let wait = client.job(&started).wait();
    /// match wait.await?.into_completed() {
    ///     Ok(job) => println!("all {} are active", job.sources.len()),
    ///     // activation job 1234567890 is FAILED, 1 of 1 failed: 5555555555: no such read set
    ///     Err(failed) => println!("{failed}"),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn into_completed(self) -> Result<K::State, JobFailed<K>> {
        match self {
            Self::Completed(state) => Ok(state),
            outcome => Err(JobFailed { outcome: Box::new(outcome) }),
        }
    }
}

/// A job that ended without success, or without that of all its items.
///
/// ```
/// use healthomics::job::{Activation, Job, JobFailed};
///
/// async fn thaw(job: Job<Activation>) -> Result<(), Box<dyn std::error::Error>> {
///     job.wait().await?.into_completed()?;
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
///
/// let error = thaw(client.job(&started)).await.unwrap_err();
/// let failed: &JobFailed<Activation> = error.downcast_ref().unwrap();
/// assert_eq!(failed.outcome().failed_items().count(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct JobFailed<K: JobKind> {
    outcome: Box<Outcome<K>>,
}

impl<K: JobKind> JobFailed<K> {
    /// How the job ended.
    pub fn outcome(&self) -> &Outcome<K> {
        &self.outcome
    }
}

/// `import job 1234567890 is COMPLETED_WITH_FAILURES, 1 of 5 failed: s3://…: File validation failed`
impl<K: JobKind> fmt::Display for JobFailed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.outcome.job();
        write!(f, "{} job {} is {}", K::NAME, state.id(), state.status())?;
        let failed: Vec<_> = self.outcome.failed_items().collect();
        if failed.is_empty() {
            return write!(f, ": {}", OneLine(state.status_message().unwrap_or("no reason given")));
        }
        write!(f, ", {} of {} failed", failed.len(), state.items().len())?;
        write_failed(f, failed.iter().map(|item| (item.name(), item.reason())))
    }
}

/// `: a: why; b: why; c: why; and 7 more`
pub(crate) fn write_failed<'a>(
    f: &mut fmt::Formatter<'_>,
    mut items: impl Iterator<Item = (&'a str, &'a str)>,
) -> fmt::Result {
    for (index, (name, reason)) in items.by_ref().take(NAMED_ITEMS).enumerate() {
        let before = if index == 0 { ":" } else { ";" };
        write!(f, "{before} {}: {}", OneLine(name), OneLine(reason))?;
    }
    match items.count() {
        0 => Ok(()),
        more => write!(f, "; and {more} more"),
    }
}

impl<K: JobKind> std::error::Error for JobFailed<K> {}

/// How far a job is: what a progress bar needs.
///
/// [`Wait::on_progress`](super::Wait::on_progress) reporter it, [`States::progress`](super::States::progress) returns it.
/// Before the job was first seen, it has no status and no items.
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The status of the job when it was last seen; `None` before it was seen.
    pub status: Option<JobStatus>,
    /// All items of the job.
    pub total: usize,
    /// Items that have finished.
    pub finished: usize,
    /// Items that have failed.
    pub failed: usize,
    /// Items at work, and those whose status is not known to this version.
    pub in_progress: usize,
    /// Items that wait for their turn.
    pub not_started: usize,
    /// Items with which nothing more happens: finished and failed ones.
    pub settled: usize,
    /// The time since the wait began.
    pub elapsed: Duration,
    /// Why the job can't be seen at present, from the first failure on; `None` while it can.
    pub retrying: Option<Retrying>,
}

impl Progress {
    pub(super) fn of<S: JobState>(state: Option<&S>, elapsed: Duration, retrying: Option<Retrying>) -> Self {
        let mut progress = Self {
            status: state.map(|state| state.status().clone()),
            total: 0,
            finished: 0,
            failed: 0,
            in_progress: 0,
            not_started: 0,
            settled: 0,
            elapsed,
            retrying,
        };
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

    /// The settled share of the items, 0 to 1; 1 once the job has ended.
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
            None => f.write_str("not seen yet")?,
        }
        self.retrying.as_ref().map_or(Ok(()), |retrying| write!(f, ", {retrying}"))
    }
}
