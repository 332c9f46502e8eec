//! `ListReadSetExportJobs`: the export jobs of a store.

use serde::Deserialize;
use time::OffsetDateTime;

use super::filter::JobFilter;
use super::list::list_call;
use crate::Client;
use crate::client::Call;
use crate::decode;
use crate::model::{ExportJobId, JobStatus, S3Destination, SequenceStoreId};

impl Client {
    /// Lists the export jobs of a store, narrowed by a filter if there is one (`ListReadSetExportJobs`).
    ///
    /// `send` brings one page, [`items`](ListReadSetExportJobs::items) all of them. The entries say less than
    /// [`get_read_set_export_job`](Client::get_read_set_export_job): nothing of the read sets.
    ///
    /// ```
    /// use healthomics::JobFilter;
    /// use healthomics::model::JobStatus;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let failed = JobFilter::new().status(JobStatus::Failed);
    /// let mut jobs = client.list_read_set_export_jobs().sequence_store_id(&store).filter(failed).items();
    /// while let Some(job) = jobs.next().await {
    ///     println!("{} failed", job?.id);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn list_read_set_export_jobs(&self) -> ListReadSetExportJobs {
        ListReadSetExportJobs::new(Call::new(self))
    }
}

list_call! {
    /// `ListReadSetExportJobs`: made by [`Client::list_read_set_export_jobs`].
    pub struct ListReadSetExportJobs sends ListReadSetExportJobsRequest to "exportjobs" with JobFilter;

    /// One page of the export jobs of a store.
    ///
    /// [`Client::list_read_set_export_jobs`] has an example.
    pub struct ListReadSetExportJobsOutput {
        /// The jobs; there may be none on a page, and more on the next.
        export_jobs: Vec<ExportReadSetJobDetail>
    }
}

/// An export job in a list.
///
/// [`Client::list_read_set_export_jobs`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExportReadSetJobDetail {
    /// The job; empty if the service left it out.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub id: ExportJobId,
    /// The store that the job works on.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub sequence_store_id: SequenceStoreId,
    /// Where the files go.
    #[serde(default, deserialize_with = "decode::text")]
    pub destination: Option<S3Destination>,
    /// Where the job stands.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub status: JobStatus,
    /// When the job was created.
    #[serde(default, deserialize_with = "crate::model::time::optional")]
    pub creation_time: Option<OffsetDateTime>,
    /// When the job ended.
    #[serde(default, deserialize_with = "crate::model::time::optional")]
    pub completion_time: Option<OffsetDateTime>,
}
