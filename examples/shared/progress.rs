//! The progress of a bulk run on the standard error output.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use healthomics::bulk::BulkProgress;
use indicatif::{ProgressBar, ProgressStyle};
use time::OffsetDateTime;

/// How often the bar is drawn, also when nothing happens.
const TICK: Duration = Duration::from_millis(200);
/// The shortest time between two lines about the progress, if the output is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(30);
/// The shortest time between two lines about the same outage.
const OUTAGE_INTERVAL: Duration = Duration::from_mins(5);

/// A bar on a terminal, and otherwise a line from time to time.
pub struct Progress {
    /// `None` if the output is not a terminal.
    bar: Option<ProgressBar>,
    last_line: Option<Instant>,
    /// Since when calls fail, and when that was printed.
    outage: Option<(OffsetDateTime, Instant)>,
}

impl Progress {
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} {elapsed} {msg}");
            let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar, last_line: None, outage: None }
    }

    /// The bar, to remove it at the end. It is cheap to clone.
    pub fn bar(&self) -> Option<ProgressBar> {
        self.bar.clone()
    }

    pub fn update(&mut self, progress: &BulkProgress) {
        let BulkProgress { jobs, running_jobs, ended_jobs, failed, .. } = progress;
        let jobs = format!("{running_jobs} jobs running, {ended_jobs} of {jobs} ended, {failed} items failed");
        match &self.bar {
            Some(bar) => {
                bar.set_length(progress.items as u64);
                bar.set_position(progress.settled as u64);
                bar.set_message(jobs);
            }
            None if self.last_line.is_none_or(|last| last.elapsed() >= LINE_INTERVAL) => {
                self.last_line = Some(Instant::now());
                eprintln!("{} of {} items settled, {jobs}", progress.settled, progress.items);
            }
            None => {}
        }
        self.update_outage(progress);
    }

    /// Prints on a line of its own that calls fail and are retried. Request ids make each error another text.
    fn update_outage(&mut self, progress: &BulkProgress) {
        match (&progress.retrying, self.outage) {
            (None, None) => {}
            (None, Some(_)) => {
                self.outage = None;
                self.print("calls succeed again");
            }
            (Some(retrying), Some((since, printed)))
                if since == retrying.since && printed.elapsed() < OUTAGE_INTERVAL => {}
            (Some(retrying), _) => {
                self.outage = Some((retrying.since, Instant::now()));
                self.print(&retrying.to_string());
            }
        }
    }

    fn print(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }
}
