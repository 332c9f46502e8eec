//! The result of a bulk run, item by item.

mod summary;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

pub use self::summary::{GroupSummary, ItemSummary, ReportSummary};
use super::group_outcome::{GroupOutcome, StartError};
use super::journal::ItemResult;
use super::{BulkKind, Group, Plan};
use crate::Error;
use crate::model::text::OneLine;
use crate::model::{ActivationJobId, JobStatus, ReadSetId};

/// The result of a bulk run: the result of each item, in the order of the input.
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let there = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
/// let read_sets = [there.as_str(), "5555555555"];
/// let call = client
///     .activate_read_sets()
///     .run_id("run-7")
///     .sequence_store_id(&store)
///     .read_sets(read_sets);
/// let report = call.prepare()?.run().await?;
/// for item in report.failed() {
///     println!("{}: {}", item.item, item.reason.unwrap_or_default());
/// }
/// assert_eq!((report.finished_count(), report.failed().count()), (1, 1));
/// assert_eq!(report.indeterminate().count(), 0);
/// let text = "1 of 2 items finished in 1 job\n  1 item: Read set not found";
/// assert_eq!(report.to_string(), text);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Report<K: BulkKind> {
    plan: Plan<K>,
    outcomes: Vec<GroupOutcome>,
    activation_jobs: Vec<ActivationJobId>,
    stopped_by: Option<StartError>,
}

/// The result of one item.
///
/// [`Report::items`] has an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportItem<'a, K: BulkKind> {
    /// The index of the item in the input, from 0.
    pub position: usize,
    /// The item as it was in the input.
    pub item: &'a K::Item,
    /// The id of the job of the item, 10 to 36 digits. If the read set could not be activated before its export, that
    /// of the activation. `None` if no job was started, as far as is known.
    pub job_id: Option<&'a str>,
    /// Whether the service does not know the job any more. The item is `indeterminate` then.
    pub job_not_found: bool,
    /// The final status of the job. `None` if it is not known to have ended.
    pub job_status: Option<&'a JobStatus>,
    /// Whether the item finished.
    pub finished: bool,
    /// Whether the item may be running or may have finished: its job can't be followed any more or does not list it, or
    /// a start was sent and its response was lost.
    pub indeterminate: bool,
    /// The read set that an import made of the item. `None` for other kinds, and if there is none.
    pub read_set_id: Option<&'a ReadSetId>,
    /// Why the item did not finish, for people: the message of the service or the text of an error. `None` if it
    /// finished.
    pub reason: Option<&'a str>,
    /// The error of the start, for programs: its variant distinguishes missing rights from an invalid field. `None` if
    /// a job was started or no start was sent.
    pub error: Option<&'a Error>,
    /// The reason without request id, attempts and job, if it is an error.
    cause: Option<&'a str>,
}

impl<K: BulkKind> Report<K> {
    pub(super) fn new(
        plan: Plan<K>,
        outcomes: Vec<GroupOutcome>,
        activation_jobs: Vec<ActivationJobId>,
        stopped_by: Option<StartError>,
    ) -> Self {
        Self { plan, outcomes, activation_jobs, stopped_by }
    }

    /// The error, if one that concerns all items stopped the run, no job was started, and no start may have been
    /// applied.
    pub(super) fn nothing_started(&self) -> Option<Error> {
        let none = self.activation_jobs.is_empty()
            && self.outcomes.iter().all(|outcome| matches!(outcome, GroupOutcome::Pending | GroupOutcome::Refused(_)));
        self.stopped_by.as_ref().filter(|_| none).map(|stopped_by| stopped_by.error.clone())
    }

    /// The plan of the run.
    pub fn plan(&self) -> &Plan<K> {
        &self.plan
    }

    /// All items in the order of the input; of a shard those of its groups. Dropped duplicates are in
    /// [`Plan::duplicates`].
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
    /// # let report = call.prepare()?.run().await?;
    /// for item in report.items() {
    ///     // A line of a CSV file.
    ///     let job_id = item.job_id.unwrap_or_default();
    ///     println!("{},{},{job_id},{}", item.position, item.item, item.finished);
    /// }
    /// assert_eq!(report.items().map(|item| item.finished).collect::<Vec<_>>(), [true, false]);
    /// # Ok(()) }
    /// ```
    pub fn items(&self) -> impl Iterator<Item = ReportItem<'_, K>> {
        self.plan.groups().zip(&self.outcomes).flat_map(|(group, outcome)| items_of_group(group, outcome))
    }

    /// The items that did not finish and are not indeterminate. Those with a `job_id` can be the input of a second run,
    /// which needs another run id. Those without one are started by the same run when it is run again, once the cause
    /// is fixed.
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
    /// # let report = call.prepare()?.run().await?;
    /// let failed = report.failed().filter(|item| item.job_id.is_some()).map(|item| item.item);
    /// let second = client.activate_read_sets().run_id("run-7-again").sequence_store_id(&store);
    /// let second = second.read_sets(failed).prepare()?;
    /// # let second = second.run().await?;
    /// # assert_eq!(second.finished_count(), 0);
    /// # Ok(()) }
    /// ```
    pub fn failed(&self) -> impl Iterator<Item = ReportItem<'_, K>> {
        self.items().filter(|item| !item.finished && !item.indeterminate)
    }

    /// The items that may be running or may have finished. Run them again **under the same run id**, which starts
    /// nothing twice. Another run id would start them twice.
    ///
    /// ```
    /// # use healthomics::local::{Fault, LocalService, SeedReadSet};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let read_set = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// # for operation in ["ListReadSetActivationJobs", "GetReadSetActivationJob"] {
    /// #     local.fault_always(operation, Fault::error(403, "AccessDeniedException", "not allowed"));
    /// # }
    /// let call = client
    ///     .activate_read_sets()
    ///     .run_id("run-7")
    ///     .sequence_store_id(&store)
    ///     .read_sets([read_set]);
    /// let report = call.clone().prepare()?.run().await?;
    /// assert_eq!(report.indeterminate().count(), 1);
    ///
    /// # local.clear_faults();
    /// // Once the cause is fixed, the same call finds the job that was started.
    /// let report = call.prepare()?.run().await?;
    /// assert_eq!((report.indeterminate().count(), report.finished_count()), (0, 1));
    /// # assert_eq!(local.jobs().len(), 1);
    /// # Ok(()) }
    /// ```
    pub fn indeterminate(&self) -> impl Iterator<Item = ReportItem<'_, K>> {
        self.items().filter(|item| item.indeterminate)
    }

    /// The ids of the jobs that activated read sets before their export, in the order of their starts. None unless
    /// [`activate_archived`](super::ExportReadSets::activate_archived) was set.
    pub fn activation_job_ids(&self) -> impl Iterator<Item = &ActivationJobId> {
        self.activation_jobs.iter()
    }

    /// The ids of the jobs that were started, in the order of their groups, without
    /// [`activation_job_ids`](Self::activation_job_ids).
    pub fn job_ids(&self) -> impl Iterator<Item = &str> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            GroupOutcome::Ended { job_id, .. } | GroupOutcome::Lost { job_id, .. } => Some(job_id.as_str()),
            GroupOutcome::Pending
            | GroupOutcome::NotActivated { .. }
            | GroupOutcome::Refused(_)
            | GroupOutcome::Indeterminate(_) => None,
        })
    }

    /// The number of items that finished.
    pub fn finished_count(&self) -> usize {
        self.items().filter(|item| item.finished).count()
    }
}

impl<K: BulkKind> Report<K> {
    /// The error that concerned all items and stopped the run: missing rights, no credentials, no such store. `None` if
    /// the run went on to its end.
    ///
    /// Jobs that were running then were followed to their end. Fix the cause and run the plan again, which starts the
    /// remaining groups.
    pub fn stopped_by(&self) -> Option<&Error> {
        self.stopped_by.as_ref().map(|stopped_by| &stopped_by.error)
    }

    /// The ids of jobs that the service does not know any more, although it had started them. Their items are
    /// [`indeterminate`](Self::indeterminate).
    ///
    /// First check that region and account are those of the run. If they are, the service has deleted the jobs: find
    /// out by [`list_read_sets`](crate::Client::list_read_sets), or in the bucket of an export, which of their items
    /// have finished, and run the others under another run id.
    ///
    /// If the service has the store, so that region and account are right, the journal notes that the job is missing,
    /// and a resumed run reports it again without a request. Otherwise a resumed run polls the job again.
    pub fn missing_job_ids(&self) -> impl Iterator<Item = &str> {
        self.outcomes.iter().filter_map(|outcome| match outcome {
            GroupOutcome::Lost { job_id, not_found: true, .. } => Some(job_id.as_str()),
            _ => None,
        })
    }

    /// The reasons why items did not finish, each once, the one of most items first. Errors that differ only in request
    /// id, job and attempts count as the same.
    ///
    /// ```
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let read_sets = ["5555555555", "5555555556"]; // neither exists
    /// let call = client
    ///     .activate_read_sets()
    ///     .run_id("run-7")
    ///     .sequence_store_id(&store)
    ///     .read_sets(read_sets);
    /// let report = call.prepare()?.run().await?;
    /// for error in report.errors() {
    ///     println!("{} items: {}", error.items, error.reason);
    /// }
    /// assert_eq!(report.errors().iter().map(|error| error.items).collect::<Vec<_>>(), [2]);
    /// # Ok(()) }
    /// ```
    pub fn errors(&self) -> Vec<ReportError<'_>> {
        let mut errors: Vec<ReportError<'_>> = Vec::new();
        let mut indexes = HashMap::new();
        for item in self.items().filter(|item| !item.finished) {
            let reason = item.cause.or(item.reason).unwrap_or("no reason given");
            let index = *indexes.entry(reason).or_insert_with(|| {
                errors.push(ReportError { items: 0, reason, error: item.error });
                errors.len() - 1
            });
            errors[index].items += 1;
        }
        // The sort is stable: among reasons of equally many items, the first in the input comes first.
        errors.sort_by_key(|error| Reverse(error.items));
        errors
    }

    /// `9998 of 10000 items finished in 100 jobs`
    pub(super) fn summary_line(&self) -> String {
        let finished = self.finished_count();
        let total = self.items().count();
        let jobs = self.job_ids().count();
        let plural = if jobs == 1 { "" } else { "s" };
        format!("{finished} of {total} items finished in {jobs} job{plural}")
    }
}

/// The items of a group, in the order of the input.
fn items_of_group<'a, K: BulkKind>(
    group: Group<'a, K>,
    outcome: &'a GroupOutcome,
) -> impl Iterator<Item = ReportItem<'a, K>> {
    let items = group.positions().zip(group.items()).enumerate();
    items.map(move |(index, (position, item))| {
        let pending = ReportItem {
            position,
            item,
            job_id: None,
            job_not_found: false,
            job_status: None,
            finished: false,
            indeterminate: false,
            read_set_id: None,
            reason: Some("no job was started"),
            error: None,
            cause: None,
        };
        match outcome {
            GroupOutcome::Pending => pending,
            GroupOutcome::Refused(start) | GroupOutcome::Indeterminate(start) => ReportItem {
                indeterminate: matches!(outcome, GroupOutcome::Indeterminate(_)),
                reason: Some(&start.text),
                error: Some(&start.error),
                cause: Some(&start.cause),
                ..pending
            },
            GroupOutcome::Lost { job_id, error, cause, not_found } => ReportItem {
                job_id: Some(job_id),
                job_not_found: *not_found,
                indeterminate: true,
                reason: Some(error),
                cause: Some(cause),
                ..pending
            },
            GroupOutcome::NotActivated { items } => match items.get(index) {
                Some(result) => pending.with_result(result),
                None => pending,
            },
            GroupOutcome::Ended { job_id, status, items } => {
                let in_job = ReportItem { job_id: Some(job_id), job_status: Some(status), ..pending };
                match items.get(index) {
                    Some(result) => in_job.with_result(result),
                    None => ReportItem { indeterminate: true, reason: None, ..in_job },
                }
            }
        }
    })
}

impl<'a, K: BulkKind> ReportItem<'a, K> {
    /// Adds the result that the job has of the item.
    fn with_result(self, result: &'a ItemResult) -> Self {
        let item = Self {
            finished: result.is_finished(),
            indeterminate: result.status.is_none(),
            read_set_id: result.read_set_id.as_ref(),
            reason: result.reason.as_deref(),
            ..self
        };
        match &result.activation {
            Some(activation) => Self { job_id: Some(&activation.job), job_status: Some(&activation.status), ..item },
            None => item,
        }
    }
}

/// A reason why items of a bulk run did not finish.
///
/// [`Report::errors`] has an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReportError<'a> {
    /// The number of items that did not finish for this reason.
    pub items: usize,
    /// The reason in one line, without request id, attempts and job.
    pub reason: &'a str,
    /// The error of the start of the first of these items. `None` if a job was started for it.
    pub error: Option<&'a Error>,
}

/// The number of reasons in the `Display` text of a [`Report`].
const SHOWN_ERRORS: usize = 3;

/// `9998 of 10000 items finished in 100 jobs`, then a line for each of the most frequent reasons, and one with the
/// number of items that have other reasons: five lines at most.
impl<K: BulkKind> fmt::Display for Report<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary_line())?;
        let errors = self.errors();
        for error in errors.iter().take(SHOWN_ERRORS) {
            let plural = if error.items == 1 { "" } else { "s" };
            write!(f, "\n  {} item{plural}: {}", error.items, OneLine(error.reason))?;
        }
        let others: usize = errors.iter().skip(SHOWN_ERRORS).map(|error| error.items).sum();
        match others {
            0 => Ok(()),
            1 => f.write_str("\n  1 item: another reason"),
            others => write!(f, "\n  {others} items: other reasons"),
        }
    }
}
