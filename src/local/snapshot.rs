//! What tests see of the state of a local service.

use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;

use crate::model::time::to_iso8601;
use crate::model::{
    ClientToken, FileType, ItemStatus, JobStatus, ReadSetId, ReadSetStatus, SampleId, SequenceStoreId, SubjectId,
};

/// The three kinds of read set jobs.
///
/// [`LocalJob`] has an example.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobKind {
    /// An export job copies read sets to a bucket.
    Export,
    /// An import job creates read sets from the files in a bucket.
    Import,
    /// An activation job makes archived read sets active.
    Activation,
}

/// A read set in a local service, at the time of the call that returned it.
///
/// [`LocalService::read_sets`](super::LocalService::read_sets) has an example.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalReadSet {
    /// The id of the read set.
    pub id: ReadSetId,
    /// The status of the read set.
    pub status: ReadSetStatus,
    /// The type of the file that the read set was created from.
    pub file_type: FileType,
    /// The id of the subject; `None` for a seeded read set without one.
    pub subject_id: Option<SubjectId>,
    /// The id of the sample; `None` for a seeded read set without one.
    pub sample_id: Option<SampleId>,
    /// The name of the read set; `None` if it was created without one.
    pub name: Option<String>,
}

/// A job in a local service, at the time of the call that returned it.
///
/// ```
/// use healthomics::local::JobKind;
/// use healthomics::read_set::JobStatus;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// let call = client
///     .start_read_set_activation_job()
///     .sequence_store_id(&store)
///     .sources(["5555555555"]);
/// call.client_token("order-4711").send().await?;
///
/// let job = &local.jobs()[0];
/// assert_eq!(job.kind, JobKind::Activation);
/// assert_eq!(job.status, JobStatus::Submitted);
/// assert_eq!(job.client_token, Some("order-4711".into()));
/// assert_eq!(job.items[0].key, "5555555555");
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalJob {
    /// The kind of the job.
    pub kind: JobKind,
    /// The id of the job: ten digits.
    pub id: String,
    /// The id of the store that the job was started on.
    pub sequence_store_id: SequenceStoreId,
    /// The client token of the request that started the job; `None` if it had none.
    pub client_token: Option<ClientToken>,
    /// The status of the job.
    pub status: JobStatus,
    /// When the job was started, on the service's clock and in whole milliseconds.
    #[serde(serialize_with = "write_time")]
    pub creation_time: OffsetDateTime,
    /// When the job ended, on the service's clock and in whole milliseconds; `None` if it has not ended.
    #[serde(serialize_with = "write_optional_time")]
    pub completion_time: Option<OffsetDateTime>,
    /// The items of the job, in the order of the request.
    pub items: Vec<LocalItem>,
}

/// An item of a job.
///
/// [`LocalJob`] has an example.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LocalItem {
    /// The id of the read set to export or activate, or the `source1` of an import.
    pub key: String,
    /// The status of the item.
    pub status: ItemStatus,
    /// The status message that the service returns for the item.
    pub status_message: String,
    /// The id of the read set to export or activate, or of the read set that the import has created; `None` if the
    /// import has not created it (yet).
    pub read_set_id: Option<ReadSetId>,
}

fn write_time<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    to_iso8601(*time).serialize(serializer)
}

#[allow(clippy::ref_option, reason = "serde passes a reference")]
fn write_optional_time<S: Serializer>(time: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(to_iso8601).serialize(serializer)
}
