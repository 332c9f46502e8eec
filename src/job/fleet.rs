//! The jobs of one store, followed by lists instead of a look at each.

use std::collections::{HashMap, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, Sleep};

use super::schedule::{LONGEST_ASKED, SHORTEST_LOOK, Schedule};
use super::{Job, JobKind, Outcome, Pace, WaitError, Watched};
use crate::in_flight::InFlight;
use crate::model::SequenceStoreId;
use crate::model::time::can_be_written;
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

/// What a fleet has found out.
pub(crate) enum Found<K: JobKind> {
    /// By what a list shows, this job has ended. Its outcome follows.
    Ended(K::Id),
    /// A job that has ended or can't be followed, which leaves the fleet.
    Told(Watched<K>),
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
    /// Rounds in a row in which something could not be seen.
    in_vain: u32,
    failed_in_round: bool,
    last_round: Option<Instant>,
    /// Lists are refused to this caller: each job is looked at.
    without_lists: bool,
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
            in_vain: 0,
            failed_in_round: false,
            last_round: None,
            without_lists: false,
        }
    }

    /// One that is never given up, and looks at a steady pace.
    pub(crate) fn steady(client: Client, store: SequenceStoreId, poll_every: Duration) -> Self {
        Self::new(client, store, Schedule { first: poll_every, longest: poll_every, timeout: None })
    }

    /// A job that may have ended already.
    pub(crate) fn add(&mut self, job: Job<K>) {
        let tracked = Tracked {
            created: job.created,
            last: None,
            last_error: None,
            looking: false,
            said_to_have_ended: false,
            job,
        };
        self.jobs.insert(tracked.job.id.clone(), tracked);
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
                return Poll::Pending;
            }
        }
    }

    /// Asks for a list, or looks at each job where that costs no more.
    fn begin_round(&mut self) {
        let now = Instant::now();
        self.last_round = Some(now);
        self.rounds = self.rounds.saturating_add(1);
        self.failed_in_round = false;
        self.rest_until(now + self.schedule.interval(self.rounds, fastrand::f64()).min(LONGEST_REST));
        let unseen: Vec<_> = self.jobs.values().filter(|job| !job.looking).map(|job| job.job.id.clone()).collect();
        if unseen.is_empty() || self.listing.is_some() {
            return;
        }
        if self.jobs.len() <= FEW || self.without_lists {
            return self.look_at_all(unseen);
        }
        let oldest = self.jobs.values().map(|tracked| tracked.created).min().flatten();
        // A time that can't be, or can't be written, narrows nothing.
        let created_after = oldest.and_then(|oldest| oldest.checked_sub(SLACK)).filter(|time| can_be_written(*time));
        let (client, store) = (self.client.clone(), self.store.clone());
        self.listing = Some(Box::pin(list(client, store, created_after, unseen.into_iter().collect())));
    }

    fn look_at_all(&mut self, ids: impl IntoIterator<Item = K::Id>) {
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
            Err(error) if error.is_retryable() => {
                tracing::debug!(%error, "jobs can't be listed at present");
                self.rest_after(&error);
                let error = Arc::new(error);
                for tracked in self.jobs.values_mut() {
                    tracked.last_error = Some(Arc::clone(&error));
                }
                return;
            }
            Err(error) => {
                // Rights that are missing stay so; anything else may be of this one answer.
                self.without_lists = matches!(error.status(), Some(401 | 403 | 405));
                tracing::warn!(%error, "jobs can't be listed, so each is looked at");
                let ids: Vec<_> = self.jobs.keys().cloned().collect();
                return self.look_at_all(ids);
            }
        };
        self.in_vain = 0;
        for (id, created, ended) in listing.shown {
            let Some(tracked) = self.jobs.get_mut(&id) else { continue };
            tracked.created = tracked.created.or(created);
            tracked.last_error = None;
            if ended {
                if !std::mem::replace(&mut tracked.said_to_have_ended, true) {
                    self.found.push_back(Found::Ended(id.clone()));
                }
                self.look_at_all([id]);
            }
        }
        self.look_at_all(listing.missing);
    }

    /// A look at one job: if it has ended or can't be seen, it is told of.
    fn looked_at(&mut self, id: &K::Id, answer: Result<K::State, Error>) {
        let Some(tracked) = self.jobs.get_mut(id) else { return };
        tracked.looking = false;
        let found = match answer.map(Outcome::of) {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(state)) => {
                tracked.last = Some(state);
                tracked.last_error = None;
                self.in_vain = 0;
                return;
            }
            Err(error) if error.is_retryable() => {
                self.rest_after(&error);
                if let Some(tracked) = self.jobs.get_mut(id) {
                    tracked.last_error = Some(Arc::new(error));
                }
                return;
            }
            Err(error) => {
                let (job, last) = (tracked.job.to_string(), tracked.last.take().map(Box::new));
                Err(WaitError::Call { job, last, error })
            }
        };
        self.in_vain = 0;
        if let Some(tracked) = self.jobs.remove(id) {
            self.found.push_back(Found::Told((tracked.job, found)));
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
        self.listing = None;
        self.looks = InFlight::new();
        self.to_look.clear();
        for (_, tracked) in self.jobs.drain() {
            let Tracked { job, last, last_error: error, .. } = tracked;
            let (name, last) = (job.to_string(), last.map(Box::new));
            let time_up = WaitError::TimeUp { job: name, looks, elapsed, last, error };
            self.found.push_back(Found::Told((job, Err(time_up))));
        }
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
