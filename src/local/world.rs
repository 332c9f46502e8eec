//! What the service keeps: stores, read sets and jobs.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use time::OffsetDateTime;

use super::job::Job;
use super::progress::Pace;
use super::read_set::{Origin, ReadSet};
use super::route::Now;
use crate::model::{
    ClientToken, FileType, ItemStatus, JobStatus, ReadSetId, ReadSetStatus, SampleId, SequenceStoreId, SubjectId,
};

/// The three kinds of read set jobs.
///
/// [`LocalJob`] has an example.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Read sets to a bucket.
    Export,
    /// Files from a bucket to read sets.
    Import,
    /// Archived read sets back to active ones.
    Activation,
}

/// A read set as the local service holds it.
///
/// [`LocalService::read_sets`](super::LocalService::read_sets) has an example.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalReadSet {
    /// Its id.
    pub id: ReadSetId,
    /// Where it stands.
    pub status: ReadSetStatus,
    /// What kind of file it came of.
    pub file_type: FileType,
    /// Whom the data is of.
    pub subject_id: Option<SubjectId>,
    /// Which sample it is.
    pub sample_id: Option<SampleId>,
    /// Its name.
    pub name: Option<String>,
}

/// A read set to put into a store without a job.
///
/// ```
/// use healthomics::local::{LocalService, SeedReadSet};
/// use healthomics::model::FileType;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// let seed = SeedReadSet::archived(FileType::Cram).subject_id("HG00096").sample_id("blood").name("first run");
/// let id = local.seed_read_set(&store, seed);
/// let read_set = client.get_read_set_metadata().sequence_store_id(&store).id(&id).send().await?;
/// assert_eq!(read_set.name.as_deref(), Some("first run"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SeedReadSet {
    status: ReadSetStatus,
    file_type: FileType,
    subject_id: Option<SubjectId>,
    sample_id: Option<SampleId>,
    name: Option<String>,
}

impl SeedReadSet {
    /// One that can be read.
    pub fn active(file_type: FileType) -> Self {
        Self { status: ReadSetStatus::Active, file_type, subject_id: None, sample_id: None, name: None }
    }

    /// One in cold storage.
    pub fn archived(file_type: FileType) -> Self {
        Self { status: ReadSetStatus::Archived, ..Self::active(file_type) }
    }

    /// Says whom the data is of.
    pub fn subject_id(mut self, subject_id: impl Into<SubjectId>) -> Self {
        self.subject_id = Some(subject_id.into());
        self
    }

    /// Says which sample it is.
    pub fn sample_id(mut self, sample_id: impl Into<SampleId>) -> Self {
        self.sample_id = Some(sample_id.into());
        self
    }

    /// Gives it a name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A job as the local service holds it.
///
/// ```
/// use healthomics::local::JobKind;
/// use healthomics::model::JobStatus;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// call.client_token("order-4711").send().await?;
///
/// let jobs = local.jobs();
/// assert_eq!((jobs[0].kind, &jobs[0].status), (JobKind::Activation, &JobStatus::Submitted));
/// assert_eq!(jobs[0].client_token, Some("order-4711".into()));
/// assert_eq!(jobs[0].items[0].key, "5555555555");
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalJob {
    /// What it does.
    pub kind: JobKind,
    /// Its id.
    pub id: String,
    /// The store it works on.
    pub sequence_store_id: SequenceStoreId,
    /// The token it was started with.
    pub client_token: Option<ClientToken>,
    /// Where it stands.
    pub status: JobStatus,
    /// Its items in the order they were given.
    pub items: Vec<LocalItem>,
}

/// One item of a job.
///
/// [`LocalJob`] has an example.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalItem {
    /// The read set to export or activate, or the `source1` of an import.
    pub key: String,
    /// Where it stands.
    pub status: ItemStatus,
    /// What the service says of it.
    pub status_message: String,
    /// The read set: the given one, or the one that an import has made by now.
    pub read_set_id: Option<ReadSetId>,
}

/// The read sets of one store.
pub(crate) type Store = BTreeMap<String, ReadSet>;

/// Gives out ids of ten digits: always the same ones in the same order, some with a leading zero, none of them twice
/// even for different kinds of things, so that a mixed-up id is not found.
#[derive(Debug, Default)]
pub(crate) struct Ids(u64);

impl Ids {
    /// How many it has given out: a number that goes up with every id.
    pub(crate) fn given(&self) -> u64 {
        self.0
    }

    pub(crate) fn next(&mut self) -> String {
        self.0 += 1;
        // The factor has no divisor in common with 10^10: no id comes back before all have been used.
        let id = u128::from(self.0) * 2_718_281_829 % 10_000_000_000;
        format!("{id:010}")
    }
}

/// A Start that a client token stands for.
pub(crate) struct Started {
    /// What it was asked.
    pub(crate) parameters: Value,
    /// What it answered.
    pub(crate) answer: Value,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) pace: Pace,
    /// For names.
    pub(crate) region: String,
    pub(crate) jobs_at_once: Option<u32>,
    pub(crate) ids: Ids,
    pub(crate) stores: BTreeMap<String, Store>,
    pub(crate) jobs: Vec<Job>,
    /// Where in `jobs` a job is.
    pub(crate) by_id: HashMap<String, usize>,
    /// Which of `jobs` have not ended.
    pub(crate) running: Vec<usize>,
    pub(crate) tokens: HashMap<(JobKind, String, String), Started>,
    /// Messages of items that are to fail, by read set id or `source1`.
    pub(crate) failures: HashMap<String, String>,
}

impl World {
    pub(crate) fn create_store(&mut self) -> SequenceStoreId {
        let id = self.ids.next();
        self.stores.insert(id.clone(), Store::new());
        id.into()
    }

    /// Puts a read set into a store, and makes the store if there is none.
    pub(crate) fn seed(&mut self, store: &SequenceStoreId, seed: SeedReadSet, clock: OffsetDateTime) -> ReadSetId {
        let id = self.ids.next();
        let number = self.ids.given();
        let SeedReadSet { status, file_type, subject_id, sample_id, name } = seed;
        let shown = LocalReadSet { id: id.as_str().into(), status, file_type, subject_id, sample_id, name };
        let read_set = ReadSet { shown, number, created: whole_millis(clock), origin: Origin::Seed };
        self.stores.entry(store.to_string()).or_default().insert(id.clone(), read_set);
        id.into()
    }

    /// Brings the jobs that are paced by time up to date.
    pub(crate) fn settle(&mut self, now: Now) {
        if matches!(self.pace, Pace::Time(_)) {
            for index in self.running.clone() {
                self.advance(index, now);
            }
        }
    }

    /// Brings one job up to date and carries out what its items have come to.
    pub(crate) fn advance(&mut self, index: usize, now: Now) {
        let Some(job) = self.jobs.get_mut(index) else { return };
        if let Some(store) = self.stores.get_mut(&job.store) {
            job.advance(self.pace, now, store, &mut self.ids);
        }
        if job.has_ended() {
            self.running.retain(|running| *running != index);
        }
    }

    pub(crate) fn running_of(&self, kind: JobKind) -> usize {
        self.running.iter().filter(|index| self.jobs.get(**index).is_some_and(|job| job.kind == kind)).count()
    }
}

/// A time as exact as the service tells it, so that what it tells can be asked for.
pub(crate) fn whole_millis(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_millisecond(time.millisecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_ten_digits_and_do_not_repeat() {
        let mut ids = Ids::default();
        let all: Vec<_> = (0..10_000).map(|_| ids.next()).collect();
        assert!(all.iter().all(|id| id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_digit())));
        assert!(all.iter().any(|id| id.starts_with('0')));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all[..2], ["2718281829", "5436563658"]);
    }
}
