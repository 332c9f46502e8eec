//! What identifies a job, to be stored and read again.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;

use super::kind::{JobKind, Started, sealed};
use crate::model::SequenceStoreId;
use crate::model::text::OneLine;
use crate::protocol::json;

/// Identifies a job of one kind: a continuation token with which another process follows the same job.
///
/// A [`Job`](super::Job) serializes as its token, and [`Client::job`](crate::Client::job) makes the job of it again.
/// The token holds no secrets. It is a JSON object with `kind` (`export`, `import` or `activation`), `sequenceStoreId`,
/// `jobId`, `creationTime` (ISO 8601, if it is known) and `knownToExist`; the last two are optional. A token of another
/// kind is refused when it is read.
///
/// ```
/// use healthomics::job::{Activation, Export, JobToken};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
/// let job = client.job(&started);
/// // {"kind":"activation","sequenceStoreId":"…","jobId":"…","creationTime":"…",…}
/// let stored = serde_json::to_string(&job)?;
///
/// // In another process:
/// let token: JobToken<Activation> = serde_json::from_str(&stored)?;
/// let job = client.job(&token);
/// println!("{job} is {}", job.get().await?.status);
/// # assert_eq!(job.id(), &started.id);
///
/// let error = serde_json::from_str::<JobToken<Export>>(&stored).unwrap_err();
/// println!("{error}"); // the token has the kind `activation`, not `export`
/// # assert!(error.to_string().starts_with("the token has the kind `activation`, not `export`"));
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JobToken<K: JobKind> {
    pub(super) sequence_store_id: SequenceStoreId,
    pub(super) id: K::Id,
    /// Narrows the lists in which the job is searched for.
    pub(super) creation_time: Option<OffsetDateTime>,
    /// Whether the service has reported the job. Its reads may be behind its writes.
    pub(super) known_to_exist: bool,
}

impl<K: JobKind> JobToken<K> {
    /// The sequence store of the job.
    pub fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    /// The id of the job.
    pub fn id(&self) -> &K::Id {
        &self.id
    }
}

impl<K: JobKind> sealed::Sealed for JobToken<K> {}

impl<K: JobKind> Started for JobToken<K> {
    type Kind = K;

    fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    fn job_id(&self) -> &K::Id {
        &self.id
    }

    fn creation_time(&self) -> Option<OffsetDateTime> {
        self.creation_time
    }

    fn is_known_to_exist(&self) -> bool {
        self.known_to_exist
    }
}

impl<K: JobKind> fmt::Debug for JobToken<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobToken")
            .field("kind", &K::NAME)
            .field("sequence_store_id", &self.sequence_store_id)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The JSON form of a token.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenFields<I> {
    kind: String,
    sequence_store_id: SequenceStoreId,
    job_id: I,
    #[serde(default, with = "json::field", skip_serializing_if = "Option::is_none")]
    creation_time: Option<OffsetDateTime>,
    #[serde(default)]
    known_to_exist: bool,
}

impl<K: JobKind> Serialize for JobToken<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = TokenFields {
            kind: K::NAME.to_owned(),
            sequence_store_id: self.sequence_store_id.clone(),
            job_id: self.id.clone(),
            creation_time: self.creation_time,
            known_to_exist: self.known_to_exist,
        };
        fields.serialize(serializer)
    }
}

impl<'de, K: JobKind> Deserialize<'de> for JobToken<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = TokenFields::deserialize(deserializer)?;
        if fields.kind != K::NAME {
            let error = format_args!("the token has the kind `{}`, not `{}`", OneLine(&fields.kind), K::NAME);
            return Err(de::Error::custom(error));
        }
        Ok(Self {
            sequence_store_id: fields.sequence_store_id,
            id: fields.job_id,
            creation_time: fields.creation_time,
            known_to_exist: fields.known_to_exist,
        })
    }
}
