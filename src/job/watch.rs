//! Any number of jobs, of any stores, followed together.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::handle::Job;
use super::kind::JobKind;
use super::reporter::ProgressReporter;
use super::retrying::Retrying;
use super::schedule::Schedule;
use super::store_watch::{StoreWatch, WatchEvent, Watched};
use crate::Client;

/// Follows many jobs of a kind together, and returns each when it has ended. [`Client::watch`] makes it.
///
/// It polls the list of jobs of each store, a hundred jobs with one request. It polls a job itself when a list reports
/// that it has ended, to get its items, and when lists do not contain the job or fail several times in a row. All
/// requests wait for permits of the client's rate limiter
/// ([`requests_per_second`](crate::ClientBuilder::requests_per_second)). Outages are retried as by [`Job::wait`];
/// [`on_progress`](Self::on_progress) reports since when, and the error.
///
/// It is a [`Stream`], and its own [`next`](Self::next) needs no crate for streams.
///
/// # Cancel safety
///
/// [`next`](Self::next) is cancel safe: if its future is dropped, in a branch of `tokio::select!` for example, no job
/// is lost. Calls in flight stay here, and the following `next` continues with them. Dropping the watch stops it, and
/// the jobs continue.
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
/// # let read_sets: Vec<_> =
/// #     (0..100).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam))).collect();
/// # let (_sender, mut shutdown) = tokio::sync::oneshot::channel::<()>();
/// let mut jobs = Vec::new();
/// for chunk in read_sets.chunks(healthomics::read_set::MAX_ACTIVATION_SOURCES) {
///     let call = client.start_read_set_activation_job().sequence_store_id(&store);
///     jobs.push(client.job(&call.sources(chunk).send().await?));
/// }
/// let mut watch = client.watch(jobs).poll_every(Duration::from_millis(10));
/// loop {
///     tokio::select! {
///         watched = watch.next() => {
///             let Some((job, outcome)) = watched else { break };
///             println!("{job} has {} failed items", outcome?.failed_items().count());
///         }
///         _ = &mut shutdown => break, // the jobs continue
///     }
/// }
/// # assert_eq!(watch.progress().ended, 5);
/// # Ok(()) }
/// ```
#[must_use = "the jobs are not polled until next() is called"]
pub struct Watch<K: JobKind> {
    client: Client,
    jobs: Vec<Job<K>>,
    schedule: Schedule,
    reporter: ProgressReporter<WatchProgress>,
    /// Set by the first call of `next`.
    started: Option<Instant>,
    total: usize,
    ended: usize,
    /// The watches of the stores whose jobs have not all ended.
    stores: Vec<StoreWatch<K>>,
}

impl Client {
    /// Follows any number of jobs of a kind together, of any stores. A job that is given twice is returned once.
    /// Nothing is sent until [`next`](Watch::next) is called.
    ///
    /// [`Watch`] has an example.
    pub fn watch<K: JobKind>(&self, jobs: impl IntoIterator<Item = Job<K>>) -> Watch<K> {
        let jobs: Vec<_> = jobs.into_iter().collect();
        let total = jobs.iter().map(|job| (job.sequence_store_id(), job.id())).collect::<HashSet<_>>().len();
        Watch {
            client: self.clone(),
            jobs,
            schedule: Schedule::starting_with(self.initial_poll_interval()),
            reporter: ProgressReporter::new(None),
            started: None,
            total,
            ended: 0,
            stores: Vec::new(),
        }
    }
}

impl<K: JobKind> Watch<K> {
    /// Sets how long the watch takes at most: 24 hours by default, `None` is without limit. Each job that has not ended
    /// by then is returned with [`WaitError::Timeout`](super::WaitError::Timeout), and continues.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.schedule.timeout = limit.into();
        self
    }

    /// Sets the longest time between two rounds, in each of which all jobs are listed or polled: 30 seconds by default.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.schedule.max_interval = interval;
        self.schedule.first_interval = self.schedule.first_interval.min(interval);
        self
    }

    /// Sets how long the watch tolerates responses that a job does not exist (404), from the first of consecutive ones
    /// on: see [`Wait::not_found_tolerance`](super::Wait::not_found_tolerance).
    pub fn not_found_tolerance(mut self, time: Duration) -> Self {
        self.schedule.not_found_tolerance = Some(time);
        self
    }

    /// Sets a callback for progress. It is called when the watch begins, when a job has ended, when a poll has failed
    /// or polling works again, and every 30 seconds if nothing else happens; all of it inside [`next`](Self::next).
    ///
    /// [`WatchProgress`] has an example.
    pub fn on_progress(mut self, callback: impl FnMut(&WatchProgress) + Send + 'static) -> Self {
        self.reporter = ProgressReporter::new(Some(Box::new(callback)));
        self
    }

    /// How many of the jobs have ended, and what is retried at present.
    ///
    /// [`WatchProgress`] has an example.
    pub fn progress(&self) -> WatchProgress {
        progress(self.total, self.ended, self.started, &self.stores)
    }

    /// Waits for the next job that has ended or can't be polled any more. `None` when each job has been returned.
    pub async fn next(&mut self) -> Option<Watched<K>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Watched<K>>> {
        if self.started.is_none() {
            self.started = Some(Instant::now());
            self.stores = by_store(&self.client, std::mem::take(&mut self.jobs), self.schedule);
            self.report();
        }
        let mut index = 0;
        while let Some(store) = self.stores.get_mut(index) {
            match store.poll(cx) {
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
        let total = self.total;
        let ended = self.ended;
        let started = self.started;
        let stores = &self.stores;
        self.reporter.report(|| progress(total, ended, started, stores));
    }
}

/// How far a watch is.
///
/// [`Watch::on_progress`] reports it, [`Watch::progress`] returns it. In JSON it is an object with the fields below in
/// camel case; `elapsed` is an object of `secs` and `nanos`. What is read back equals what was written, and absent
/// fields have their default.
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
/// let mut watch = watch.on_progress(|progress| {
///     println!("{} of {} jobs have ended", progress.ended, progress.total);
///     if let Some(retrying) = &progress.retrying {
///         println!("{retrying}");
///     }
/// });
/// assert_eq!((watch.progress().total, watch.progress().ended), (3, 0));
/// while let Some((job, outcome)) = watch.next().await {
///     println!("{job} has {} failed items", outcome?.failed_items().count());
/// }
/// assert_eq!((watch.progress().running, watch.progress().ended), (0, 3));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct WatchProgress {
    /// How many jobs the watch has; one that was given twice counts once.
    pub total: usize,
    /// How many jobs the watch has not returned yet.
    pub running: usize,
    /// How many jobs the watch has returned: they have ended, or can't be polled any more.
    pub ended: usize,
    /// The time since the watch began; zero before.
    pub elapsed: Duration,
    /// Since when polls or lists of some jobs fail, and with which error; `None` if the last ones succeeded.
    pub retrying: Option<Retrying>,
}

fn progress<K: JobKind>(
    total: usize,
    ended: usize,
    started: Option<Instant>,
    stores: &[StoreWatch<K>],
) -> WatchProgress {
    WatchProgress {
        total,
        running: total - ended,
        ended,
        elapsed: started.map(|started| started.elapsed()).unwrap_or_default(),
        retrying: Retrying::oldest(stores.iter().filter_map(StoreWatch::retrying)),
    }
}

fn by_store<K: JobKind>(client: &Client, jobs: Vec<Job<K>>, schedule: Schedule) -> Vec<StoreWatch<K>> {
    let mut stores = BTreeMap::new();
    for job in jobs {
        let id = job.sequence_store_id().clone();
        let store = stores.entry(id.clone()).or_insert_with(|| StoreWatch::new(client.clone(), id, schedule));
        store.add(job);
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
