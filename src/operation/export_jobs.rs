//! `ListReadSetExportJobs`: the export jobs of a store.

use time::OffsetDateTime;

use super::filter::JobFilter;
use super::list::list_call;
use crate::Client;
use crate::client::Call;
use crate::decode::{Text, TextOrEmpty, Time, members};
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
        export_jobs: Vec<ExportReadSetJobDetail> = "exportJobs"
    }
}

members! {
    /// An export job in a list.
    ///
    /// [`Client::list_read_set_export_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ExportReadSetJobDetail {
        /// The job; empty if the service left it out.
        pub id: ExportJobId = "id" as TextOrEmpty;
        /// The store that the job works on.
        pub sequence_store_id: SequenceStoreId = "sequenceStoreId" as TextOrEmpty;
        /// Where the files go.
        pub destination: Option<S3Destination> = "destination" as Text;
        /// Where the job stands.
        pub status: JobStatus = "status" as TextOrEmpty;
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime> = "creationTime" as Time;
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime> = "completionTime" as Time;
    }
}
