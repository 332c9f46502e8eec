//! `StartReadSetActivationJob`, `GetReadSetActivationJob` and `ListReadSetActivationJobs`: jobs that restore archived
//! read sets.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::JobFilter;
use super::sources::serialize_read_set_ids;
use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{ActivationJobId, ClientToken, ItemStatus, JobStatus, ReadSetId, SequenceStoreId};
use crate::operation::call::{call, start_call};
use crate::operation::list::List;
use crate::operation::reconcile::{self, StartOperation, StartOutput};
use crate::operation::response::{check_id, fill_in_store};
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject};
use crate::protocol::replayed::Evidence;
use crate::protocol::request::{HostPrefix, Request};

/// The largest number of read sets of an activation job.
pub const MAX_ACTIVATION_SOURCES: usize = 20;

impl Client {
    /// Starts a job that restores up to 20 archived read sets, so that they can be read (`StartReadSetActivationJob`).
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

    /// Returns the status of an activation job and of each of its read sets (`GetReadSetActivationJob`).
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_activation_job().sequence_store_id(&store)
    /// #     .sources(["5555555555"]).send().await?;
    /// let job = client
    ///     .get_read_set_activation_job()
    ///     .sequence_store_id(&store)
    ///     .id(&started.id)
    ///     .send()
    ///     .await?;
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

    /// Lists the activation jobs of a sequence store, all of them or those that match a filter
    /// (`ListReadSetActivationJobs`).
    ///
    /// `send` returns one page, [`items`](ListReadSetActivationJobs::items) the jobs of all pages. Only
    /// [`get_read_set_activation_job`](Client::get_read_set_activation_job) returns the read sets of a job.
    ///
    /// ```
    /// use healthomics::read_set::{JobFilter, JobStatus};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let failed = JobFilter::new().status(JobStatus::Failed);
    /// let mut jobs = client
    ///     .list_read_set_activation_jobs()
    ///     .sequence_store_id(&store)
    ///     .filter(failed)
    ///     .items();
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
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .start_read_set_activation_job()
    ///     .sequence_store_id("1234567890")
    ///     .sources(["5555555555", "5555555556"])
    ///     .client_token("order-4711");
    /// println!("{} was started", call.send().await?.id);
    /// # Ok(()) }
    /// ```
    pub struct StartReadSetActivationJob in mod start_read_set_activation_job
    sends StartReadSetActivationJobRequest returns StartReadSetActivationJobOutput by reconcile::send;
    required {
        /// The id of the sequence store that has the read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The ids of the read sets to activate: 1 to 20, a single one as `[id]`. For more of them, use
        /// [`activate_read_sets`](Client::activate_read_sets).
        Sources = sources: Vec<ReadSetId>, each ReadSetId, serde(serialize_with = "serialize_read_set_ids");
    }
    defaulted {
        /// The client token: 1 to 127 characters. With the token of an earlier start, no second job starts. Every
        /// `send` makes a new one by default.
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
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
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

    fn set_replayed(&self, output: &mut Self::Output, evidence: &Evidence<'_>) {
        output.replayed = evidence.replayed(output.creation_time);
    }
}

json_struct! {
    /// The output of `StartReadSetActivationJob`: the job that was started.
    ///
    /// [`Client::start_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct StartReadSetActivationJobOutput {
        /// The id of the job: 10 to 36 digits.
        pub id: ActivationJobId,
        /// The id of the sequence store that has the read sets.
        pub sequence_store_id: SequenceStoreId,
        /// The status of the job: usually [`JobStatus::Submitted`].
        pub status: JobStatus,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// The client token of the start: another start with it returns this job.
        pub client_token: ClientToken,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
        #[doc = include_str!("replayed.md")]
        pub replayed: Option<bool>,
    }
}

start_call! { StartReadSetActivationJob<StoreId: SequenceStoreId, Sources: Vec<ReadSetId>> returns StartReadSetActivationJobOutput }

impl StartOperation for StartReadSetActivationJobRequest {
    type Jobs = ListReadSetActivationJobsOutput;
    type Get = GetReadSetActivationJobRequest;

    fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    fn items(&self) -> Vec<String> {
        self.sources.iter().map(ToString::to_string).collect()
    }

    fn candidate(&self, listed: &ActivateReadSetJobItem) -> Option<String> {
        Some(listed.id.to_string())
    }

    fn get(&self, id: &str) -> GetReadSetActivationJobRequest {
        GetReadSetActivationJobRequest { sequence_store_id: self.sequence_store_id.clone(), id: id.into() }
    }

    fn items_of(job: &GetReadSetActivationJobOutput) -> Vec<String> {
        job.sources.iter().map(|source| source.read_set_id.to_string()).collect()
    }

    fn output(&self, job: GetReadSetActivationJobOutput) -> StartReadSetActivationJobOutput {
        StartReadSetActivationJobOutput {
            id: job.id,
            sequence_store_id: job.sequence_store_id,
            status: job.status,
            creation_time: job.creation_time,
            client_token: self.client_token.clone(),
            request_id: job.request_id,
            replayed: Some(true),
        }
    }
}

impl StartOutput for StartReadSetActivationJobOutput {
    fn job_id(&self) -> &str {
        self.id.as_str()
    }
}

call! {
    /// The call `GetReadSetActivationJob`, made by [`Client::get_read_set_activation_job`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .get_read_set_activation_job()
    ///     .sequence_store_id("1234567890")
    ///     .id("7777777777");
    /// let job = call.send().await?;
    /// println!("{} with {} items", job.status, job.sources.len());
    /// # Ok(()) }
    /// ```
    pub struct GetReadSetActivationJob in mod get_read_set_activation_job
    sends GetReadSetActivationJobRequest returns GetReadSetActivationJobOutput;
    required {
        /// The id of the sequence store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The id of the job: 10 to 36 digits.
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
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Root("id"), self.id.as_str());
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
    /// The output of `GetReadSetActivationJob`: the status of an activation job and of each of its read sets.
    ///
    /// [`Client::get_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetActivationJobOutput {
        /// The id of the job.
        pub id: ActivationJobId,
        /// The id of the sequence store that has the read sets.
        pub sequence_store_id: SequenceStoreId,
        /// The status of the job.
        pub status: JobStatus,
        /// A message of the service about the status. `None` if there is none.
        pub status_message: Option<String>,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended. `None` until then.
        pub completion_time: Option<OffsetDateTime>,
        /// The read sets of the job. Empty until the service lists them.
        pub sources: Vec<ActivateReadSetSourceItem>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// A read set of an activation job.
    ///
    /// [`Client::get_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ActivateReadSetSourceItem {
        /// The id of the read set.
        pub read_set_id: ReadSetId,
        /// The status of its activation.
        pub status: ItemStatus,
        /// A message of the service about the status, such as why it failed. `None` if there is none.
        pub status_message: Option<String>,
    }
}

call! {
    /// The call `ListReadSetActivationJobs`, made by [`Client::list_read_set_activation_jobs`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// use healthomics::read_set::{JobFilter, JobStatus};
    ///
    /// let call = client
    ///     .list_read_set_activation_jobs()
    ///     .sequence_store_id("1234567890")
    ///     .filter(JobFilter::new().status(JobStatus::Failed));
    /// let mut jobs = call.items();
    /// while let Some(job) = jobs.next().await {
    ///     println!("{} failed", job?.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub struct ListReadSetActivationJobs in mod list_read_set_activation_jobs
    sends ListReadSetActivationJobsRequest
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
    /// The output of `ListReadSetActivationJobs`: one page of the activation jobs of a sequence store.
    ///
    /// [`Client::list_read_set_activation_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetActivationJobsOutput {
        /// The jobs of the page. It may be empty although the next page is not.
        pub activation_jobs: Vec<ActivateReadSetJobItem>,
        /// The token of the next page: pass it as `next_token` to the same list. `None` on the last page.
        pub next_token: Option<String>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// An activation job in a list (`ActivateReadSetJobItem`).
    ///
    /// [`Client::list_read_set_activation_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ActivateReadSetJobItem {
        /// The id of the job.
        pub id: ActivationJobId,
        /// The id of the sequence store that the job works on.
        pub sequence_store_id: SequenceStoreId,
        /// The status of the job.
        pub status: JobStatus,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended. `None` until then.
        pub completion_time: Option<OffsetDateTime>,
    }
}
