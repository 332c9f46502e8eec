//! Activates archived read sets before they are exported.
//!
//! The jobs of activations are a plan of their own, of the same read sets. A group of exports waits for those that have
//! its read sets, and then until no other job activates one of them.

use std::collections::HashSet;
use std::ops::Range;
use std::task::{Context, Poll};

use tokio::time::Instant;

use super::driver::{self, Driver, Shared};
use super::start_gate::{INITIAL_BACKOFF, MAX_BACKOFF};
use super::status_list::StatusList;
use crate::bulk::group_outcome::{GroupOutcome, StartError};
use crate::bulk::journal::{FailedActivation, GroupRecord, ItemResult};
use crate::bulk::progress::Step;
use crate::bulk::{BulkError, BulkStart, Plan};
use crate::job::schedule::{Schedule, exponential_backoff};
use crate::job::timer::{Timer, deadline_after};
use crate::job::{Activation, Failures};
use crate::model::{ActivationJobId, ItemStatus, ReadSetId, ReadSetStatus};
use crate::{Client, Error};

/// The activations before the exports of a run.
pub(super) struct Activations<'p> {
    client: Client,
    plan: &'p Plan<Activation>,
    driver: Driver<'p, Activation>,
    /// The groups of exports that are not started as their read sets may not be active.
    waiting: Vec<WaitingGroup>,
    /// The read sets of these groups.
    read_sets: HashSet<ReadSetId>,
    /// The groups of activations that may be needed. Empty once the archived read sets were listed.
    unstarted: Vec<usize>,
    /// The groups of activations in which no read set is archived.
    not_needed: HashSet<usize>,
    /// The groups of activations that have not ended, with the number of their read sets that the run exports.
    not_ended: Vec<(usize, usize)>,
    /// The list in flight: of archived read sets at first, later of those that other jobs activate.
    list: Option<StatusList>,
    /// When the read sets that other jobs activate may be listed.
    next_list: Timer,
    schedule: Schedule,
    /// How many lists of read sets that other jobs activate have ended.
    lists: u32,
    list_failures: Failures,
    consecutive_list_failures: u32,
}

/// A group of exports that waits for activations.
struct WaitingGroup {
    /// The index of the group in the plan's shard.
    index: usize,
    /// The groups of activations that have its read sets.
    activations: Range<usize>,
    waits_for: WaitsFor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    /// The end of the activations.
    Activations,
    /// A list of the read sets that other jobs activate, which is to be requested.
    NextList,
    /// The list that is in flight.
    List,
    /// A list of the archived read sets after that: the job that activated some of them may have failed.
    ArchivedList,
}

/// What the activations wait for.
#[allow(clippy::large_enum_variant, reason = "there is one at a time")]
pub(super) enum Event {
    Driver(driver::Event<Activation>),
    /// A list has ended: the read sets, or `None` if the list has too many pages.
    Listed(Result<Option<HashSet<ReadSetId>>, Error>),
    /// The next list may be requested.
    ListDue,
}

impl<'p> Activations<'p> {
    /// Holds back the groups of exports that no start was sent for.
    pub(super) fn new<K: BulkStart>(
        client: &Client,
        plan: &'p Plan<Activation>,
        mut driver: Driver<'p, Activation>,
        records: Vec<GroupRecord<ActivationJobId>>,
        exports: &mut Driver<'_, K>,
        schedule: Schedule,
        shared: &mut Shared,
    ) -> Self {
        let known: HashSet<_> = (0..records.len()).filter(|&index| records[index].state.has_job()).collect();
        driver.resume(records, shared);
        for _ in &known {
            shared.progress.add_activation_job();
        }
        driver.take_unstarted();

        let activation_of = |range: &Range<usize>| {
            let size = plan.group_size();
            range.start / size..range.end.div_ceil(size)
        };
        let mut waiting = Vec::new();
        let mut read_sets = HashSet::new();
        let mut not_ended: Vec<(usize, usize)> = Vec::new();
        for index in exports.take_unstarted() {
            let range = exports.group(index).range();
            let activations = activation_of(&range);
            for activation in activations.clone() {
                let group = driver.group(activation);
                let shared_items = group.range().start.max(range.start)..group.range().end.min(range.end);
                let first = shared_items.start - group.range().start;
                read_sets.extend(group.items()[first..first + shared_items.len()].iter().cloned());
                match not_ended.last_mut() {
                    Some((last, items)) if *last == activation => *items += shared_items.len(),
                    _ => not_ended.push((activation, shared_items.len())),
                }
            }
            waiting.push(WaitingGroup { index, activations, waits_for: WaitsFor::Activations });
        }
        let started: usize = exports.item_count() - read_sets.len();
        shared.progress.add_activated(started);
        let unstarted = not_ended.iter().map(|(index, _)| *index).filter(|index| !known.contains(index)).collect();

        let mut activations = Self {
            client: client.clone(),
            plan,
            driver,
            waiting,
            read_sets,
            unstarted,
            not_needed: HashSet::new(),
            not_ended,
            list: None,
            next_list: Timer::at(Instant::now()),
            schedule,
            lists: 0,
            list_failures: Failures::default(),
            consecutive_list_failures: 0,
        };
        if !activations.unstarted.is_empty() {
            // A list of more pages takes more requests than it saves.
            let max_pages = activations.unstarted.len();
            activations.list = Some(activations.status_list(ReadSetStatus::Archived, max_pages));
        }
        activations
    }

    fn status_list(&self, status: ReadSetStatus, max_pages: usize) -> StatusList {
        StatusList::new(&self.client, self.plan.sequence_store_id(), status, max_pages)
    }

    pub(super) fn is_done(&self) -> bool {
        self.driver.is_done() && self.waiting.is_empty()
    }

    /// The ids of the jobs, in the order of the plan.
    pub(super) fn into_job_ids(self) -> Vec<ActivationJobId> {
        let outcomes = self.driver.into_outcomes().into_iter();
        let job_ids = outcomes.filter_map(|outcome| match outcome {
            GroupOutcome::Ended { job_id, .. } | GroupOutcome::Lost { job_id, .. } => Some(job_id.into()),
            _ => None,
        });
        job_ids.collect()
    }

    /// Starts activations, hands over the groups of exports that need not wait any more, and requests the next list.
    pub(super) async fn advance<K: BulkStart>(
        &mut self,
        exports: &mut Driver<'_, K>,
        shared: &mut Shared,
    ) -> Result<(), BulkError> {
        if let Some(error) = shared.stopped_by.clone() {
            self.stop(&error, exports, shared).await?;
        }
        self.driver.start_groups(shared).await?;

        let mut not_ended = std::mem::take(&mut self.not_ended);
        let count = not_ended.len();
        not_ended.retain(|&(index, items)| {
            let has_ended = self.has_ended(index);
            if has_ended {
                shared.progress.add_activated(items);
            }
            !has_ended
        });
        self.not_ended = not_ended;
        if self.not_ended.len() < count {
            let mut waiting = std::mem::take(&mut self.waiting);
            for group in &mut waiting {
                if group.waits_for == WaitsFor::Activations
                    && group.activations.clone().all(|index| self.has_ended(index))
                {
                    group.waits_for = WaitsFor::NextList;
                }
            }
            self.waiting = waiting;
            self.driver.report_progress(shared);
        }

        if self.waits_for_next_list() && self.next_list.deadline() <= Instant::now() {
            for group in &mut self.waiting {
                if group.waits_for == WaitsFor::NextList {
                    group.waits_for = WaitsFor::List;
                }
            }
            self.list = Some(self.status_list(ReadSetStatus::Activating, usize::MAX));
        }
        Ok(())
    }

    fn waits_for_next_list(&self) -> bool {
        self.list.is_none() && self.waiting.iter().any(|group| group.waits_for == WaitsFor::NextList)
    }

    /// Starts nothing more, as an error stopped the run.
    async fn stop<K: BulkStart>(
        &mut self,
        error: &StartError,
        exports: &mut Driver<'_, K>,
        shared: &mut Shared,
    ) -> Result<(), BulkError> {
        self.driver.stop();
        exports.stop();
        self.list = None;
        for group in self.waiting.drain(..) {
            exports.settle_unstarted(group.index, error.clone(), shared).await?;
        }
        Ok(())
    }

    /// The next event: whatever comes first.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(event) = self.driver.poll(cx) {
            return Poll::Ready(Event::Driver(event));
        }
        if let Some(list) = &mut self.list {
            return list.poll(cx, &self.read_sets).map(Event::Listed);
        }
        if self.waits_for_next_list() {
            return self.next_list.poll(cx).map(|()| Event::ListDue);
        }
        Poll::Pending
    }

    pub(super) async fn handle<K: BulkStart>(
        &mut self,
        event: Event,
        exports: &mut Driver<'_, K>,
        shared: &mut Shared,
    ) -> Result<(), BulkError> {
        match event {
            Event::Driver(event) => self.driver.handle(event, shared).await?,
            Event::Listed(Ok(found)) => {
                if self.list_failures.clear() {
                    tracing::info!(store = %self.plan.sequence_store_id(), "read sets can be listed again");
                }
                self.consecutive_list_failures = 0;
                shared.progress.report_step(Step::ListReadSets, 0, None);
                let status = self.list.take().map(|list| list.status().clone());
                if status == Some(ReadSetStatus::Archived) {
                    self.archived_listed(found.as_ref(), exports, shared);
                } else {
                    self.activating_listed(&found.unwrap_or_default(), exports, shared);
                }
            }
            Event::Listed(Err(error)) => self.list_failed(error, shared),
            Event::ListDue => {}
        }
        Ok(())
    }

    /// Starts the activations that are needed, and hands over the groups of exports that need none. If it is not known
    /// which read sets are archived, all activations are needed.
    fn archived_listed<K: BulkStart>(
        &mut self,
        archived: Option<&HashSet<ReadSetId>>,
        exports: &mut Driver<'_, K>,
        shared: &mut Shared,
    ) {
        for index in std::mem::take(&mut self.unstarted) {
            if self.is_needed(index, archived) {
                shared.progress.add_activation_job();
                self.driver.enqueue(index);
            } else {
                self.not_needed.insert(index);
            }
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain_mut(|group| {
            if group.waits_for != WaitsFor::ArchivedList {
                return true;
            }
            for index in group.activations.clone() {
                if self.not_needed.contains(&index) && self.is_needed(index, archived) {
                    self.not_needed.remove(&index);
                    // Its items were counted when it was not needed.
                    self.not_ended.push((index, 0));
                    shared.progress.add_activation_job();
                    self.driver.enqueue(index);
                }
            }
            let needs_activation = group.activations.clone().any(|index| !self.has_ended(index));
            if needs_activation {
                group.waits_for = WaitsFor::Activations;
            } else {
                self.hand_over(group, exports, shared);
            }
            needs_activation
        });
        self.waiting = waiting;
    }

    /// Whether a read set of a group of activations is archived, or may be.
    fn is_needed(&self, index: usize, archived: Option<&HashSet<ReadSetId>>) -> bool {
        let mut read_sets = self.driver.group(index).items().iter();
        archived.is_none_or(|archived| read_sets.any(|id| archived.contains(id)))
    }

    /// Whether a group of activations has ended, or is not needed.
    fn has_ended(&self, index: usize) -> bool {
        self.not_needed.contains(&index) || !matches!(self.driver.outcome(index), GroupOutcome::Pending)
    }

    /// Hands over the groups of exports of which no read set is being activated.
    fn activating_listed<K: BulkStart>(
        &mut self,
        activating: &HashSet<ReadSetId>,
        exports: &mut Driver<'_, K>,
        shared: &mut Shared,
    ) {
        self.lists = self.lists.saturating_add(1);
        self.next_list.reset(deadline_after(self.schedule.interval(self.lists, fastrand::f64())));
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain_mut(|group| {
            if group.waits_for != WaitsFor::List {
                return true;
            }
            if self.read_sets_of(exports, group.index).any(|id| activating.contains(id)) {
                group.waits_for = WaitsFor::NextList;
                return true;
            }
            if group.activations.clone().any(|index| self.not_needed.contains(&index)) {
                group.waits_for = WaitsFor::ArchivedList;
                return true;
            }
            self.hand_over(group, exports, shared);
            false
        });
        if waiting.iter().any(|group| group.waits_for == WaitsFor::ArchivedList) {
            self.list = Some(self.status_list(ReadSetStatus::Archived, self.not_needed.len()));
        }
        self.waiting = waiting;
    }

    /// The read sets of a group of exports.
    fn read_sets_of<K: BulkStart>(&self, exports: &Driver<'_, K>, index: usize) -> impl Iterator<Item = &ReadSetId> {
        let size = self.plan.group_size();
        let range = exports.group(index).range();
        range.map(move |item| &self.driver.group(item / size).items()[item % size])
    }

    /// Queues a group of exports without the read sets that were not activated.
    fn hand_over<K: BulkStart>(&self, group: &WaitingGroup, exports: &mut Driver<'_, K>, shared: &mut Shared) {
        let positions: HashSet<_> = exports.group(group.index).positions().collect();
        let mut excluded = Vec::new();
        for activation in group.activations.clone() {
            match self.driver.outcome(activation) {
                GroupOutcome::Ended { job_id, status, items } => {
                    let failed = items.iter().filter(|item| !item.is_finished() && positions.contains(&item.position));
                    let job = FailedActivation { job: job_id.clone(), status: status.clone() };
                    excluded.extend(failed.map(|item| not_activated(item, &job)));
                }
                GroupOutcome::Pending => {}
                // The result of the activation is not known, or it was refused.
                outcome => return exports.settle(group.index, outcome.clone(), shared),
            }
        }
        if excluded.len() == positions.len() {
            return exports.settle(group.index, GroupOutcome::NotActivated { items: excluded }, shared);
        }
        exports.set_excluded(group.index, excluded);
        exports.enqueue(group.index);
    }

    fn list_failed(&mut self, error: Error, shared: &mut Shared) {
        let Some(list) = self.list.as_mut().filter(|_| error.is_outage()) else {
            shared.stopped_by = Some(StartError::from(error));
            return;
        };
        if self.list_failures.add(&self.client, &error) {
            let store = self.plan.sequence_store_id();
            tracing::warn!(%store, error = %error.report(), "read sets can't be listed at present, retrying");
        }
        self.consecutive_list_failures = self.consecutive_list_failures.saturating_add(1);
        let backoff =
            exponential_backoff(INITIAL_BACKOFF, self.consecutive_list_failures, MAX_BACKOFF, fastrand::f64());
        list.retry_at(deadline_after(backoff.max(error.retry_after().unwrap_or_default())));
        shared.progress.report_step(Step::ListReadSets, 0, self.list_failures.retrying().cloned());
    }
}

/// The result of an item of a group of exports whose read set was not activated.
fn not_activated(item: &ItemResult, job: &FailedActivation) -> ItemResult {
    let reason = item.reason.as_deref().unwrap_or("no reason given");
    ItemResult {
        position: item.position,
        status: Some(ItemStatus::Failed),
        read_set_id: None,
        reason: Some(format!("not activated: {reason}")),
        activation: Some(job.clone()),
    }
}
