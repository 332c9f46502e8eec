//! Jobs as things to hold on to: look at one, wait for its end, see how far it is.

pub(crate) mod in_flight;
mod outcome;
mod retrying;
pub(crate) mod schedule;
mod store_watch;
mod wait;
mod watch;

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

pub(crate) use outcome::write_failed;
pub use outcome::{JobFailed, Outcome, Progress};
pub use retrying::Retrying;
pub(crate) use retrying::{Failures, OnProgress, ProgressReporter};
pub(crate) use store_watch::{StoreWatch, WatchEvent};
pub use wait::{States, Wait, WaitError};
pub use watch::{Watch, WatchProgress, Watched};

use time::OffsetDateTime;

use crate::model::{ActivationJobId, ExportJobId, ImportJobId, ItemStatus, JobStatus, ReadSetId, SequenceStoreId};
use crate::read_set::{
    ActivateReadSetSourceItem, ExportReadSetDetail, GetReadSetActivationJobOutput, GetReadSetExportJobOutput,
    GetReadSetImportJobOutput, ImportReadSetSourceItem, JobFilter, SourceFiles, StartReadSetActivationJobOutput,
    StartReadSetExportJobOutput, StartReadSetImportJobOutput,
};
use crate::{CallFuture, Client};

/// The kind of jobs that export read sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Export {}

/// The kind of jobs that import files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Import {}

/// The kind of jobs that activate read sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {}

/// [`Export`], [`Import`] or [`Activation`].
///
/// ```
/// use healthomics::job::{Job, JobKind, JobState as _};
///
/// async fn has_ended<K: JobKind>(job: &Job<K>) -> Result<bool, healthomics::Error> {
///     println!("poll_pending at {job}"); // import job 1234567890
///     Ok(job.get().await?.status().is_terminal())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
///
/// assert!(!has_ended(&client.job(&started)).await?);
/// # Ok(()) }
/// ```
pub trait JobKind: sealed::Sealed + fmt::Debug + Sized + 'static {
    /// What identifies a job of this kind.
    type Id: Clone + Eq + Hash + fmt::Debug + fmt::Display + AsRef<str> + Send + Sync + Unpin + 'static;
    /// How a job of this kind stands: the output of its Get call.
    type State: JobState + Clone + fmt::Debug + Send + Sync + Unpin + 'static;
    /// How the kind is called in messages.
    #[doc(hidden)]
    const NAME: &'static str;

    #[doc(hidden)]
    fn get(job: &Job<Self>, scheduling: Scheduling) -> CallFuture<Self::State>;

    #[doc(hidden)]
    fn job(client: &Client, sequence_store_id: SequenceStoreId, id: Self::Id) -> Job<Self> {
        Job { client: client.clone(), sequence_store_id, id, created: None, known_to_exist: false }
    }

    #[doc(hidden)]
    fn list(
        client: &Client,
        store: &SequenceStoreId,
        created_after: Option<OffsetDateTime>,
        next_token: Option<String>,
    ) -> CallFuture<Listed<Self>>;
}

/// A page of a list of jobs, as far as all kinds have it.
#[doc(hidden)]
#[derive(Debug)]
#[allow(unnameable_types, missing_docs, reason = "the output of a hidden method")]
pub struct Listed<K: JobKind> {
    pub jobs: Vec<ListedJob<K>>,
    pub next_token: Option<String>,
}

#[doc(hidden)]
#[derive(Debug)]
#[allow(unnameable_types, missing_docs, reason = "the output of a hidden method")]
pub struct ListedJob<K: JobKind> {
    pub id: K::Id,
    pub status: JobStatus,
    pub created: Option<OffsetDateTime>,
}

/// What the states of all kinds of jobs have in common.
///
/// ```
/// use healthomics::job::{JobItem as _, JobState};
///
/// fn failed(job: &impl JobState) -> Vec<String> {
///     let failed = job.items().iter().filter(|item| item.status().as_str() == "FAILED");
///     failed.map(|item| format!("{}: {}", item.name(), item.reason())).collect()
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # local.fail_item("5555555555", "no such read set");
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
///
/// let outcome = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5)).await?;
/// assert_eq!(failed(outcome.job()), ["5555555555: no such read set"]);
/// # Ok(()) }
/// ```
pub trait JobState: sealed::Sealed {
    /// One item of a job.
    type Item: JobItem;

    /// The job.
    fn id(&self) -> &str;
    /// Where the job stands.
    fn status(&self) -> &JobStatus;
    /// What the service says about it.
    fn status_message(&self) -> Option<&str>;
    /// Its items, in the order they were given.
    fn items(&self) -> &[Self::Item];
}

/// What the items of all kinds of jobs have in common.
///
/// [`JobState`] has an example.
pub trait JobItem: sealed::Sealed {
    /// Where the item stands.
    fn status(&self) -> &ItemStatus;
    /// Why it failed, in the service's words; "no reason given" if it has none.
    fn reason(&self) -> &str;
    /// What it is about: the read set, or the first file of an import.
    fn name(&self) -> &str;
}

/// Whether a poll waits for a permit of the client's rate limiter.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[allow(unnameable_types, reason = "nobody else polls")]
pub enum Scheduling {
    /// The poll is sent at once.
    Immediate,
    /// The poll waits for a permit, as one of many.
    RateLimited {
        /// How much time the caller has left; `None` is no limit.
        time_left: Option<Duration>,
    },
}

mod sealed {
    #[allow(unnameable_types, reason = "nobody else implements these traits")]
    pub trait Sealed {}
}

/// What a Start call gives: enough to follow its job.
/// See [`Client::job`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the output of a Start call",
    label = "not the output of a Start call",
    note = "a job is made of its ids by `export_job`, `import_job` or `activation_job` of the client"
)]
pub trait Started: sealed::Sealed {
    /// The kind of the job.
    type Kind: JobKind;

    #[doc(hidden)]
    fn job(&self, client: &Client) -> Job<Self::Kind>;
}

/// One job: cheap, and as good as new when it is made again from stored ids.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # use healthomics::read_set::FileType;
/// # use std::time::Duration;
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_set = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
/// let started = client.start_read_set_activation_job().sequence_store_id(&store).sources([read_set]).send().await?;
///
/// let outcome = client.job(&started).wait().poll_every(Duration::from_millis(10)).await?;
/// println!("{} of {} are active", outcome.finished_items().count(), outcome.items().len());
/// # assert!(outcome.is_completed());
/// # Ok(()) }
/// ```
pub struct Job<K: JobKind> {
    client: Client,
    sequence_store_id: SequenceStoreId,
    id: K::Id,
    /// Narrows the lists that it is looked for in.
    created: Option<OffsetDateTime>,
    /// Whether the service has said that there is such a job: it may take a while until all of its reads do.
    known_to_exist: bool,
}

impl Client {
    /// The job that a Start call has started.
    ///
    /// [`Job`] has an example.
    pub fn job<S: Started>(&self, started: &S) -> Job<S::Kind> {
        started.job(self)
    }

    /// An export job by its ids, after a restart say. Nothing is asked until the job is.
    ///
    /// If the service has no such job, a wait for it fails at once, as the ids may be wrong. A job that was started less
    /// than a minute ago may not be visible yet: give a wait for it a
    /// [`not_found_tolerance`](crate::job::Wait::not_found_tolerance).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_export_job().sequence_store_id(&store).destination("s3://my-bucket")
    /// #     .role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources(["5555555555"]).send().await?;
    /// # let (store, id) = (store.to_string(), started.id.to_string());
    /// // `store` and `id` are texts out of a database.
    /// let job = client.export_job(store, id);
    /// println!("{job} is {}", job.get().await?.status);
    /// # assert_eq!(*job.id(), started.id);
    /// # Ok(()) }
    /// ```
    pub fn export_job(&self, store: impl Into<SequenceStoreId>, id: impl Into<ExportJobId>) -> Job<Export> {
        Export::job(self, store.into(), id.into())
    }

    /// An import job by its ids, as [`export_job`](Self::export_job). Nothing is asked until the job is.
    pub fn import_job(&self, store: impl Into<SequenceStoreId>, id: impl Into<ImportJobId>) -> Job<Import> {
        Import::job(self, store.into(), id.into())
    }

    /// An activation job by its ids, as [`export_job`](Self::export_job). Nothing is asked until the job is.
    pub fn activation_job(&self, store: impl Into<SequenceStoreId>, id: impl Into<ActivationJobId>) -> Job<Activation> {
        Activation::job(self, store.into(), id.into())
    }
}

impl<K: JobKind> Job<K> {
    /// The store that the job works on.
    pub fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    /// The job.
    pub fn id(&self) -> &K::Id {
        &self.id
    }

    /// How the job stands now: the Get call of its kind.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// # let started = call.send().await?;
    /// let job = client.job(&started).get().await?;
    /// assert_eq!((&job.id, job.sources.len(), job.status.is_terminal()), (&started.id, 1, false));
    /// # Ok(()) }
    /// ```
    pub fn get(&self) -> CallFuture<K::State> {
        K::get(self, Scheduling::Immediate)
    }

    /// Waits until the job has ended: await it, or set it up first.
    ///
    /// [`Wait`] has an example.
    pub fn wait(&self) -> Wait<K> {
        Wait::new(self.clone())
    }
}

impl<K: JobKind> Job<K> {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The same job; the service, or a journal of what it said, has told that there is one.
    pub(crate) fn known_to_exist(mut self) -> Self {
        self.known_to_exist = true;
        self
    }
}

impl<K: JobKind> Clone for Job<K> {
    fn clone(&self) -> Self {
        let Self { client, sequence_store_id, id, created, known_to_exist } = self;
        let (client, sequence_store_id, id) = (client.clone(), sequence_store_id.clone(), id.clone());
        Self { client, sequence_store_id, id, created: *created, known_to_exist: *known_to_exist }
    }
}

impl<K: JobKind> fmt::Debug for Job<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence_store_id, id, .. } = self;
        f.debug_struct("Job").field("sequence_store_id", sequence_store_id).field("id", id).finish_non_exhaustive()
    }
}

/// `export job 1234567890`
impl<K: JobKind> fmt::Display for Job<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} job {}", K::NAME, self.id)
    }
}

/// What the three kinds differ in.
macro_rules! kind {
    (
        $Kind:ident: $name:literal, id $Id:ident, started $Started:ident,
        state $State:ident by $get:ident, listed by $list:ident in $jobs:ident, items $items:ident: $Item:ident named $item_name:expr
    ) => {
        impl sealed::Sealed for $Kind {}
        impl sealed::Sealed for $Started {}
        impl sealed::Sealed for $State {}
        impl sealed::Sealed for $Item {}

        impl JobKind for $Kind {
            type Id = $Id;
            type State = $State;
            const NAME: &'static str = $name;

            fn get(job: &Job<Self>, scheduling: Scheduling) -> CallFuture<$State> {
                let call = job.client.$get().sequence_store_id(&job.sequence_store_id).id(&job.id);
                match scheduling {
                    Scheduling::Immediate => call.send(),
                    Scheduling::RateLimited { time_left } => call.rate_limited(time_left).send(),
                }
            }

            fn list(
                client: &Client,
                store: &SequenceStoreId,
                created_after: Option<OffsetDateTime>,
                next_token: Option<String>,
            ) -> CallFuture<Listed<Self>> {
                let mut call = client.$list().sequence_store_id(store).max_results(100).rate_limited(None);
                if let Some(created_after) = created_after {
                    call = call.filter(JobFilter::new().created_after(created_after));
                }
                if let Some(next_token) = next_token {
                    call = call.next_token(next_token);
                }
                let page = call.send();
                Box::pin(async move {
                    let page = page.await?;
                    let jobs = page.$jobs.into_iter();
                    let jobs = jobs.map(|job| ListedJob { id: job.id, status: job.status, created: job.creation_time });
                    Ok(Listed { jobs: jobs.collect(), next_token: page.next_token })
                })
            }
        }

        impl Started for $Started {
            type Kind = $Kind;

            fn job(&self, client: &Client) -> Job<$Kind> {
                let (client, sequence_store_id, id) = (client.clone(), self.sequence_store_id.clone(), self.id.clone());
                Job { client, sequence_store_id, id, created: self.creation_time, known_to_exist: true }
            }
        }

        impl JobState for $State {
            type Item = $Item;

            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn status(&self) -> &JobStatus {
                &self.status
            }

            fn status_message(&self) -> Option<&str> {
                self.status_message.as_deref()
            }

            fn items(&self) -> &[$Item] {
                &self.$items
            }
        }

        impl $Item {
            /// Why it failed, in the service's words; "no reason given" if it has none.
            pub fn reason(&self) -> &str {
                self.status_message.as_deref().unwrap_or("no reason given")
            }
        }

        impl JobItem for $Item {
            fn status(&self) -> &ItemStatus {
                &self.status
            }

            fn reason(&self) -> &str {
                self.reason()
            }

            fn name(&self) -> &str {
                let name: fn(&Self) -> &str = $item_name;
                name(self)
            }
        }
    };
}

kind! {
    Export: "export", id ExportJobId, started StartReadSetExportJobOutput,
    state GetReadSetExportJobOutput by get_read_set_export_job, listed by list_read_set_export_jobs in export_jobs,
    items read_sets: ExportReadSetDetail named |item| item.id.as_str()
}
kind! {
    Import: "import", id ImportJobId, started StartReadSetImportJobOutput,
    state GetReadSetImportJobOutput by get_read_set_import_job, listed by list_read_set_import_jobs in import_jobs,
    items sources: ImportReadSetSourceItem named |item| item.source_files.source1.as_str()
}
kind! {
    Activation: "activation", id ActivationJobId, started StartReadSetActivationJobOutput,
    state GetReadSetActivationJobOutput by get_read_set_activation_job, listed by list_read_set_activation_jobs in activation_jobs,
    items sources: ActivateReadSetSourceItem named |item| item.read_set_id.as_str()
}

#[cfg(test)]
mod tests;

impl Outcome<Import> {
    /// Which read set each source became, for those that did.
    ///
    /// ```
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let source = ImportReadSetSource::builder().source_files("s3://my-bucket/1.bam").subject_id("HG00096");
    /// let source = source.source_file_type(FileType::Ubam).sample_id("blood").build();
    /// let call = client.start_read_set_import_job().sequence_store_id(&store).sources([source]);
    /// let started = call.role_arn("arn:aws:iam::123456789012:role/OmicsImport").send().await?;
    ///
    /// let outcome = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5)).await?;
    /// for (files, read_set) in outcome.read_sets() {
    ///     println!("{} became {read_set}", files.source1);
    /// }
    /// # assert_eq!(outcome.read_sets().count(), 1);
    /// # Ok(()) }
    /// ```
    pub fn read_sets(&self) -> impl Iterator<Item = (&SourceFiles, &ReadSetId)> {
        self.items().iter().filter_map(|item| Some((&item.source_files, item.read_set_id.as_ref()?)))
    }
}
