//! The error of a bulk run in which not every item finished.

use std::fmt;

use super::{BulkKind, Report};
use crate::job::write_failed;
use crate::model::text::OneLine;

impl<K: BulkKind> Report<K> {
    /// Returns the report if every item finished, and an error otherwise.
    ///
    /// # Errors
    ///
    /// [`RunFailed`] with the report. Its text has the number of finished items and the first reasons.
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
    ///     Err(failed) => {
    ///         // activation run run-7: 1 of 2 items finished in 1 job: 5555555555: Read set …
    ///         let count = failed.report().failed().count();
    ///         println!("{failed}: {count} of them failed for good");
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn into_completed(self) -> Result<Self, RunFailed<K>> {
        if self.items().all(|item| item.finished) { Ok(self) } else { Err(RunFailed { report: Box::new(self) }) }
    }
}

/// The error of a bulk run in which not every item finished.
///
/// [`Report::into_completed`] has an example.
pub struct RunFailed<K: BulkKind> {
    report: Box<Report<K>>,
}

impl<K: BulkKind> RunFailed<K> {
    /// The result of each item.
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

/// The same text as `Display`, as `main` prints an error that it returns by `Debug`.
impl<K: BulkKind> fmt::Debug for RunFailed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: BulkKind> std::error::Error for RunFailed<K> {}
