//! The jobs of one store, followed together by lists instead of a poll of each.

mod lists;
mod rounds;

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use self::lists::{AfterFailure, Listing, Lists};
use self::rounds::Rounds;
use super::handle::Job;
use super::in_flight::InFlight;
use super::kind::{JobItem as _, JobKind, JobState as _, Scheduling};
use super::outcome::Outcome;
use super::retrying::{Failures, Retrying};
use super::schedule::Schedule;
use super::timer::{Timer, after};
use super::wait_error::WaitError;
use crate::model::{ItemStatus, SequenceStoreId};
use crate::{CallFuture, Client, Error};

/// For so few jobs, a poll of each costs no more than a list, and returns their items.
const MAX_JOBS_WITHOUT_LISTS: usize = 2;
/// How many polls are in flight: enough to reach the permitted rate with a slow service.
const MAX_POLLS_IN_FLIGHT: usize = 8;
/// Jobs are not polled more often for the progress of their items alone, whatever their number.
const MIN_ITEM_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What a watch returns of one job: its outcome, or why it can't be polled any more.
pub type Watched<K> = (Job<K>, Result<Outcome<K>, WaitError<K>>);

/// What a [`StoreWatch`] reports.
pub(crate) enum WatchEvent<K: JobKind> {
    /// By a list, this job has ended. Its outcome follows as [`Finished`](Self::Finished).
    EndListed(K::Id),
    /// A job that has ended or can't be polled any more. It is no longer watched.
    Finished(Watched<K>),
    /// How many items of a running job have finished and failed.
    ItemProgress { id: K::Id, finished: usize, failed: usize },
    /// What is being retried has changed.
    RetryingChanged,
}

/// One job that is watched.
struct Tracked<K: JobKind> {
    job: Job<K>,
    created: Option<OffsetDateTime>,
    last: Option<K::State>,
    /// Why the last poll or list failed; `None` if it succeeded.
    last_error: Option<Error>,
    /// A poll of the job is queued or in flight.
    poll_pending: bool,
    /// [`WatchEvent::EndListed`] was reported.
    end_reported: bool,
    /// When the job was added or polled.
    last_polled: Instant,
    /// When the first of consecutive responses came that the job does not exist.
    not_found_since: Option<Instant>,
}

/// The jobs of one store that have not finished. It makes progress while it is polled.
pub(crate) struct StoreWatch<K: JobKind> {
    client: Client,
    store: SequenceStoreId,
    jobs: BTreeMap<K::Id, Tracked<K>>,
    rounds: Rounds,
    lists: Lists<K>,
    /// Jobs that are to be polled, in this order.
    poll_queue: VecDeque<K::Id>,
    polls: InFlight<K::Id, K::State>,
    consecutive_failed_polls: usize,
    events: VecDeque<WatchEvent<K>>,
    failures: Failures,
    /// How often a running job is polled for the progress of its items, if lists are all that is needed otherwise.
    item_poll_interval: Option<Duration>,
    next_item_poll: Timer,
    item_poll: Option<(K::Id, CallFuture<K::State>)>,
}

impl<K: JobKind> StoreWatch<K> {
    pub(crate) fn new(client: Client, store: SequenceStoreId, schedule: Schedule) -> Self {
        Self {
            client,
            store,
            jobs: BTreeMap::new(),
            rounds: Rounds::new(schedule),
            lists: Lists::new(),
            poll_queue: VecDeque::new(),
            polls: InFlight::new(),
            consecutive_failed_polls: 0,
            events: VecDeque::new(),
            failures: Failures::default(),
            item_poll_interval: None,
            next_item_poll: Timer::at(Instant::now()),
            item_poll: None,
        }
    }

    /// Also polls running jobs for the progress of their items, where lists are all that is needed otherwise.
    pub(crate) fn with_item_polls(self, interval: Option<Duration>) -> Self {
        Self { item_poll_interval: interval, ..self }
    }

    /// Adds a job that may have ended already.
    pub(crate) fn add(&mut self, job: Job<K>) {
        let id = job.id().clone();
        let tracked = Tracked {
            created: job.token().creation_time,
            last: None,
            last_error: None,
            poll_pending: false,
            end_reported: false,
            last_polled: Instant::now(),
            not_found_since: None,
            job,
        };
        self.jobs.insert(id, tracked);
        self.rounds.job_added();
    }

    /// Adds a job that was started a moment ago. If it is the only one, it is first polled after the first interval.
    pub(crate) fn add_started(&mut self, job: Job<K>) {
        if self.jobs.is_empty() {
            self.rounds.begin_after_first_interval();
        }
        self.add(job);
    }

    /// What is being retried, if some of the jobs can't be polled at present.
    pub(crate) fn retrying(&self) -> Option<&Retrying> {
        self.failures.retrying()
    }

    /// The next event; `None` while there are no jobs.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<WatchEvent<K>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            if self.jobs.is_empty() {
                return Poll::Ready(None);
            }
            let idle = !self.lists.is_in_flight() && self.polls.is_empty() && self.poll_queue.is_empty();
            if self.rounds.have_ended(idle) {
                self.time_out();
            } else if let Poll::Ready(listed) = self.lists.poll(cx) {
                self.listed(listed);
            } else if let Poll::Ready((id, response)) = self.polls.poll(cx) {
                self.polled(&id, response);
            } else if self.polls.len() < MAX_POLLS_IN_FLIGHT
                && let Some(id) = self.poll_queue.pop_front()
            {
                if let Some(tracked) = self.jobs.get(&id) {
                    self.polls.push(id, tracked.job.get_with(Scheduling::RateLimited { time_left: None }));
                }
            } else if self.rounds.poll(cx).is_ready() {
                self.begin_round();
            } else {
                ready!(self.poll_item_progress(cx));
            }
        }
    }

    /// Requests a list, or polls each job where that costs no more.
    fn begin_round(&mut self) {
        self.rounds.begin();
        let tracked = self.jobs.values().filter(|tracked| !tracked.poll_pending);
        let ids: Vec<_> = tracked.map(|tracked| tracked.job.id().clone()).collect();
        if ids.is_empty() || self.lists.is_in_flight() {
            return;
        }
        if self.jobs.len() <= MAX_JOBS_WITHOUT_LISTS || !self.lists.may_be_requested() {
            return self.queue_polls(ids);
        }
        let oldest = self.jobs.values().map(|tracked| tracked.created).min().flatten();
        self.lists.request(self.client.clone(), self.store.clone(), oldest, ids.into_iter().collect());
    }

    /// Queues polls of some jobs. Those come first that were not polled for the longest time, so that each is polled
    /// even if others fail.
    fn queue_polls(&mut self, ids: impl IntoIterator<Item = K::Id>) {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_by_key(|id| self.jobs.get(id).map(|tracked| tracked.last_polled));
        for id in ids {
            if let Some(tracked) = self.jobs.get_mut(&id).filter(|tracked| !tracked.poll_pending) {
                tracked.poll_pending = true;
                self.poll_queue.push_back(id);
            }
        }
    }

    fn listed(&mut self, listed: Result<Listing<K>, Error>) {
        let listing = match listed {
            Ok(listing) => listing,
            Err(error) => return self.list_failed(&error),
        };
        self.lists.succeeded(&self.store);
        self.rounds.reset_backoff();
        for (id, created, ended) in listing.jobs {
            let Some(tracked) = self.jobs.get_mut(&id) else { continue };
            tracked.created = tracked.created.or(created);
            if ended {
                if !std::mem::replace(&mut tracked.end_reported, true) {
                    self.events.push_back(WatchEvent::EndListed(id.clone()));
                }
                self.queue_polls([id]);
            } else {
                tracked.last_error = None;
            }
        }
        self.queue_polls(listing.missing);
        self.clear_failures();
    }

    fn list_failed(&mut self, error: &Error) {
        if error.concerns_every_call() {
            return self.fail_all(error);
        }
        match self.lists.failed(&self.store, error) {
            AfterFailure::Retry => {
                self.rounds.back_off(error);
                for tracked in self.jobs.values_mut() {
                    tracked.last_error = Some(error.clone());
                }
                self.add_failure(error);
            }
            AfterFailure::PollEach => {
                let ids: Vec<_> = self.jobs.keys().cloned().collect();
                self.queue_polls(ids);
            }
        }
    }

    /// Handles the response of a poll.
    fn polled(&mut self, id: &K::Id, response: Result<K::State, Error>) {
        let Some(tracked) = self.jobs.get_mut(id) else { return };
        tracked.poll_pending = false;
        tracked.last_polled = Instant::now();
        match response.map(Outcome::of) {
            Ok(Ok(outcome)) => {
                if let Some(tracked) = self.jobs.remove(id) {
                    self.events.push_back(WatchEvent::Finished((tracked.job, Ok(outcome))));
                }
                self.reset_backoff();
                self.clear_failures();
            }
            Ok(Err(state)) => {
                self.events.push_back(item_progress::<K>(id, &state));
                tracked.last = Some(state);
                tracked.last_error = None;
                tracked.not_found_since = None;
                self.reset_backoff();
                self.clear_failures();
            }
            Err(error) => self.poll_failed(id, &error),
        }
    }

    fn poll_failed(&mut self, id: &K::Id, error: &Error) {
        if error.concerns_every_call() {
            return self.fail_all(error);
        }
        let Some(tracked) = self.jobs.get_mut(id) else { return };
        let not_found = matches!(error, Error::ResourceNotFoundException(_));
        if not_found {
            let known_to_exist = tracked.job.is_known_to_exist() || tracked.last.is_some();
            let since = *tracked.not_found_since.get_or_insert_with(Instant::now);
            let tolerated = self.rounds.tolerated(known_to_exist, since);
            if !tolerated.is_zero() {
                tracked.last_error = Some(error.clone());
                // The last poll is made when the tolerance ends.
                self.rounds.begin_within(tolerated);
                return self.add_failure(error);
            }
        }
        if error.is_outage() {
            tracked.last_error = Some(error.clone());
            self.rounds.back_off(error);
            self.consecutive_failed_polls = self.consecutive_failed_polls.saturating_add(1);
            if self.consecutive_failed_polls >= MAX_POLLS_IN_FLIGHT {
                self.clear_poll_queue();
            }
            return self.add_failure(error);
        }
        self.reset_backoff();
        if let Some(Tracked { job, last, not_found_since, .. }) = self.jobs.remove(id) {
            let not_found_for = not_found_since.filter(|_| not_found).map(|since| since.elapsed());
            let error = WaitError::of(&job, last, error.clone(), not_found_for);
            self.events.push_back(WatchEvent::Finished((job, Err(error))));
        }
        self.clear_failures();
    }

    fn reset_backoff(&mut self) {
        self.rounds.reset_backoff();
        self.consecutive_failed_polls = 0;
    }

    /// While all polls fail, the others can wait for the next round.
    fn clear_poll_queue(&mut self) {
        for id in self.poll_queue.drain(..) {
            if let Some(tracked) = self.jobs.get_mut(&id) {
                tracked.poll_pending = false;
            }
        }
    }

    /// Ends the watch of all jobs with one error.
    fn fail_all(&mut self, error: &Error) {
        self.cancel_calls();
        for (_, Tracked { job, last, .. }) in std::mem::take(&mut self.jobs) {
            let error = WaitError::of(&job, last, error.clone(), None);
            self.events.push_back(WatchEvent::Finished((job, Err(error))));
        }
        self.clear_failures();
    }

    /// Ends the watch of all jobs, as its timeout has passed.
    fn time_out(&mut self) {
        let polls = self.rounds.count();
        let elapsed = self.rounds.elapsed();
        self.cancel_calls();
        for (_, Tracked { job, last, last_error, .. }) in std::mem::take(&mut self.jobs) {
            let error = WaitError::Timeout {
                job: job.to_string(),
                polls,
                elapsed,
                last: last.map(Box::new),
                error: last_error,
            };
            self.events.push_back(WatchEvent::Finished((job, Err(error))));
        }
        self.clear_failures();
    }

    fn cancel_calls(&mut self) {
        self.lists.cancel();
        self.polls = InFlight::new();
        self.poll_queue.clear();
        self.item_poll = None;
    }

    /// Adds a failure that is retried.
    fn add_failure(&mut self, error: &Error) {
        if self.failures.add(&self.client, error) {
            let error = error.report();
            tracing::warn!(store = %self.store, %error, "jobs can't be seen at present, retrying");
        }
        // After each failure, so that progress has the last one.
        self.events.push_back(WatchEvent::RetryingChanged);
    }

    /// Forgets the failures if none of the remaining jobs has one.
    fn clear_failures(&mut self) {
        if self.jobs.values().all(|tracked| tracked.last_error.is_none()) && self.failures.clear() {
            tracing::info!(store = %self.store, "all jobs are seen again");
            self.events.push_back(WatchEvent::RetryingChanged);
        }
    }

    /// Polls one job after another for the progress of its items, while no other poll is needed.
    fn poll_item_progress(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(interval) = self.item_poll_interval else { return Poll::Pending };
        if let Some((_, call)) = &mut self.item_poll {
            let response = ready!(call.as_mut().poll(cx));
            if let Some((id, _)) = self.item_poll.take() {
                self.item_progress_polled(&id, response);
            }
            return Poll::Ready(());
        }
        let lists_suffice = self.jobs.len() > MAX_JOBS_WITHOUT_LISTS && !self.lists.are_replaced();
        if !lists_suffice || !self.polls.is_empty() || self.lists.is_in_flight() {
            return Poll::Pending;
        }
        ready!(self.next_item_poll.poll(cx));
        let now = Instant::now();
        let running = self.jobs.values().filter(|tracked| !tracked.poll_pending);
        let next = running.min_by_key(|tracked| tracked.last_polled);
        let mut next_item_poll = now + MIN_ITEM_POLL_INTERVAL;
        if let Some(tracked) = next {
            let due = after(tracked.last_polled, interval);
            if due <= now {
                let call = tracked.job.get_with(Scheduling::RateLimited { time_left: None });
                self.item_poll = Some((tracked.job.id().clone(), call));
            } else {
                next_item_poll = next_item_poll.max(due);
            }
        }
        self.next_item_poll.reset(next_item_poll);
        Poll::Ready(())
    }

    fn item_progress_polled(&mut self, id: &K::Id, response: Result<K::State, Error>) {
        match response {
            Ok(state) => self.polled(id, Ok(state)),
            Err(error) => {
                // Lists report whether the job runs: this poll was only for its items.
                tracing::debug!(%id, error = %error.report(), "polling the progress of a job's items failed");
                if let Some(tracked) = self.jobs.get_mut(id) {
                    tracked.last_polled = Instant::now();
                }
            }
        }
    }
}

/// How many items of a running job have finished and failed.
fn item_progress<K: JobKind>(id: &K::Id, state: &K::State) -> WatchEvent<K> {
    let count = |status| state.items().iter().filter(|item| *item.status() == status).count();
    WatchEvent::ItemProgress {
        id: id.clone(),
        finished: count(ItemStatus::Finished),
        failed: count(ItemStatus::Failed),
    }
}
