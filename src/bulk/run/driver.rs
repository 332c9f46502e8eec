//! Runs the jobs of a plan: sends starts when the gate allows it, follows the jobs, and writes the journal.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use time::OffsetDateTime;
use tokio::time::Instant;

use super::running_jobs::{GroupsOfJob, RunningJobs};
use super::start_gate::{Decision, StartEvent, StartFailure, StartGate};
use crate::bulk::group_outcome::{GroupOutcome, StartError};
use crate::bulk::journal::{GroupRecord, GroupState, ItemResult, Journal};
use crate::bulk::progress::{Counts, ProgressTracker, Step};
use crate::bulk::start::{BulkStart, Reconciling, item_results};
use crate::bulk::{BulkError, Group, Plan};
use crate::job::in_flight::InFlight;
use crate::job::timer::Timer;
use crate::job::{Failures, Job, JobState as _, Retrying, WaitError, WatchEvent, Watched};
use crate::{Client, Error};

/// What the drivers of a run have in common.
pub(super) struct Shared {
    pub(super) journal: Option<Journal>,
    pub(super) progress: ProgressTracker,
    /// The error that stopped the run.
    pub(super) stopped_by: Option<StartError>,
}

/// The jobs of a plan in progress. Groups are numbered in the order of the plan's shard.
pub(super) struct Driver<'p, K: BulkStart> {
    client: Client,
    plan: &'p Plan<K>,
    step: Step,
    trust_client_token: bool,
    groups: Vec<GroupRun<'p, K>>,
    /// Groups that have to be started, the next one first.
    queue: VecDeque<usize>,
    starts: InFlight<usize, Job<K>>,
    gate: StartGate,
    /// When the gate may allow the next start, if that is a matter of time.
    next_start: Option<Timer>,
    jobs: RunningJobs<K>,
    /// Whether the service has the store, so that region and account are right. `None` until a response shows it.
    store_exists: Option<bool>,
    /// Consecutive failures of starts that are retried.
    start_failures: Failures,
}

struct GroupRun<'p, K: BulkStart> {
    group: Group<'p, K>,
    outcome: GroupOutcome,
    /// The results of items that are not in the job of the group, as they were not activated.
    excluded: Vec<ItemResult>,
    /// When the first start of the group was sent, by this run or an earlier one. `None` if there was none, or while the
    /// clock is not known to be right.
    first_start: Option<OffsetDateTime>,
    /// When this run sent its first start of the group.
    first_sent: Option<Instant>,
    /// Whether the result of a start is not known, so that the group may have a job.
    is_indeterminate: bool,
    /// How many starts of this run have failed and may have been applied.
    indeterminate_starts: u32,
}

/// What a driver waits for.
pub(super) enum Event<K: BulkStart> {
    StartEnded(usize, Result<Job<K>, Error>),
    Watch(WatchEvent<K>),
    /// The gate may allow the next start.
    StartDue,
}

impl<'p, K: BulkStart> Driver<'p, K> {
    pub(super) fn new(
        client: Client,
        plan: &'p Plan<K>,
        step: Step,
        trust_client_token: bool,
        gate: StartGate,
        jobs: RunningJobs<K>,
    ) -> Self {
        let groups = plan.groups().map(|group| GroupRun {
            group,
            outcome: GroupOutcome::Pending,
            excluded: Vec::new(),
            first_start: None,
            first_sent: None,
            is_indeterminate: false,
            indeterminate_starts: 0,
        });
        Self {
            client,
            plan,
            step,
            trust_client_token,
            groups: groups.collect(),
            queue: VecDeque::new(),
            starts: InFlight::new(),
            gate,
            next_start: None,
            jobs,
            store_exists: None,
            start_failures: Failures::default(),
        }
    }

    /// Continues from what the journal has, and queues the groups that have to be started: first those that
    /// an earlier run has sent starts for.
    pub(super) fn resume(&mut self, records: Vec<GroupRecord<K::Id>>, shared: &mut Shared) {
        let mut untouched = Vec::new();
        for (index, record) in records.into_iter().enumerate() {
            self.groups[index].first_start = record.first_start;
            self.groups[index].excluded = record.excluded;
            if let GroupState::Running { job } | GroupState::Finished { job, .. } = &record.state {
                self.client.note_result_of_start(job.as_ref());
            }
            match record.state {
                GroupState::Untouched => untouched.push(index),
                GroupState::Indeterminate => {
                    self.groups[index].is_indeterminate = true;
                    // If the time is not known, all jobs are candidates.
                    self.groups[index].first_start.get_or_insert(OffsetDateTime::UNIX_EPOCH);
                    self.queue.push_back(index);
                }
                // The cause may have been fixed since.
                GroupState::Refused { .. } => self.queue.push_back(index),
                GroupState::Missing { job, error } => {
                    let cause = error.clone();
                    let job_id = job.to_string();
                    self.set_outcome(index, GroupOutcome::Lost { job_id, error, cause, not_found: true }, shared);
                }
                GroupState::Running { job } => {
                    let store = self.plan.sequence_store_id().clone();
                    let job = Job::new(&self.client, store, job).known_to_exist();
                    self.jobs.add_resumed(job, index);
                }
                GroupState::Finished { job, status, items } => {
                    let job_id = job.to_string();
                    self.set_outcome(index, GroupOutcome::Ended { job_id, status, items }, shared);
                    self.jobs.add_ended(job);
                }
            }
        }
        self.queue.extend(untouched);
    }

    /// Takes the groups out of the queue that no start was sent for, and returns them in the order of the plan.
    /// [`enqueue`](Self::enqueue) or [`settle`](Self::settle) is called for each later.
    pub(super) fn take_unstarted(&mut self) -> Vec<usize> {
        let groups = &self.groups;
        let (indeterminate, mut unstarted): (Vec<_>, Vec<_>) =
            self.queue.drain(..).partition(|&index| groups[index].is_indeterminate);
        self.queue = indeterminate.into();
        unstarted.sort_unstable();
        unstarted
    }

    /// Queues a group that has to be started.
    pub(super) fn enqueue(&mut self, index: usize) {
        self.queue.push_back(index);
    }

    /// Sets the results of items that are not to be in the job of a group.
    pub(super) fn set_excluded(&mut self, index: usize, excluded: Vec<ItemResult>) {
        self.groups[index].excluded = excluded;
    }

    pub(super) fn group(&self, index: usize) -> Group<'p, K> {
        self.groups[index].group
    }

    /// The number of items of all groups.
    pub(super) fn item_count(&self) -> usize {
        self.groups.iter().map(|run| run.group.items().len()).sum()
    }

    pub(super) fn outcome(&self, index: usize) -> &GroupOutcome {
        &self.groups[index].outcome
    }

    /// The results of the groups.
    pub(super) fn into_outcomes(self) -> Vec<GroupOutcome> {
        self.groups.into_iter().map(|group| group.outcome).collect()
    }

    /// Whether no group has to be started or followed.
    pub(super) fn is_done(&self) -> bool {
        self.queue.is_empty() && self.starts.is_empty() && self.jobs.is_empty()
    }

    /// Lets no more groups be started, as an error stopped the run.
    pub(super) fn stop(&mut self) {
        self.observe(StartEvent::Failed(StartFailure::AllRefused));
    }

    fn observe(&mut self, event: StartEvent) {
        self.gate.observe(event, Instant::now(), fastrand::f64());
    }

    /// Sends as many starts as the gate allows.
    pub(super) async fn start_groups(&mut self, shared: &mut Shared) -> Result<(), BulkError> {
        self.next_start = None;
        while let Some(&index) = self.queue.front() {
            match self.gate.decide(Instant::now(), self.starts.len(), self.jobs.quota_usage()) {
                Decision::Start => {
                    self.queue.pop_front();
                    self.start(index, shared).await?;
                }
                Decision::WaitUntil(time) => {
                    self.next_start = Some(Timer::at(time));
                    break;
                }
                Decision::WaitForEvent => break,
                Decision::Stop => {
                    self.queue.pop_front();
                    if let Some(error) = shared.stopped_by.clone() {
                        self.settle_unstarted(index, error, shared).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Sends the start of a group, after the journal has it.
    async fn start(&mut self, index: usize, shared: &mut Shared) -> Result<(), BulkError> {
        let run = &mut self.groups[index];
        let excluded: Vec<_> = run.excluded.iter().map(|item| item.position).collect();
        let items = run.group.items_without(&excluded);
        let token = run.group.client_token_without(&excluded);
        let first_sent = *run.first_sent.get_or_insert_with(Instant::now);
        run.first_start = run.first_start.or_else(|| self.client.time_of(first_sent));
        let since = run.first_start.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let must_reconcile = run.is_indeterminate && !self.trust_client_token;
        let reconciling =
            Reconciling { trust_client_token: self.trust_client_token, since: must_reconcile.then_some(since) };
        if let Some(journal) = &mut shared.journal {
            journal.starting(&run.group, &token, run.first_start, &run.excluded).await?;
        }
        self.starts.push(index, K::start(&self.client, self.plan, items, token, reconciling));
        Ok(())
    }

    /// The next event: whatever comes first.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event<K>> {
        if let Poll::Ready((index, result)) = self.starts.poll(cx) {
            return Poll::Ready(Event::StartEnded(index, result));
        }
        if let Poll::Ready(Some(event)) = self.jobs.poll(cx) {
            return Poll::Ready(Event::Watch(event));
        }
        match &mut self.next_start {
            Some(next_start) => next_start.poll(cx).map(|()| Event::StartDue),
            None => Poll::Pending,
        }
    }

    pub(super) async fn handle(&mut self, event: Event<K>, shared: &mut Shared) -> Result<(), BulkError> {
        match event {
            Event::StartEnded(index, Ok(job)) => self.start_accepted(index, job, shared).await?,
            Event::StartEnded(index, Err(error)) => self.start_failed(index, error, shared).await?,
            Event::Watch(WatchEvent::EndListed(job_id)) => {
                self.observe(StartEvent::JobEnded);
                self.jobs.set_end_listed(&job_id);
            }
            Event::Watch(WatchEvent::Finished(watched)) => self.job_finished(watched, shared).await?,
            Event::Watch(WatchEvent::ItemProgress { id, finished, failed }) => {
                self.item_progress(&id, Counts { finished, failed }, shared);
            }
            Event::Watch(WatchEvent::RetryingChanged) => self.report_progress(shared),
            Event::StartDue => {}
        }
        Ok(())
    }

    async fn start_accepted(&mut self, index: usize, job: Job<K>, shared: &mut Shared) -> Result<(), BulkError> {
        if let Some(journal) = &mut shared.journal {
            journal.started(&self.groups[index].group, job.id()).await?;
        }
        if self.start_failures.clear() {
            tracing::info!(run_id = %self.plan.run_id(), "jobs can be started again");
        }
        self.observe(StartEvent::Accepted);
        self.store_exists = Some(true);
        self.groups[index].is_indeterminate = false;
        self.jobs.add_started(job, index);
        self.report_progress(shared);
        Ok(())
    }

    async fn start_failed(&mut self, index: usize, error: Error, shared: &mut Shared) -> Result<(), BulkError> {
        let group = &mut self.groups[index];
        // Noted first: whatever follows, this start may have been applied.
        if error.may_have_been_applied() {
            group.is_indeterminate = true;
            group.indeterminate_starts += 1;
        }
        let failure = StartFailure::of(&error, group.indeterminate_starts, self.gate.has_accepted());
        self.observe(StartEvent::Failed(failure));
        match failure {
            StartFailure::QuotaFull { .. } => {
                tracing::debug!(%error, "a start waits for the end of a job, and is repeated with the same token");
                self.queue.push_front(index);
                self.report_start_failure(&error, shared);
            }
            StartFailure::Unavailable { .. } => {
                tracing::debug!(%error, "a start is retried later, with the same token");
                // The failure may concern this group alone, so the others go first.
                self.queue.push_back(index);
                self.report_start_failure(&error, shared);
            }
            StartFailure::Refused | StartFailure::AllRefused => {
                self.start_failures.clear();
                let error = StartError::from(error);
                if failure == StartFailure::AllRefused {
                    shared.stopped_by = Some(error.clone());
                }
                self.settle_unstarted(index, error, shared).await?;
            }
        }
        Ok(())
    }

    /// Settles a group that has no job as far as is known.
    pub(super) async fn settle_unstarted(
        &mut self,
        index: usize,
        error: StartError,
        shared: &mut Shared,
    ) -> Result<(), BulkError> {
        let group = &self.groups[index];
        if group.is_indeterminate {
            self.settle(index, GroupOutcome::Indeterminate(error), shared);
            return Ok(());
        }
        // A run that is resumed starts the group again, refused or not. But without this line, a start that was sent
        // would count as one that may have been applied.
        if group.first_sent.is_some()
            && let Some(journal) = &mut shared.journal
        {
            journal.refused(&group.group, &error.text).await?;
        }
        self.settle(index, GroupOutcome::Refused(error), shared);
        Ok(())
    }

    async fn job_finished(&mut self, (job, outcome): Watched<K>, shared: &mut Shared) -> Result<(), BulkError> {
        let Some(GroupsOfJob { indexes, is_sole }) = self.jobs.remove(job.id()) else {
            return Ok(());
        };
        if outcome.is_ok() {
            self.observe(StartEvent::JobEnded);
            self.store_exists = Some(true);
        }
        let not_found = outcome.as_ref().is_err_and(WaitError::is_not_found);
        let is_missing = not_found && self.store_exists().await;
        for index in indexes {
            let outcome = match &outcome {
                Ok(outcome) => self.ended(index, job.id(), outcome.job(), is_sole, shared).await?,
                Err(error) if is_missing => self.missing(index, job.id(), error, shared).await?,
                // In the journal the job is still running: a run that is resumed polls it again.
                Err(error) => lost(job.id(), error),
            };
            self.settle(index, outcome, shared);
        }
        Ok(())
    }

    async fn ended(
        &mut self,
        index: usize,
        job_id: &K::Id,
        job: &K::State,
        is_sole: bool,
        shared: &mut Shared,
    ) -> Result<GroupOutcome, BulkError> {
        let group = self.groups[index].group;
        let status = job.status().clone();
        let items = item_results::<K>(&group, &self.groups[index].excluded, job, is_sole);
        // A later response may list what this one leaves out.
        let is_complete = items.iter().all(|item| item.status.is_some());
        if is_complete && let Some(journal) = &mut shared.journal {
            journal.ended(&group, job_id, &status, &items).await?;
        }
        Ok(GroupOutcome::Ended { job_id: job_id.to_string(), status, items })
    }

    /// Whether the service has the store. In another region or account it has neither store nor job, and the job is not
    /// missing for good. Sends one list request, unless a response of this run has shown the store.
    async fn store_exists(&mut self) -> bool {
        if let Some(exists) = self.store_exists {
            return exists;
        }
        let exists = K::list(&self.client, self.plan.sequence_store_id(), None, None).await.is_ok();
        self.store_exists = Some(exists);
        exists
    }

    /// The job of a group is missing for good: a run that is resumed does not poll it again.
    async fn missing(
        &mut self,
        index: usize,
        job_id: &K::Id,
        error: &WaitError<K>,
        shared: &mut Shared,
    ) -> Result<GroupOutcome, BulkError> {
        let (error, cause) = texts(error);
        let prefix = "the service does not know the job any more, although it has the store";
        let cause = format!("{prefix}: {cause}");
        if let Some(journal) = &mut shared.journal {
            journal.missing(&self.groups[index].group, job_id, &cause).await?;
        }
        let error = format!("{prefix}: {error}");
        Ok(GroupOutcome::Lost { job_id: job_id.to_string(), error, cause, not_found: true })
    }

    /// Sets the result of a group.
    pub(super) fn settle(&mut self, index: usize, outcome: GroupOutcome, shared: &mut Shared) {
        self.set_outcome(index, outcome, shared);
        self.report_progress(shared);
    }

    fn set_outcome(&mut self, index: usize, outcome: GroupOutcome, shared: &mut Shared) {
        let group = &mut self.groups[index];
        match self.step {
            Step::Activate => shared.progress.activation_job_ended(),
            Step::ListReadSets | Step::Run => shared.progress.settle(index, group.group.items().len(), &outcome),
        }
        group.outcome = outcome;
    }

    fn item_progress(&mut self, job_id: &K::Id, counts: Counts, shared: &mut Shared) {
        if self.step == Step::Activate {
            return;
        }
        // The counts of a job of several groups can't be divided among them.
        let Some(index) = self.jobs.only_group(job_id) else { return };
        let item_count = self.groups[index].group.items().len();
        if shared.progress.set_counts(index, item_count, counts) {
            self.report_progress(shared);
        }
    }

    fn report_start_failure(&mut self, error: &Error, shared: &mut Shared) {
        if self.start_failures.add(&self.client, error) {
            let run_id = self.plan.run_id();
            let report = error.report();
            if matches!(error, Error::ServiceQuotaExceededException(_)) {
                // It is to be expected in an account that runs other jobs, too.
                tracing::info!(%run_id, error = %report, "no more jobs can be started at present, retrying");
            } else {
                tracing::warn!(%run_id, error = %report, "jobs can't be started at present, retrying");
            }
        }
        self.report_progress(shared);
    }

    pub(super) fn report_progress(&self, shared: &mut Shared) {
        let retrying = Retrying::oldest(self.start_failures.retrying().into_iter().chain(self.jobs.retrying()));
        shared.progress.report_step(self.step, self.jobs.len(), retrying);
    }
}

fn lost<K: BulkStart>(job_id: &K::Id, error: &WaitError<K>) -> GroupOutcome {
    let not_found = error.is_not_found();
    let (mut error, mut cause) = texts(error);
    if not_found {
        let prefix = "the service does not know the job any more, check region and account";
        error = format!("{prefix}: {error}");
        cause = format!("{prefix}: {cause}");
    }
    GroupOutcome::Lost { job_id: job_id.to_string(), error, cause, not_found }
}

/// Why a job can't be followed: with request id and attempts, and without.
fn texts<K: BulkStart>(error: &WaitError<K>) -> (String, String) {
    match error.call_error() {
        // The text of a wait that found no job says since when.
        Some(call) if error.is_not_found() => (error.to_string(), call.report_of_cause()),
        Some(call) => (call.report().to_string(), call.report_of_cause()),
        None => (error.to_string(), error.to_string()),
    }
}
