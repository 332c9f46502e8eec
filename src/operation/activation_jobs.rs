//! `ListReadSetActivationJobs`: the activation jobs of a store.

use serde::Deserialize;
use time::OffsetDateTime;

use super::Operation;
use super::filter::JobFilter;
use super::list::list_call;
use crate::Client;
use crate::check::Violations;
use crate::client::Call;
use crate::decode::{self, Undecodable};
use crate::model::{ActivationJobId, JobStatus, SequenceStoreId};
use crate::pages::page;
use crate::wire::{RawResponse, WireRequest};

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
    pub fn list_read_set_activation_jobs(&self) -> ListReadSetActivationJobs {
        ListReadSetActivationJobs::new(Call::new(self))
    }
}

list_call! {
    /// `ListReadSetActivationJobs`: made by [`Client::list_read_set_activation_jobs`].
    pub struct ListReadSetActivationJobs sends ListReadSetActivationJobsRequest returns ListReadSetActivationJobsOutput with JobFilter;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default, deserialize_with = "decode::text")]
    next_token: Option<String>,
    #[serde(default, deserialize_with = "decode::list")]
    activation_jobs: Vec<ActivateReadSetJobItem>,
}

impl Operation for ListReadSetActivationJobsRequest {
    const NAME: &'static str = "ListReadSetActivationJobs";
    const MUTATES: bool = false;
    type Output = ListReadSetActivationJobsOutput;

    fn check(&self, violations: &mut Violations) {
        self.list().check(violations);
    }

    fn to_wire(&self) -> WireRequest {
        self.list().to_wire("activationjobs")
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let mut answer: Answer = decode::object(raw)?;
        for job in &mut answer.activation_jobs {
            self.list().stand_in_for(&mut job.sequence_store_id);
        }
        Ok(ListReadSetActivationJobsOutput {
            activation_jobs: answer.activation_jobs,
            next_token: self.list().next_token(answer.next_token)?,
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// One page of the activation jobs of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ListReadSetActivationJobsOutput {
    /// The jobs; there may be none on a page, and more on the next.
    pub activation_jobs: Vec<ActivateReadSetJobItem>,
    /// Where the next page starts; `None` on the last one.
    pub next_token: Option<String>,
    /// The id that AWS support asks for.
    pub request_id: Option<String>,
}

page! { ListReadSetActivationJobsOutput of ActivateReadSetJobItem in activation_jobs }

/// An activation job in a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ActivateReadSetJobItem {
    /// The job; empty if the service left it out.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub id: ActivationJobId,
    /// The store that the job works on.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub sequence_store_id: SequenceStoreId,
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
