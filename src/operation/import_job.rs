//! `StartReadSetImportJob` and `GetReadSetImportJob`: files in Amazon S3 become read sets.

use serde_core::ser::SerializeMap as _;
use time::OffsetDateTime;

pub use source::{ImportReadSetSource, ImportReadSetSourceBuilder, ImportReadSetSourceItem, SourceFiles};

mod source;

use super::{Operation, call};
use crate::Client;
use crate::check::{Path, Violations};
use crate::client::Call;
use crate::decode::{self, JobAnswer, Undecodable};
use crate::encode;
use crate::model::{ClientToken, ImportJobId, JobStatus, RoleArn, SequenceStoreId};
use crate::wire::{HostPrefix, RawResponse, WireRequest};

/// How many sources one import job takes.
pub const MAX_IMPORT_SOURCES: usize = 100;

impl Client {
    /// Starts a job that imports up to 100 sources from Amazon S3 (`StartReadSetImportJob`).
    ///
    /// ```
    /// use healthomics::model::FileType;
    /// use healthomics::{ImportReadSetSource, SourceFiles};
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
        StartReadSetImportJob::new(Call::new(self))
    }

    /// Asks how an import job stands (`GetReadSetImportJob`).
    ///
    /// ```
    /// # use healthomics::ImportReadSetSource;
    /// # use healthomics::model::FileType;
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_import_job().sequence_store_id(&store)
    /// #     .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
    /// #     .sources([ImportReadSetSource::builder().source_files("s3://my-bucket/a.bam")
    /// #         .source_file_type(FileType::Ubam).subject_id("S").sample_id("s").build()]).send().await?;
    /// let job = client.get_read_set_import_job().sequence_store_id(&store).id(&started.id).send().await?;
    /// for source in &job.sources {
    ///     println!("{} became {:?}", source.source_files.source1, source.read_set_id);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn get_read_set_import_job(&self) -> GetReadSetImportJob {
        GetReadSetImportJob::new(Call::new(self))
    }
}

call! {
    /// `StartReadSetImportJob`: made by [`Client::start_read_set_import_job`].
    pub struct StartReadSetImportJob sends StartReadSetImportJobRequest returns StartReadSetImportJobOutput;
    required {
        /// The store that the read sets go into: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The role that HealthOmics assumes to read the files: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// What to import: 1 to 100 sources, of any file types.
        Sources = sources: Vec<ImportReadSetSource>, each ImportReadSetSource;
    }
    defaulted {
        /// A token of your own, 1 to 127 characters: give the one of an earlier try to repeat it safely. Without
        /// it, every `send` makes a new one.
        client_token: ClientToken = ClientToken::random();
    }
}

impl Operation for StartReadSetImportJobRequest {
    const NAME: &'static str = "StartReadSetImportJob";
    const MUTATES: bool = true;
    type Output = StartReadSetImportJobOutput;

    fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.role_arn(&self.role_arn);
        violations.client_token(&self.client_token);
        let sources = Path::Member("sources");
        violations.count(sources, self.sources.len(), MAX_IMPORT_SOURCES);
        for (index, source) in self.sources.iter().enumerate() {
            source.check(violations, sources.item(index));
        }
    }

    fn to_wire(&self) -> WireRequest {
        let body = encode::object(&|body| {
            body.serialize_entry("clientToken", self.client_token.as_str())?;
            body.serialize_entry("roleArn", self.role_arn.as_str())?;
            body.serialize_entry("sources", &self.sources)
        });
        let path = ["sequencestore", self.sequence_store_id.as_str(), "importjob"];
        WireRequest::post(HostPrefix::ControlStorage, &path, body)
    }

    fn client_token(&self) -> Option<&ClientToken> {
        Some(&self.client_token)
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let answer: JobAnswer = decode::object(raw)?;
        Ok(StartReadSetImportJobOutput {
            id: decode::required(answer.id, "id")?.into(),
            status: decode::required(answer.status, "status")?,
            sequence_store_id: answer.sequence_store_id.unwrap_or_else(|| self.sequence_store_id.clone()),
            role_arn: answer.role_arn,
            creation_time: answer.creation_time,
            client_token: self.client_token.clone(),
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// An import job that was started.
///
/// [`Client::start_read_set_import_job`] has an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartReadSetImportJobOutput {
    /// The job: ask for it, or keep the id to ask later.
    pub id: ImportJobId,
    /// The store that the read sets go into.
    pub sequence_store_id: SequenceStoreId,
    /// The role that HealthOmics assumes to read the files, if the service repeats it.
    pub role_arn: Option<RoleArn>,
    /// Usually [`JobStatus::Submitted`].
    pub status: JobStatus,
    /// When the job was created.
    pub creation_time: Option<OffsetDateTime>,
    /// The token of this start: another start with it returns this job.
    pub client_token: ClientToken,
    /// The id that AWS support asks for.
    pub request_id: Option<String>,
}

call! {
    /// `GetReadSetImportJob`: made by [`Client::get_read_set_import_job`].
    pub struct GetReadSetImportJob sends GetReadSetImportJobRequest returns GetReadSetImportJobOutput;
    required {
        /// The store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The job: 10 to 36 digits.
        JobId = id: ImportJobId;
    }
    defaulted {}
}

impl Operation for GetReadSetImportJobRequest {
    const NAME: &'static str = "GetReadSetImportJob";
    const MUTATES: bool = false;
    type Output = GetReadSetImportJobOutput;

    fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.id(Path::Member("id"), self.id.as_str());
    }

    fn to_wire(&self) -> WireRequest {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "importjob", self.id.as_str()];
        WireRequest::get(HostPrefix::ControlStorage, &path)
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let answer: JobAnswer<(), Vec<ImportReadSetSourceItem>> = decode::object(raw)?;
        Ok(GetReadSetImportJobOutput {
            id: decode::required(answer.id, "id")?.into(),
            status: decode::required(answer.status, "status")?,
            sequence_store_id: answer.sequence_store_id.unwrap_or_else(|| self.sequence_store_id.clone()),
            role_arn: answer.role_arn,
            status_message: answer.status_message,
            creation_time: answer.creation_time,
            completion_time: answer.completion_time,
            sources: answer.sources,
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// How an import job stands.
///
/// [`Client::get_read_set_import_job`] has an example.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GetReadSetImportJobOutput {
    /// The job.
    pub id: ImportJobId,
    /// The store that the read sets go into.
    pub sequence_store_id: SequenceStoreId,
    /// The role that HealthOmics assumes to read the files, if the service repeats it.
    pub role_arn: Option<RoleArn>,
    /// Where the job stands.
    pub status: JobStatus,
    /// What the service says about it.
    pub status_message: Option<String>,
    /// When the job was created.
    pub creation_time: Option<OffsetDateTime>,
    /// When the job ended.
    pub completion_time: Option<OffsetDateTime>,
    /// Each source of the job; empty while the service does not tell.
    pub sources: Vec<ImportReadSetSourceItem>,
    /// The id that AWS support asks for.
    pub request_id: Option<String>,
}
