//! Any number of jobs followed together, of whatever stores.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use tokio::time::Instant;

use super::schedule::Schedule;
use super::store_watch::{StoreWatch, WatchEvent};
use super::{Job, JobKind, OnProgress, Outcome, ProgressReporter, Retrying, WaitError};
use crate::Client;

/// Many jobs that are followed together; ends when each has been told of.
///
/// It learns where they stand through the list call of their kind, a hundred a request, and polls at a job itself only
/// when it has ended, for its items, or when lists do not show it or fail several times in a row. Everything goes at the
/// client's scheduling ([`requests_per_second`](crate::ClientBuilder::requests_per_second)). Outages are retried as by
/// [`Job::wait`]; [`on_progress`](Self::on_progress) says since when and why.
///
/// Dropping a future of [`next`](Self::next) loses nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # use healthomics::read_set::FileType;
/// # use std::time::Duration;
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_sets: Vec<_> = (0..100).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam))).collect();
/// let mut jobs = Vec::new();
/// for chunk in read_sets.chunks(healthomics::read_set::MAX_ACTIVATION_SOURCES) {
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
    client: Client,
    jobs: Vec<Job<K>>,
    schedule: Schedule,
    reporter: ProgressReporter<WatchProgress>,
    /// Set by the first poll.
    begun: Option<Instant>,
    total: usize,
    ended: usize,
    stores: Vec<StoreWatch<K>>,
}

/// What a watch yields: a job, and how it ended or why it can't be followed.
pub type Watched<K> = (Job<K>, Result<Outcome<K>, WaitError<K>>);

impl Client {
    /// Follows any number of jobs of a kind together, of whatever stores. A job that is given twice is told of once.
    ///
    /// [`Watch`] has an example.
    pub fn watch<K: JobKind>(&self, jobs: impl IntoIterator<Item = Job<K>>) -> Watch<K> {
        let schedule = Schedule::starting_with(self.initial_poll_interval());
        let jobs = jobs.into_iter().collect::<Vec<_>>();
        let total = jobs.iter().map(|job| (&job.sequence_store_id, &job.id)).collect::<HashSet<_>>().len();
        let reporter = ProgressReporter::new(None);
        Watch { client: self.clone(), jobs, schedule, reporter, begun: None, total, ended: 0, stores: Vec::new() }
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

    /// How long responses that there is no such job (404) are tolerated, from the first of them in a row: see
    /// [`Wait::not_found_tolerance`](super::Wait::not_found_tolerance).
    pub fn not_found_tolerance(mut self, time: Duration) -> Self {
        self.schedule.not_found_tolerance = Some(time);
        self
    }

    /// Is called when the watch begins, when a job has ended, whenever a poll fails or jobs are seen again after that, and
    /// every 30 seconds if nothing else happens; all of it inside [`next`](Self::next).
    ///
    /// [`WatchProgress`] has an example.
    pub fn on_progress(mut self, tell: impl FnMut(&WatchProgress) + Send + 'static) -> Self {
        let tell: OnProgress<WatchProgress> = Box::new(tell);
        self.reporter = ProgressReporter::new(Some(tell));
        self
    }

    /// How many of the jobs have ended, and what is retried at present.
    ///
    /// [`WatchProgress`] has an example.
    pub fn progress(&self) -> WatchProgress {
        progress(self.total, self.ended, self.begun, &self.stores)
    }

    /// The next job that has ended, or can't be followed; `None` when each has been told of.
    pub async fn next(&mut self) -> Option<Watched<K>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Watched<K>>> {
        if self.begun.is_none() {
            self.begun = Some(Instant::now());
            self.stores = by_store(&self.client, std::mem::take(&mut self.jobs), self.schedule);
            self.report();
        }
        let mut index = 0;
        while let Some(store_watch) = self.stores.get_mut(index) {
            match store_watch.poll(cx) {
                Poll::Ready(Some(WatchEvent::Finished(watched))) => {
                    self.ended += 1;
                    self.report();
                    return Poll::Ready(Some(watched));
                }
                Poll::Ready(Some(WatchEvent::RetryingChanged)) => self.report(),
                Poll::Ready(Some(WatchEvent::EndListed(_) | WatchEvent::ItemProgress { .. })) => {}
                Poll::Ready(None) => drop(self.stores.swap_remove(index)),
                Poll::Pending => index += 1,
            }
        }
        if self.stores.is_empty() {
            return Poll::Ready(None);
        }
        while self.reporter.poll_overdue(cx).is_ready() {
            self.report();
        }
        Poll::Pending
    }

    fn report(&mut self) {
        let (total, ended, begun, stores) = (self.total, self.ended, self.begun, &self.stores);
        self.reporter.report(|| progress(total, ended, begun, stores));
    }
}

/// How far a watch is.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::LocalService;
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let mut jobs = Vec::new();
/// # for read_set in ["5555555551", "5555555552", "5555555553"] {
/// #     let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([read_set]);
/// #     jobs.push(client.job(&call.send().await?));
/// # }
/// # let watch = client.watch(jobs);
/// let mut watch = watch.on_progress(|progress| match &progress.retrying {
///     Some(retrying) => println!("{} of {} jobs have ended, {retrying}", progress.ended, progress.total),
///     None => println!("{} of {} jobs have ended", progress.ended, progress.total),
/// });
/// assert_eq!((watch.progress().total, watch.progress().ended), (3, 0));
/// while let Some((job, outcome)) = watch.next().await {
///     println!("{job} has {} failed items", outcome?.failed_items().count());
/// }
/// assert_eq!((watch.progress().running, watch.progress().ended), (0, 3));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WatchProgress {
    /// All jobs of the watch; one that was given twice counts once.
    pub total: usize,
    /// Jobs that the watch has not returned yet.
    pub running: usize,
    /// Jobs that the watch has returned: they have ended, or can't be followed.
    pub ended: usize,
    /// The time since the watch began.
    pub elapsed: Duration,
    /// Why some jobs can't be seen at present, from the first failure on; `None` while all can.
    pub retrying: Option<Retrying>,
}

fn progress<K: JobKind>(total: usize, ended: usize, begun: Option<Instant>, stores: &[StoreWatch<K>]) -> WatchProgress {
    WatchProgress {
        total,
        running: total - ended,
        ended,
        elapsed: begun.map(|begun| begun.elapsed()).unwrap_or_default(),
        retrying: Retrying::oldest(stores.iter().filter_map(StoreWatch::retrying)),
    }
}

fn by_store<K: JobKind>(client: &Client, jobs: Vec<Job<K>>, schedule: Schedule) -> Vec<StoreWatch<K>> {
    let mut stores = BTreeMap::new();
    for job in jobs {
        let store = job.sequence_store_id.clone();
        let store_watch = stores.entry(store.clone());
        store_watch.or_insert_with(|| StoreWatch::new(client.clone(), store, schedule)).add(job);
    }
    stores.into_values().collect()
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

#[cfg(test)]
mod tests;
