//! One job, and how a client makes it.

use std::fmt;

use serde::{Serialize, Serializer};

use super::kind::{Activation, Export, Import, JobKind, Scheduling, Started};
use super::token::JobToken;
use crate::model::{ActivationJobId, ExportJobId, ImportJobId, SequenceStoreId};
use crate::{CallFuture, Client};

/// One job of a kind: what identifies it, with the client that polls it.
///
/// It is cheap to clone, and making one sends nothing. It serializes as its [`token`](Self::token), with which another
/// process follows the same job.
///
/// ```
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # use healthomics::read_set::FileType;
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_set = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
/// let call = client.start_read_set_activation_job().sequence_store_id(&store);
/// let started = call.sources([read_set]).send().await?;
///
/// let outcome = client.job(&started).wait().poll_every(Duration::from_millis(10)).await?;
/// println!("{} of {} are active", outcome.finished_items().count(), outcome.items().len());
/// # assert!(outcome.is_completed());
/// # Ok(()) }
/// ```
pub struct Job<K: JobKind> {
    client: Client,
    token: JobToken<K>,
}

impl Client {
    /// Makes the job that a Start call has started, or that a stored [`JobToken`] identifies. Nothing is sent.
    ///
    /// [`Job`] and [`JobToken`] have examples.
    pub fn job<S: Started>(&self, started: &S) -> Job<S::Kind> {
        let token = JobToken {
            sequence_store_id: started.sequence_store_id().clone(),
            id: started.job_id().clone(),
            creation_time: started.creation_time(),
            known_to_exist: started.is_known_to_exist(),
        };
        Job { client: self.clone(), token }
    }

    /// Makes an export job of its ids, for example after a restart. Nothing is sent.
    ///
    /// If the service does not find the job, a wait for it fails at once, as the ids may be wrong. A job that was
    /// started less than a minute ago may not be visible yet: give a wait for it a
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
    /// // `store` and `id` are strings from a database.
    /// let job = client.export_job(store, id);
    /// println!("{job} is {}", job.get().await?.status);
    /// # assert_eq!(*job.id(), started.id);
    /// # Ok(()) }
    /// ```
    pub fn export_job(&self, store: impl Into<SequenceStoreId>, id: impl Into<ExportJobId>) -> Job<Export> {
        Job::new(self, store.into(), id.into())
    }

    /// Makes an import job of its ids, as [`export_job`](Self::export_job) does. Nothing is sent.
    pub fn import_job(&self, store: impl Into<SequenceStoreId>, id: impl Into<ImportJobId>) -> Job<Import> {
        Job::new(self, store.into(), id.into())
    }

    /// Makes an activation job of its ids, as [`export_job`](Self::export_job) does. Nothing is sent.
    pub fn activation_job(&self, store: impl Into<SequenceStoreId>, id: impl Into<ActivationJobId>) -> Job<Activation> {
        Job::new(self, store.into(), id.into())
    }
}

impl<K: JobKind> Job<K> {
    /// A job that may not exist.
    pub(crate) fn new(client: &Client, sequence_store_id: SequenceStoreId, id: K::Id) -> Self {
        let token = JobToken { sequence_store_id, id, creation_time: None, known_to_exist: false };
        Self { client: client.clone(), token }
    }

    /// The sequence store of the job.
    pub fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.token.sequence_store_id
    }

    /// The id of the job.
    pub fn id(&self) -> &K::Id {
        &self.token.id
    }

    /// What identifies the job, to be stored; the job itself serializes as this.
    pub fn token(&self) -> &JobToken<K> {
        &self.token
    }

    /// Gets the present state of the job: the Get call of its kind.
    ///
    /// # Errors
    ///
    /// Those of the Get call, such as [`Error::ResourceNotFoundException`](crate::Error::ResourceNotFoundException).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// # let started = call.send().await?;
    /// let job = client.job(&started).get().await?;
    /// assert_eq!((&job.id, job.sources.len()), (&started.id, 1));
    /// assert!(!job.status.is_terminal());
    /// # Ok(()) }
    /// ```
    pub fn get(&self) -> CallFuture<K::State> {
        self.get_with(Scheduling::Immediate)
    }

    pub(super) fn get_with(&self, scheduling: Scheduling) -> CallFuture<K::State> {
        K::get(&self.client, self.sequence_store_id(), self.id(), scheduling)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_known_to_exist(&self) -> bool {
        self.token.known_to_exist
    }

    /// The same job, of which the service or a journal has reported that it exists.
    pub(crate) fn known_to_exist(mut self) -> Self {
        self.token.known_to_exist = true;
        self
    }

    #[cfg(test)]
    pub(super) fn created_at(mut self, time: time::OffsetDateTime) -> Self {
        self.token.creation_time = Some(time);
        self
    }
}

impl<K: JobKind> Clone for Job<K> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), token: self.token.clone() }
    }
}

/// The [`token`](Job::token).
impl<K: JobKind> Serialize for Job<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.token.serialize(serializer)
    }
}

impl<K: JobKind> fmt::Debug for Job<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("kind", &K::NAME)
            .field("sequence_store_id", self.sequence_store_id())
            .field("id", self.id())
            .finish_non_exhaustive()
    }
}

/// `export job 1234567890`
impl<K: JobKind> fmt::Display for Job<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} job {}", K::NAME, self.id())
    }
}
