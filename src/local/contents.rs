//! What a service contains: stores, read sets and jobs, and how tests change them.

use super::LocalService;
use super::seed::{Seed, SeedReadSet, SeededStore};
use super::snapshot::{LocalJob, LocalReadSet};
use super::state::{Job, StateError};
use crate::model::{JobStatus, ReadSetId, ReadSetStatus, SequenceStoreId};

impl LocalService {
    /// Creates an empty store and returns its id. Ids are the same in every run.
    pub fn create_sequence_store(&self) -> SequenceStoreId {
        self.service.lock().state.create_store()
    }

    /// Creates the stores of a seed and puts its read sets into them; returns their ids.
    ///
    /// [`SeedStore::new`](super::SeedStore::new) has an example.
    pub fn seed(&self, seed: Seed) -> Vec<SeededStore> {
        self.service.lock().seed(seed)
    }

    /// Puts a read set into a store, without a job, and returns its id. A store that does not exist is created.
    ///
    /// [`SeedReadSet`] has an example.
    pub fn seed_read_set(&self, store: &SequenceStoreId, read_set: SeedReadSet) -> ReadSetId {
        let mut service = self.service.lock();
        let now = service.clock.now();
        service.state.seed(store, read_set, now)
    }

    /// The ids of all stores, sorted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// let store = local.create_sequence_store();
    /// assert_eq!(local.sequence_stores(), [store]);
    /// # Ok(()) }
    /// ```
    pub fn sequence_stores(&self) -> Vec<SequenceStoreId> {
        self.service.lock().state.store_ids().map(SequenceStoreId::from).collect()
    }

    /// The status of a read set; `None` if there is no such store or read set.
    pub fn read_set_status(&self, store: &SequenceStoreId, read_set: &ReadSetId) -> Option<ReadSetStatus> {
        let service = self.service.lock();
        let read_set = service.state.read_set(store.as_str(), read_set.as_str()).ok()?;
        Some(read_set.snapshot.status.clone())
    }

    /// Sets the status of a read set, such as `DELETING` or `UPLOAD_FAILED`. A job that activates the read set sets it
    /// again when the item settles.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::{LocalService, SeedReadSet};
    /// use healthomics::read_set::ReadSetStatus;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    ///
    /// let id = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// local.set_read_set_status(&store, &id, ReadSetStatus::Deleting);
    /// let call = client.get_read_set_metadata().sequence_store_id(&store).id(&id);
    /// assert_eq!(call.send().await?.status, ReadSetStatus::Deleting);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such store or read set.
    pub fn set_read_set_status(&self, store: &SequenceStoreId, read_set: &ReadSetId, status: ReadSetStatus) {
        let result = self.service.lock().state.set_read_set_status(store.as_str(), read_set.as_str(), status);
        assert_success(result, &format!("read set {read_set} of store {store}"));
    }

    /// The read sets of a store, sorted by id; none if there is no such store.
    ///
    /// ```
    /// use healthomics::local::SeedReadSet;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let kept = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// let deleted = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// let call = client.batch_delete_read_set().sequence_store_id(&store).ids([&deleted]);
    /// assert!(call.send().await?.errors.is_empty());
    /// assert_eq!(local.read_sets(&store)[0].id, kept);
    /// assert_eq!(local.read_set_status(&store, &deleted), None);
    /// # Ok(()) }
    /// ```
    pub fn read_sets(&self, store: &SequenceStoreId) -> Vec<LocalReadSet> {
        match self.service.lock().state.store(store.as_str()) {
            Ok(store) => store.read_sets().map(|read_set| read_set.snapshot.clone()).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The jobs of all stores, in the order of their starts. This does not count as a [read](super::Pace) of them.
    ///
    /// [`LocalJob`] has an example.
    pub fn jobs(&self) -> Vec<LocalJob> {
        self.service.lock().state.jobs().iter().map(Job::snapshot).collect()
    }

    /// Ends a job now, whatever its pace: its items settle. A job that has ended is not changed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use healthomics::local::{LocalService, Pace, SeedReadSet};
    ///
    /// let pace = Pace::Time(Duration::from_hours(6));
    /// let local = LocalService::builder().pace(pace).start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let id = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([id]);
    /// let started = call.send().await?;
    /// local.finish_job(&started.id);
    /// assert!(client.job(&started).wait().await?.is_completed());
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such job.
    pub fn finish_job(&self, id: impl AsRef<str>) {
        let result = self.service.lock().finish_job(id.as_ref());
        assert_success(result, &format!("job {}", id.as_ref()));
    }

    /// Sets the status of a job, such as `CANCELLING` or `CANCELLED`. The job keeps it: neither reads nor time move it
    /// forward any more, only this method and [`finish_job`](Self::finish_job) do.
    ///
    /// The items of the job keep the status that they have. With a terminal status the job has ended, and read sets that
    /// it has not activated yet are archived again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::{LocalService, SeedReadSet};
    /// use healthomics::read_set::JobStatus;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let id = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    ///
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([id]);
    /// let started = call.send().await?;
    /// local.set_job_status(&started.id, JobStatus::Cancelling);
    /// assert_eq!(client.job(&started).get().await?.status, JobStatus::Cancelling);
    /// local.set_job_status(&started.id, JobStatus::Cancelled);
    /// assert!(!client.job(&started).wait().await?.is_completed());
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such job, or if it has ended.
    pub fn set_job_status(&self, id: impl AsRef<str>, status: JobStatus) {
        let result = self.service.lock().set_job_status(id.as_ref(), status);
        assert_success(result, &format!("job {}", id.as_ref()));
    }

    /// Makes items fail with this message, in all jobs that start later: export and activation items with this read set
    /// id, and import items with this `source1`. A later call with the same key replaces this one.
    ///
    /// ```
    /// use healthomics::local::SeedReadSet;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let id = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// local.fail_item(id.as_str(), "the archive is damaged");
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([id]);
    /// let started = call.send().await?;
    /// let outcome = client.job(&started).wait().await?;
    /// assert_eq!(outcome.items()[0].reason(), "the archive is damaged");
    /// # Ok(()) }
    /// ```
    pub fn fail_item(&self, key: impl Into<String>, message: impl Into<String>) {
        self.service.lock().state.fail_item(key.into(), message.into(), None);
    }

    /// Makes items fail as [`fail_item`](Self::fail_item) does, but only in the next so many jobs that have such an item.
    ///
    /// ```
    /// use healthomics::local::SeedReadSet;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let id = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// local.fail_item_times(id.as_str(), "the archive is not available", 1);
    /// for is_completed in [false, true] {
    ///     let call = client.start_read_set_activation_job().sequence_store_id(&store);
    ///     let started = call.sources([&id]).send().await?;
    ///     assert_eq!(client.job(&started).wait().await?.is_completed(), is_completed);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn fail_item_times(&self, key: impl Into<String>, message: impl Into<String>, times: u32) {
        self.service.lock().state.fail_item(key.into(), message.into(), Some(times));
    }

    /// Undoes [`fail_item`](Self::fail_item) and [`fail_item_times`](Self::fail_item_times) for jobs that start later.
    ///
    /// ```
    /// use healthomics::local::SeedReadSet;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let id = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// local.fail_item(id.as_str(), "the archive is not available");
    /// local.clear_item_failure(id.as_str());
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([id]);
    /// let started = call.send().await?;
    /// assert!(client.job(&started).wait().await?.is_completed());
    /// # Ok(()) }
    /// ```
    pub fn clear_item_failure(&self, key: &str) {
        self.service.lock().state.clear_item_failure(key);
    }
}

/// Panics unless a test has named something that exists and can be changed: otherwise it would test nothing.
fn assert_success(result: Result<(), StateError>, what: &str) {
    assert!(result.is_ok(), "{what}: {}", result.err().map_or("", StateError::message));
}
