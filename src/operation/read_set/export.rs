//! `StartReadSetExportJob`, `GetReadSetExportJob` and `ListReadSetExportJobs`: jobs that export read sets to Amazon S3.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::JobFilter;
use super::sources::serialize_read_set_ids;
use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{
    ClientToken, ExportJobId, ItemStatus, JobStatus, ReadSetId, RoleArn, S3Destination, SequenceStoreId,
};
use crate::operation::call::{call, start_call};
use crate::operation::list::List;
use crate::operation::reconcile::{self, StartOperation, StartOutput, may_be_same};
use crate::operation::response::{check_id, fill_in_store};
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject};
use crate::protocol::replayed::Evidence;
use crate::protocol::request::{HostPrefix, Request};

/// The largest number of read sets of an export job.
pub const MAX_EXPORT_SOURCES: usize = 100;

impl Client {
    /// Starts a job that exports up to 100 read sets to Amazon S3 (`StartReadSetExportJob`).
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let job = client
    ///     .start_read_set_export_job()
    ///     .sequence_store_id(&store)
    ///     .destination("s3://my-bucket/exports/")
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
    ///     .sources(["5555555555", "5555555556"])
    ///     .send()
    ///     .await?;
    /// println!("{} is {}", job.id, job.status);
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_start.md")]
    pub fn start_read_set_export_job(&self) -> StartReadSetExportJob {
        StartReadSetExportJob::new(self.call())
    }

    /// Returns the status of an export job and of each of its read sets (`GetReadSetExportJob`).
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_export_job().sequence_store_id(&store).destination("s3://my-bucket")
    /// #     .role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources(["5555555555"]).send().await?;
    /// let job = client
    ///     .get_read_set_export_job()
    ///     .sequence_store_id(&store)
    ///     .id(&started.id)
    ///     .send()
    ///     .await?;
    /// for read_set in &job.read_sets {
    ///     println!("{} is {}", read_set.id, read_set.status);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn get_read_set_export_job(&self) -> GetReadSetExportJob {
        GetReadSetExportJob::new(self.call())
    }

    /// Lists the export jobs of a sequence store, all of them or those that match a filter (`ListReadSetExportJobs`).
    ///
    /// `send` returns one page, [`items`](ListReadSetExportJobs::items) the jobs of all pages. Only
    /// [`get_read_set_export_job`](Client::get_read_set_export_job) returns the read sets of a job.
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
    ///     .list_read_set_export_jobs()
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
    pub fn list_read_set_export_jobs(&self) -> ListReadSetExportJobs {
        ListReadSetExportJobs::new(self.call())
    }
}

call! {
    /// The call `StartReadSetExportJob`, made by [`Client::start_read_set_export_job`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .start_read_set_export_job()
    ///     .sequence_store_id("1234567890")
    ///     .destination("s3://my-bucket/exports/")
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
    ///     .sources(["5555555555", "5555555556"])
    ///     .client_token("order-4711");
    /// println!("{} was started", call.send().await?.id);
    /// # Ok(()) }
    /// ```
    pub struct StartReadSetExportJob in mod start_read_set_export_job
    sends StartReadSetExportJobRequest returns StartReadSetExportJobOutput by reconcile::send;
    required {
        /// The id of the sequence store that has the read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The destination of the files: `s3://bucket`, `s3://bucket/` or `s3://bucket/prefix/`.
        Destination = destination: S3Destination;
        /// The ARN of the role that HealthOmics assumes to write the files: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// The ids of the read sets to export: 1 to 100, a single one as `[id]`. For more of them, use
        /// [`export_read_sets`](Client::export_read_sets).
        Sources = sources: Vec<ReadSetId>, each ReadSetId, serde(serialize_with = "serialize_read_set_ids");
    }
    defaulted {
        /// The client token: 1 to 127 characters. With the token of an earlier start, no second job starts. Every
        /// `send` makes a new one by default.
        client_token: ClientToken = ClientToken::random();
    }
}

impl Operation for StartReadSetExportJobRequest {
    const NAME: &'static str = "StartReadSetExportJob";
    const MUTATES: bool = true;
    const REPLAY: Replay = Replay::Safe;
    type Output = StartReadSetExportJobOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.sequence_store_id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.s3_destination(Path::Root("destination"), self.destination.as_str());
        violations.role_arn(&self.role_arn);
        violations.client_token(&self.client_token);
        violations.sources(&self.sources, MAX_EXPORT_SOURCES);
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "exportjob"];
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
    /// The output of `StartReadSetExportJob`: the job that was started.
    ///
    /// [`Client::start_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct StartReadSetExportJobOutput {
        /// The id of the job: 10 to 36 digits.
        pub id: ExportJobId,
        /// The id of the sequence store that has the read sets.
        pub sequence_store_id: SequenceStoreId,
        /// The destination of the files. `None` if the service leaves it out.
        pub destination: Option<S3Destination>,
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

start_call! { StartReadSetExportJob<StoreId: SequenceStoreId, Destination: S3Destination, Role: RoleArn, Sources: Vec<ReadSetId>> returns StartReadSetExportJobOutput }

impl StartOperation for StartReadSetExportJobRequest {
    type Jobs = ListReadSetExportJobsOutput;
    type Get = GetReadSetExportJobRequest;

    fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    fn items(&self) -> Vec<String> {
        self.sources.iter().map(ToString::to_string).collect()
    }

    fn candidate(&self, listed: &ExportReadSetJobDetail) -> Option<String> {
        let is_candidate =
            may_be_same(self.destination.as_str(), listed.destination.as_ref().map(|destination| destination.as_str()));
        is_candidate.then(|| listed.id.to_string())
    }

    fn get(&self, id: &str) -> GetReadSetExportJobRequest {
        GetReadSetExportJobRequest { sequence_store_id: self.sequence_store_id.clone(), id: id.into() }
    }

    fn items_of(job: &GetReadSetExportJobOutput) -> Vec<String> {
        job.read_sets.iter().map(|read_set| read_set.id.to_string()).collect()
    }

    fn output(&self, job: GetReadSetExportJobOutput) -> StartReadSetExportJobOutput {
        StartReadSetExportJobOutput {
            id: job.id,
            sequence_store_id: job.sequence_store_id,
            destination: job.destination,
            status: job.status,
            creation_time: job.creation_time,
            client_token: self.client_token.clone(),
            request_id: job.request_id,
            replayed: Some(true),
        }
    }
}

impl StartOutput for StartReadSetExportJobOutput {
    fn job_id(&self) -> &str {
        self.id.as_str()
    }
}

call! {
    /// The call `GetReadSetExportJob`, made by [`Client::get_read_set_export_job`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .get_read_set_export_job()
    ///     .sequence_store_id("1234567890")
    ///     .id("7777777777");
    /// let job = call.send().await?;
    /// println!("{} with {} items", job.status, job.read_sets.len());
    /// # Ok(()) }
    /// ```
    pub struct GetReadSetExportJob in mod get_read_set_export_job
    sends GetReadSetExportJobRequest returns GetReadSetExportJobOutput;
    required {
        /// The id of the sequence store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The id of the job: 10 to 36 digits.
        JobId = id: ExportJobId, serde(skip);
    }
}

impl Operation for GetReadSetExportJobRequest {
    const NAME: &'static str = "GetReadSetExportJob";
    const MUTATES: bool = false;
    const REPLAY: Replay = Replay::Safe;
    type Output = GetReadSetExportJobOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::job(&self.sequence_store_id, self.id.as_str())
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Root("id"), self.id.as_str());
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "exportjob", self.id.as_str()];
        Request::get(HostPrefix::ControlStorage, &path)
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        fill_in_store(&mut output.sequence_store_id, &self.sequence_store_id);
        output.request_id = request_id;
        check_id(self.id.as_str(), output.id.as_str())
    }
}

json_struct! {
    /// The output of `GetReadSetExportJob`: the status of an export job and of each of its read sets.
    ///
    /// [`Client::get_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetExportJobOutput {
        /// The id of the job.
        pub id: ExportJobId,
        /// The id of the sequence store that has the read sets.
        pub sequence_store_id: SequenceStoreId,
        /// The destination of the files. `None` if the service leaves it out.
        pub destination: Option<S3Destination>,
        /// The status of the job.
        pub status: JobStatus,
        /// A message of the service about the status. `None` if there is none.
        pub status_message: Option<String>,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended. `None` until then.
        pub completion_time: Option<OffsetDateTime>,
        /// The read sets of the job. Empty until the service lists them.
        pub read_sets: Vec<ExportReadSetDetail>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// A read set of an export job.
    ///
    /// [`Client::get_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ExportReadSetDetail {
        /// The id of the read set.
        pub id: ReadSetId,
        /// The status of its export.
        pub status: ItemStatus,
        /// A message of the service about the status, such as why it failed. `None` if there is none.
        pub status_message: Option<String>,
    }
}

call! {
    /// The call `ListReadSetExportJobs`, made by [`Client::list_read_set_export_jobs`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// use healthomics::read_set::{JobFilter, JobStatus};
    ///
    /// let call = client
    ///     .list_read_set_export_jobs()
    ///     .sequence_store_id("1234567890")
    ///     .filter(JobFilter::new().status(JobStatus::Failed));
    /// let mut jobs = call.items();
    /// while let Some(job) = jobs.next().await {
    ///     println!("{} failed", job?.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub struct ListReadSetExportJobs in mod list_read_set_export_jobs
    sends ListReadSetExportJobsRequest
    returns pages of ListReadSetExportJobsOutput { export_jobs: ExportReadSetJobDetail };
    optional {
        /// Which jobs to list. All of them by default.
        filter: JobFilter;
    }
}

impl List for ListReadSetExportJobsOutput {
    const NAME: &'static str = "ListReadSetExportJobs";
    const PATH: &'static str = "exportjobs";
    const ITEMS: &'static str = "exportJobs";
    const REQUIRES_ITEMS: bool = false;
    type Filter = JobFilter;

    fn complete(&mut self, store: &SequenceStoreId, request_id: Option<String>) {
        self.request_id = request_id;
        for job in &mut self.export_jobs {
            fill_in_store(&mut job.sequence_store_id, store);
        }
    }

    fn is_empty(&self) -> bool {
        self.export_jobs.is_empty()
    }
}

json_struct! {
    /// The output of `ListReadSetExportJobs`: one page of the export jobs of a sequence store.
    ///
    /// [`Client::list_read_set_export_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetExportJobsOutput {
        /// The jobs of the page. It may be empty although the next page is not.
        pub export_jobs: Vec<ExportReadSetJobDetail>,
        /// The token of the next page: pass it as `next_token` to the same list. `None` on the last page.
        pub next_token: Option<String>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// An export job in a list (`ExportReadSetJobDetail`).
    ///
    /// [`Client::list_read_set_export_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ExportReadSetJobDetail {
        /// The id of the job.
        pub id: ExportJobId,
        /// The id of the sequence store that the job works on.
        pub sequence_store_id: SequenceStoreId,
        /// The destination of the files. `None` if the service leaves it out.
        pub destination: Option<S3Destination>,
        /// The status of the job.
        pub status: JobStatus,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended. `None` until then.
        pub completion_time: Option<OffsetDateTime>,
    }
}
