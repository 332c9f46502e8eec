//! A bulk run that is set up and run.

mod driver;
mod running_jobs;
mod start_gate;

use std::path::PathBuf;
use std::time::Duration;

use self::driver::Driver;
use self::running_jobs::RunningJobs;
use self::start_gate::StartGate;
use super::journal::{GroupState, Journal};
use super::progress::{BulkProgress, ProgressHandle, ProgressTracker};
use super::report::Report;
use super::start::BulkStart;
use super::{BulkError, Plan};
use crate::Client;
use crate::job::{OnProgress, StoreWatch};

/// How many jobs of a kind an account runs at once, unless its quota was raised.
const DEFAULT_JOBS_AT_ONCE: usize = 20;
/// How often running jobs are listed: one request for all of them.
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(2);
/// How often the job of a group is polled for the progress of its items.
const DEFAULT_ITEM_POLL_INTERVAL: Duration = Duration::from_mins(1);

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
            poll_every: DEFAULT_POLL_INTERVAL,
            item_progress_every: Some(DEFAULT_ITEM_POLL_INTERVAL),
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
        let Self { client, plan, poll_every, .. } = self;
        let (journal, states) = match self.journal {
            Some(path) => {
                let (journal, states) = Journal::open(path, &plan)?;
                (Some(journal), states)
            }
            None => (None, plan.groups().map(|_| GroupState::Untouched).collect()),
        };
        let watch = StoreWatch::with_fixed_interval(
            client.clone(),
            plan.sequence_store_id().clone(),
            poll_every,
            self.item_progress_every,
            self.not_found_tolerance,
        );
        let first_poll_interval = client.initial_poll_interval().unwrap_or(DEFAULT_POLL_INTERVAL).min(poll_every);
        let jobs = RunningJobs::new(watch, first_poll_interval);
        let gate = StartGate::new(self.jobs_at_once);
        let progress = ProgressTracker::new(self.handle, self.on_progress);
        let driver = Driver::new(client, &plan, journal, gate, jobs, progress);
        let (outcomes, stopped_by) = driver.run(states).await?;
        let report = Report::new(plan, outcomes, stopped_by);
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

#[cfg(test)]
mod tests;
