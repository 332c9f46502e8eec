//! A report as plain data.

use serde::{Deserialize, Serialize};

use super::{Report, ReportItem, items_of_group};
use crate::bulk::group_outcome::GroupOutcome;
use crate::bulk::{BulkKind, Group, Shard};
use crate::error::ErrorSummary;
use crate::model::{ActivationJobId, JobStatus, ReadSetId, RunId, SequenceStoreId};

/// What a [`Report`] says, as plain data: to store, to compare, and to return from a web handler.
///
/// [`Report::summary`] makes it, in one form for all kinds of jobs. It is a JSON object with the fields below in camel
/// case; fields that are `None` are left out. What is read back equals what was written. In a unit test it can be made
/// from JSON: fields that are `None` or `false` may be absent, and unknown fields are ignored.
///
/// ```
/// use healthomics::bulk::ReportSummary;
///
/// let summary: ReportSummary = serde_json::from_str(
///     r#"{
///         "runId": "run-7",
///         "kind": "activation",
///         "sequenceStoreId": "1234567890",
///         "shard": {"index": 0, "count": 1},
///         "groups": [
///             {
///                 "index": 0,
///                 "jobId": "7777777777",
///                 "jobStatus": "COMPLETED_WITH_FAILURES",
///                 "items": [
///                     {"position": 0, "name": "5555555555", "finished": true},
///                     {"position": 1, "name": "5555555556", "reason": "Read set not found"}
///                 ]
///             }
///         ]
///     }"#,
/// )?;
/// let failed = summary.groups[0].items.iter().filter(|item| !item.finished);
/// assert_eq!(failed.count(), 1);
/// assert_eq!(summary.stopped_by, None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReportSummary {
    /// The name of the run.
    pub run_id: RunId,
    /// The kind of the jobs: `export`, `import` or `activation`.
    pub kind: String,
    /// The store that the jobs work on: 10 to 36 digits.
    pub sequence_store_id: SequenceStoreId,
    /// The part of the plan that was run.
    pub shard: Shard,
    /// The groups of the shard, in the order of the plan.
    pub groups: Vec<GroupSummary>,
    /// The ids of the jobs that activated read sets before their export: [`Report::activation_job_ids`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activation_job_ids: Vec<ActivationJobId>,
    /// The error that stopped the run: [`Report::stopped_by`]. `None` if the run went on to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<ErrorSummary>,
}

/// The result of one group of a plan, as plain data: a part of a [`ReportSummary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GroupSummary {
    /// The number of the group in the whole plan, from 0.
    pub index: usize,
    /// The id of the job of the group: 10 to 36 digits. `None` if no job was started, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Whether the service does not know the job any more.
    #[serde(default)]
    pub job_not_found: bool,
    /// The final status of the job. `None` if it is not known to have ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_status: Option<JobStatus>,
    /// The error of the start. `None` if a job was started or no start was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorSummary>,
    /// The items of the group, in the order of the input.
    pub items: Vec<ItemSummary>,
}

/// The result of one item, as plain data: a part of a [`GroupSummary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ItemSummary {
    /// The index of the item in the input, from 0.
    pub position: usize,
    /// What the item is: the id of the read set, or the location of the first file of an import.
    pub name: String,
    /// Whether the item finished.
    #[serde(default)]
    pub finished: bool,
    /// Whether the item may be running or may have finished: [`ReportItem::indeterminate`].
    #[serde(default)]
    pub indeterminate: bool,
    /// The id of the read set that an import made of the item. `None` for other kinds, and if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_set_id: Option<ReadSetId>,
    /// Why the item did not finish: [`ReportItem::reason`]. `None` if it finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl<K: BulkKind> Report<K> {
    /// The report as plain data that can be cloned, compared, and written and read by `serde`.
    ///
    /// ```
    /// use healthomics::bulk::ReportSummary;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let read_sets = ["5555555555"]; // does not exist
    /// let call = client.activate_read_sets().run_id("run-7").sequence_store_id(&store);
    /// let report = call.read_sets(read_sets).prepare()?.run().await?;
    /// let stored = serde_json::to_string(&report.summary())?;
    ///
    /// let summary: ReportSummary = serde_json::from_str(&stored)?;
    /// assert_eq!(summary, report.summary());
    /// assert_eq!(summary.groups[0].items[0].reason.as_deref(), Some("Read set not found"));
    /// # Ok(()) }
    /// ```
    pub fn summary(&self) -> ReportSummary {
        let plan = self.plan();
        let groups = plan.groups().zip(&self.outcomes).map(|(group, outcome)| GroupSummary::of(group, outcome));
        ReportSummary {
            run_id: plan.run_id().clone(),
            kind: K::NAME.to_owned(),
            sequence_store_id: plan.sequence_store_id().clone(),
            shard: plan.current_shard(),
            groups: groups.collect(),
            activation_job_ids: self.activation_jobs.clone(),
            stopped_by: self.stopped_by().map(ErrorSummary::from),
        }
    }
}

impl GroupSummary {
    fn of<K: BulkKind>(group: Group<'_, K>, outcome: &GroupOutcome) -> Self {
        let pending = Self {
            index: group.index(),
            job_id: None,
            job_not_found: false,
            job_status: None,
            error: None,
            items: items_of_group(group, outcome).map(ItemSummary::from).collect(),
        };
        match outcome {
            GroupOutcome::Pending | GroupOutcome::NotActivated { .. } => pending,
            GroupOutcome::Refused(start) | GroupOutcome::Indeterminate(start) => {
                Self { error: Some(start.error.summary()), ..pending }
            }
            GroupOutcome::Lost { job_id, not_found, .. } => {
                Self { job_id: Some(job_id.clone()), job_not_found: *not_found, ..pending }
            }
            GroupOutcome::Ended { job_id, status, .. } => {
                Self { job_id: Some(job_id.clone()), job_status: Some(status.clone()), ..pending }
            }
        }
    }
}

impl<K: BulkKind> From<ReportItem<'_, K>> for ItemSummary {
    fn from(item: ReportItem<'_, K>) -> Self {
        Self {
            position: item.position,
            name: K::key(item.item).0.to_owned(),
            finished: item.finished,
            indeterminate: item.indeterminate,
            read_set_id: item.read_set_id.cloned(),
            reason: item.reason.map(str::to_owned),
        }
    }
}
