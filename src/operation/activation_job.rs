//! `StartReadSetActivationJob` and `GetReadSetActivationJob`: archived read sets back to where they can be read.

use serde_core::ser::SerializeMap as _;
use time::OffsetDateTime;

use super::{Operation, ReadSetSources, call};
use crate::Client;
use crate::check::{Path, Violations};
use crate::client::Call;
use crate::decode::{self, JobAnswer, Text, TextOrEmpty, Undecodable, members};
use crate::encode;
use crate::model::{ActivationJobId, ClientToken, ItemStatus, JobStatus, ReadSetId, SequenceStoreId};
use crate::wire::{HostPrefix, RawResponse, WireRequest};

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
        StartReadSetActivationJob::new(Call::new(self))
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
        GetReadSetActivationJob::new(Call::new(self))
    }
}

call! {
    /// `StartReadSetActivationJob`: made by [`Client::start_read_set_activation_job`].
    pub struct StartReadSetActivationJob sends StartReadSetActivationJobRequest returns StartReadSetActivationJobOutput;
    required {
        /// The store that the read sets are in: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The read sets to activate: 1 to 20 of them, a single one as `[id]`. More are for
        /// [`activate_read_sets`](Client::activate_read_sets).
        Sources = sources: Vec<ReadSetId>, each ReadSetId;
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
    type Output = StartReadSetActivationJobOutput;

    fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.client_token(&self.client_token);
        violations.sources(&self.sources, MAX_ACTIVATION_SOURCES);
    }

    fn to_wire(&self) -> WireRequest {
        let body = encode::object(&|body| {
            body.serialize_entry("clientToken", self.client_token.as_str())?;
            body.serialize_entry("sources", &ReadSetSources(&self.sources))
        });
        let path = ["sequencestore", self.sequence_store_id.as_str(), "activationjob"];
        WireRequest::post(HostPrefix::ControlStorage, &path, body)
    }

    fn client_token(&self) -> Option<&ClientToken> {
        Some(&self.client_token)
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let answer: JobAnswer = decode::object(raw)?;
        Ok(StartReadSetActivationJobOutput {
            id: decode::required(answer.id, "id")?.into(),
            status: decode::required(answer.status, "status")?,
            sequence_store_id: answer.sequence_store_id.unwrap_or_else(|| self.sequence_store_id.clone()),
            creation_time: answer.creation_time,
            client_token: self.client_token.clone(),
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// An activation job that was started.
///
/// [`Client::start_read_set_activation_job`] has an example.
#[derive(Clone, Debug)]
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

call! {
    /// `GetReadSetActivationJob`: made by [`Client::get_read_set_activation_job`].
    pub struct GetReadSetActivationJob sends GetReadSetActivationJobRequest returns GetReadSetActivationJobOutput;
    required {
        /// The store that the job works on: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The job: 10 to 36 digits.
        JobId = id: ActivationJobId;
    }
    defaulted {}
}

impl Operation for GetReadSetActivationJobRequest {
    const NAME: &'static str = "GetReadSetActivationJob";
    const MUTATES: bool = false;
    type Output = GetReadSetActivationJobOutput;

    fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.id(Path::Member("id"), self.id.as_str());
    }

    fn to_wire(&self) -> WireRequest {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "activationjob", self.id.as_str()];
        WireRequest::get(HostPrefix::ControlStorage, &path)
    }

    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable> {
        let answer: JobAnswer<(), Vec<ActivateReadSetSourceItem>> = decode::object(raw)?;
        Ok(GetReadSetActivationJobOutput {
            id: decode::required(answer.id, "id")?.into(),
            status: decode::required(answer.status, "status")?,
            sequence_store_id: answer.sequence_store_id.unwrap_or_else(|| self.sequence_store_id.clone()),
            status_message: answer.status_message,
            creation_time: answer.creation_time,
            completion_time: answer.completion_time,
            sources: answer.sources,
            request_id: raw.request_id().map(str::to_owned),
        })
    }
}

/// How an activation job stands.
///
/// [`Client::get_read_set_activation_job`] has an example.
#[derive(Clone, Debug)]
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

members! {
    /// One read set of an activation job.
    ///
    /// [`Client::get_read_set_activation_job`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ActivateReadSetSourceItem {
        /// The read set; empty if the service left it out.
        pub read_set_id: ReadSetId = "readSetId" as TextOrEmpty;
        /// Where it stands.
        pub status: ItemStatus = "status" as TextOrEmpty;
        /// What the service says about it: why it failed, say.
        pub status_message: Option<String> = "statusMessage" as Text;
    }
}
