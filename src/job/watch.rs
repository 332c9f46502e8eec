//! Any number of jobs followed together, by lists instead of a look at each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::schedule::{Schedule, Seen, Step};
use super::{Job, JobKind, Outcome, Pace, WaitError};
use crate::model::SequenceStoreId;
use crate::model::time::can_be_written;
use crate::{Client, Error};

/// With so few jobs, a look at each costs no more than a list, and tells of their items.
const FEW: usize = 2;
/// Lists are asked for jobs created this long before the oldest one: whether the service's filter includes the moment
/// itself is not written anywhere.
const SLACK: time::Duration = time::Duration::SECOND;

/// Many jobs that are followed together; ends when each has been told of.
///
/// It learns where they stand through the list call of their kind, a hundred a request, and looks at a job itself only
/// when it has ended, for its items, or when lists do not show it. Everything goes at the client's pace
/// ([`requests_per_second`](crate::ClientBuilder::requests_per_second)), and bad weather is waited out as by
/// [`Job::wait`].
///
/// Dropping a future of [`next`](Self::next) loses nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{LocalService, Pace, SeedReadSet};
/// # use healthomics::model::FileType;
/// # use std::time::Duration;
/// # let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(20))).start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_sets: Vec<_> = (0..100).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam))).collect();
/// let mut jobs = Vec::new();
/// for chunk in read_sets.chunks(healthomics::MAX_ACTIVATION_SOURCES) {
///     let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(chunk);
///     jobs.push(client.job(&call.send().await?));
/// }
/// let mut watch = client.watch(jobs).poll_every(Duration::from_millis(10));
/// while let Some((job, outcome)) = watch.next().await {
///     println!("{job} has {} failed items", outcome?.failed_items().count());
/// }
/// # Ok(()) }
/// ```
#[must_use = "nothing is watched until next() is called"]
pub struct Watch<K: JobKind> {
    jobs: Vec<Job<K>>,
    schedule: Schedule,
    client: Client,
    running: Option<Running<K>>,
}

/// What a watch yields: a job, and how it ended or why it can't be followed.
pub type Watched<K> = (Job<K>, Result<Outcome<K>, WaitError<K>>);

struct Running<K: JobKind> {
    /// Does the work, and is polled only while somebody waits for what it finds.
    driver: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    found: UnboundedReceiver<Watched<K>>,
}

impl Client {
    /// Follows any number of jobs of a kind together, of whatever stores. A job that is given twice is told of once.
    pub fn watch<K: JobKind>(&self, jobs: impl IntoIterator<Item = Job<K>>) -> Watch<K> {
        let (jobs, schedule) = (jobs.into_iter().collect(), Schedule::default());
        Watch { jobs, schedule, client: self.clone(), running: None }
    }
}

impl<K: JobKind> Watch<K> {
    /// When to give up: after 24 hours by default, `None` is never. The jobs that have not ended by then are told of
    /// with an error each, and go on.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.schedule.timeout = limit.into();
        self
    }

    /// The longest time between two rounds: 30 seconds by default.
    pub fn poll_every(mut self, longest: Duration) -> Self {
        self.schedule.longest = longest;
        self.schedule.first = self.schedule.first.min(longest);
        self
    }

    /// The next job that has ended, or can't be followed; `None` when each has been told of.
    pub async fn next(&mut self) -> Option<Watched<K>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Watched<K>>> {
        let running = match &mut self.running {
            Some(running) => running,
            none => {
                let (tell, found) = unbounded_channel();
                let fleet = Fleet::new(self.client.clone(), std::mem::take(&mut self.jobs), self.schedule, tell);
                none.insert(Running { driver: Some(Box::pin(fleet.follow())), found })
            }
        };
        if let Some(driver) = &mut running.driver
            && driver.as_mut().poll(cx).is_ready()
        {
            running.driver = None;
        }
        // The driver holds the other end: what it found comes first, then the end.
        running.found.poll_recv(cx)
    }
}

impl<K: JobKind> Stream for Watch<K> {
    type Item = Watched<K>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}

impl<K: JobKind> fmt::Debug for Watch<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// One job on the way.
struct Tracked<K: JobKind> {
    job: Job<K>,
    created: Option<OffsetDateTime>,
    last: Option<K::State>,
    last_error: Option<Arc<Error>>,
}

/// The jobs of one store that have not been told of.
pub(crate) struct StoreFleet<K: JobKind> {
    jobs: HashMap<K::Id, Tracked<K>>,
    /// Lists are refused to this caller: each job is looked at.
    without_lists: bool,
}

/// All that is followed, and how.
struct Fleet<K: JobKind> {
    client: Client,
    stores: BTreeMap<SequenceStoreId, StoreFleet<K>>,
    schedule: Schedule,
    tell: UnboundedSender<Watched<K>>,
}

impl<K: JobKind> Fleet<K> {
    fn new(client: Client, jobs: Vec<Job<K>>, schedule: Schedule, tell: UnboundedSender<Watched<K>>) -> Self {
        let mut stores: BTreeMap<_, StoreFleet<K>> = BTreeMap::new();
        for job in jobs {
            let store = stores.entry(job.sequence_store_id.clone());
            store.or_insert_with(StoreFleet::new).add(job);
        }
        Self { client, stores, schedule, tell }
    }

    /// Round after round, until each job has been told of. A round that has begun is finished.
    async fn follow(mut self) {
        let started = Instant::now();
        let mut rounds = 0_u32;
        loop {
            rounds = rounds.saturating_add(1);
            for (store, fleet) in &mut self.stores {
                fleet.round(&self.client, store, &self.tell).await;
            }
            self.stores.retain(|_, fleet| !fleet.jobs.is_empty());
            if self.stores.is_empty() {
                return;
            }
            match self.schedule.next(Seen::Running, rounds, started.elapsed(), fastrand::f64()) {
                Step::LookAgain { after } => tokio::time::sleep(after).await,
                Step::Stop | Step::TimeUp => return self.give_up(rounds, started.elapsed()),
            }
        }
    }

    fn give_up(self, looks: u32, elapsed: Duration) {
        for tracked in self.stores.into_values().flat_map(|fleet| fleet.jobs.into_values()) {
            let Tracked { job, last, last_error: error, .. } = tracked;
            let (name, last) = (job.to_string(), last.map(Box::new));
            let time_up = WaitError::TimeUp { job: name, looks, elapsed, last, error };
            // Nobody listens only when the watch is dropped.
            drop(self.tell.send((job, Err(time_up))));
        }
    }
}

impl<K: JobKind> StoreFleet<K> {
    pub(crate) fn new() -> Self {
        Self { jobs: HashMap::new(), without_lists: false }
    }

    pub(crate) fn add(&mut self, job: Job<K>) {
        let tracked = Tracked { created: job.created, last: None, last_error: None, job };
        self.jobs.insert(tracked.job.id.clone(), tracked);
    }

    /// One look at all jobs of a store.
    async fn round(&mut self, client: &Client, store: &SequenceStoreId, tell: &UnboundedSender<Watched<K>>) {
        for id in self.find_ended(client, store).await.unwrap_or_default() {
            self.look_at(&id, tell).await;
        }
    }

    /// The jobs at which a look is worth its request; `None` while nothing can be learned.
    pub(crate) async fn find_ended(&mut self, client: &Client, store: &SequenceStoreId) -> Option<Vec<K::Id>> {
        if self.jobs.len() > FEW && !self.without_lists {
            match self.list(client, store).await {
                Ok(ended_or_missing) => return Some(ended_or_missing),
                Err(error) if error.is_retryable() => {
                    tracing::debug!(%error, "jobs can't be listed at present");
                    let error = Arc::new(error);
                    for tracked in self.jobs.values_mut() {
                        tracked.last_error = Some(Arc::clone(&error));
                    }
                    return None;
                }
                Err(error) => {
                    tracing::warn!(%error, "jobs can't be listed, so each is looked at");
                    self.without_lists = true;
                }
            }
        }
        Some(self.jobs.keys().cloned().collect())
    }

    /// The jobs that have ended by what the list says, and those that it does not show.
    async fn list(&mut self, client: &Client, store: &SequenceStoreId) -> Result<Vec<K::Id>, Error> {
        let oldest = self.jobs.values().map(|tracked| tracked.created).min().flatten();
        // A time that can't be, or can't be written, narrows nothing.
        let created_after = oldest.and_then(|oldest| oldest.checked_sub(SLACK)).filter(|time| can_be_written(*time));
        let mut missing: HashSet<_> = self.jobs.keys().cloned().collect();
        let mut ended = Vec::new();
        let mut next_token = None;
        // More pages than jobs would cost more than looking at each.
        for _ in 0..self.jobs.len() {
            let page = K::list(client, store, created_after, next_token).await?;
            for listed in page.jobs {
                let Some(tracked) = self.jobs.get_mut(&listed.id) else { continue };
                missing.remove(&listed.id);
                tracked.created = tracked.created.or(listed.created);
                tracked.last_error = None;
                if listed.status.is_terminal() {
                    ended.push(listed.id);
                }
            }
            next_token = page.next_token;
            if missing.is_empty() || next_token.is_none() {
                break;
            }
        }
        ended.extend(missing);
        Ok(ended)
    }

    /// Looks at one job, and tells of it if it has ended or can't be seen.
    pub(crate) async fn look_at(&mut self, id: &K::Id, tell: &UnboundedSender<Watched<K>>) {
        let Some(tracked) = self.jobs.get_mut(id) else { return };
        let found = match K::get(&tracked.job, Pace::InTurn { left: None }).await.map(Outcome::of) {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(state)) => {
                tracked.last = Some(state);
                tracked.last_error = None;
                return;
            }
            Err(error) if error.is_retryable() => {
                tracked.last_error = Some(Arc::new(error));
                return;
            }
            Err(error) => {
                let (job, last) = (tracked.job.to_string(), tracked.last.take().map(Box::new));
                Err(WaitError::Call { job, last, error })
            }
        };
        if let Some(tracked) = self.jobs.remove(id) {
            drop(tell.send((tracked.job, found)));
        }
    }
}

#[cfg(test)]
mod tests;
