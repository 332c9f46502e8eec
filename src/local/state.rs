//! The state of the service: stores, read sets and jobs. It knows neither HTTP nor JSON.

mod ids;
mod import_source;
mod job;
mod phase;
mod read_set;
mod store;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use time::OffsetDateTime;
use tokio::time::Instant;

use self::ids::Ids;
pub(crate) use self::ids::Position;
pub(crate) use self::import_source::ImportSource;
pub(crate) use self::job::{ItemView, Job, JobRequest};
pub(crate) use self::read_set::ReadSet;
pub(crate) use self::store::Store;
use super::client_tokens::ClientTokens;
use super::clock::RequestTime;
use super::pace::Pace;
use super::seed::{SeedReadSet, SeedStore, SeededStore};
use super::snapshot::JobKind;
use crate::model::{JobStatus, ReadSetId, ReadSetStatus, SequenceStoreId};

/// Why a request can't be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StateError {
    StoreNotFound,
    JobNotFound,
    ReadSetNotFound,
    /// The client token belongs to another request.
    ClientTokenReused,
    /// The client token belongs to an earlier request, which may be equal.
    ClientTokenConflict,
    /// The quota of jobs that have not ended is exhausted.
    TooManyJobs,
    /// The status of a job that has ended can't be set.
    JobHasEnded,
}

/// A client token and what it is unique within.
type TokenKey = (JobKind, String, String);

#[derive(Default)]
pub(crate) struct State {
    /// The pace of jobs that start, unless their kind has another.
    pace: Pace,
    pace_by_kind: HashMap<JobKind, Pace>,
    /// The quota of jobs of a kind that have not ended.
    max_jobs: Option<u32>,
    region: String,
    ids: Ids,
    stores: BTreeMap<String, Store>,
    /// All jobs in the order of their starts. A job is referred to by its index.
    jobs: Vec<Job>,
    jobs_by_id: HashMap<String, usize>,
    /// The last job of each client token, and when it was started.
    jobs_by_token: HashMap<TokenKey, (usize, Instant)>,
    client_tokens: ClientTokens,
    /// How many jobs of a kind have not ended.
    running: HashMap<JobKind, u32>,
    /// When time moves a job forward next, and which one.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    /// How items fail, by read set id or `source1`.
    item_failures: HashMap<String, ItemFailure>,
}

/// The failure of an item in jobs that start later.
struct ItemFailure {
    message: String,
    /// In how many further jobs the item fails; `None` for no limit.
    times: Option<u32>,
}

impl State {
    pub(crate) fn new(region: &str, pace: Pace, max_jobs: Option<u32>) -> Self {
        Self { pace, max_jobs, region: region.to_owned(), ..Self::default() }
    }

    /// Sets the pace of jobs that start later.
    pub(crate) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
        self.pace_by_kind.clear();
    }

    /// Sets the pace of jobs of one kind that start later.
    pub(crate) fn set_pace_of(&mut self, kind: JobKind, pace: Pace) {
        self.pace_by_kind.insert(kind, pace);
    }

    pub(crate) fn set_max_jobs(&mut self, max_jobs: Option<u32>) {
        self.max_jobs = max_jobs;
    }

    /// Sets what is done about client tokens of earlier starts.
    pub(crate) fn set_client_tokens(&mut self, client_tokens: ClientTokens) {
        self.client_tokens = client_tokens;
    }

    /// The region in ARNs.
    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    pub(crate) fn create_store(&mut self) -> SequenceStoreId {
        let id = self.ids.next();
        self.stores.insert(id.clone(), Store::default());
        id.into()
    }

    /// The store with this id, which is created if it does not exist.
    fn get_or_create_store(&mut self, id: &SequenceStoreId) -> &mut Store {
        self.ids.reserve(id.as_str());
        self.stores.entry(id.to_string()).or_default()
    }

    /// The ids of all stores, sorted.
    pub(crate) fn store_ids(&self) -> impl Iterator<Item = &str> {
        self.stores.keys().map(String::as_str)
    }

    /// Creates a store, unless it exists, and puts read sets into it.
    pub(crate) fn seed_store(&mut self, seed: SeedStore, now: OffsetDateTime) -> SeededStore {
        let id = match seed.id {
            Some(id) => {
                self.get_or_create_store(&id);
                id
            }
            None => self.create_store(),
        };
        let read_set_ids = seed.read_sets.into_iter().map(|read_set| self.seed(&id, read_set, now)).collect();
        SeededStore { id, read_set_ids }
    }

    /// Puts a read set into a store, which is created if it does not exist.
    pub(crate) fn seed(&mut self, store_id: &SequenceStoreId, seed: SeedReadSet, created: OffsetDateTime) -> ReadSetId {
        let read_set = ReadSet::seeded(seed, &mut self.ids, created);
        let id = read_set.snapshot.id.clone();
        self.get_or_create_store(store_id).insert(read_set);
        id
    }

    /// Makes items with this key fail in jobs that start later: in all of them, or in so many.
    pub(crate) fn fail_item(&mut self, key: String, message: String, times: Option<u32>) {
        self.item_failures.insert(key, ItemFailure { message, times });
    }

    /// Undoes [`fail_item`](Self::fail_item).
    pub(crate) fn clear_item_failure(&mut self, key: &str) {
        self.item_failures.remove(key);
    }

    pub(crate) fn set_read_set_status(
        &mut self,
        store_id: &str,
        id: &str,
        status: ReadSetStatus,
    ) -> Result<(), StateError> {
        let read_set = self.store_mut(store_id)?.get_mut(id).ok_or(StateError::ReadSetNotFound)?;
        read_set.snapshot.status = status;
        Ok(())
    }

    /// Ends a job that has not ended: its items settle.
    pub(crate) fn finish_job(&mut self, id: &str, now: RequestTime) -> Result<(), StateError> {
        let index = *self.jobs_by_id.get(id).ok_or(StateError::JobNotFound)?;
        self.advance(index, |job| {
            job.finish();
            now.wall_clock
        });
        Ok(())
    }

    /// Sets the status of a job that has not ended, and which nothing but this moves forward from now on.
    pub(crate) fn set_job_status(&mut self, id: &str, status: JobStatus, now: RequestTime) -> Result<(), StateError> {
        let index = *self.jobs_by_id.get(id).ok_or(StateError::JobNotFound)?;
        if self.job(index)?.has_ended() {
            return Err(StateError::JobHasEnded);
        }
        self.advance(index, |job| {
            job.set_status(status);
            now.wall_clock
        });
        Ok(())
    }

    pub(crate) fn store(&self, id: &str) -> Result<&Store, StateError> {
        self.stores.get(id).ok_or(StateError::StoreNotFound)
    }

    pub(crate) fn store_mut(&mut self, id: &str) -> Result<&mut Store, StateError> {
        self.stores.get_mut(id).ok_or(StateError::StoreNotFound)
    }

    pub(crate) fn read_set(&self, store_id: &str, id: &str) -> Result<&ReadSet, StateError> {
        self.store(store_id)?.get(id).ok_or(StateError::ReadSetNotFound)
    }

    /// All jobs in the order of their starts.
    pub(crate) fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    pub(crate) fn job(&self, index: usize) -> Result<&Job, StateError> {
        self.jobs.get(index).ok_or(StateError::JobNotFound)
    }

    /// The index of a job of this kind and store.
    pub(crate) fn find_job(&self, kind: JobKind, store_id: &str, id: &str) -> Result<usize, StateError> {
        self.store(store_id)?;
        let index = *self.jobs_by_id.get(id).ok_or(StateError::JobNotFound)?;
        let job = self.job(index)?;
        let is_asked_for = job.kind() == kind && job.store_id == store_id;
        is_asked_for.then_some(index).ok_or(StateError::JobNotFound)
    }

    /// Starts a job, or returns the one that an equal request with the same client token has started.
    pub(crate) fn start_job(
        &mut self,
        store_id: &str,
        client_token: Option<String>,
        request: JobRequest,
        now: RequestTime,
    ) -> Result<&Job, StateError> {
        let kind = request.kind();
        let store = self.stores.get_mut(store_id).ok_or(StateError::StoreNotFound)?;
        let token_key = client_token.clone().map(|token| (kind, store_id.to_owned(), token));
        if let Some(&(index, started_at)) = token_key.as_ref().and_then(|key| self.jobs_by_token.get(key)) {
            let is_known = match self.client_tokens {
                ClientTokens::Remembered => true,
                ClientTokens::ForgottenAfter(time) => now.instant.duration_since(started_at) < time,
                ClientTokens::Ignored => false,
                ClientTokens::Conflict => return Err(StateError::ClientTokenConflict),
            };
            if is_known {
                let job = self.jobs.get(index).ok_or(StateError::JobNotFound)?;
                return if job.request == request { Ok(job) } else { Err(StateError::ClientTokenReused) };
            }
        }
        let running = self.running.entry(kind).or_default();
        if self.max_jobs.is_some_and(|max| *running >= max) {
            return Err(StateError::TooManyJobs);
        }
        *running += 1;

        let index = self.jobs.len();
        let pace = self.pace_by_kind.get(&kind).copied().unwrap_or(self.pace);
        let mut job = Job::new(self.ids.next(), store_id.to_owned(), store, client_token, request, pace, now);
        job.fail_items(|key| take_failure(&mut self.item_failures, key));
        store.insert_job(kind, job.position(index), index);
        for read_set_id in job.read_set_ids() {
            if let Some(read_set) = store.get_mut(read_set_id) {
                read_set.running_jobs.insert(index);
            }
        }
        self.jobs_by_id.insert(job.id.clone(), index);
        self.jobs_by_token.extend(token_key.map(|key| (key, (index, now.instant))));
        self.due.extend(job.due().map(|due| Reverse((due, index))));
        self.jobs.push(job);
        self.job(index)
    }

    /// Moves jobs forward to this time, in the order in which they change. Jobs that do not change cost nothing.
    pub(crate) fn advance_by_time(&mut self, now: Instant) {
        while let Some(&Reverse((due, index))) = self.due.peek()
            && due <= now
        {
            self.due.pop();
            self.advance(index, |job| job.advance_by_time(due));
            let next = self.jobs.get(index).and_then(|job| job.due());
            self.due.extend(next.map(|due| Reverse((due, index))));
        }
    }

    /// Counts a read of a job, which moves it forward if its pace depends on reads.
    pub(crate) fn read_job(&mut self, index: usize, now: RequestTime) {
        self.advance(index, |job| {
            job.advance_by_read();
            now.wall_clock
        });
    }

    /// Counts a read of a read set, which is a read of each of its jobs that is not in `read_jobs`, the jobs that the
    /// same request has read before.
    pub(crate) fn read_read_set(
        &mut self,
        store_id: &str,
        read_set_id: &str,
        read_jobs: &mut BTreeSet<usize>,
        now: RequestTime,
    ) {
        let read_set = self.stores.get(store_id).and_then(|store| store.get(read_set_id));
        let running_jobs = read_set.map(|read_set| read_set.running_jobs.clone()).unwrap_or_default();
        for job in running_jobs {
            if read_jobs.insert(job) {
                self.read_job(job, now);
            }
        }
    }

    /// Moves a job forward that has not ended by a function that returns the time of this, and settles its items.
    fn advance(&mut self, index: usize, step: impl FnOnce(&mut Job) -> OffsetDateTime) {
        let Some(job) = self.jobs.get_mut(index).filter(|job| !job.has_ended()) else { return };
        let Some(store) = self.stores.get_mut(&job.store_id) else { return };
        let settled_before = job.settled();
        let at = step(job);
        job.settle_items(settled_before, index, at, store, &mut self.ids);
        if !job.has_ended() {
            return;
        }
        for read_set_id in job.read_set_ids() {
            if let Some(read_set) = store.get_mut(read_set_id) {
                read_set.running_jobs.remove(&index);
            }
        }
        if let Some(running) = self.running.get_mut(&job.kind()) {
            *running -= 1;
        }
    }
}

/// The message of the failure of an item in a job that starts now, which is one of the times that it fails.
fn take_failure(failures: &mut HashMap<String, ItemFailure>, key: &str) -> Option<String> {
    let failure = failures.get_mut(key)?;
    match &mut failure.times {
        None => Some(failure.message.clone()),
        Some(times) => {
            *times = times.checked_sub(1)?;
            Some(failure.message.clone())
        }
    }
}

/// A time in whole milliseconds, which are what responses contain: a filter by a time of a response is exact.
fn whole_millis(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_millisecond(time.millisecond()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn jobs_that_do_not_change_cost_nothing() {
        let mut state = State { pace: Pace::Time(Duration::from_secs(100)), ..State::default() };
        let store_id = state.create_store();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let request = JobRequest::Activation { read_set_ids: vec!["0000000001".to_owned()] };
        for _ in 0..1_000 {
            let now = RequestTime { wall_clock: OffsetDateTime::UNIX_EPOCH, instant: at(0) };
            assert!(state.start_job(store_id.as_str(), None, request.clone(), now).is_ok());
        }
        assert_eq!(state.running[&JobKind::Activation], 1_000);
        // One entry for each job, and none for those that have ended.
        for (seconds, due, running) in [(0, 1_000, 1_000), (10, 1_000, 1_000), (99, 1_000, 1_000), (100, 0, 0)] {
            state.advance_by_time(at(seconds));
            assert_eq!((state.due.len(), state.running[&JobKind::Activation]), (due, running));
        }
    }
}
