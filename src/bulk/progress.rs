//! How far a bulk run is, for those who follow it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::group_outcome::GroupOutcome;
use super::{BulkKind, Plan};
use crate::job::{OnProgress, ProgressReporter, Retrying};

/// How far a bulk run is.
///
/// [`BulkRun::on_progress`](super::BulkRun::on_progress) reports it, a
/// [`ProgressHandle`] returns it.
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
/// let bulk_run = call.prepare()?.on_progress(move |progress| drop(sender.send(progress.clone())));
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
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BulkProgress {
    /// All items of the run.
    pub items: usize,
    /// Items with which nothing more happens: finished and failed ones. Those of running jobs count as far as the service
    /// was asked, see [`BulkRun::item_progress_every`](super::BulkRun::item_progress_every). It never shrinks, and is all
    /// of them in the end.
    pub settled: usize,
    /// Items that have finished.
    pub finished: usize,
    /// Items that have failed, whose job was refused, or whose result is not known.
    pub failed: usize,
    /// All jobs of the run.
    pub jobs: usize,
    /// Jobs that are in progress.
    pub running_jobs: usize,
    /// Jobs that have ended or were refused.
    pub ended_jobs: usize,
    /// The time since the run began, or was resumed.
    pub elapsed: Duration,
    /// Why the last start failed or running jobs can't be seen, from the first failure on, until it is over: throttling, a
    /// full quota of jobs, a network that is down. `None` if nothing is retried. A run that never gets beyond it may have
    /// a wrong endpoint or region.
    pub retrying: Option<Retrying>,
}

impl BulkProgress {
    fn new<K: BulkKind>(plan: &Plan<K>) -> Self {
        Self {
            items: plan.groups().map(|group| group.items().len()).sum(),
            settled: 0,
            finished: 0,
            failed: 0,
            jobs: plan.groups().len(),
            running_jobs: 0,
            ended_jobs: 0,
            elapsed: Duration::ZERO,
            retrying: None,
        }
    }

    /// The settled share of the items, 0 to 1; 1 if there are none.
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

/// Settled items of one group.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) finished: usize,
    pub(super) failed: usize,
}

impl Counts {
    /// Of a group of so many items that met its fate.
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

/// Returns the current progress of a bulk run at any time, from any thread. It is made before the run is sent:
/// [`BulkRun::progress_handle`](super::BulkRun::progress_handle). Cheap to clone.
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
pub struct ProgressHandle(Arc<Mutex<Shared>>);

struct Shared {
    progress: BulkProgress,
    /// While the run is in progress.
    begun: Option<Instant>,
}

impl ProgressHandle {
    pub(super) fn new<K: BulkKind>(plan: &Plan<K>) -> Self {
        Self(Arc::new(Mutex::new(Shared { progress: BulkProgress::new(plan), begun: None })))
    }

    /// The progress at this moment. Before the run is sent nothing is settled; after it has ended, or was dropped, it stays
    /// as it was.
    pub fn get(&self) -> BulkProgress {
        let shared = self.lock();
        let mut progress = shared.progress.clone();
        if let Some(begun) = shared.begun {
            progress.elapsed = begun.elapsed();
        }
        progress
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ProgressHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgressHandle").field(&self.get()).finish()
    }
}

/// Keeps the progress of a run, and reports it.
pub(super) struct ProgressTracker {
    progress: BulkProgress,
    /// Settled items of running jobs, by group.
    partial: HashMap<usize, Counts>,
    begun: Instant,
    handle: ProgressHandle,
    reporter: ProgressReporter<BulkProgress>,
}

impl ProgressTracker {
    pub(super) fn new(handle: ProgressHandle, on_progress: Option<OnProgress<BulkProgress>>) -> Self {
        let begun = Instant::now();
        let progress = {
            let mut shared = handle.lock();
            shared.begun = Some(begun);
            shared.progress.clone()
        };
        Self { progress, partial: HashMap::new(), begun, handle, reporter: ProgressReporter::new(on_progress) }
    }

    /// A group of so many items met its fate.
    pub(super) fn settle(&mut self, group: usize, items: usize, outcome: &GroupOutcome) {
        if let Some(partial) = self.partial.remove(&group) {
            self.progress.remove(partial);
        }
        self.progress.ended_jobs += 1;
        self.progress.add(Counts::of(outcome, items));
    }

    /// So many items of the running job of a group are settled. `true` if that is progress: a service whose responses
    /// differ does not turn it back.
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

    pub(super) fn report(&mut self, running_jobs: usize, retrying: Option<Retrying>) {
        self.progress.running_jobs = running_jobs;
        self.progress.retrying = retrying;
        self.progress.elapsed = self.begun.elapsed();
        self.handle.lock().progress.clone_from(&self.progress);
        let progress = &self.progress;
        self.reporter.report(|| progress.clone());
    }

    /// Ready when there was no report for a while.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.reporter.poll_overdue(cx)
    }
}

impl Drop for ProgressTracker {
    fn drop(&mut self) {
        let mut shared = self.handle.lock();
        shared.begun = None;
        shared.progress.elapsed = self.begun.elapsed();
    }
}
