//! `StartReadSetImportJob`, `GetReadSetImportJob` and `ListReadSetImportJobs`: jobs that make read sets of files in
//! Amazon S3.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use source::{
    ImportReadSetSource, ImportReadSetSourceBuilder, ImportReadSetSourceItem, SourceFiles, import_read_set_source,
};

mod manifest;
mod source;

use super::filter::JobFilter;
use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{ClientToken, ImportJobId, JobStatus, RoleArn, SequenceStoreId};
use crate::operation::call::{call, start_call};
use crate::operation::list::List;
use crate::operation::reconcile::{self, StartOperation, StartOutput, may_be_same};
use crate::operation::response::{check_id, fill_in_store};
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject};
use crate::protocol::replayed::Evidence;
use crate::protocol::request::{HostPrefix, Request};

/// The largest number of sources of an import job.
pub const MAX_IMPORT_SOURCES: usize = 100;

impl Client {
    /// Starts a job that imports up to 100 sources from Amazon S3 (`StartReadSetImportJob`).
    ///
    /// ```
    /// use healthomics::read_set::{FileType, ImportReadSetSource, SourceFiles};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let job = client
    ///     .start_read_set_import_job()
    ///     .sequence_store_id(&store)
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
    ///     .sources([ImportReadSetSource::builder()
    ///         .source_files(
    ///             SourceFiles::source1("s3://my-bucket/run-7/lane1_R1.fastq.gz")
    ///                 .source2("s3://my-bucket/run-7/lane1_R2.fastq.gz"),
    ///         )
    ///         .source_file_type(FileType::Fastq)
    ///         .subject_id("HG00146")
    ///         .sample_id("SRR233106")
    ///         .build()])
    ///     .send()
    ///     .await?;
    /// println!("{} is {}", job.id, job.status);
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_start.md")]
    pub fn start_read_set_import_job(&self) -> StartReadSetImportJob {
        StartReadSetImportJob::new(self.call())
    }

    /// Returns the status of an import job and of each of its sources (`GetReadSetImportJob`).
    ///
    /// ```
    /// # use healthomics::read_set::{FileType, ImportReadSetSource};
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_import_job().sequence_store_id(&store)
    /// #     .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
    /// #     .sources([ImportReadSetSource::builder().source_files("s3://my-bucket/a.bam")
    /// #         .source_file_type(FileType::Ubam).subject_id("S").sample_id("s").build()]).send().await?;
    /// let job = client
    ///     .get_read_set_import_job()
    ///     .sequence_store_id(&store)
    ///     .id(&started.id)
    ///     .send()
    ///     .await?;
    /// for source in &job.sources {
    ///     println!("{} is {:?}", source.source_files.source1, source.read_set_id);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn get_read_set_import_job(&self) -> GetReadSetImportJob {
        GetReadSetImportJob::new(self.call())
    }

    /// Lists the import jobs of a sequence store, all of them or those that match a filter (`ListReadSetImportJobs`).
    ///
    /// `send` returns one page, [`items`](ListReadSetImportJobs::items) the jobs of all pages. Only
    /// [`get_read_set_import_job`](Client::get_read_set_import_job) returns the sources of a job.
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
    ///     .list_read_set_import_jobs()
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
    pub fn list_read_set_import_jobs(&self) -> ListReadSetImportJobs {
        ListReadSetImportJobs::new(self.call())
    }
}

call! {
    /// The call `StartReadSetImportJob`, made by [`Client::start_read_set_import_job`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// let source = ImportReadSetSource::builder()
    ///     .source_files("s3://my-bucket/HG00096.bam")
    ///     .source_file_type(FileType::Ubam)
    ///     .subject_id("HG00096")
    ///     .sample_id("HG00096-blood")
    ///     .build();
    /// let call = client
    ///     .start_read_set_import_job()
    ///     .sequence_store_id("1234567890")
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
    ///     .sources([source])
    ///     .client_token("run-4711");
    /// println!("{} was started", call.send().await?.id);
    /// # Ok(()) }
    /// ```
    pub struct StartReadSetImportJob in mod start_read_set_import_job
    sends StartReadSetImportJobRequest returns StartReadSetImportJobOutput by reconcile::send;
    required {
        /// The id of the sequence store that gets the read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The ARN of the role that HealthOmics assumes to read the files: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// What to import: 1 to 100 sources, of any file types. For more of them, use
        /// [`import_read_sets`](Client::import_read_sets).
        Sources = sources: Vec<ImportReadSetSource>, each ImportReadSetSource;
    }
    defaulted {
        /// The client token: 1 to 127 characters. With the token of an earlier start, no second job starts. Every
        /// `send` makes a new one by default.
        client_token: ClientToken = ClientToken::random();
    }
}

impl Operation for StartReadSetImportJobRequest {
    const NAME: &'static str = "StartReadSetImportJob";
    const MUTATES: bool = true;
    const REPLAY: Replay = Replay::Safe;
    type Output = StartReadSetImportJobOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.sequence_store_id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.role_arn(&self.role_arn);
        violations.client_token(&self.client_token);
        let sources = Path::Root("sources");
        violations.count(sources, self.sources.len(), MAX_IMPORT_SOURCES);
        for (index, source) in self.sources.iter().enumerate() {
            source.check(violations, sources.item(index));
        }
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "importjob"];
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
    /// The output of `StartReadSetImportJob`: the job that was started.
    ///
    /// [`Client::start_read_set_import_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct StartReadSetImportJobOutput {
        /// The id of the job: 10 to 36 digits.
        pub id: ImportJobId,
        /// The id of the sequence store that gets the read sets.
        pub sequence_store_id: SequenceStoreId,
        /// The ARN of the role that HealthOmics assumes to read the files. `None` if the service leaves it out.
        pub role_arn: Option<RoleArn>,
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

start_call! { StartReadSetImportJob<StoreId: SequenceStoreId, Role: RoleArn, Sources: Vec<ImportReadSetSource>> returns StartReadSetImportJobOutput }

impl StartOperation for StartReadSetImportJobRequest {
    type Jobs = ListReadSetImportJobsOutput;
    type Get = GetReadSetImportJobRequest;

    fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    fn items(&self) -> Vec<String> {
        self.sources.iter().map(|source| file_names(&source.source_files)).collect()
    }

    fn candidate(&self, listed: &ImportReadSetJobItem) -> Option<String> {
        let is_candidate = may_be_same(self.role_arn.as_str(), listed.role_arn.as_ref().map(|role| role.as_str()));
        is_candidate.then(|| listed.id.to_string())
    }

    fn get(&self, id: &str) -> GetReadSetImportJobRequest {
        GetReadSetImportJobRequest { sequence_store_id: self.sequence_store_id.clone(), id: id.into() }
    }

    fn items_of(job: &GetReadSetImportJobOutput) -> Vec<String> {
        job.sources.iter().map(|source| file_names(&source.source_files)).collect()
    }

    fn output(&self, job: GetReadSetImportJobOutput) -> StartReadSetImportJobOutput {
        StartReadSetImportJobOutput {
            id: job.id,
            sequence_store_id: job.sequence_store_id,
            role_arn: job.role_arn,
            status: job.status,
            creation_time: job.creation_time,
            client_token: self.client_token.clone(),
            request_id: job.request_id,
            replayed: Some(true),
        }
    }
}

/// The files of a source on one line each. The service may leave out its other fields.
fn file_names(files: &SourceFiles) -> String {
    let source2 = files.source2.as_ref().map_or("", |source2| source2.as_str());
    format!("{}\n{source2}", files.source1)
}

impl StartOutput for StartReadSetImportJobOutput {
    fn job_id(&self) -> &str {
        self.id.as_str()
    }
}

call! {
    /// The call `GetReadSetImportJob`, made by [`Client::get_read_set_import_job`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .get_read_set_import_job()
    ///     .sequence_store_id("1234567890")
    ///     .id("7777777777");
    /// let job = call.send().await?;
    /// println!("{} with {} items", job.status, job.sources.len());
    /// # Ok(()) }
    /// ```
    pub struct GetReadSetImportJob in mod get_read_set_import_job
    sends GetReadSetImportJobRequest returns GetReadSetImportJobOutput;
    required {
        /// The id of the sequence store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The id of the job: 10 to 36 digits.
        JobId = id: ImportJobId, serde(skip);
    }
}

impl Operation for GetReadSetImportJobRequest {
    const NAME: &'static str = "GetReadSetImportJob";
    const MUTATES: bool = false;
    const REPLAY: Replay = Replay::Safe;
    type Output = GetReadSetImportJobOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::job(&self.sequence_store_id, self.id.as_str())
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Root("id"), self.id.as_str());
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "importjob", self.id.as_str()];
        Request::get(HostPrefix::ControlStorage, &path)
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        fill_in_store(&mut output.sequence_store_id, &self.sequence_store_id);
        output.request_id = request_id;
        check_id(self.id.as_str(), output.id.as_str())
    }
}

json_struct! {
    /// The output of `GetReadSetImportJob`: the status of an import job and of each of its sources.
    ///
    /// [`Client::get_read_set_import_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetImportJobOutput {
        /// The id of the job.
        pub id: ImportJobId,
        /// The id of the sequence store that gets the read sets.
        pub sequence_store_id: SequenceStoreId,
        /// The ARN of the role that HealthOmics assumes to read the files. `None` if the service leaves it out.
        pub role_arn: Option<RoleArn>,
        /// The status of the job.
        pub status: JobStatus,
        /// A message of the service about the status. `None` if there is none.
        pub status_message: Option<String>,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended. `None` until then.
        pub completion_time: Option<OffsetDateTime>,
        /// The sources of the job. Empty until the service lists them.
        pub sources: Vec<ImportReadSetSourceItem>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

call! {
    /// The call `ListReadSetImportJobs`, made by [`Client::list_read_set_import_jobs`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// use healthomics::read_set::{JobFilter, JobStatus};
    ///
    /// let call = client
    ///     .list_read_set_import_jobs()
    ///     .sequence_store_id("1234567890")
    ///     .filter(JobFilter::new().status(JobStatus::Failed));
    /// let mut jobs = call.items();
    /// while let Some(job) = jobs.next().await {
    ///     println!("{} failed", job?.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub struct ListReadSetImportJobs in mod list_read_set_import_jobs
    sends ListReadSetImportJobsRequest
    returns pages of ListReadSetImportJobsOutput { import_jobs: ImportReadSetJobItem };
    optional {
        /// Which jobs to list. All of them by default.
        filter: JobFilter;
    }
}

impl List for ListReadSetImportJobsOutput {
    const NAME: &'static str = "ListReadSetImportJobs";
    const PATH: &'static str = "importjobs";
    const ITEMS: &'static str = "importJobs";
    const REQUIRES_ITEMS: bool = false;
    type Filter = JobFilter;

    fn complete(&mut self, store: &SequenceStoreId, request_id: Option<String>) {
        self.request_id = request_id;
        for job in &mut self.import_jobs {
            fill_in_store(&mut job.sequence_store_id, store);
        }
    }

    fn is_empty(&self) -> bool {
        self.import_jobs.is_empty()
    }
}

json_struct! {
    /// The output of `ListReadSetImportJobs`: one page of the import jobs of a sequence store.
    ///
    /// [`Client::list_read_set_import_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetImportJobsOutput {
        /// The jobs of the page. It may be empty although the next page is not.
        pub import_jobs: Vec<ImportReadSetJobItem>,
        /// The token of the next page: pass it as `next_token` to the same list. `None` on the last page.
        pub next_token: Option<String>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// An import job in a list (`ImportReadSetJobItem`).
    ///
    /// [`Client::list_read_set_import_jobs`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ImportReadSetJobItem {
        /// The id of the job.
        pub id: ImportJobId,
        /// The id of the sequence store that the job works on.
        pub sequence_store_id: SequenceStoreId,
        /// The ARN of the role that HealthOmics assumes to read the files. `None` if the service leaves it out.
        pub role_arn: Option<RoleArn>,
        /// The status of the job.
        pub status: JobStatus,
        /// When the job was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// When the job ended. `None` until then.
        pub completion_time: Option<OffsetDateTime>,
    }
}
