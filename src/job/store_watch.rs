//! The jobs of one store, followed by lists instead of a look at each.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, Sleep};

use super::schedule::{MAX_SERVER_DELAY, MIN_LAST_POLL, Schedule};
use super::{Failures, Job, JobItem as _, JobKind, JobState as _, Outcome, Retrying, Scheduling, WaitError, Watched};
use crate::job::in_flight::InFlight;
use crate::model::time::can_be_written;
use crate::model::{ItemStatus, SequenceStoreId};
use crate::{CallFuture, Client, Error};

/// With so few jobs, a look at each costs no more than a list, and tells of their items.
const MAX_JOBS_WITHOUT_LISTS: usize = 2;
/// So many polls are on their way at once: enough to keep the scheduling with a slow service.
const MAX_POLLS_IN_FLIGHT: usize = 8;
/// Lists are asked for jobs created this long before the oldest one: whether the service's filter includes the moment
/// itself is not written anywhere.
const CREATED_AFTER_MARGIN: time::Duration = time::Duration::SECOND;
/// Nothing takes longer, so that no clock overflows.
const MAX_DELAY: Duration = Duration::from_hours(24 * 365 * 10);

/// So many lists in a row fail before each job is polled instead.
const MAX_FAILED_LISTS: u32 = 3;
/// So long no list is requested while each job is polled because lists fail.
const LIST_BACKOFF: Duration = Duration::from_mins(1);
/// Jobs are not polled more often than this for their progress alone, whatever their number.
const MIN_ITEM_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What a [`StoreWatch`] reports.
pub(crate) enum WatchEvent<K: JobKind> {
    /// By a list, this job has ended. Its outcome follows as [`Finished`](Self::Finished).
    EndListed(K::Id),
    /// A job that has ended or can't be polled any more. It is no longer watched.
    Finished(Watched<K>),
    /// So many items of a running job have finished and failed.
    ItemProgress { id: K::Id, finished: usize, failed: usize },
    /// What is being retried has changed.
    RetryingChanged,
}

/// One job on the way.
struct Tracked<K: JobKind> {
    job: Job<K>,
    created: Option<OffsetDateTime>,
    last: Option<K::State>,
    last_error: Option<Arc<Error>>,
    /// A look at it is on its way, or will be soon.
    poll_pending: bool,
    end_reported: bool,
    /// When it was added, or polled by itself for the last time.
    polled: Instant,
    /// The first of the last responses in a row that there is no such job.
    not_found_since: Option<Instant>,
}

/// The jobs of one store that have not been told of. It works while it is polled.
pub(crate) struct StoreWatch<K: JobKind> {
    client: Client,
    store: SequenceStoreId,
    jobs: HashMap<K::Id, Tracked<K>>,
    schedule: Schedule,
    begun: Instant,
    listing: Option<CallFuture<Listing<K>>>,
    poll_queue: VecDeque<K::Id>,
    polls: InFlight<K::Id, K::State>,
    events: VecDeque<WatchEvent<K>>,
    next_round: Pin<Box<Sleep>>,
    rounds: u32,
    /// Rounds since a job was added: only those of new jobs may be close together.
    rounds_since_added: u32,
    /// Rounds in a row in which something could not be seen.
    consecutive_failures: u32,
    failed_in_round: bool,
    last_round: Option<Instant>,
    /// Lists are refused to this caller: each job is looked at.
    lists_denied: bool,
    /// Lists in a row that failed.
    failed_lists: u32,
    /// Whether each job is polled because lists fail.
    polls_each: bool,
    /// No list before then.
    next_list: Option<Instant>,
    /// Polls of single jobs in a row that failed.
    failed_polls: usize,
    failures: Failures,
    /// How often a running job is polled for the progress of its items, if lists are all that is needed otherwise.
    item_poll_interval: Option<Duration>,
    next_item_poll: Pin<Box<Sleep>>,
    item_poll: Option<(K::Id, CallFuture<K::State>)>,
}

impl<K: JobKind> StoreWatch<K> {
    pub(super) fn new(client: Client, store: SequenceStoreId, schedule: Schedule) -> Self {
        Self {
            client,
            store,
            jobs: HashMap::new(),
            schedule,
            begun: Instant::now(),
            listing: None,
            poll_queue: VecDeque::new(),
            polls: InFlight::new(),
            events: VecDeque::new(),
            next_round: Box::pin(tokio::time::sleep(Duration::ZERO)),
            rounds: 0,
            rounds_since_added: 0,
            consecutive_failures: 0,
            failed_in_round: false,
            last_round: None,
            lists_denied: false,
            failed_lists: 0,
            polls_each: false,
            next_list: None,
            failed_polls: 0,
            failures: Failures::default(),
            item_poll_interval: None,
            next_item_poll: Box::pin(tokio::time::sleep(Duration::ZERO)),
            item_poll: None,
        }
    }

    /// What is being retried, if some of the jobs can't be seen at present.
    pub(crate) fn retrying(&self) -> Option<&Retrying> {
        self.failures.retrying()
    }

    /// One that is never given up, and polls at a with_fixed_interval scheduling.
    pub(crate) fn with_fixed_interval(
        client: Client,
        store: SequenceStoreId,
        poll_every: Duration,
        item_poll_interval: Option<Duration>,
        not_found_tolerance: Option<Duration>,
    ) -> Self {
        let first = client.initial_poll_interval().map_or(poll_every, |first| first.min(poll_every));
        let schedule = Schedule { first, longest: poll_every, timeout: None, not_found_tolerance };
        Self { item_poll_interval, ..Self::new(client, store, schedule) }
    }

    /// A job that may have ended already.
    pub(crate) fn add(&mut self, job: Job<K>) {
        let tracked = Tracked {
            created: job.created,
            last: None,
            last_error: None,
            poll_pending: false,
            end_reported: false,
            polled: Instant::now(),
            not_found_since: None,
            job,
        };
        self.jobs.insert(tracked.job.id.clone(), tracked);
        self.rounds_since_added = 0;
    }

    /// A job that has just been started: there is nothing to see yet.
    pub(crate) fn add_started(&mut self, job: Job<K>, first_poll: Duration) {
        if self.jobs.is_empty() {
            self.schedule_round(Instant::now() + first_poll.min(MAX_DELAY));
        }
        self.add(job);
    }

    /// What is found out next; `None` when each job has been told of, until another is added.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<WatchEvent<K>>> {
        loop {
            if let Some(found) = self.events.pop_front() {
                return Poll::Ready(Some(found));
            }
            if self.jobs.is_empty() {
                return Poll::Ready(None);
            }
            if self.is_overdue() {
                self.give_up();
            } else if let Some(listing) = &mut self.listing
                && let Poll::Ready(listed) = listing.as_mut().poll(cx)
            {
                self.listing = None;
                self.listed(listed);
            } else if let Poll::Ready((id, answer)) = self.polls.poll(cx) {
                self.polled(&id, answer);
            } else if self.polls.len() < MAX_POLLS_IN_FLIGHT
                && let Some(id) = self.poll_queue.pop_front()
            {
                if let Some(tracked) = self.jobs.get(&id) {
                    self.polls.push(id, K::get(&tracked.job, Scheduling::RateLimited { time_left: None }));
                }
            } else if self.next_round.as_mut().poll(cx).is_ready() {
                self.begin_round();
            } else {
                ready!(self.poll_item_progress(cx));
            }
        }
    }

    /// Asks for a list, or polls at each job where that costs no more.
    fn begin_round(&mut self) {
        let now = Instant::now();
        self.last_round = Some(now);
        self.rounds = self.rounds.saturating_add(1);
        self.rounds_since_added = self.rounds_since_added.saturating_add(1);
        self.failed_in_round = false;
        self.schedule_round(now + self.schedule.interval(self.rounds_since_added, fastrand::f64()).min(MAX_DELAY));
        let unseen: Vec<_> = self.jobs.values().filter(|job| !job.poll_pending).map(|job| job.job.id.clone()).collect();
        if unseen.is_empty() || self.listing.is_some() {
            return;
        }
        if self.jobs.len() <= MAX_JOBS_WITHOUT_LISTS
            || self.lists_denied
            || self.next_list.is_some_and(|next| now < next)
        {
            return self.queue_polls(unseen);
        }
        let oldest = self.jobs.values().map(|tracked| tracked.created).min().flatten();
        // A time that can't be, or can't be written, narrows nothing.
        let created_after =
            oldest.and_then(|oldest| oldest.checked_sub(CREATED_AFTER_MARGIN)).filter(|time| can_be_written(*time));
        let (client, store) = (self.client.clone(), self.store.clone());
        self.listing = Some(Box::pin(list(client, store, created_after, unseen.into_iter().collect())));
    }

    /// Those first that were not polled for the longest time, so that each has its turn if others fail.
    fn queue_polls(&mut self, ids: impl IntoIterator<Item = K::Id>) {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_by_key(|id| self.jobs.get(id).map(|tracked| tracked.polled));
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
            Err(error) => return self.list_failed(error),
        };
        if std::mem::take(&mut self.polls_each) {
            tracing::info!(store = %self.store, "jobs can be listed again");
        }
        (self.failed_lists, self.next_list) = (0, None);
        self.consecutive_failures = 0;
        for (id, created, ended) in listing.shown {
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
        self.seen();
    }

    fn list_failed(&mut self, error: Error) {
        if error.lacks_credentials() {
            return self.fail_all(&Arc::new(error));
        }
        self.failed_lists = self.failed_lists.saturating_add(1);
        if error.is_outage() && self.failed_lists < MAX_FAILED_LISTS {
            self.back_off(&error);
            let error = Arc::new(error);
            for tracked in self.jobs.values_mut() {
                tracked.last_error = Some(Arc::clone(&error));
            }
            return self.failed(&error);
        }
        // Rights that are missing stay so; anything else may be of this one response.
        self.lists_denied = !error.is_outage() && matches!(error.status(), Some(401 | 403 | 405));
        if self.failed_lists >= MAX_FAILED_LISTS {
            let asked = error.retry_after().unwrap_or_default().min(MAX_SERVER_DELAY);
            self.next_list = Some(Instant::now() + asked.max(LIST_BACKOFF));
        }
        if !std::mem::replace(&mut self.polls_each, true) {
            let error = error.report();
            tracing::warn!(store = %self.store, %error, "jobs can't be listed, so each is polled");
        }
        let ids: Vec<_> = self.jobs.keys().cloned().collect();
        self.queue_polls(ids);
    }

    /// A poll of one job: if it has ended or can't be seen, it is told of.
    fn polled(&mut self, id: &K::Id, response: Result<K::State, Error>) {
        let Some(tracked) = self.jobs.get_mut(id) else { return };
        tracked.poll_pending = false;
        tracked.polled = Instant::now();
        let error = match response.map(Outcome::of) {
            Ok(Ok(outcome)) => {
                if let Some(tracked) = self.jobs.remove(id) {
                    self.events.push_back(WatchEvent::Finished((tracked.job, Ok(outcome))));
                }
                (self.consecutive_failures, self.failed_polls) = (0, 0);
                return self.seen();
            }
            Ok(Err(state)) => {
                self.events.push_back(items_of::<K>(id, &state));
                tracked.last = Some(state);
                tracked.last_error = None;
                tracked.not_found_since = None;
                (self.consecutive_failures, self.failed_polls) = (0, 0);
                return self.seen();
            }
            Err(error) => Arc::new(error),
        };
        if error.lacks_credentials() {
            return self.fail_all(&error);
        }
        let not_found = matches!(*error, Error::ResourceNotFoundException(_));
        if not_found {
            let known_to_exist = tracked.job.known_to_exist || tracked.last.is_some();
            let since = *tracked.not_found_since.get_or_insert_with(Instant::now);
            let tolerated = self.schedule.tolerated(known_to_exist, since.elapsed());
            if !tolerated.is_zero() {
                tracked.last_error = Some(Arc::clone(&error));
                // One last poll when the tolerance ends.
                self.schedule_round(self.next_round.deadline().min(Instant::now() + tolerated.min(MAX_DELAY)));
                return self.failed(&error);
            }
        }
        if error.is_outage() {
            tracked.last_error = Some(Arc::clone(&error));
            self.back_off(&error);
            self.failed_polls = self.failed_polls.saturating_add(1);
            if self.failed_polls >= MAX_POLLS_IN_FLIGHT {
                self.clear_poll_queue();
            }
            return self.failed(&error);
        }
        (self.consecutive_failures, self.failed_polls) = (0, 0);
        if let Some(Tracked { job, last, not_found_since, .. }) = self.jobs.remove(id) {
            let not_found_for = not_found_since.filter(|_| not_found).map(|since| since.elapsed());
            let error = WaitError::of(&job, last, error, not_found_for);
            self.events.push_back(WatchEvent::Finished((job, Err(error))));
        }
        self.seen();
    }

    /// While everything fails, the next round is early enough for the rest.
    fn clear_poll_queue(&mut self) {
        for id in self.poll_queue.drain(..) {
            if let Some(tracked) = self.jobs.get_mut(&id) {
                tracked.poll_pending = false;
            }
        }
    }

    /// No job can be followed any more, for one reason.
    fn fail_all(&mut self, error: &Arc<Error>) {
        self.drop_calls();
        for (_, Tracked { job, last, .. }) in self.jobs.drain() {
            let error = WaitError::of(&job, last, Arc::clone(error), None);
            self.events.push_back(WatchEvent::Finished((job, Err(error))));
        }
        self.seen();
    }

    /// Some job could not be seen.
    fn failed(&mut self, error: &Error) {
        if self.failures.add(&self.client, error) {
            let error = error.report();
            tracing::warn!(store = %self.store, %error, "jobs can't be seen at present, retrying");
        }
        // For each failure, so that progress has the last one.
        self.events.push_back(WatchEvent::RetryingChanged);
    }

    /// Some job was seen, or left: perhaps there is nothing to retry any more.
    fn seen(&mut self) {
        if self.jobs.values().all(|tracked| tracked.last_error.is_none()) && self.failures.clear() {
            tracing::info!(store = %self.store, "all jobs are seen again");
            self.events.push_back(WatchEvent::RetryingChanged);
        }
    }

    /// Polls one job after another for the progress of its items, while nothing else has to be polled by itself.
    fn poll_item_progress(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(every) = self.item_poll_interval else { return Poll::Pending };
        if let Some((_, call)) = &mut self.item_poll {
            let response = ready!(call.as_mut().poll(cx));
            if let Some((id, _)) = self.item_poll.take() {
                self.item_poll_done(&id, response);
            }
            return Poll::Ready(());
        }
        if self.polls.len() > 0
            || self.listing.is_some()
            || self.polls_each
            || self.jobs.len() <= MAX_JOBS_WITHOUT_LISTS
        {
            return Poll::Pending;
        }
        ready!(self.next_item_poll.as_mut().poll(cx));
        let now = Instant::now();
        let running = self.jobs.values().filter(|tracked| !tracked.poll_pending);
        let next = running.min_by_key(|tracked| tracked.polled);
        let next = next.map(|tracked| (&tracked.job, tracked.polled + every.min(MAX_DELAY)));
        let schedule_round = match next {
            Some((job, due)) if due <= now => {
                self.item_poll = Some((job.id.clone(), K::get(job, Scheduling::RateLimited { time_left: None })));
                now + MIN_ITEM_POLL_INTERVAL
            }
            Some((_, due)) => due.max(now + MIN_ITEM_POLL_INTERVAL),
            None => now + MIN_ITEM_POLL_INTERVAL,
        };
        self.next_item_poll.as_mut().reset(schedule_round);
        Poll::Ready(())
    }

    fn item_poll_done(&mut self, id: &K::Id, response: Result<K::State, Error>) {
        match response {
            Ok(state) => self.polled(id, Ok(state)),
            Err(error) => {
                // Lists say whether the job runs: this poll was only for its items.
                tracing::debug!(%id, error = %error.report(), "the progress of a job's items can't be seen at present");
                if let Some(tracked) = self.jobs.get_mut(id) {
                    tracked.polled = Instant::now();
                }
            }
        }
    }

    /// The next round comes when the service asks for it, or later and later while rounds are in vain.
    fn back_off(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.failed_in_round, true) {
            self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        }
        let asked = error.retry_after().unwrap_or_default().min(MAX_SERVER_DELAY);
        let rest = self.schedule.backoff(self.consecutive_failures, fastrand::f64()).max(asked).min(MAX_DELAY);
        self.schedule_round(self.next_round.deadline().max(Instant::now() + rest));
    }

    /// One last round begins when time is up, and has a moment to come to something.
    fn schedule_round(&mut self, at: Instant) {
        let end = self.deadline().map(|deadline| match self.last_round {
            Some(round) if round >= deadline => deadline + MIN_LAST_POLL,
            _ => deadline,
        });
        self.next_round.as_mut().reset(end.map_or(at, |end| at.min(end)));
    }

    fn deadline(&self) -> Option<Instant> {
        self.schedule.timeout.map(|timeout| self.begun + timeout.min(MAX_DELAY))
    }

    /// Whether the last round has had its time, or nothing of it is left to wait for.
    fn is_overdue(&self) -> bool {
        let (Some(deadline), Some(round)) = (self.deadline(), self.last_round) else { return false };
        let idle = self.listing.is_none() && self.polls.len() == 0 && self.poll_queue.is_empty();
        round >= deadline && (idle || Instant::now() >= deadline + MIN_LAST_POLL)
    }

    fn give_up(&mut self) {
        let (polls, elapsed) = (self.rounds, self.begun.elapsed());
        self.drop_calls();
        for (_, tracked) in self.jobs.drain() {
            let Tracked { job, last, last_error: error, .. } = tracked;
            let (name, last) = (job.to_string(), last.map(Box::new));
            let timed_out = WaitError::Timeout { job: name, polls, elapsed, last, error };
            self.events.push_back(WatchEvent::Finished((job, Err(timed_out))));
        }
        self.seen();
    }

    fn drop_calls(&mut self) {
        self.listing = None;
        self.polls = InFlight::new();
        self.poll_queue.clear();
        self.item_poll = None;
    }
}

/// How many items of a running job have finished and failed.
fn items_of<K: JobKind>(id: &K::Id, state: &K::State) -> WatchEvent<K> {
    let count = |status| state.items().iter().filter(|item| *item.status() == status).count();
    WatchEvent::ItemProgress {
        id: id.clone(),
        finished: count(ItemStatus::Finished),
        failed: count(ItemStatus::Failed),
    }
}

/// What lists say of some jobs.
struct Listing<K: JobKind> {
    /// Job, creation, and whether it has ended.
    shown: Vec<(K::Id, Option<OffsetDateTime>, bool)>,
    missing: HashSet<K::Id>,
}

/// Page after page until each job is found.
async fn list<K: JobKind>(
    client: Client,
    store: SequenceStoreId,
    created_after: Option<OffsetDateTime>,
    mut missing: HashSet<K::Id>,
) -> Result<Listing<K>, Error> {
    let mut shown = Vec::new();
    let mut next_token = None;
    // More pages than jobs would cost more than poll_pending at each.
    for _ in 0..missing.len().max(1) {
        let page = K::list(&client, &store, created_after, next_token).await?;
        for listed in page.jobs {
            if missing.remove(&listed.id) {
                shown.push((listed.id, listed.created, listed.status.is_terminal()));
            }
        }
        next_token = page.next_token;
        if missing.is_empty() || next_token.is_none() {
            break;
        }
    }
    Ok(Listing { shown, missing })
}
