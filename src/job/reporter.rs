//! Reports of progress to a callback.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::timer::Timer;

/// Progress is reported at least this often.
const MAX_REPORT_INTERVAL: Duration = Duration::from_secs(30);

pub(crate) type OnProgress<P> = Box<dyn FnMut(&P) + Send>;

/// Reports progress to a callback: when something has changed, and every 30 seconds if nothing does.
pub(crate) struct ProgressReporter<P> {
    on_progress: Option<OnProgress<P>>,
    /// Set by the first report.
    next_report: Option<Timer>,
}

impl<P> ProgressReporter<P> {
    pub(crate) fn new(on_progress: Option<OnProgress<P>>) -> Self {
        Self { on_progress, next_report: None }
    }

    /// Calls the callback, if there is one.
    pub(crate) fn report(&mut self, progress: impl FnOnce() -> P) {
        let Some(on_progress) = &mut self.on_progress else { return };
        on_progress(&progress());
        let deadline = Instant::now() + MAX_REPORT_INTERVAL;
        match &mut self.next_report {
            Some(timer) => timer.reset(deadline),
            None => self.next_report = Some(Timer::at(deadline)),
        }
    }

    /// Ready if the last report was 30 seconds ago.
    pub(crate) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.next_report {
            Some(timer) => timer.poll(cx),
            None => Poll::Pending,
        }
    }
}
