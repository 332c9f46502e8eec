//! How a job ended.

use std::fmt;

use super::kind::{Import, JobItem, JobKind, JobState};
use crate::error::Report;
use crate::model::text::OneLine;
use crate::model::{ItemStatus, JobStatus, ReadSetId};
use crate::read_set::SourceFiles;

/// How many failed items the message of an error names.
const MAX_NAMED_ITEMS: usize = 3;

type Item<K> = <<K as JobKind>::State as JobState>::Item;

/// How a job ended, with its final state.
///
/// A job that failed, in whole or in part, is an outcome and not an error of the wait.
/// [`into_completed`](Self::into_completed) makes an error of anything but full success, and
/// [`summary`](Self::summary) plain data. In a unit test, the state of a variant is made from JSON: see the
/// [module](super).
///
/// ```
/// use healthomics::job::Outcome;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a job that ended need not have succeeded"]
pub enum Outcome<K: JobKind> {
    /// Every item finished.
    Completed(K::State),
    /// Some items failed: [`failed_items`](Self::failed_items) returns them.
    CompletedWithFailures(K::State),
    /// The whole job failed.
    Failed(K::State),
    /// The service cancelled the job.
    Cancelled(K::State),
}

impl<K: JobKind> Outcome<K> {
    /// The outcome of a state; the state itself if the job has not ended.
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

    /// All items of the job, in the order of its start.
    pub fn items(&self) -> &[Item<K>] {
        self.job().items()
    }

    /// The items that did not finish, whatever the status of the job. Each has a `reason()`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let archived = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// # let sources = [archived.as_str(), "5555555555"];
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(sources);
    /// # let started = call.send().await?;
    /// let wait = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5));
    /// let outcome = wait.await?;
    /// let failed: Vec<_> = outcome.failed_items().map(|item| &item.read_set_id).collect();
    /// assert_eq!((failed, outcome.finished_items().count()), (vec![&"5555555555".into()], 1));
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
    /// The final state of the job if every item finished. Any other outcome is an error.
    ///
    /// # Errors
    ///
    /// [`JobFailed`] with the outcome. Its message has the number of failed items and the first three reasons.
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

/// The error of a job that failed, in whole or in part: see [`Outcome::into_completed`].
///
/// ```
/// use healthomics::job::{Activation, Job, JobFailed};
///
/// async fn activate(job: Job<Activation>) -> Result<(), Box<dyn std::error::Error>> {
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
/// let error = activate(client.job(&started)).await.unwrap_err();
/// let failed: &JobFailed<Activation> = error.downcast_ref().unwrap();
/// assert_eq!(failed.outcome().failed_items().count(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
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

/// Writes the names of failed items with their reasons: `: a: why; b: why; c: why; and 7 more`.
pub(crate) fn write_failed<'a>(
    f: &mut fmt::Formatter<'_>,
    mut items: impl Iterator<Item = (&'a str, &'a str)>,
) -> fmt::Result {
    for (index, (name, reason)) in items.by_ref().take(MAX_NAMED_ITEMS).enumerate() {
        let separator = if index == 0 { ":" } else { ";" };
        write!(f, "{separator} {}: {}", OneLine(name), OneLine(reason))?;
    }
    match items.count() {
        0 => Ok(()),
        more => write!(f, "; and {more} more"),
    }
}

/// The message, as `main` prints an error that it returns by `Debug`.
impl<K: JobKind> fmt::Debug for JobFailed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Report(self), f)
    }
}

impl<K: JobKind> std::error::Error for JobFailed<K> {}

impl Outcome<Import> {
    /// The source files of each item and the read set that was made of them. Items without a read set are left out.
    ///
    /// ```
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let source = ImportReadSetSource::builder().source_files("s3://my-bucket/1.bam");
    /// let source = source.source_file_type(FileType::Ubam).subject_id("HG00096");
    /// let source = source.sample_id("blood").build();
    /// let call = client.start_read_set_import_job().sequence_store_id(&store).sources([source]);
    /// let started = call.role_arn("arn:aws:iam::123456789012:role/OmicsImport").send().await?;
    ///
    /// let wait = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5));
    /// let outcome = wait.await?;
    /// for (files, read_set) in outcome.read_sets() {
    ///     println!("{read_set} was made of {}", files.source1);
    /// }
    /// # assert_eq!(outcome.read_sets().count(), 1);
    /// # Ok(()) }
    /// ```
    pub fn read_sets(&self) -> impl Iterator<Item = (&SourceFiles, &ReadSetId)> {
        self.items().iter().filter_map(|item| Some((&item.source_files, item.read_set_id.as_ref()?)))
    }
}
