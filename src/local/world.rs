//! What the service keeps: stores, read sets and jobs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, btree_map};
use std::ops::Bound;

use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

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
/// use healthomics::read_set::FileType;
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
/// use healthomics::read_set::JobStatus;
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

/// Where something is in its list: by its creation, and by a number if two were created at once.
pub(crate) type Key = (i128, u64);

/// One sequence store.
#[derive(Default)]
pub(crate) struct Store {
    read_sets: BTreeMap<String, ReadSet>,
    /// The ids of the read sets in the order of their list.
    listed: BTreeMap<Key, String>,
    /// Where in [`World::jobs`] the jobs of a kind are, in the order of their list.
    jobs: HashMap<JobKind, BTreeMap<Key, usize>>,
}

impl Store {
    pub(crate) fn get(&self, id: &str) -> Option<&ReadSet> {
        self.read_sets.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut ReadSet> {
        self.read_sets.get_mut(id)
    }

    /// By id.
    pub(crate) fn read_sets(&self) -> btree_map::Values<'_, String, ReadSet> {
        self.read_sets.values()
    }

    pub(crate) fn insert(&mut self, read_set: ReadSet) {
        let id = read_set.shown.id.to_string();
        self.listed.insert(read_set.key(), id.clone());
        self.read_sets.insert(id, read_set);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<ReadSet> {
        let read_set = self.read_sets.remove(id)?;
        self.listed.remove(&read_set.key());
        Some(read_set)
    }

    /// The ids of the read sets behind a place in their list.
    pub(crate) fn listed_after(&self, place: Bound<Key>) -> btree_map::Range<'_, Key, String> {
        self.listed.range((place, Bound::Unbounded))
    }

    /// Where the jobs of a kind are that come behind a place in their list.
    pub(crate) fn jobs_after(&self, kind: JobKind, place: Bound<Key>) -> impl Iterator<Item = (&Key, &usize)> {
        self.jobs.get(&kind).into_iter().flat_map(move |jobs| jobs.range((place, Bound::Unbounded)))
    }
}

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
    /// How many jobs of a kind have not ended.
    running: HashMap<JobKind, u32>,
    /// When the next thing happens to a job, and which, if time moves it.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    pub(crate) tokens: HashMap<(JobKind, String, String), Started>,
    /// Messages of items that are to fail, by read set id or `source1`.
    pub(crate) failures: HashMap<String, String>,
}

impl World {
    pub(crate) fn create_store(&mut self) -> SequenceStoreId {
        let id = self.ids.next();
        self.stores.insert(id.clone(), Store::default());
        id.into()
    }

    /// Puts a read set into a store, and makes the store if there is none.
    pub(crate) fn seed(&mut self, store: &SequenceStoreId, seed: SeedReadSet, clock: OffsetDateTime) -> ReadSetId {
        let id = self.ids.next();
        let number = self.ids.given();
        let SeedReadSet { status, file_type, subject_id, sample_id, name } = seed;
        let shown = LocalReadSet { id: id.as_str().into(), status, file_type, subject_id, sample_id, name };
        let (created, jobs) = (whole_millis(clock), BTreeSet::new());
        let read_set = ReadSet { shown, number, created, origin: Origin::Seed, jobs };
        self.stores.entry(store.to_string()).or_default().insert(read_set);
        id.into()
    }

    /// Adds a job that has just been started.
    pub(crate) fn add_job(&mut self, job: Job) {
        let index = self.jobs.len();
        self.by_id.insert(job.id.clone(), index);
        if let Some(store) = self.stores.get_mut(&job.store) {
            store.jobs.entry(job.kind).or_default().insert((job.created.unix_timestamp_nanos(), index as u64), index);
            for read_set in job.read_sets() {
                if let Some(read_set) = store.get_mut(read_set) {
                    read_set.jobs.insert(index);
                }
            }
        }
        *self.running.entry(job.kind).or_default() += 1;
        self.due.extend(job.due(self.pace).map(|due| Reverse((due, index))));
        self.jobs.push(job);
    }

    /// Does what has become due, in the order of time. It costs nothing for jobs to which nothing has happened.
    pub(crate) fn settle(&mut self, now: Instant) {
        while let Some(&Reverse((due, index))) = self.due.peek()
            && due <= now
        {
            self.due.pop();
            self.advance(index, |job, pace| job.pass_time(pace, due));
            let next = self.jobs.get(index).and_then(|job| job.due(self.pace));
            self.due.extend(next.map(|due| Reverse((due, index))));
        }
    }

    /// Notes that a job is read, if reads move jobs on.
    pub(crate) fn read(&mut self, index: usize, now: Now) {
        if self.pace.reads().is_some() {
            self.advance(index, |job, pace| job.pass_read(pace, now.wall));
        }
    }

    /// Notes that a read set is read, which is a read of each of its jobs, unless that was `read` before.
    pub(crate) fn read_read_set(&mut self, store: &str, id: &str, read: &mut BTreeSet<usize>, now: Now) {
        if self.pace.reads().is_none() {
            return;
        }
        let read_set = self.stores.get(store).and_then(|store| store.get(id));
        for job in read_set.map(|read_set| read_set.jobs.clone()).unwrap_or_default() {
            if read.insert(job) {
                self.read(job, now);
            }
        }
    }

    /// Moves a job on that has not ended, and carries out what its items have come to.
    fn advance(&mut self, index: usize, step: impl FnOnce(&mut Job, Pace) -> OffsetDateTime) {
        let Some(job) = self.jobs.get_mut(index).filter(|job| !job.has_ended()) else { return };
        let Some(store) = self.stores.get_mut(&job.store) else { return };
        let before = job.settled();
        let at = step(job, self.pace);
        job.settle(before, index, at, store, &mut self.ids);
        if job.has_ended() {
            for read_set in job.read_sets() {
                if let Some(read_set) = store.get_mut(read_set) {
                    read_set.jobs.remove(&index);
                }
            }
            if let Some(running) = self.running.get_mut(&job.kind) {
                *running -= 1;
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn count_due(&self) -> usize {
        self.due.len()
    }

    /// How many jobs of a kind have not ended.
    pub(crate) fn running_of(&self, kind: JobKind) -> u32 {
        self.running.get(&kind).copied().unwrap_or_default()
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
