//! `StartReadSetExportJob` and `GetReadSetExportJob`: read sets to a bucket.

use serde_core::ser::SerializeMap as _;
use time::OffsetDateTime;

use super::{Operation, ReadSetSources, call};
use crate::Client;
use crate::check::{Path, Violations};
use crate::client::Call;
use crate::decode::{self, JobAnswer, Text, TextOrEmpty, Undecodable, members};
use crate::encode;
use crate::model::{
    ClientToken, ExportJobId, ItemStatus, JobStatus, ReadSetId, RoleArn, S3Destination, SequenceStoreId,
};
use crate::wire::{HostPrefix, RawResponse, WireRequest};

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
        StartReadSetExportJob::new(Call::new(self))
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
        GetReadSetExportJob::new(Call::new(self))
    }
}

call! {
    /// `StartReadSetExportJob`: made by [`Client::start_read_set_export_job`].
    pub struct StartReadSetExportJob sends StartReadSetExportJobRequest returns StartReadSetExportJobOutput;
    required {
        /// The store that the read sets are in: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// Where the files go: `s3://bucket`, `s3://bucket/` or `s3://bucket/prefix/`.
        Destination = destination: S3Destination;
        /// The role that HealthOmics assumes to write there: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// The read sets to export: 1 to 100 of them, a single one as `[id]`. More are for
        /// [`export_read_sets`](Client::export_read_sets).
        Sources = sources: Vec<ReadSetId>, each ReadSetId;
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
    type Output = StartReadSetExportJobOutput;

    fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.s3_destination(Path::Member("destination"), self.destination.as_str());
        violations.role_arn(&self.role_arn);
        violations.client_token(&self.client_token);
        violations.sources(&self.sources, MAX_EXPORT_SOURCES);
    }

    fn to_wire(&self) -> WireRequest {
        let body = encode::object(&|body| {
            body.serialize_entry("clientToken", self.client_token.as_str())?;
            body.serialize_entry("destination", self.destination.as_str())?;
            body.serialize_entry("roleArn", self.role_arn.as_str())?;
            body.serialize_entry("sources", &ReadSetSources(&self.sources))
        });
        let path = ["sequencestore", self.sequence_store_id.as_str(), "exportjob"];
        WireRequest::post(HostPrefix::ControlStorage, &path, body)
    }

    fn client_token(&self) -> Option<&ClientToken> {
        Some(&self.client_token)
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let answer: JobAnswer = decode::object(raw)?;
        Ok(StartReadSetExportJobOutput {
            id: decode::required(answer.id, "id")?.into(),
            status: decode::required(answer.status, "status")?,
            sequence_store_id: answer.sequence_store_id.unwrap_or_else(|| self.sequence_store_id.clone()),
            destination: answer.destination,
            creation_time: answer.creation_time,
            client_token: self.client_token.clone(),
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// An export job that was started.
///
/// [`Client::start_read_set_export_job`] has an example.
#[derive(Clone, Debug)]
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

call! {
    /// `GetReadSetExportJob`: made by [`Client::get_read_set_export_job`].
    pub struct GetReadSetExportJob sends GetReadSetExportJobRequest returns GetReadSetExportJobOutput;
    required {
        /// The store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The job: 10 to 36 digits.
        JobId = id: ExportJobId;
    }
    defaulted {}
}

impl Operation for GetReadSetExportJobRequest {
    const NAME: &'static str = "GetReadSetExportJob";
    const MUTATES: bool = false;
    type Output = GetReadSetExportJobOutput;

    fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.id(Path::Member("id"), self.id.as_str());
    }

    fn to_wire(&self) -> WireRequest {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "exportjob", self.id.as_str()];
        WireRequest::get(HostPrefix::ControlStorage, &path)
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let answer: JobAnswer<Vec<ExportReadSetDetail>> = decode::object(raw)?;
        Ok(GetReadSetExportJobOutput {
            id: decode::required(answer.id, "id")?.into(),
            status: decode::required(answer.status, "status")?,
            sequence_store_id: answer.sequence_store_id.unwrap_or_else(|| self.sequence_store_id.clone()),
            destination: answer.destination,
            status_message: answer.status_message,
            creation_time: answer.creation_time,
            completion_time: answer.completion_time,
            read_sets: answer.read_sets,
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// How an export job stands.
///
/// [`Client::get_read_set_export_job`] has an example.
#[derive(Clone, Debug)]
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

members! {
    /// One read set of an export job.
    ///
    /// [`Client::get_read_set_export_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ExportReadSetDetail {
        /// The read set; empty if the service left it out.
        pub id: ReadSetId = "id" as TextOrEmpty;
        /// Where it stands.
        pub status: ItemStatus = "status" as TextOrEmpty;
        /// What the service says about it: why it failed, say.
        pub status_message: Option<String> = "statusMessage" as Text;
    }
}
