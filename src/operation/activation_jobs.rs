//! `ListReadSetActivationJobs`: the activation jobs of a store.

use time::OffsetDateTime;

use super::filter::JobFilter;
use super::list::list_call;
use crate::Client;
use crate::client::Call;
use crate::decode::{TextOrEmpty, Time, members};
use crate::model::{ActivationJobId, JobStatus, SequenceStoreId};

impl Client {
    /// Lists the activation jobs of a store, narrowed by a filter if there is one (`ListReadSetActivationJobs`).
    ///
    /// `send` brings one page, [`items`](ListReadSetActivationJobs::items) all of them. The entries say less than
    /// [`get_read_set_activation_job`](Client::get_read_set_activation_job): nothing of the read sets.
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
    /// let mut jobs = client.list_read_set_activation_jobs().sequence_store_id(&store).filter(failed).items();
    /// while let Some(job) = jobs.next().await {
    ///     println!("{} failed", job?.id);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn list_read_set_activation_jobs(&self) -> ListReadSetActivationJobs {
        ListReadSetActivationJobs::new(Call::new(self))
    }
}

list_call! {
    /// `ListReadSetActivationJobs`: made by [`Client::list_read_set_activation_jobs`].
    pub struct ListReadSetActivationJobs sends ListReadSetActivationJobsRequest to "activationjobs" with JobFilter;

    /// One page of the activation jobs of a store.
    ///
    /// [`Client::list_read_set_activation_jobs`] has an example.
    pub struct ListReadSetActivationJobsOutput {
        /// The jobs; there may be none on a page, and more on the next.
        activation_jobs: Vec<ActivateReadSetJobItem> = "activationJobs"
    }
}

members! {
    /// An activation job in a list.
    ///
    /// [`Client::list_read_set_activation_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ActivateReadSetJobItem {
        /// The job; empty if the service left it out.
        pub id: ActivationJobId = "id" as TextOrEmpty;
        /// The store that the job works on.
        pub sequence_store_id: SequenceStoreId = "sequenceStoreId" as TextOrEmpty;
        /// Where the job stands.
        pub status: JobStatus = "status" as TextOrEmpty;
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime> = "creationTime" as Time;
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime> = "completionTime" as Time;
    }
}
