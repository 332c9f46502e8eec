//! Any number of jobs followed together, of whatever stores.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use super::fleet::{Found, StoreFleet};
use super::schedule::Schedule;
use super::{Job, JobKind, Outcome, WaitError};
use crate::Client;

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
    client: Client,
    jobs: Vec<Job<K>>,
    schedule: Schedule,
    /// Set by the first look.
    fleets: Option<Vec<StoreFleet<K>>>,
}

/// What a watch yields: a job, and how it ended or why it can't be followed.
pub type Watched<K> = (Job<K>, Result<Outcome<K>, WaitError<K>>);

impl Client {
    /// Follows any number of jobs of a kind together, of whatever stores. A job that is given twice is told of once.
    ///
    /// [`Watch`] has an example.
    pub fn watch<K: JobKind>(&self, jobs: impl IntoIterator<Item = Job<K>>) -> Watch<K> {
        let (jobs, schedule) = (jobs.into_iter().collect(), Schedule::default());
        Watch { client: self.clone(), jobs, schedule, fleets: None }
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
        let Self { client, jobs, schedule, fleets } = self;
        let fleets = fleets.get_or_insert_with(|| by_store(client, std::mem::take(jobs), *schedule));
        let mut index = 0;
        while let Some(fleet) = fleets.get_mut(index) {
            match fleet.poll(cx) {
                Poll::Ready(Some(Found::Told(watched))) => return Poll::Ready(Some(watched)),
                Poll::Ready(Some(Found::Ended(_))) => {}
                Poll::Ready(None) => drop(fleets.swap_remove(index)),
                Poll::Pending => index += 1,
            }
        }
        if fleets.is_empty() { Poll::Ready(None) } else { Poll::Pending }
    }
}

fn by_store<K: JobKind>(client: &Client, jobs: Vec<Job<K>>, schedule: Schedule) -> Vec<StoreFleet<K>> {
    let mut fleets = BTreeMap::new();
    for job in jobs {
        let store = job.sequence_store_id.clone();
        let fleet = fleets.entry(store.clone());
        fleet.or_insert_with(|| StoreFleet::new(client.clone(), store, schedule)).add(job);
    }
    fleets.into_values().collect()
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
