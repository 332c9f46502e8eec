//! `StartReadSetActivationJob`, `GetReadSetActivationJob` and `ListReadSetActivationJobs`: archived read sets back to where they can be read.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::JobFilter;
use super::sources::serialize_read_set_ids;
use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{ActivationJobId, ClientToken, ItemStatus, JobStatus, ReadSetId, SequenceStoreId};
use crate::operation::call::call;
use crate::operation::list::List;
use crate::operation::response::{check_id, fill_in_store};
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject};
use crate::protocol::request::{HostPrefix, Request};

/// How many read sets one activation job takes.
pub const MAX_ACTIVATION_SOURCES: usize = 20;

impl Client {
    /// Starts a job that brings up to 20 archived read sets back to where they can be read (`StartReadSetActivationJob`).
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let job = client
    ///     .start_read_set_activation_job()
    ///     .sequence_store_id(&store)
    ///     .sources(["5555555555", "5555555556"])
    ///     .send()
    ///     .await?;
    /// println!("{} is {}", job.id, job.status);
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_start.md")]
    pub fn start_read_set_activation_job(&self) -> StartReadSetActivationJob {
        StartReadSetActivationJob::new(self.call())
    }

    /// Asks how an activation job stands (`GetReadSetActivationJob`).
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_activation_job().sequence_store_id(&store)
    /// #     .sources(["5555555555"]).send().await?;
    /// let job = client.get_read_set_activation_job().sequence_store_id(&store).id(&started.id).send().await?;
    /// for source in &job.sources {
    ///     println!("{} is {}", source.read_set_id, source.status);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn get_read_set_activation_job(&self) -> GetReadSetActivationJob {
        GetReadSetActivationJob::new(self.call())
    }

    /// Lists the activation jobs of a store, narrowed by a filter if there is one (`ListReadSetActivationJobs`).
    ///
    /// `send` brings one page, [`items`](ListReadSetActivationJobs::items) all of them. The entries say less than
    /// [`get_read_set_activation_job`](Client::get_read_set_activation_job): nothing of the read sets.
    ///
    /// ```
    /// use healthomics::read_set::{JobFilter, JobStatus};
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
        ListReadSetActivationJobs::new(self.call())
    }
}

call! {
    /// The call `StartReadSetActivationJob`, made by [`Client::start_read_set_activation_job`].
    pub struct StartReadSetActivationJob in mod start_read_set_activation_job sends StartReadSetActivationJobRequest returns StartReadSetActivationJobOutput;
    required {
        /// The store that the read sets are in: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The read sets to activate: 1 to 20 of them, a single one as `[id]`. More are for
        /// [`activate_read_sets`](Client::activate_read_sets).
        Sources = sources: Vec<ReadSetId>, each ReadSetId, serde(serialize_with = "serialize_read_set_ids");
    }
    defaulted {
        /// A token of your own, 1 to 127 characters: give the one of an earlier try to repeat it safely. Without
        /// it, every `send` makes a new one.
        client_token: ClientToken = ClientToken::random();
    }
}

impl Operation for StartReadSetActivationJobRequest {
    const NAME: &'static str = "StartReadSetActivationJob";
    const MUTATES: bool = true;
    const REPLAY: Replay = Replay::Safe;
    type Output = StartReadSetActivationJobOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.sequence_store_id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.client_token(&self.client_token);
        violations.sources(&self.sources, MAX_ACTIVATION_SOURCES);
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "activationjob"];
        Request::post(HostPrefix::ControlStorage, &path, json::to_body(self))
    }

    fn client_token(&self) -> Option<&ClientToken> {
        Some(&self.client_token)
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        fill_in_store(&mut output.sequence_store_id, &self.sequence_store_id);
        output.client_token = self.client_token.clone();
        output.request_id = request_id;
        Ok(())
    }
}

json_struct! {
    /// An activation job that was started.
    ///
    /// [`Client::start_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct StartReadSetActivationJobOutput {
        /// The job: ask for it, or keep the id to ask later.
        pub id: ActivationJobId,
        /// The store that the read sets are in.
        pub sequence_store_id: SequenceStoreId,
        /// Usually [`JobStatus::Submitted`].
        pub status: JobStatus,
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime>,
        /// The token of this start: another start with it returns this job.
        pub client_token: ClientToken,
        /// The id that AWS support asks for.
        pub request_id: Option<String>,
    }
}

call! {
    /// The call `GetReadSetActivationJob`, made by [`Client::get_read_set_activation_job`].
    pub struct GetReadSetActivationJob in mod get_read_set_activation_job sends GetReadSetActivationJobRequest returns GetReadSetActivationJobOutput;
    required {
        /// The store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The job: 10 to 36 digits.
        JobId = id: ActivationJobId, serde(skip);
    }
}

impl Operation for GetReadSetActivationJobRequest {
    const NAME: &'static str = "GetReadSetActivationJob";
    const MUTATES: bool = false;
    const REPLAY: Replay = Replay::Safe;
    type Output = GetReadSetActivationJobOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::job(&self.sequence_store_id, self.id.as_str())
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Member("id"), self.id.as_str());
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "activationjob", self.id.as_str()];
        Request::get(HostPrefix::ControlStorage, &path)
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        fill_in_store(&mut output.sequence_store_id, &self.sequence_store_id);
        output.request_id = request_id;
        check_id(self.id.as_str(), output.id.as_str())
    }
}

json_struct! {
    /// How an activation job stands.
    ///
    /// [`Client::get_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetActivationJobOutput {
        /// The job.
        pub id: ActivationJobId,
        /// The store that the read sets are in.
        pub sequence_store_id: SequenceStoreId,
        /// Where the job stands.
        pub status: JobStatus,
        /// What the service says about it.
        pub status_message: Option<String>,
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime>,
        /// Each read set of the job; empty while the service does not tell.
        pub sources: Vec<ActivateReadSetSourceItem>,
        /// The id that AWS support asks for.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// One read set of an activation job.
    ///
    /// [`Client::get_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ActivateReadSetSourceItem {
        /// The read set; empty if the service left it out.
        pub read_set_id: ReadSetId,
        /// Where it stands.
        pub status: ItemStatus,
        /// What the service says about it: why it failed, say.
        pub status_message: Option<String>,
    }
}

call! {
    /// The call `ListReadSetActivationJobs`, made by [`Client::list_read_set_activation_jobs`].
    pub struct ListReadSetActivationJobs in mod list_read_set_activation_jobs sends ListReadSetActivationJobsRequest
    returns pages of ListReadSetActivationJobsOutput { activation_jobs: ActivateReadSetJobItem };
    optional {
        /// Which jobs to list. All of them by default.
        filter: JobFilter;
    }
}

impl List for ListReadSetActivationJobsOutput {
    const NAME: &'static str = "ListReadSetActivationJobs";
    const PATH: &'static str = "activationjobs";
    const ITEMS: &'static str = "activationJobs";
    const REQUIRES_ITEMS: bool = false;
    type Filter = JobFilter;

    fn complete(&mut self, store: &SequenceStoreId, request_id: Option<String>) {
        self.request_id = request_id;
        for job in &mut self.activation_jobs {
            fill_in_store(&mut job.sequence_store_id, store);
        }
    }

    fn is_empty(&self) -> bool {
        self.activation_jobs.is_empty()
    }
}

json_struct! {
    /// One page of the activation jobs of a store.
    ///
    /// [`Client::list_read_set_activation_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetActivationJobsOutput {
        /// The jobs; there may be none on a page, and more on the next.
        pub activation_jobs: Vec<ActivateReadSetJobItem>,
        /// Where the next page starts; `None` on the last page.
        pub next_token: Option<String>,
        /// The request id, which AWS support asks for.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// An activation job in a list.
    ///
    /// [`Client::list_read_set_activation_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ActivateReadSetJobItem {
        /// The job; empty if the service left it out.
        pub id: ActivationJobId,
        /// The store that the job works on.
        pub sequence_store_id: SequenceStoreId,
        /// Where the job stands.
        pub status: JobStatus,
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime>,
    }
}
