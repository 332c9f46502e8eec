//! `ListReadSetImportJobs`: the import jobs of a store.

use time::OffsetDateTime;

use super::filter::JobFilter;
use super::list::list_call;
use crate::Client;
use crate::client::Call;
use crate::decode::{Text, TextOrEmpty, Time, members};
use crate::model::{ImportJobId, JobStatus, RoleArn, SequenceStoreId};

impl Client {
    /// Lists the import jobs of a store, narrowed by a filter if there is one (`ListReadSetImportJobs`).
    ///
    /// `send` brings one page, [`items`](ListReadSetImportJobs::items) all of them. The entries say less than
    /// [`get_read_set_import_job`](Client::get_read_set_import_job): nothing of the sources.
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
    /// let mut jobs = client.list_read_set_import_jobs().sequence_store_id(&store).filter(failed).items();
    /// while let Some(job) = jobs.next().await {
    ///     println!("{} failed", job?.id);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn list_read_set_import_jobs(&self) -> ListReadSetImportJobs {
        ListReadSetImportJobs::new(Call::new(self))
    }
}

list_call! {
    /// `ListReadSetImportJobs`: made by [`Client::list_read_set_import_jobs`].
    pub struct ListReadSetImportJobs sends ListReadSetImportJobsRequest to "importjobs" with JobFilter;

    /// One page of the import jobs of a store.
    ///
    /// [`Client::list_read_set_import_jobs`] has an example.
    pub struct ListReadSetImportJobsOutput {
        /// The jobs; there may be none on a page, and more on the next.
        import_jobs: Vec<ImportReadSetJobItem> = "importJobs"
    }
}

members! {
    /// An import job in a list.
    ///
    /// [`Client::list_read_set_import_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ImportReadSetJobItem {
        /// The job; empty if the service left it out.
        pub id: ImportJobId = "id" as TextOrEmpty;
        /// The store that the job works on.
        pub sequence_store_id: SequenceStoreId = "sequenceStoreId" as TextOrEmpty;
        /// The role that HealthOmics assumes to read the files.
        pub role_arn: Option<RoleArn> = "roleArn" as Text;
        /// Where the job stands.
        pub status: JobStatus = "status" as TextOrEmpty;
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime> = "creationTime" as Time;
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime> = "completionTime" as Time;
    }
}
