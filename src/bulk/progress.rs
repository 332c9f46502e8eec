//! The progress of a bulk run.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::group_outcome::GroupOutcome;
use super::{BulkKind, Plan};
use crate::job::{OnProgress, ProgressReporter, Retrying};

/// How far a bulk run is: what a progress bar needs.
///
/// [`BulkRun::on_progress`](super::BulkRun::on_progress) reports it, and [`ProgressHandle::get`] returns it.
///
/// In JSON it is an object with the fields below in camel case; `elapsed` is an object of `secs` and `nanos`. What is
/// read back equals what was written. In a unit test it can be made from JSON: absent fields have their default.
///
/// ```
/// use healthomics::bulk::BulkProgress;
///
/// let json = r#"{"items": 8, "settled": 2, "elapsed": {"secs": 5, "nanos": 0}}"#;
/// let progress: BulkProgress = serde_json::from_str(json)?;
/// assert_eq!((progress.fraction(), progress.elapsed.as_secs()), (0.25, 5));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_set = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
/// # let call = client.activate_read_sets().run_id("run-7").sequence_store_id(&store).read_sets([read_set]);
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let bulk_run = call.prepare()?;
/// let bulk_run = bulk_run.on_progress(move |progress| drop(sender.send(progress.clone())));
/// let report = bulk_run.run().await?;
/// let progress: Vec<_> = receiver.iter().collect();
/// // The first event is sent at the start, the last when all jobs have ended.
/// let (first, last) = (&progress[0], &progress[progress.len() - 1]);
/// assert_eq!((first.fraction(), first.running_jobs), (0.0, 0));
/// assert_eq!((last.fraction(), last.running_jobs), (1.0, 0));
/// assert!(progress.iter().any(|progress| progress.running_jobs == 1));
/// # assert_eq!(report.finished_count(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct BulkProgress {
    /// The number of items of the run; of a shard those of its groups.
    pub items: usize,
    /// The number of items that have their final result: finished and failed ones. Items of running jobs count by the
    /// last poll of their job, see [`BulkRun::item_progress_every`](super::BulkRun::item_progress_every). The number
    /// never decreases, and is `items` in the end.
    pub settled: usize,
    /// The number of items that have finished.
    pub finished: usize,
    /// The number of items that have failed, whose start was refused, or whose result is indeterminate.
    pub failed: usize,
    /// The number of items whose activation has ended or was not needed, or is left out as the run was stopped. 0 unless
    /// [`activate_archived`](super::ExportReadSets::activate_archived) was set.
    pub activated: usize,
    /// The number of jobs of the run. A job of activations counts from when it is known to be needed.
    pub jobs: usize,
    /// The number of jobs that are running.
    pub running_jobs: usize,
    /// The number of jobs that have ended, were refused, or can't be followed any more.
    pub ended_jobs: usize,
    /// The time since the run began, or was resumed.
    pub elapsed: Duration,
    /// Since when starts or polls fail and are retried, and the last error: throttling, a full quota of jobs, an
    /// outage. `None` if nothing is retried. A run that is retrying for ever may have a wrong endpoint or region.
    pub retrying: Option<Retrying>,
}

impl BulkProgress {
    fn new<K: BulkKind>(plan: &Plan<K>) -> Self {
        Self {
            items: plan.groups().map(|group| group.items().len()).sum(),
            jobs: plan.groups().len(),
            ..Self::default()
        }
    }

    /// The share of the items that are settled, from 0 to 1. It is 1 if there are no items.
    pub fn fraction(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a share of millions need not be exact")]
        let fraction = if self.items == 0 { 1.0 } else { self.settled as f64 / self.items as f64 };
        fraction
    }

    fn add(&mut self, counts: Counts) {
        self.finished += counts.finished;
        self.failed += counts.failed;
        self.settled = self.finished + self.failed;
    }

    fn remove(&mut self, counts: Counts) {
        self.finished -= counts.finished;
        self.failed -= counts.failed;
        self.settled = self.finished + self.failed;
    }
}

/// What a run does at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Activates read sets before their export.
    Activate,
    /// Lists the read sets that are not active.
    ListReadSets,
    /// Runs the jobs of the plan.
    Run,
}

/// The number of [`Step`]s.
const STEPS: usize = 3;

/// The running jobs of a step, and what it retries.
#[derive(Debug, Default)]
struct StepProgress {
    running_jobs: usize,
    retrying: Option<Retrying>,
}

/// The settled items of one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) finished: usize,
    pub(super) failed: usize,
}

impl Counts {
    /// The counts of a group of this many items that has its outcome.
    fn of(outcome: &GroupOutcome, items: usize) -> Self {
        let finished = match outcome {
            GroupOutcome::Ended { items, .. } => items.iter().filter(|item| item.is_finished()).count(),
            _ => 0,
        };
        Self { finished, failed: items - finished }
    }

    fn settled(self) -> usize {
        self.finished + self.failed
    }
}

/// Returns the current progress of a bulk run at any time, from any thread. [`BulkRun::progress_handle`] makes it
/// before the run begins. It is cheap to clone.
///
/// [`BulkRun::progress_handle`]: super::BulkRun::progress_handle
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_set = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
/// # let call = client.activate_read_sets().run_id("run-7").sequence_store_id(&store).read_sets([read_set]);
/// let bulk_run = call.prepare()?;
/// let handle = bulk_run.progress_handle();
/// let run = tokio::spawn(bulk_run.run());
/// // In a handler of a web service, say:
/// println!("{:.0} %", handle.get().fraction() * 100.0);
/// run.await??;
/// assert_eq!(handle.get().finished, 1);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ProgressHandle(Arc<Mutex<HandleState>>);

struct HandleState {
    progress: BulkProgress,
    /// When the run began; `None` unless it is running.
    started_at: Option<Instant>,
}

impl ProgressHandle {
    pub(super) fn new<K: BulkKind>(plan: &Plan<K>) -> Self {
        Self(Arc::new(Mutex::new(HandleState { progress: BulkProgress::new(plan), started_at: None })))
    }

    /// The progress at this moment. Before the run begins nothing is settled. After the run has ended or was dropped,
    /// the progress does not change any more.
    pub fn get(&self) -> BulkProgress {
        let state = self.lock();
        let mut progress = state.progress.clone();
        if let Some(started_at) = state.started_at {
            progress.elapsed = started_at.elapsed();
        }
        progress
    }

    fn lock(&self) -> MutexGuard<'_, HandleState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ProgressHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgressHandle").field(&self.get()).finish()
    }
}

/// Keeps the progress of a run, and reports it to the callback and the handles.
pub(super) struct ProgressTracker {
    progress: BulkProgress,
    steps: [StepProgress; STEPS],
    /// Settled items of running jobs, by group.
    partial: HashMap<usize, Counts>,
    started_at: Instant,
    handle: ProgressHandle,
    reporter: ProgressReporter<BulkProgress>,
}

impl ProgressTracker {
    pub(super) fn new(handle: ProgressHandle, on_progress: Option<OnProgress<BulkProgress>>) -> Self {
        let started_at = Instant::now();
        let progress = {
            let mut state = handle.lock();
            state.started_at = Some(started_at);
            state.progress.clone()
        };
        Self {
            progress,
            steps: Default::default(),
            partial: HashMap::new(),
            started_at,
            handle,
            reporter: ProgressReporter::new(on_progress),
        }
    }

    /// Counts a job of activations that is needed.
    pub(super) fn add_activation_job(&mut self) {
        self.progress.jobs += 1;
    }

    /// Counts the end of a job of activations.
    pub(super) fn activation_job_ended(&mut self) {
        self.progress.ended_jobs += 1;
    }

    /// Counts items whose activation has ended or is not needed.
    pub(super) fn add_activated(&mut self, items: usize) {
        self.progress.activated += items;
    }

    /// Counts the outcome of a group of this many items.
    pub(super) fn settle(&mut self, group: usize, items: usize, outcome: &GroupOutcome) {
        if let Some(partial) = self.partial.remove(&group) {
            self.progress.remove(partial);
        }
        self.progress.ended_jobs += 1;
        self.progress.add(Counts::of(outcome, items));
    }

    /// Sets the counts of the running job of a group of this many items. `false` if they are not larger than before: an
    /// outdated response does not decrease the progress.
    pub(super) fn set_counts(&mut self, group: usize, items: usize, counts: Counts) -> bool {
        let known = self.partial.get(&group).copied().unwrap_or_default();
        if counts.settled() <= known.settled() || counts.settled() > items {
            return false;
        }
        self.progress.remove(known);
        self.progress.add(counts);
        self.partial.insert(group, counts);
        true
    }

    /// Reports the progress, with the present state of one step.
    pub(super) fn report_step(&mut self, step: Step, running_jobs: usize, retrying: Option<Retrying>) {
        self.steps[step as usize] = StepProgress { running_jobs, retrying };
        self.report();
    }

    fn report(&mut self) {
        self.progress.running_jobs = self.steps.iter().map(|step| step.running_jobs).sum();
        self.progress.retrying = Retrying::oldest(self.steps.iter().filter_map(|step| step.retrying.as_ref()));
        self.progress.elapsed = self.started_at.elapsed();
        self.handle.lock().progress.clone_from(&self.progress);
        let progress = &self.progress;
        self.reporter.report(|| progress.clone());
    }

    /// Ready when there was no report for 30 seconds.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.reporter.poll_overdue(cx)
    }
}

impl Drop for ProgressTracker {
    fn drop(&mut self) {
        let mut state = self.handle.lock();
        state.started_at = None;
        state.progress.elapsed = self.started_at.elapsed();
    }
}
