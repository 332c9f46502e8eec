//! A bulk run that is set up and run.

mod activations;
mod driver;
mod running_jobs;
mod start_gate;
mod status_list;

use std::future::poll_fn;
use std::path::PathBuf;
use std::task::Poll;
use std::time::Duration;

use self::activations::Activations;
use self::driver::{Driver, Shared};
use self::running_jobs::RunningJobs;
use self::start_gate::StartGate;
use super::journal::{Journal, JournalStates, JournalStorage, file_storage};
use super::progress::{BulkProgress, ProgressHandle, ProgressTracker, Step};
use super::report::Report;
use super::start::BulkStart;
use super::{BulkError, Plan};
use crate::Client;
use crate::job::schedule::Schedule;
use crate::job::{OnProgress, StoreWatch};

/// How many jobs of a kind an account runs at once, unless its quota was raised.
const DEFAULT_JOBS_AT_ONCE: usize = 20;
/// The time between two polls of the running jobs, and that between the first polls of a job.
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(2);
/// How often the job of a group is polled for the progress of its items.
const DEFAULT_ITEM_POLL_INTERVAL: Duration = Duration::from_mins(1);

impl Client {
    /// Prepares the run of a plan. [`BulkRun::run`] runs it.
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
            trust_client_token: self.trusts_client_token(),
            jobs_at_once: DEFAULT_JOBS_AT_ONCE,
            poll_every: DEFAULT_POLL_INTERVAL,
            item_progress_every: Some(DEFAULT_ITEM_POLL_INTERVAL),
            not_found_tolerance: None,
            on_progress: None,
        }
    }
}

/// A prepared bulk run: [`run`](Self::run) runs it.
///
/// When the future of `run` is dropped, no more jobs are started, and running jobs continue at the service. With a
/// journal, the same call resumes the run, even in another process: groups whose jobs have ended are not started again,
/// running jobs are followed, and indeterminate groups are started with the same client token, which starts nothing
/// twice. If client tokens are not trusted, their jobs are searched for first.
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_sets = [local.seed_read_set(&store, SeedReadSet::archived("BAM".into()))];
/// # let path = std::env::temp_dir().join(format!("healthomics-doc-{}.jsonl", std::process::id()));
/// let call = client
///     .activate_read_sets()
///     .run_id("run-7")
///     .sequence_store_id(&store)
///     .read_sets(read_sets);
/// let bulk_run = call.clone().prepare()?.journal(&path).jobs_at_once(10);
/// assert_eq!(bulk_run.run().await?.finished_count(), 1);
///
/// // In a later process: the results are in the journal, and nothing is started.
/// assert_eq!(call.prepare()?.journal(&path).run().await?.finished_count(), 1);
/// assert_eq!(local.jobs().len(), 1);
/// # std::fs::remove_file(&path)?;
/// # Ok(()) }
/// ```
#[must_use = "a bulk run does nothing until `run` is called"]
pub struct BulkRun<K: BulkStart> {
    client: Client,
    plan: Plan<K>,
    journal: Option<Box<dyn JournalStorage>>,
    trust_client_token: bool,
    jobs_at_once: usize,
    poll_every: Duration,
    item_progress_every: Option<Duration>,
    not_found_tolerance: Option<Duration>,
    on_progress: Option<OnProgress<BulkProgress>>,
    handle: ProgressHandle,
}

impl<K: BulkStart> BulkRun<K> {
    /// The path of a journal: a file with the state of the run, by which it is resumed after a crash. The file is
    /// created if it does not exist. By default there is no journal.
    ///
    /// [`BulkRun`] has an example.
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(file_storage(path.into()));
        self
    }

    /// Keeps the journal somewhere else than in a file, for machines whose disk does not outlive them. The crate
    /// `healthomics-object-store` keeps it in Amazon S3 and other object stores.
    ///
    /// [`JournalStorage`] has an example.
    pub fn journal_storage(mut self, storage: impl JournalStorage) -> Self {
        self.journal = Some(Box::new(storage));
        self
    }

    /// Whether starts rely on their client tokens, instead of the setting of the client:
    /// [`ClientBuilder::trust_client_token`](crate::ClientBuilder::trust_client_token). With `false`, use a journal: a run
    /// that is repeated without one starts its jobs again if the service ignores client tokens.
    pub fn trust_client_token(mut self, trust: bool) -> Self {
        self.trust_client_token = trust;
        self
    }

    /// The largest number of jobs of a kind that run at once. The default is 20, the default quota of an account; 0
    /// counts as 1. If the account runs other jobs as well, the service refuses some starts, and they are retried later.
    pub fn jobs_at_once(mut self, count: usize) -> Self {
        self.jobs_at_once = count.max(1);
        self
    }

    /// The longest time between two polls of the running jobs. The default is 2 seconds; one request polls all jobs. The
    /// first polls of a job are closer together ([`ClientBuilder::initial_poll_interval`](crate::ClientBuilder::initial_poll_interval)).
    pub fn poll_every(mut self, time: Duration) -> Self {
        self.poll_every = time;
        self
    }

    /// The time between two polls of a running job for the progress of its items. The default is a minute; `None` turns
    /// these polls off. Each takes one request of the Get operation, at most one a second, and requests for starts and
    /// ends of jobs come first. If only one or two jobs are running, each poll has the progress of their items anyway.
    pub fn item_progress_every(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.item_progress_every = time.into();
        self
    }

    /// The time for which responses without the job (404) are tolerated for a job that was started. The default is a
    /// minute, as the service's reads may be behind its writes. After that, the job is in [`Report::missing_job_ids`].
    pub fn not_found_tolerance(mut self, time: Duration) -> Self {
        self.not_found_tolerance = Some(time);
        self
    }

    /// A handle that returns the current progress of the run at any time.
    ///
    /// [`ProgressHandle`] has an example.
    pub fn progress_handle(&self) -> ProgressHandle {
        self.handle.clone()
    }

    /// Calls a function with the progress: when the run begins; when a job has started or ended, more items have
    /// settled, a start is retried, or polls of running jobs fail or succeed again; and after 30 seconds without any of
    /// that.
    ///
    /// [`BulkProgress`] has an example.
    pub fn on_progress(mut self, callback: impl FnMut(&BulkProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(callback));
        self
    }

    /// Runs the plan to its end. A group that fails does not stop the others. Missing rights or credentials do, as they
    /// concern all groups: running jobs are followed to their end, and no more are started.
    ///
    /// Throttling, an outage of the service or the network, a full quota of jobs, and a credentials provider that fails
    /// after it has worked are retried without a limit: [`BulkProgress::retrying`] has the first time and the last
    /// error, and a warning goes to [`tracing`] when the failures begin or their cause changes. To give up, drop the
    /// future, for example by `tokio::time::timeout`; the same call resumes the run.
    ///
    /// # Errors
    ///
    /// [`BulkError::NothingStarted`] if missing rights, missing credentials or a missing store stopped the run before
    /// any job was started, and other variants if the journal can't be used. Once a job is started, the report has the
    /// result of each item, and the error that stopped the run ([`Report::stopped_by`]).
    pub async fn run(mut self) -> Result<Report<K>, BulkError> {
        let activation_plan = K::activation_plan(&self.plan);
        let (journal, states) = match self.journal.take() {
            Some(storage) => {
                let (journal, states) = Journal::open(storage, &self.plan, activation_plan.as_ref()).await?;
                (Some(journal), states)
            }
            None => (None, JournalStates::untouched(&self.plan, activation_plan.as_ref())),
        };
        let progress = ProgressTracker::new(self.handle.clone(), self.on_progress.take());
        let mut shared = Shared { journal, progress, stopped_by: None };

        let mut jobs = self.driver(&self.plan, Step::Run);
        jobs.resume(states.groups, &mut shared);
        let mut activations = activation_plan.as_ref().map(|plan| {
            let driver = self.driver(plan, Step::Activate);
            let schedule = self.schedule();
            Activations::new(&self.client, plan, driver, states.activations, &mut jobs, schedule, &mut shared)
        });
        run_to_end(&mut jobs, activations.as_mut(), &mut shared).await?;
        let outcomes = jobs.into_outcomes();
        let activation_jobs = activations.map(Activations::into_job_ids).unwrap_or_default();
        let report = Report::new(self.plan, outcomes, activation_jobs, shared.stopped_by);
        match report.nothing_started() {
            Some(error) => Err(BulkError::NothingStarted { error }),
            None => Ok(report),
        }
    }

    fn driver<'p, J: BulkStart>(&self, plan: &'p Plan<J>, step: Step) -> Driver<'p, J> {
        let store = plan.sequence_store_id().clone();
        let item_poll_interval = self.item_progress_every.filter(|_| step == Step::Run);
        let watch = StoreWatch::new(self.client.clone(), store, self.schedule()).with_item_polls(item_poll_interval);
        let gate = StartGate::new(self.jobs_at_once);
        Driver::new(self.client.clone(), plan, step, self.trust_client_token, gate, RunningJobs::new(watch))
    }

    /// When running jobs are polled, and read sets listed that other jobs activate.
    fn schedule(&self) -> Schedule {
        let first_interval = self.client.initial_poll_interval().unwrap_or(DEFAULT_POLL_INTERVAL);
        Schedule::without_timeout(first_interval, self.poll_every, self.not_found_tolerance)
    }
}

/// What a run waits for.
enum Event<K: BulkStart> {
    Jobs(driver::Event<K>),
    Activations(activations::Event),
    /// Progress was not reported for a while.
    ReportOverdue,
}

/// Runs all jobs to their end.
async fn run_to_end<K: BulkStart>(
    jobs: &mut Driver<'_, K>,
    mut activations: Option<&mut Activations<'_>>,
    shared: &mut Shared,
) -> Result<(), BulkError> {
    jobs.report_progress(shared);
    loop {
        if let Some(activations) = &mut activations {
            activations.advance(jobs, shared).await?;
        }
        jobs.start_groups(shared).await?;
        if jobs.is_done() && activations.as_ref().is_none_or(|activations| activations.is_done()) {
            return Ok(());
        }
        let event = poll_fn(|cx| {
            if let Poll::Ready(event) = jobs.poll(cx) {
                return Poll::Ready(Event::Jobs(event));
            }
            if let Some(activations) = &mut activations
                && let Poll::Ready(event) = activations.poll(cx)
            {
                return Poll::Ready(Event::Activations(event));
            }
            shared.progress.poll_overdue(cx).map(|()| Event::ReportOverdue)
        });
        match event.await {
            Event::Jobs(event) => jobs.handle(event, shared).await?,
            Event::Activations(event) => {
                if let Some(activations) = &mut activations {
                    activations.handle(event, jobs, shared).await?;
                }
            }
            Event::ReportOverdue => jobs.report_progress(shared),
        }
    }
}

impl<K: BulkStart> std::fmt::Debug for BulkRun<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkRun")
            .field("plan", &self.plan)
            .field("journal", &self.journal.as_ref().map(|storage| storage.path()))
            .field("jobs_at_once", &self.jobs_at_once)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
