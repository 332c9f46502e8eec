//! `StartReadSetExportJob`, `GetReadSetExportJob` and `ListReadSetExportJobs`: read sets to a bucket.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::JobFilter;
use super::sources::serialize_read_set_ids;
use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{
    ClientToken, ExportJobId, ItemStatus, JobStatus, ReadSetId, RoleArn, S3Destination, SequenceStoreId,
};
use crate::operation::call::call;
use crate::operation::list::List;
use crate::operation::response::{check_id, fill_in_store};
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject};
use crate::protocol::request::{HostPrefix, Request};

/// How many read sets one export job takes.
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

    /// Asks how an export job stands (`GetReadSetExportJob`).
    ///
    /// ```
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_export_job().sequence_store_id(&store).destination("s3://my-bucket")
    /// #     .role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources(["5555555555"]).send().await?;
    /// let job = client.get_read_set_export_job().sequence_store_id(&store).id(&started.id).send().await?;
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

    /// Lists the export jobs of a store, narrowed by a filter if there is one (`ListReadSetExportJobs`).
    ///
    /// `send` brings one page, [`items`](ListReadSetExportJobs::items) all of them. The entries say less than
    /// [`get_read_set_export_job`](Client::get_read_set_export_job): nothing of the read sets.
    ///
    /// ```
    /// use healthomics::read_set::{JobFilter, JobStatus};
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
        ListReadSetExportJobs::new(self.call())
    }
}

call! {
    /// The call `StartReadSetExportJob`, made by [`Client::start_read_set_export_job`].
    pub struct StartReadSetExportJob in mod start_read_set_export_job sends StartReadSetExportJobRequest returns StartReadSetExportJobOutput;
    required {
        /// The store that the read sets are in: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// Where the files go: `s3://bucket`, `s3://bucket/` or `s3://bucket/prefix/`.
        Destination = destination: S3Destination;
        /// The role that HealthOmics assumes to write there: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// The read sets to export: 1 to 100 of them, a single one as `[id]`. More are for
        /// [`export_read_sets`](Client::export_read_sets).
        Sources = sources: Vec<ReadSetId>, each ReadSetId, serde(serialize_with = "serialize_read_set_ids");
    }
    defaulted {
        /// A token of your own, 1 to 127 characters: give the one of an earlier try to repeat it safely. Without
        /// it, every `send` makes a new one.
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
        violations.path_id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.s3_destination(Path::Member("destination"), self.destination.as_str());
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
}

json_struct! {
    /// An export job that was started.
    ///
    /// [`Client::start_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct StartReadSetExportJobOutput {
        /// The job: ask for it, or keep the id to ask later.
        pub id: ExportJobId,
        /// The store that the read sets are in.
        pub sequence_store_id: SequenceStoreId,
        /// Where the files go, if the service repeats it.
        pub destination: Option<S3Destination>,
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
    /// The call `GetReadSetExportJob`, made by [`Client::get_read_set_export_job`].
    pub struct GetReadSetExportJob in mod get_read_set_export_job sends GetReadSetExportJobRequest returns GetReadSetExportJobOutput;
    required {
        /// The store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The job: 10 to 36 digits.
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
        violations.path_id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Member("id"), self.id.as_str());
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
    /// How an export job stands.
    ///
    /// [`Client::get_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetExportJobOutput {
        /// The job.
        pub id: ExportJobId,
        /// The store that the read sets are in.
        pub sequence_store_id: SequenceStoreId,
        /// Where the files go.
        pub destination: Option<S3Destination>,
        /// Where the job stands.
        pub status: JobStatus,
        /// What the service says about it.
        pub status_message: Option<String>,
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime>,
        /// Each read set of the job; empty while the service does not tell.
        pub read_sets: Vec<ExportReadSetDetail>,
        /// The id that AWS support asks for.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// One read set of an export job.
    ///
    /// [`Client::get_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ExportReadSetDetail {
        /// The read set; empty if the service left it out.
        pub id: ReadSetId,
        /// Where it stands.
        pub status: ItemStatus,
        /// What the service says about it: why it failed, say.
        pub status_message: Option<String>,
    }
}

call! {
    /// The call `ListReadSetExportJobs`, made by [`Client::list_read_set_export_jobs`].
    pub struct ListReadSetExportJobs in mod list_read_set_export_jobs sends ListReadSetExportJobsRequest
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
    /// One page of the export jobs of a store.
    ///
    /// [`Client::list_read_set_export_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetExportJobsOutput {
        /// The jobs; there may be none on a page, and more on the next.
        pub export_jobs: Vec<ExportReadSetJobDetail>,
        /// Where the next page starts; `None` on the last page.
        pub next_token: Option<String>,
        /// The request id, which AWS support asks for.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// An export job in a list.
    ///
    /// [`Client::list_read_set_export_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ExportReadSetJobDetail {
        /// The job; empty if the service left it out.
        pub id: ExportJobId,
        /// The store that the job works on.
        pub sequence_store_id: SequenceStoreId,
        /// Where the files go.
        pub destination: Option<S3Destination>,
        /// Where the job stands.
        pub status: JobStatus,
        /// When the job was created.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended.
        pub completion_time: Option<OffsetDateTime>,
    }
}
