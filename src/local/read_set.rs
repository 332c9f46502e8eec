//! What the service knows of a read set.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::answer::ServiceError;
use super::assumed;
use super::auth::sha256_hex;
use super::job::{text, timestamp};
use super::route::Now;
use super::world::{Key, LocalReadSet, World};
use crate::model::{CreationType, FileType, ReadSetStatus};

/// In every name that the service gives.
const ACCOUNT: &str = "123456789012";
/// How many bytes a part has.
const PART: u64 = 100 << 20;
/// What real files have: a FASTQ pair of low coverage.
const READS: u64 = 8_917_334;
const BASES: u64 = 677_717_384;
const SOURCE1_BYTES: u64 = 310_054_739;
const SOURCE2_BYTES: u64 = 307_846_621;
const INDEX_BYTES: u64 = 8_652_400;

/// A read set, with what is not shown to tests.
pub(crate) struct ReadSet {
    pub(crate) shown: LocalReadSet,
    /// Goes up with every read set.
    pub(crate) number: u64,
    pub(crate) created: OffsetDateTime,
    pub(crate) origin: Origin,
    /// Where in the world the jobs are that it is an item of, and that have not ended.
    pub(crate) jobs: BTreeSet<usize>,
}

/// How a read set came into its store.
pub(crate) enum Origin {
    Seed,
    /// By a job, from a source of it.
    Import {
        job: String,
        source: Value,
    },
}

impl Origin {
    pub(crate) fn creation_type(&self) -> CreationType {
        match self {
            Self::Seed => CreationType::Upload,
            Self::Import { .. } => CreationType::Import,
        }
    }

    /// A text that the import was given.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        match self {
            Self::Seed => None,
            Self::Import { source, .. } => source.get(name).and_then(Value::as_str),
        }
    }

    fn is_pair(&self) -> bool {
        matches!(self, Self::Import { source, .. } if source.pointer("/sourceFiles/source2").is_some())
    }
}

/// `GetReadSetMetadata`, which is a read of each job of the read set.
pub(crate) fn metadata(world: &mut World, input: &Value, now: Now) -> Result<Value, ServiceError> {
    let (store, id) = (text(input, "sequenceStoreId"), text(input, "id"));
    world.read_read_set(&store, &id, &mut BTreeSet::new(), now);
    let Some(read_sets) = world.stores.get(&store) else {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    };
    let Some(read_set) = read_sets.get(&id) else {
        return Err(ServiceError::not_found(assumed::READ_SET_NOT_THERE));
    };
    let mut out = read_set.entry(&store, &world.region);
    if let Origin::Import { job, .. } = &read_set.origin {
        out.insert("creationJobId".to_owned(), json!(job));
    }
    // What is not active has no files.
    if read_set.shown.status == ReadSetStatus::Active {
        out.insert("files".to_owned(), read_set.files(&store));
    }
    Ok(Value::Object(out))
}

/// `BatchDeleteReadSet`: gone at once. Deleting nothing of the batch is a success as well, with an error for each.
pub(crate) fn delete(world: &mut World, input: &Value) -> Result<Value, ServiceError> {
    let Some(read_sets) = world.stores.get_mut(&text(input, "sequenceStoreId")) else {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    };
    let ids = input["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let errors: Vec<_> = ids
        .filter(|id| read_sets.remove(id).is_none())
        .map(|id| json!({ "id": id, "code": "ResourceNotFoundException", "message": assumed::READ_SET_NOT_THERE }))
        .collect();
    // Documented as a response without a body.
    Ok(if errors.is_empty() { Value::Null } else { json!({ "errors": errors }) })
}

impl ReadSet {
    pub(crate) fn key(&self) -> Key {
        (self.created.unix_timestamp_nanos(), self.number)
    }

    /// What a List tells: less than the metadata.
    pub(crate) fn entry(&self, store: &str, region: &str) -> Map<String, Value> {
        let LocalReadSet { id, status, file_type, subject_id, sample_id, name } = &self.shown;
        let generated_from = self.origin.given("generatedFrom");
        let alignment = if self.is_aligned() { "ALIGNED" } else { "UNALIGNED" };
        let entry = json!({
            "id": id,
            "arn": format!("arn:aws:omics:{region}:{ACCOUNT}:sequenceStore/{store}/readSet/{id}"),
            "sequenceStoreId": store,
            "subjectId": subject_id,
            "sampleId": sample_id,
            "status": status,
            "name": name,
            "description": self.origin.given("description"),
            "referenceArn": self.origin.given("referenceArn"),
            "fileType": file_type,
            "sequenceInformation": without_nulls(json!({
                "totalReadCount": READS,
                "totalBaseCount": BASES,
                "generatedFrom": generated_from,
                "alignment": alignment,
            })),
            "creationTime": timestamp(self.created),
            "creationType": self.origin.creation_type(),
            "etag": self.etag(),
        });
        match without_nulls(entry) {
            Value::Object(entry) => entry,
            _ => Map::new(),
        }
    }

    fn is_aligned(&self) -> bool {
        matches!(self.shown.file_type, FileType::Bam | FileType::Cram)
    }

    fn etag(&self) -> Value {
        let algorithm = match self.shown.file_type {
            FileType::Fastq => "FASTQ_MD5up",
            FileType::Cram => "CRAM_MD5up",
            _ => "BAM_MD5up",
        };
        // As long as an MD5.
        let tag = |file| sha256_hex(format!("{} {file}", self.shown.id).as_bytes()).split_off(32);
        let source2 = self.origin.is_pair().then(|| tag("source2"));
        without_nulls(json!({ "algorithm": algorithm, "source1": tag("source1"), "source2": source2 }))
    }

    fn files(&self, store: &str) -> Value {
        let (ending, index) = match self.shown.file_type {
            FileType::Fastq => ("fastq.gz", ""),
            FileType::Cram => ("cram", "cram.crai"),
            _ => ("bam", "bam.bai"),
        };
        let file = |name: &str, ending: &str, bytes: u64| {
            let id = &self.shown.id;
            json!({
                "totalParts": bytes.div_ceil(PART),
                "partSize": PART,
                "contentLength": bytes,
                "s3Access": {
                    "s3Uri": format!(
                        "s3://{ACCOUNT}-healthomics-s3alias/{ACCOUNT}/sequenceStore/{store}/readSet/{id}/{name}.{ending}"
                    ),
                },
            })
        };
        let mut files = json!({ "source1": file("source1", ending, SOURCE1_BYTES) });
        if self.origin.is_pair() {
            files["source2"] = file("source2", ending, SOURCE2_BYTES);
        }
        if self.is_aligned() {
            files["index"] = file("source1", index, INDEX_BYTES);
        }
        files
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, value| !value.is_null());
    }
    value
}
