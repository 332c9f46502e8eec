//! Runs a plan: starts its jobs, follows them, and notes in the journal what it does.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{GroupState, Journal};
use super::progress::{BulkProgress, Counts, ProgressHandle, Tracker};
use super::report::{Fate, NoStart, Report};
use super::start::{BulkStart, results};
use super::{BulkError, Group, Plan};
use crate::job::in_flight::InFlight;
use crate::job::schedule::{MAX_SERVER_DELAY, exponential_backoff};
use crate::job::{Failures, Job, JobState as _, OnProgress, Retrying, StoreWatch, WaitError, WatchEvent, Watched};
use crate::{Client, Error};

/// How many jobs of a kind an account runs at once, unless it was raised.
const DEFAULT_JOBS_AT_ONCE: usize = 20;
/// How often a start is sent again whose answer was of no use, and promises no better one.
const MAX_INDETERMINATE_STARTS: u32 = 3;
/// So many starts are on their way at once: enough to keep the pace with a slow service.
const MOST_STARTS_IN_FLIGHT: usize = 4;
/// Refusals of the caller that may come with another status than 401 or 403.
const CREDENTIAL_CODES: &[&str] = &["ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "RequestExpired"];
/// How often running jobs are listed: one request for all of them.
const DEFAULT_POLL: Duration = Duration::from_secs(2);
/// How often the job of a group is polled for the progress of its items.
const DEFAULT_ITEM_PROGRESS: Duration = Duration::from_mins(1);
/// How long starts rest at most, unless the service asks for more.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// How long starts rest while the quota of jobs is full, unless a job of this run ends before.
const REST_AT_FULL_QUOTA: Duration = Duration::from_secs(10);
/// How long starts rest after the first that the service could not take; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_secs(1);

impl Client {
    /// Runs a plan: see [`BulkRun`].
    ///
    /// ```
    /// use healthomics::bulk::Planner;
    ///
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let read_sets = [local.seed_read_set(&store, SeedReadSet::archived("BAM".into()))];
    /// let plan = Planner::activation("run-7".into(), store).plan(read_sets)?;
    /// let bulk_run = client.bulk_run(plan);
    /// assert_eq!(bulk_run.run().await?.to_string(), "1 of 1 items finished in 1 job");
    /// # Ok(()) }
    /// ```
    pub fn bulk_run<K: BulkStart>(&self, plan: Plan<K>) -> BulkRun<K> {
        BulkRun {
            client: self.clone(),
            handle: ProgressHandle::new(&plan),
            plan,
            journal: None,
            jobs_at_once: DEFAULT_JOBS_AT_ONCE,
            poll_every: DEFAULT_POLL,
            item_progress_every: Some(DEFAULT_ITEM_PROGRESS),
            not_found_tolerance: None,
            on_progress: None,
        }
    }
}

/// A bulk run that is being set up: [`run`](Self::run) begins it.
///
/// Dropping the future of it starts nothing more; the jobs that run go on at the service. With a journal, the same call
/// takes the run up again, in another process if need be: groups that ended are not started again, those that run are
/// followed, and those of which nobody knows are started with the same client token, which starts nothing twice.
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_sets = [local.seed_read_set(&store, SeedReadSet::archived("BAM".into()))];
/// # let path = std::env::temp_dir().join(format!("healthomics-doc-{}.jsonl", std::process::id()));
/// let call = client.activate_read_sets().run_id("run-7").sequence_store_id(&store).read_sets(read_sets);
/// let bulk_run = call.clone().prepare()?.journal(&path).jobs_at_once(10);
/// assert_eq!(bulk_run.run().await?.finished_count(), 1);
///
/// // In a later process: what has ended is in the journal, and nothing is started.
/// assert_eq!(call.prepare()?.journal(&path).run().await?.finished_count(), 1);
/// assert_eq!(local.jobs().len(), 1);
/// # std::fs::remove_file(&path)?;
/// # Ok(()) }
/// ```
#[must_use = "a run does nothing until it is sent"]
pub struct BulkRun<K: BulkStart> {
    client: Client,
    plan: Plan<K>,
    journal: Option<PathBuf>,
    jobs_at_once: usize,
    poll_every: Duration,
    item_progress_every: Option<Duration>,
    not_found_tolerance: Option<Duration>,
    on_progress: Option<OnProgress<BulkProgress>>,
    handle: ProgressHandle,
}

impl<K: BulkStart> BulkRun<K> {
    /// A file that keeps what was done, so that the run can be taken up after a crash. It is made if it is not there.
    ///
    /// [`BulkRun`] has an example.
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// How many jobs run at once: 20 by default, as an account may; 0 counts as 1. If the account has jobs of others,
    /// the service refuses some starts, and they are tried again later.
    pub fn jobs_at_once(mut self, count: usize) -> Self {
        self.jobs_at_once = count.max(1);
        self
    }

    /// The time between two looks at the running jobs: 2 seconds by default, at one request for all of them.
    pub fn poll_every(mut self, time: Duration) -> Self {
        self.poll_every = time;
        self
    }

    /// How often each running job is polled for the progress of its items: every minute by default, `None` is never. It
    /// takes one request of the Get operation, which waits until no start and no end of a job needs one, and a second
    /// passes between two. One or two jobs are polled by themselves anyway, each time.
    pub fn item_progress_every(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.item_progress_every = time.into();
        self
    }

    /// How long responses that there is no such job (404) are tolerated for a job that was started: a minute by default, as
    /// the service's reads may be behind its writes. After it the job is in [`Report::missing_job_ids`].
    pub fn not_found_tolerance(mut self, time: Duration) -> Self {
        self.not_found_tolerance = Some(time);
        self
    }

    /// Returns the current progress at any time once the run is sent.
    ///
    /// [`ProgressHandle`] has an example.
    pub fn progress_handle(&self) -> ProgressHandle {
        self.handle.clone()
    }

    /// Is called when the run begins, whenever a job has started or ended, more items have settled, a start has to be
    /// repeated, running jobs can't be seen or are seen again, and every 30 seconds if nothing else happens.
    ///
    /// [`BulkProgress`] has an example.
    pub fn on_progress(mut self, tell: impl FnMut(&BulkProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(tell));
        self
    }

    /// Runs the plan to its end. A group that fails does not stop the others; missing rights or credentials do, as they
    /// concern all: what runs is followed, and what was not started says so.
    ///
    /// Throttling, a failing service, a failing network, a full quota of jobs, and a credentials provider that fails after
    /// it has worked are retried for as long as it takes: [`BulkProgress::retrying`] says since when and why, and so does a
    /// warning to [`tracing`] when it begins or its cause changes. To give up, drop the future, by `tokio::time::timeout`
    /// say: the same call resumes the run.
    ///
    /// # Errors
    ///
    /// [`BulkError::NothingStarted`], if missing rights, missing credentials or a missing store stopped the run before any
    /// job was started; other [`BulkError`]s, if the journal can't be used. Once a job runs, the report has the result of
    /// each item, and what stopped the run ([`Report::stopped_by`]).
    pub async fn run(self) -> Result<Report<K>, BulkError> {
        let Self { client, plan, journal, jobs_at_once, poll_every, .. } = self;
        let (journal, states) = match journal {
            Some(path) => Journal::open(path, &plan).map(|(journal, states)| (Some(journal), states))?,
            None => (None, plan.groups().map(|_| GroupState::Untouched).collect()),
        };
        let (store, items_every, tolerance) =
            (plan.sequence_store_id().clone(), self.item_progress_every, self.not_found_tolerance);
        let first_look = client.initial_poll_interval().unwrap_or(DEFAULT_POLL).min(poll_every);
        let fleet = StoreWatch::with_fixed_interval(client.clone(), store, poll_every, items_every, tolerance);
        let mut runner = Runner {
            client,
            plan: &plan,
            groups: plan.groups().collect(),
            journal,
            fates: vec![Fate::Open; states.len()],
            waiting: VecDeque::new(),
            sent: HashSet::new(),
            starts: InFlight::new(),
            running: HashMap::new(),
            closing: HashSet::new(),
            fleet,
            first_look,
            indeterminate: HashMap::new(),
            rest_until: None,
            full_until: None,
            starts_in_vain: 0,
            has_started: false,
            has_store: None,
            jobs_at_once,
            start_failures: Failures::default(),
            progress: Tracker::new(self.handle, self.on_progress),
            stopped_by: None,
            ended_jobs: HashSet::new(),
        };
        runner.take_up(states);
        runner.tell_progress();
        runner.finish().await?;
        let (fates, stopped_by) = (runner.fates, runner.stopped_by);
        let report = Report::new(plan, fates, stopped_by);
        match report.nothing_started() {
            Some(error) => Err(BulkError::NothingStarted { error }),
            None => Ok(report),
        }
    }
}

impl<K: BulkStart> std::fmt::Debug for BulkRun<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkRun")
            .field("plan", &self.plan)
            .field("journal", &self.journal)
            .field("jobs_at_once", &self.jobs_at_once)
            .finish_non_exhaustive()
    }
}

/// A run on its way. Groups are counted in the order of the plan.
struct Runner<'p, K: BulkStart> {
    client: Client,
    plan: &'p Plan<K>,
    groups: Vec<Group<'p, K>>,
    journal: Option<Journal<K>>,
    fates: Vec<Fate>,
    /// Groups that are to be started.
    waiting: VecDeque<usize>,
    /// Groups of which a start was sent.
    sent: HashSet<usize>,
    /// Starts on their way.
    starts: InFlight<usize, Job<K>>,
    /// Groups that have a job. The service may give one job for several groups.
    running: HashMap<K::Id, Vec<usize>>,
    /// Those of the running whose job has ended, by a list: they take no room, and their outcome follows.
    closing: HashSet<K::Id>,
    fleet: StoreWatch<K>,
    first_look: Duration,
    /// Groups of which a start was sent without a clear answer, and how often.
    indeterminate: HashMap<usize, u32>,
    /// No start before then: the service could not take one.
    rest_until: Option<Instant>,
    /// No start before then, unless a job ends: the quota of jobs was full.
    full_until: Option<Instant>,
    /// Starts in a row that the service could not take.
    starts_in_vain: u32,
    /// Whether any start has succeeded: the store is there, and the rights are.
    has_started: bool,
    /// Whether the service has the store, so that region and account are right; `None` if nothing has shown it yet.
    has_store: Option<bool>,
    jobs_at_once: usize,
    /// Starts in a row that are repeated.
    start_failures: Failures,
    progress: Tracker,
    stopped_by: Option<Arc<NoStart>>,
    /// Jobs that have ended: a group that is given one of them again is not all that it has.
    ended_jobs: HashSet<K::Id>,
}

impl<K: BulkStart> Runner<'_, K> {
    /// Begins where the journal ends.
    fn take_up(&mut self, states: Vec<GroupState<K::Id>>) {
        let mut untouched = Vec::new();
        for (index, state) in states.into_iter().enumerate() {
            match state {
                GroupState::Untouched => untouched.push(index),
                GroupState::Indeterminate => {
                    self.indeterminate.insert(index, 0);
                    self.waiting.push_back(index);
                }
                // Its cause may have been fixed since.
                GroupState::Refused { .. } => self.waiting.push_back(index),
                GroupState::Missing { job, error } => {
                    let (job, cause) = (job.to_string(), error.clone());
                    self.resume(index, Fate::Lost { job, error, cause, not_found: true });
                }
                GroupState::Running { job } => {
                    let groups = self.running.entry(job.clone()).or_default();
                    groups.push(index);
                    if groups.len() == 1 {
                        let store = self.plan.sequence_store_id().clone();
                        self.fleet.add(K::job(&self.client, store, job).known_to_exist());
                    }
                }
                GroupState::Finished { job, status, items } => {
                    self.resume(index, Fate::Ended { job: job.to_string(), status, items });
                    self.ended_jobs.insert(job);
                }
            }
        }
        self.waiting.extend(untouched);
    }

    async fn finish(&mut self) -> Result<(), BulkError> {
        loop {
            self.start_some()?;
            if self.waiting.is_empty() && self.starts.len() == 0 && self.running.is_empty() {
                return Ok(());
            }
            match self.next().await {
                Event::Started(index, Ok(job)) => self.started(index, job)?,
                Event::Started(index, Err(error)) => self.not_started(index, error)?,
                Event::Found(WatchEvent::EndListed(id)) => {
                    // If the quota of jobs was full, there is room now.
                    self.full_until = None;
                    self.closing.insert(id);
                }
                Event::Found(WatchEvent::Finished(watched)) => self.ended(watched).await?,
                Event::Found(WatchEvent::ItemProgress { id, finished, failed }) => {
                    self.items_settled(&id, Counts { finished, failed });
                }
                Event::Found(WatchEvent::RetryingChanged) | Event::ReportOverdue => self.tell_progress(),
                Event::StartsRested => {}
            }
        }
    }

    /// Whatever comes first: starts, looks and rests go on at the same time.
    async fn next(&mut self) -> Event<K> {
        let rested = self.rests_until().filter(|_| self.has_room() && !self.waiting.is_empty());
        let mut rest = pin!(rested.map(tokio::time::sleep_until));
        poll_fn(|cx| {
            if let Poll::Ready((index, started)) = self.starts.poll(cx) {
                return Poll::Ready(Event::Started(index, started));
            }
            if let Poll::Ready(Some(found)) = self.fleet.poll(cx) {
                return Poll::Ready(Event::Found(found));
            }
            if let Some(rest) = rest.as_mut().as_pin_mut()
                && rest.poll(cx).is_ready()
            {
                return Poll::Ready(Event::StartsRested);
            }
            self.progress.poll_overdue(cx).map(|()| Event::ReportOverdue)
        })
        .await
    }

    fn has_room(&self) -> bool {
        self.running.len().saturating_sub(self.closing.len()) + self.starts.len() < self.jobs_at_once
    }

    /// No start before then.
    fn rests_until(&self) -> Option<Instant> {
        self.rest_until.max(self.full_until).filter(|until| Instant::now() < *until)
    }

    /// As many starts as there is room for.
    fn start_some(&mut self) -> Result<(), BulkError> {
        // Before the first has succeeded, rights or the store may be missing: one is enough to find out.
        let most_in_flight = if self.has_started { MOST_STARTS_IN_FLIGHT } else { 1 };
        while self.has_room()
            && self.starts.len() < most_in_flight
            && self.rests_until().is_none()
            && let Some(index) = self.waiting.pop_front()
        {
            let group = self.groups[index];
            if let Some(journal) = &mut self.journal {
                journal.starting(&group)?;
            }
            self.sent.insert(index);
            self.starts.push(index, K::start(&self.client, self.plan, &group));
        }
        Ok(())
    }

    fn started(&mut self, index: usize, job: Job<K>) -> Result<(), BulkError> {
        if let Some(journal) = &mut self.journal {
            journal.started(&self.groups[index], job.id())?;
        }
        if self.start_failures.clear() {
            tracing::info!(run_id = %self.plan.run_id(), "jobs can be started again");
        }
        self.starts_in_vain = 0;
        self.has_started = true;
        self.has_store = Some(true);
        self.indeterminate.remove(&index);
        let groups = self.running.entry(job.id().clone()).or_default();
        groups.push(index);
        if groups.len() == 1 {
            self.fleet.add_started(job, self.first_look);
        }
        self.tell_progress();
        Ok(())
    }

    fn not_started(&mut self, index: usize, error: Error) -> Result<(), BulkError> {
        let asked = error.retry_after().unwrap_or_default().min(MAX_SERVER_DELAY);
        // Noted first: whatever follows, an earlier attempt may have started a job.
        if error.may_have_been_applied() {
            *self.indeterminate.entry(index).or_default() += 1;
        }
        if matches!(error, Error::ServiceQuotaExceededException(_)) {
            tracing::debug!(%error, "a start waits for the end of a job, and is repeated with the same token");
            self.full_until = Some(Instant::now() + asked.max(REST_AT_FULL_QUOTA));
            self.waiting.push_front(index);
            self.tell_trouble(&error);
            return Ok(());
        }
        let lost =
            self.indeterminate.get(&index).copied().filter(|_| error.may_have_been_applied()).unwrap_or_default();
        if error.is_outage() || (1..MAX_INDETERMINATE_STARTS).contains(&lost) {
            tracing::debug!(%error, "a start is tried again later, with the same token");
            self.starts_in_vain = self.starts_in_vain.saturating_add(1);
            let rest = exponential_backoff(FIRST_REST, self.starts_in_vain, LONGEST_REST, fastrand::f64());
            self.rest_until = Some(Instant::now() + asked.max(rest));
            // It may be this group alone: the others go first.
            self.waiting.push_back(index);
            self.tell_trouble(&error);
            return Ok(());
        }
        self.start_failures.clear();
        let concerns_all = self.concerns_all(&error);
        let error = Arc::new(NoStart::new(error));
        self.settle_unstarted(index, Arc::clone(&error))?;
        if concerns_all {
            for index in std::mem::take(&mut self.waiting) {
                self.settle_unstarted(index, Arc::clone(&error))?;
            }
            self.stopped_by = Some(error);
        }
        Ok(())
    }

    fn settle_unstarted(&mut self, index: usize, error: Arc<NoStart>) -> Result<(), BulkError> {
        if self.indeterminate.contains_key(&index) {
            self.settle(index, Fate::Indeterminate(error));
            return Ok(());
        }
        // A run that is resumed, with other rights say, starts it again, refused or not. But a start that was sent would
        // count as one that may have been applied.
        if let Some(journal) = self.journal.as_mut().filter(|_| self.sent.contains(&index)) {
            journal.refused(&self.groups[index], error.text())?;
        }
        self.settle(index, Fate::Refused(error));
        Ok(())
    }

    /// Whether every other start would be refused alike: no rights, no credentials, no such store.
    fn concerns_all(&self, error: &Error) -> bool {
        let no_store = error.status() == Some(404) && !self.has_started;
        no_store
            || matches!(error.status(), Some(401 | 403))
            || error.code().is_some_and(|code| CREDENTIAL_CODES.contains(&code))
            || error.lacks_credentials()
    }

    async fn ended(&mut self, (job, outcome): Watched<K>) -> Result<(), BulkError> {
        let Some(indexes) = self.running.remove(job.id()) else { return Ok(()) };
        self.closing.remove(job.id());
        if outcome.is_ok() {
            // If the quota of jobs was full, there is room now.
            self.full_until = None;
            self.has_store = Some(true);
        }
        let not_found = outcome.as_ref().is_err_and(WaitError::is_not_found);
        let is_missing = not_found && self.has_store().await;
        let owns_job = indexes.len() == 1 && self.ended_jobs.insert(job.id().clone());
        for index in &indexes {
            let fate = match &outcome {
                Ok(outcome) => self.ended_group(*index, job.id(), outcome.job(), owns_job)?,
                Err(error) if is_missing => self.missing(*index, job.id(), error)?,
                // In the journal the job goes on running: a run that is resumed polls it again.
                Err(error) => Self::lost(job.id(), error),
            };
            self.settle(*index, fate);
        }
        Ok(())
    }

    fn ended_group(&mut self, index: usize, id: &K::Id, job: &K::State, owns_job: bool) -> Result<Fate, BulkError> {
        let group = self.groups[index];
        let status = job.status().clone();
        let items = results::<K>(&group, job, owns_job);
        // A later response may list what this one leaves out.
        let complete = items.iter().all(|item| item.status.is_some());
        if let Some(journal) = self.journal.as_mut().filter(|_| complete) {
            journal.ended(&group, id, &status, &items)?;
        }
        Ok(Fate::Ended { job: id.to_string(), status, items })
    }

    /// Whether the service has the store. In another region or account it has neither store nor job, and a job is not
    /// missing for good. Asks the service once, unless a call of this run has shown it.
    async fn has_store(&mut self) -> bool {
        if self.has_store.is_none() {
            let listed = K::list(&self.client, self.plan.sequence_store_id(), None, None).await;
            self.has_store = Some(listed.is_ok());
        }
        self.has_store == Some(true)
    }

    /// The job of a group is missing for good: a run that is resumed does not poll it again.
    fn missing(&mut self, index: usize, id: &K::Id, error: &WaitError<K>) -> Result<Fate, BulkError> {
        let (error, cause) = texts(error);
        let front = "the service does not know the job any more, although it has the store";
        let (error, cause) = (format!("{front}: {error}"), format!("{front}: {cause}"));
        if let Some(journal) = &mut self.journal {
            journal.missing(&self.groups[index], id, &cause)?;
        }
        Ok(Fate::Lost { job: id.to_string(), error, cause, not_found: true })
    }

    fn lost(id: &K::Id, error: &WaitError<K>) -> Fate {
        let not_found = error.is_not_found();
        let (mut error, mut cause) = texts(error);
        if not_found {
            let front = "the service does not know the job any more, check region and account";
            (error, cause) = (format!("{front}: {error}"), format!("{front}: {cause}"));
        }
        Fate::Lost { job: id.to_string(), error, cause, not_found }
    }

    fn settle(&mut self, index: usize, fate: Fate) {
        self.resume(index, fate);
        self.tell_progress();
    }

    /// Settles a group by the journal. It is not reported: the first report is that of the whole journal.
    fn resume(&mut self, index: usize, fate: Fate) {
        self.progress.settle(index, self.groups[index].items().len(), &fate);
        self.fates[index] = fate;
    }

    fn items_settled(&mut self, id: &K::Id, counts: Counts) {
        // What one job says of the items of several groups can't be told apart.
        if let Some([index]) = self.running.get(id).map(Vec::as_slice)
            && self.progress.items(*index, self.groups[*index].items().len(), counts)
        {
            self.tell_progress();
        }
    }

    fn tell_trouble(&mut self, error: &Error) {
        if self.start_failures.add(&self.client, error) {
            let (run_id, quota) = (self.plan.run_id(), matches!(error, Error::ServiceQuotaExceededException(_)));
            let error = error.report();
            if quota {
                // As usual as it can be where an account has jobs of others.
                tracing::info!(%run_id, %error, "no more jobs can be started at present, retrying");
            } else {
                tracing::warn!(%run_id, %error, "jobs can't be started at present, retrying");
            }
        }
        self.tell_progress();
    }

    fn tell_progress(&mut self) {
        let retrying = Retrying::oldest(self.start_failures.retrying().into_iter().chain(self.fleet.retrying()));
        self.progress.report(self.running.len(), retrying);
    }
}

/// Why a job can't be followed: with request id and attempts, and without.
fn texts<K: BulkStart>(error: &WaitError<K>) -> (String, String) {
    match error.call_error() {
        // It says since when as well.
        Some(call) if error.is_not_found() => (error.to_string(), call.report_of_cause()),
        Some(call) => (call.report().to_string(), call.report_of_cause()),
        None => (error.to_string(), error.to_string()),
    }
}

/// What a run waits for.
enum Event<K: BulkStart> {
    Started(usize, Result<Job<K>, Error>),
    Found(WatchEvent<K>),
    StartsRested,
    /// Progress was not reported for a while.
    ReportOverdue,
}

#[cfg(test)]
mod tests;
