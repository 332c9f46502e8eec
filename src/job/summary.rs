//! How a job ended, as plain data.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::kind::{JobItem as _, JobKind, JobState as _};
use super::outcome::Outcome;
use crate::model::{ItemStatus, JobStatus, ReadSetId, SequenceStoreId};
use crate::protocol::json;

/// How a job of any kind ended, as plain data: to store, to compare, and to return from a web handler.
///
/// [`Outcome::summary`] makes it. It is a JSON object with the fields below in camel case; fields that are `None` are
/// left out. What is read back equals what was written. In a unit test it can be made from JSON: `kind`,
/// `sequenceStoreId`, `jobId` and `status` are required, and unknown fields are ignored.
///
/// ```
/// use healthomics::job::OutcomeSummary;
///
/// let summary: OutcomeSummary = serde_json::from_value(serde_json::json!({
///     "kind": "import",
///     "sequenceStoreId": "5555555555",
///     "jobId": "1234567890",
///     "status": "FAILED",
///     "items": [{ "name": "s3://my-bucket/a.bam", "status": "FAILED" }],
/// }))?;
/// assert_eq!(summary.failed_items().count(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OutcomeSummary {
    /// The kind of the job: `export`, `import` or `activation`.
    pub kind: String,
    /// The sequence store of the job.
    pub sequence_store_id: SequenceStoreId,
    /// The id of the job, 10 to 36 digits.
    pub job_id: String,
    /// The final status of the job.
    pub status: JobStatus,
    /// The service's explanation of the status; `None` if it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When the job was created; `None` if the service did not report it. In JSON: ISO 8601, in UTC.
    #[serde(default, with = "json::field", skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<OffsetDateTime>,
    /// When the job ended; `None` if the service did not report it. In JSON: ISO 8601, in UTC.
    #[serde(default, with = "json::field", skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<OffsetDateTime>,
    /// All items of the job, in the order of its start.
    #[serde(default)]
    pub items: Vec<ItemSummary>,
}

impl OutcomeSummary {
    /// The items that did not finish.
    pub fn failed_items(&self) -> impl Iterator<Item = &ItemSummary> {
        self.items.iter().filter(|item| item.status != ItemStatus::Finished)
    }

    /// The items that finished.
    pub fn finished_items(&self) -> impl Iterator<Item = &ItemSummary> {
        self.items.iter().filter(|item| item.status == ItemStatus::Finished)
    }
}

/// One item of an [`OutcomeSummary`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ItemSummary {
    /// What the item is: the id of the read set, or the location of the first file of an import.
    pub name: String,
    /// The final status of the item.
    pub status: ItemStatus,
    /// The service's explanation of the status, such as why the item failed; `None` if it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// The read set of the item. For an import it is the one that was made of the files, and `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_set_id: Option<ReadSetId>,
}

impl<K: JobKind> Outcome<K> {
    /// How the job ended, as plain data that is the same for all kinds of jobs, and that `serde` writes and reads.
    ///
    /// ```
    /// use healthomics::job::OutcomeSummary;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// # let started = call.send().await?;
    /// # let wait = client.job(&started).wait();
    /// let summary = wait.await?.summary();
    /// println!("{}: {} items failed", summary.status, summary.failed_items().count());
    ///
    /// let stored = serde_json::to_string(&summary)?;
    /// assert_eq!(serde_json::from_str::<OutcomeSummary>(&stored)?, summary);
    /// # Ok(()) }
    /// ```
    pub fn summary(&self) -> OutcomeSummary {
        let job = self.job();
        let items = job.items().iter().map(|item| ItemSummary {
            name: item.name().to_owned(),
            status: item.status().clone(),
            status_message: item.status_message().map(str::to_owned),
            read_set_id: item.read_set_id().cloned(),
        });
        OutcomeSummary {
            kind: K::NAME.to_owned(),
            sequence_store_id: job.sequence_store_id().clone(),
            job_id: job.id().to_owned(),
            status: job.status().clone(),
            status_message: job.status_message().map(str::to_owned),
            creation_time: job.creation_time(),
            completion_time: job.completion_time(),
            items: items.collect(),
        }
    }
}
