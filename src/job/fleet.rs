//! The jobs of one store, followed by lists instead of a look at each.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, Sleep};

use super::schedule::{LONGEST_ASKED, SHORTEST_LOOK, Schedule};
use super::{Failures, Job, JobItem as _, JobKind, JobState as _, Outcome, Pace, Retrying, WaitError, Watched};
use crate::job::in_flight::InFlight;
use crate::model::time::can_be_written;
use crate::model::{ItemStatus, SequenceStoreId};
use crate::{CallFuture, Client, Error};

/// With so few jobs, a look at each costs no more than a list, and tells of their items.
const FEW: usize = 2;
/// So many looks are on their way at once: enough to keep the pace with a slow service.
const MOST_LOOKS: usize = 8;
/// Lists are asked for jobs created this long before the oldest one: whether the service's filter includes the moment
/// itself is not written anywhere.
const SLACK: time::Duration = time::Duration::SECOND;
/// Nothing takes longer, so that no clock overflows.
const LONGEST_REST: Duration = Duration::from_hours(24 * 365 * 10);

/// So many lists in a row fail before each job is polled instead.
const MOST_FAILED_LISTS: u32 = 3;
/// So long no list is requested while each job is polled because lists fail.
const REST_OF_LISTS: Duration = Duration::from_mins(1);
/// Jobs are not polled more often than this for their progress alone, whatever their number.
const PROGRESS_GAP: Duration = Duration::from_secs(1);

/// What a fleet has found out.
pub(crate) enum Found<K: JobKind> {
    /// By what a list shows, this job has ended. Its outcome follows.
    Ended(K::Id),
    /// A job that has ended or can't be followed, which leaves the fleet.
    Told(Watched<K>),
    /// So many items of a running job have finished and failed.
    Items { id: K::Id, finished: usize, failed: usize },
    /// What is being retried has changed.
    Retrying,
}

/// One job on the way.
struct Tracked<K: JobKind> {
    job: Job<K>,
    created: Option<OffsetDateTime>,
    last: Option<K::State>,
    last_error: Option<Arc<Error>>,
    /// A look at it is on its way, or will be soon.
    looking: bool,
    said_to_have_ended: bool,
    /// When it was added, or polled by itself for the last time.
    polled: Instant,
    /// The first of the last responses in a row that there is no such job.
    not_found_since: Option<Instant>,
}

/// The jobs of one store that have not been told of. It works while it is polled.
pub(crate) struct StoreFleet<K: JobKind> {
    client: Client,
    store: SequenceStoreId,
    jobs: HashMap<K::Id, Tracked<K>>,
    schedule: Schedule,
    begun: Instant,
    listing: Option<CallFuture<Listing<K>>>,
    to_look: VecDeque<K::Id>,
    looks: InFlight<K::Id, K::State>,
    found: VecDeque<Found<K>>,
    next_round: Pin<Box<Sleep>>,
    rounds: u32,
    /// Rounds since a job was added: only those of new jobs may be close together.
    rounds_since_added: u32,
    /// Rounds in a row in which something could not be seen.
    in_vain: u32,
    failed_in_round: bool,
    last_round: Option<Instant>,
    /// Lists are refused to this caller: each job is looked at.
    without_lists: bool,
    /// Lists in a row that failed.
    failed_lists: u32,
    /// Whether each job is polled because lists fail.
    polls_each: bool,
    /// No list before then.
    next_list: Option<Instant>,
    /// Polls of single jobs in a row that failed.
    failed_looks: usize,
    failures: Failures,
    /// How often a running job is polled for the progress of its items, if lists are all that is needed otherwise.
    items_every: Option<Duration>,
    next_items: Pin<Box<Sleep>>,
    items: Option<(K::Id, CallFuture<K::State>)>,
}

impl<K: JobKind> StoreFleet<K> {
    pub(super) fn new(client: Client, store: SequenceStoreId, schedule: Schedule) -> Self {
        Self {
            client,
            store,
            jobs: HashMap::new(),
            schedule,
            begun: Instant::now(),
            listing: None,
            to_look: VecDeque::new(),
            looks: InFlight::new(),
            found: VecDeque::new(),
            next_round: Box::pin(tokio::time::sleep(Duration::ZERO)),
            rounds: 0,
            rounds_since_added: 0,
            in_vain: 0,
            failed_in_round: false,
            last_round: None,
            without_lists: false,
            failed_lists: 0,
            polls_each: false,
            next_list: None,
            failed_looks: 0,
            failures: Failures::default(),
            items_every: None,
            next_items: Box::pin(tokio::time::sleep(Duration::ZERO)),
            items: None,
        }
    }

    /// What is being retried, if some of the jobs can't be seen at present.
    pub(crate) fn retrying(&self) -> Option<&Retrying> {
        self.failures.retrying()
    }

    /// One that is never given up, and looks at a steady pace.
    pub(crate) fn steady(
        client: Client,
        store: SequenceStoreId,
        poll_every: Duration,
        items_every: Option<Duration>,
        not_found_tolerance: Option<Duration>,
    ) -> Self {
        let first = client.initial_poll_interval().map_or(poll_every, |first| first.min(poll_every));
        let schedule = Schedule { first, longest: poll_every, timeout: None, not_found_tolerance };
        Self { items_every, ..Self::new(client, store, schedule) }
    }

    /// A job that may have ended already.
    pub(crate) fn add(&mut self, job: Job<K>) {
        let tracked = Tracked {
            created: job.created,
            last: None,
            last_error: None,
            looking: false,
            said_to_have_ended: false,
            polled: Instant::now(),
            not_found_since: None,
            job,
        };
        self.jobs.insert(tracked.job.id.clone(), tracked);
        self.rounds_since_added = 0;
    }

    /// A job that has just been started: there is nothing to see yet.
    pub(crate) fn add_started(&mut self, job: Job<K>, first_look: Duration) {
        if self.jobs.is_empty() {
            self.rest_until(Instant::now() + first_look.min(LONGEST_REST));
        }
        self.add(job);
    }

    /// What is found out next; `None` when each job has been told of, until another is added.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Found<K>>> {
        loop {
            if let Some(found) = self.found.pop_front() {
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
            } else if let Poll::Ready((id, answer)) = self.looks.poll(cx) {
                self.looked_at(&id, answer);
            } else if self.looks.len() < MOST_LOOKS
                && let Some(id) = self.to_look.pop_front()
            {
                if let Some(tracked) = self.jobs.get(&id) {
                    self.looks.push(id, K::get(&tracked.job, Pace::InTurn { left: None }));
                }
            } else if self.next_round.as_mut().poll(cx).is_ready() {
                self.begin_round();
            } else {
                ready!(self.poll_items(cx));
            }
        }
    }

    /// Asks for a list, or looks at each job where that costs no more.
    fn begin_round(&mut self) {
        let now = Instant::now();
        self.last_round = Some(now);
        self.rounds = self.rounds.saturating_add(1);
        self.rounds_since_added = self.rounds_since_added.saturating_add(1);
        self.failed_in_round = false;
        self.rest_until(now + self.schedule.interval(self.rounds_since_added, fastrand::f64()).min(LONGEST_REST));
        let unseen: Vec<_> = self.jobs.values().filter(|job| !job.looking).map(|job| job.job.id.clone()).collect();
        if unseen.is_empty() || self.listing.is_some() {
            return;
        }
        if self.jobs.len() <= FEW || self.without_lists || self.next_list.is_some_and(|next| now < next) {
            return self.look_at_all(unseen);
        }
        let oldest = self.jobs.values().map(|tracked| tracked.created).min().flatten();
        // A time that can't be, or can't be written, narrows nothing.
        let created_after = oldest.and_then(|oldest| oldest.checked_sub(SLACK)).filter(|time| can_be_written(*time));
        let (client, store) = (self.client.clone(), self.store.clone());
        self.listing = Some(Box::pin(list(client, store, created_after, unseen.into_iter().collect())));
    }

    /// Those first that were not polled for the longest time, so that each has its turn if others fail.
    fn look_at_all(&mut self, ids: impl IntoIterator<Item = K::Id>) {
        let mut ids: Vec<_> = ids.into_iter().collect();
        ids.sort_by_key(|id| self.jobs.get(id).map(|tracked| tracked.polled));
        for id in ids {
            if let Some(tracked) = self.jobs.get_mut(&id).filter(|tracked| !tracked.looking) {
                tracked.looking = true;
                self.to_look.push_back(id);
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
        self.in_vain = 0;
        for (id, created, ended) in listing.shown {
            let Some(tracked) = self.jobs.get_mut(&id) else { continue };
            tracked.created = tracked.created.or(created);
            if ended {
                if !std::mem::replace(&mut tracked.said_to_have_ended, true) {
                    self.found.push_back(Found::Ended(id.clone()));
                }
                self.look_at_all([id]);
            } else {
                tracked.last_error = None;
            }
        }
        self.look_at_all(listing.missing);
        self.seen();
    }

    fn list_failed(&mut self, error: Error) {
        if error.lacks_credentials() {
            return self.fail_all(&Arc::new(error));
        }
        self.failed_lists = self.failed_lists.saturating_add(1);
        if error.is_outage() && self.failed_lists < MOST_FAILED_LISTS {
            self.rest_after(&error);
            let error = Arc::new(error);
            for tracked in self.jobs.values_mut() {
                tracked.last_error = Some(Arc::clone(&error));
            }
            return self.failed(&error);
        }
        // Rights that are missing stay so; anything else may be of this one response.
        self.without_lists = !error.is_outage() && matches!(error.status(), Some(401 | 403 | 405));
        if self.failed_lists >= MOST_FAILED_LISTS {
            let asked = error.retry_after().unwrap_or_default().min(LONGEST_ASKED);
            self.next_list = Some(Instant::now() + asked.max(REST_OF_LISTS));
        }
        if !std::mem::replace(&mut self.polls_each, true) {
            let error = error.report();
            tracing::warn!(store = %self.store, %error, "jobs can't be listed, so each is polled");
        }
        let ids: Vec<_> = self.jobs.keys().cloned().collect();
        self.look_at_all(ids);
    }

    /// A poll of one job: if it has ended or can't be seen, it is told of.
    fn looked_at(&mut self, id: &K::Id, response: Result<K::State, Error>) {
        let Some(tracked) = self.jobs.get_mut(id) else { return };
        tracked.looking = false;
        tracked.polled = Instant::now();
        let error = match response.map(Outcome::of) {
            Ok(Ok(outcome)) => {
                if let Some(tracked) = self.jobs.remove(id) {
                    self.found.push_back(Found::Told((tracked.job, Ok(outcome))));
                }
                (self.in_vain, self.failed_looks) = (0, 0);
                return self.seen();
            }
            Ok(Err(state)) => {
                self.found.push_back(items_of::<K>(id, &state));
                tracked.last = Some(state);
                tracked.last_error = None;
                tracked.not_found_since = None;
                (self.in_vain, self.failed_looks) = (0, 0);
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
                self.rest_until(self.next_round.deadline().min(Instant::now() + tolerated.min(LONGEST_REST)));
                return self.failed(&error);
            }
        }
        if error.is_outage() {
            tracked.last_error = Some(Arc::clone(&error));
            self.rest_after(&error);
            self.failed_looks = self.failed_looks.saturating_add(1);
            if self.failed_looks >= MOST_LOOKS {
                self.put_off_looks();
            }
            return self.failed(&error);
        }
        (self.in_vain, self.failed_looks) = (0, 0);
        if let Some(Tracked { job, last, not_found_since, .. }) = self.jobs.remove(id) {
            let not_found_for = not_found_since.filter(|_| not_found).map(|since| since.elapsed());
            let error = WaitError::of(&job, last, error, not_found_for);
            self.found.push_back(Found::Told((job, Err(error))));
        }
        self.seen();
    }

    /// While everything fails, the next round is early enough for the rest.
    fn put_off_looks(&mut self) {
        for id in self.to_look.drain(..) {
            if let Some(tracked) = self.jobs.get_mut(&id) {
                tracked.looking = false;
            }
        }
    }

    /// No job can be followed any more, for one reason.
    fn fail_all(&mut self, error: &Arc<Error>) {
        self.drop_calls();
        for (_, Tracked { job, last, .. }) in self.jobs.drain() {
            let error = WaitError::of(&job, last, Arc::clone(error), None);
            self.found.push_back(Found::Told((job, Err(error))));
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
        self.found.push_back(Found::Retrying);
    }

    /// Some job was seen, or left: perhaps there is nothing to retry any more.
    fn seen(&mut self) {
        if self.jobs.values().all(|tracked| tracked.last_error.is_none()) && self.failures.clear() {
            tracing::info!(store = %self.store, "all jobs are seen again");
            self.found.push_back(Found::Retrying);
        }
    }

    /// Polls one job after another for the progress of its items, while nothing else has to be polled by itself.
    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(every) = self.items_every else { return Poll::Pending };
        if let Some((_, call)) = &mut self.items {
            let response = ready!(call.as_mut().poll(cx));
            if let Some((id, _)) = self.items.take() {
                self.items_polled(&id, response);
            }
            return Poll::Ready(());
        }
        if self.looks.len() > 0 || self.listing.is_some() || self.polls_each || self.jobs.len() <= FEW {
            return Poll::Pending;
        }
        ready!(self.next_items.as_mut().poll(cx));
        let now = Instant::now();
        let running = self.jobs.values().filter(|tracked| !tracked.looking);
        let next = running.min_by_key(|tracked| tracked.polled);
        let next = next.map(|tracked| (&tracked.job, tracked.polled + every.min(LONGEST_REST)));
        let rest_until = match next {
            Some((job, due)) if due <= now => {
                self.items = Some((job.id.clone(), K::get(job, Pace::InTurn { left: None })));
                now + PROGRESS_GAP
            }
            Some((_, due)) => due.max(now + PROGRESS_GAP),
            None => now + PROGRESS_GAP,
        };
        self.next_items.as_mut().reset(rest_until);
        Poll::Ready(())
    }

    fn items_polled(&mut self, id: &K::Id, response: Result<K::State, Error>) {
        match response {
            Ok(state) => self.looked_at(id, Ok(state)),
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
    fn rest_after(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.failed_in_round, true) {
            self.in_vain = self.in_vain.saturating_add(1);
        }
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_ASKED);
        let rest = self.schedule.rest(self.in_vain, fastrand::f64()).max(asked).min(LONGEST_REST);
        self.rest_until(self.next_round.deadline().max(Instant::now() + rest));
    }

    /// One last round begins when time is up, and has a moment to come to something.
    fn rest_until(&mut self, at: Instant) {
        let end = self.deadline().map(|deadline| match self.last_round {
            Some(round) if round >= deadline => deadline + SHORTEST_LOOK,
            _ => deadline,
        });
        self.next_round.as_mut().reset(end.map_or(at, |end| at.min(end)));
    }

    fn deadline(&self) -> Option<Instant> {
        self.schedule.timeout.map(|timeout| self.begun + timeout.min(LONGEST_REST))
    }

    /// Whether the last round has had its time, or nothing of it is left to wait for.
    fn is_overdue(&self) -> bool {
        let (Some(deadline), Some(round)) = (self.deadline(), self.last_round) else { return false };
        let idle = self.listing.is_none() && self.looks.len() == 0 && self.to_look.is_empty();
        round >= deadline && (idle || Instant::now() >= deadline + SHORTEST_LOOK)
    }

    fn give_up(&mut self) {
        let (looks, elapsed) = (self.rounds, self.begun.elapsed());
        self.drop_calls();
        for (_, tracked) in self.jobs.drain() {
            let Tracked { job, last, last_error: error, .. } = tracked;
            let (name, last) = (job.to_string(), last.map(Box::new));
            let time_up = WaitError::TimeUp { job: name, looks, elapsed, last, error };
            self.found.push_back(Found::Told((job, Err(time_up))));
        }
        self.seen();
    }

    fn drop_calls(&mut self) {
        self.listing = None;
        self.looks = InFlight::new();
        self.to_look.clear();
        self.items = None;
    }
}

/// How many items of a running job have finished and failed.
fn items_of<K: JobKind>(id: &K::Id, state: &K::State) -> Found<K> {
    let count = |status| state.items().iter().filter(|item| *item.status() == status).count();
    Found::Items { id: id.clone(), finished: count(ItemStatus::Finished), failed: count(ItemStatus::Failed) }
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
    // More pages than jobs would cost more than looking at each.
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
