//! A bulk run without full success, as an error.

use std::fmt;

use super::{BulkKind, Report};
use crate::job::write_failed;
use crate::model::text::OneLine;

impl<K: BulkKind> Report<K> {
    /// The report if every item finished; for those to whom anything else is an error.
    ///
    /// # Errors
    ///
    /// [`RunFailed`], with the report, and a message that names how many items did not finish and the first reasons.
    ///
    /// ```
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let there = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// # let read_sets = [there.as_str(), "5555555555"];
    /// # let call = client.activate_read_sets().run_id("run-7").sequence_store_id(&store).read_sets(read_sets);
    /// match call.prepare()?.run().await?.into_completed() {
    ///     Ok(report) => println!("{report}"),
    ///     // activation run run-7: 1 of 2 items finished in 1 job: 5555555555: Read set not found
    ///     Err(failed) => println!("{failed}: {} of them failed for good", failed.report().failed().count()),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn into_completed(self) -> Result<Self, RunFailed<K>> {
        if self.items().all(|item| item.finished) { Ok(self) } else { Err(RunFailed { report: Box::new(self) }) }
    }
}

/// A bulk run that ended before all its items had finished.
///
/// [`Report::into_completed`] has an example.
#[derive(Debug)]
pub struct RunFailed<K: BulkKind> {
    report: Box<Report<K>>,
}

impl<K: BulkKind> RunFailed<K> {
    /// What became of each item: which to try again, and how.
    pub fn report(&self) -> &Report<K> {
        &self.report
    }
}

/// `export run run-7: 9998 of 10000 items finished in 100 jobs, 1 indeterminate: 5555555555: Read set not found`
impl<K: BulkKind> fmt::Display for RunFailed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report();
        write!(f, "{} run {}: {}", K::NAME, OneLine(report.plan().run_id().as_str()), report.summary_line())?;
        match report.indeterminate().count() {
            0 => {}
            indeterminate => write!(f, ", {indeterminate} indeterminate")?,
        }
        let unfinished = report.items().filter(|item| !item.finished);
        write_failed(f, unfinished.map(|item| (K::key(item.item).0, item.reason.unwrap_or("no reason given"))))
    }
}

impl<K: BulkKind> std::error::Error for RunFailed<K> {}
