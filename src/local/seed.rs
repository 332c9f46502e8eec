//! Stores and read sets that tests put into a service without a job.

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::model::time::from_iso8601;
use crate::model::{
    CreationType, ETagAlgorithm, FileType, InvalidValue, ReadSetId, ReadSetStatus, ReferenceArn, SampleId,
    SequenceStoreId, SubjectId,
};

/// The stores and read sets of a service at its start, as the seed file of `healthomics-local` has them.
///
/// In JSON, a read set has the fields of a `GetReadSetMetadata` response. `status` and `fileType` are required. The ids
/// are issued by the service if there are none. Unknown fields and values are errors.
///
/// ```
/// use healthomics::local::{LocalService, Seed};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let seed: Seed = serde_json::from_str(
///     r#"{ "stores": [ { "id": "1234567890", "readSets": [
///       { "id": "5555555555", "status": "ACTIVE", "fileType": "CRAM", "sampleId": "S1" },
///       { "status": "ARCHIVED", "fileType": "BAM", "creationTime": "2024-02-29T12:00:00Z" }
///     ] } ] }"#,
/// )?;
/// let local = LocalService::builder().seed(seed).start().await?;
///
/// let client = local.client()?;
/// let get = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
/// assert_eq!(get.send().await?.sample_id.unwrap(), "S1");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    pub(super) stores: Vec<SeedStore>,
}

impl Seed {
    /// A seed of these stores.
    pub fn stores(stores: impl IntoIterator<Item = SeedStore>) -> Self {
        Self { stores: stores.into_iter().collect() }
    }
}

/// A store of a [`Seed`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[must_use]
pub struct SeedStore {
    #[serde(default, deserialize_with = "checked")]
    pub(super) id: Option<SequenceStoreId>,
    #[serde(default)]
    pub(super) read_sets: Vec<SeedReadSet>,
}

impl SeedStore {
    /// A store with these read sets.
    ///
    /// ```
    /// use healthomics::local::{LocalService, Seed, SeedReadSet, SeedStore};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// let read_sets = (0..1_000).map(|_| SeedReadSet::archived("BAM".into()));
    /// let store = SeedStore::new(read_sets).id("1234567890");
    /// let seeded = local.seed(Seed::stores([store]));
    /// assert_eq!(seeded[0].read_set_ids.len(), 1_000);
    /// # Ok(()) }
    /// ```
    pub fn new(read_sets: impl IntoIterator<Item = SeedReadSet>) -> Self {
        Self { id: None, read_sets: read_sets.into_iter().collect() }
    }

    /// Sets the id of the store, instead of the next one that the service issues. The read sets of a store that exists
    /// are kept.
    pub fn id(mut self, id: impl Into<SequenceStoreId>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// A store that was seeded.
///
/// [`SeedStore::new`] has an example.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeededStore {
    /// The id of the store.
    pub id: SequenceStoreId,
    /// The ids of the read sets, in the order of the seed.
    pub read_set_ids: Vec<ReadSetId>,
}

/// A read set to put into a store without a job.
///
/// The builder has the fields that tests need most. [`Seed`] describes the JSON of a read set, which has all of them.
///
/// ```
/// use healthomics::local::{LocalService, SeedReadSet};
/// use healthomics::read_set::FileType;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// let seed = SeedReadSet::archived(FileType::Cram)
///     .subject_id("HG00096")
///     .sample_id("blood")
///     .name("first run");
/// let id = local.seed_read_set(&store, seed);
/// let call = client.get_read_set_metadata().sequence_store_id(&store).id(&id);
/// assert_eq!(call.send().await?.name.as_deref(), Some("first run"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[must_use]
pub struct SeedReadSet {
    #[serde(default, deserialize_with = "checked")]
    pub(super) id: Option<ReadSetId>,
    #[serde(deserialize_with = "known_status")]
    pub(super) status: ReadSetStatus,
    #[serde(deserialize_with = "known_file_type")]
    pub(super) file_type: FileType,
    #[serde(default)]
    pub(super) subject_id: Option<SubjectId>,
    #[serde(default)]
    pub(super) sample_id: Option<SampleId>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) reference_arn: Option<ReferenceArn>,
    #[serde(default, deserialize_with = "optional_time")]
    pub(super) creation_time: Option<OffsetDateTime>,
    #[serde(default)]
    pub(super) creation_type: Option<CreationType>,
    #[serde(default)]
    pub(super) creation_job_id: Option<String>,
    #[serde(default)]
    pub(super) status_message: Option<String>,
    #[serde(default)]
    pub(super) sequence_information: SequenceInformation,
    #[serde(default)]
    pub(super) etag: Option<SeedEtag>,
    #[serde(default)]
    pub(super) files: Option<Value>,
    /// A response has it; that of the seeded read set follows from the ids.
    #[serde(default, rename = "arn")]
    _arn: IgnoredAny,
    /// A response has it; the store is that of the seed.
    #[serde(default, rename = "sequenceStoreId")]
    _sequence_store_id: IgnoredAny,
}

/// The reads of a seeded read set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SequenceInformation {
    pub(super) total_read_count: Option<u64>,
    pub(super) total_base_count: Option<u64>,
    pub(super) generated_from: Option<String>,
    pub(super) alignment: Option<String>,
}

/// The entity tag of a seeded read set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeedEtag {
    algorithm: ETagAlgorithm,
    source1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source2: Option<String>,
}

impl SeedEtag {
    pub(super) fn has_source2(&self) -> bool {
        self.source2.is_some()
    }
}

impl SeedReadSet {
    /// A read set with the status `ACTIVE`: it can be exported.
    pub fn active(file_type: FileType) -> Self {
        Self {
            id: None,
            status: ReadSetStatus::Active,
            file_type,
            subject_id: None,
            sample_id: None,
            name: None,
            description: None,
            reference_arn: None,
            creation_time: None,
            creation_type: None,
            creation_job_id: None,
            status_message: None,
            sequence_information: SequenceInformation::default(),
            etag: None,
            files: None,
            _arn: IgnoredAny,
            _sequence_store_id: IgnoredAny,
        }
    }

    /// A read set with the status `ARCHIVED`: it has to be activated before it can be exported.
    pub fn archived(file_type: FileType) -> Self {
        Self::active(file_type).status(ReadSetStatus::Archived)
    }

    /// Sets the id of the read set, instead of the next one that the service issues. A read set of the same store with
    /// this id is replaced.
    pub fn id(mut self, id: impl Into<ReadSetId>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the status.
    pub fn status(mut self, status: ReadSetStatus) -> Self {
        self.status = status;
        self
    }

    /// Sets the id of the subject.
    pub fn subject_id(mut self, subject_id: impl Into<SubjectId>) -> Self {
        self.subject_id = Some(subject_id.into());
        self
    }

    /// Sets the id of the sample.
    pub fn sample_id(mut self, sample_id: impl Into<SampleId>) -> Self {
        self.sample_id = Some(sample_id.into());
        self
    }

    /// Sets the name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the ARN of the reference that the reads are aligned to.
    pub fn reference_arn(mut self, arn: impl Into<ReferenceArn>) -> Self {
        self.reference_arn = Some(arn.into());
        self
    }

    /// Sets what the reads were generated from.
    pub fn generated_from(mut self, generated_from: impl Into<String>) -> Self {
        self.sequence_information.generated_from = Some(generated_from.into());
        self
    }

    /// Sets when the read set was created, in whole milliseconds; by default the time of the seed.
    pub fn creation_time(mut self, time: OffsetDateTime) -> Self {
        self.creation_time = Some(time);
        self
    }

    /// Sets the entity tag, which is the same for read sets of the same content; by default it is invented.
    pub fn etag(mut self, algorithm: ETagAlgorithm, source1: impl Into<String>) -> Self {
        self.etag = Some(SeedEtag { algorithm, source1: source1.into(), source2: None });
        self
    }
}

/// An id whose constraints are checked.
fn checked<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err = InvalidValue>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

pub(super) fn known_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ReadSetStatus, D::Error> {
    let status = ReadSetStatus::deserialize(deserializer)?;
    known(status, ReadSetStatus::KNOWN)
}

fn known_file_type<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FileType, D::Error> {
    let file_type = FileType::deserialize(deserializer)?;
    known(file_type, FileType::KNOWN)
}

/// The value, unless it is none of those that this version knows: it may be misspelt.
pub(super) fn known<T, E>(value: T, all: &[T]) -> Result<T, E>
where
    T: AsRef<str> + PartialEq,
    E: serde::de::Error,
{
    if all.contains(&value) {
        return Ok(value);
    }
    let names: Vec<_> = all.iter().map(AsRef::as_ref).collect();
    Err(E::custom(format!("{:?} is none of {}", value.as_ref(), names.join(", "))))
}

pub(super) fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let parse = |text: String| from_iso8601(&text).ok_or_else(|| D::Error::custom(format!("{text:?} is not a time")));
    text.map(parse).transpose()
}
