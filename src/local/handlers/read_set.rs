//! Read sets: their list, metadata and deletion.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{ListInput, Page, ReadSetFilter};
use super::{GetInput, parse, timestamp};
use crate::local::auth::sha256_hex;
use crate::local::clock::RequestTime;
use crate::local::messages;
use crate::local::service_error::ServiceError;
use crate::local::snapshot::LocalReadSet;
use crate::local::state::{ReadSet, State};
use crate::model::{FileType, ReadSetStatus};

/// The account in all ARNs of the service.
const ACCOUNT: &str = "123456789012";
/// The bytes of a part.
const PART_SIZE: u64 = 100 << 20;
/// The figures of a real read set: a FASTQ pair of low coverage.
const READ_COUNT: u64 = 8_917_334;
const BASE_COUNT: u64 = 677_717_384;
const SOURCE1_SIZE: u64 = 310_054_739;
const SOURCE2_SIZE: u64 = 307_846_621;
const INDEX_SIZE: u64 = 8_652_400;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchDeleteInput {
    sequence_store_id: String,
    ids: Vec<String>,
}

/// `ListReadSets`, which is a read of each job of the read sets that it passes.
pub(crate) fn list(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    let input: ListInput<ReadSetFilter> = parse(input)?;
    let store_id = &input.sequence_store_id;
    let filter = &input.filter;
    state.store(store_id)?;
    let mut page = Page::new("readSets", &input)?;
    let mut read_jobs = BTreeSet::new();
    while !page.is_full() {
        let next = state.store(store_id)?.read_sets_after(page.position()).next();
        let next = next.filter(|(position, _)| page.includes(*position));
        let Some((position, id)) = next.map(|(position, id)| (position, id.to_owned())) else {
            return Ok(page.into_response(false));
        };
        if state.store(store_id)?.get(&id).is_some_and(|read_set| matches_but_status(filter, read_set)) {
            state.read_read_set(store_id, &id, &mut read_jobs, now);
        }
        let read_set = state.store(store_id)?.get(&id).filter(|read_set| matches(filter, read_set));
        page.pass(position, read_set.map(|read_set| entry(read_set, store_id, state.region())));
    }
    let store = state.store(store_id)?;
    let has_more = store
        .read_sets_after(page.position())
        .take_while(|(position, _)| page.includes(*position))
        .any(|(_, id)| store.get(id).is_some_and(|read_set| matches(filter, read_set)));
    Ok(page.into_response(has_more))
}

/// `GetReadSetMetadata`, which is a read of each job of the read set.
pub(crate) fn get_metadata(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    let GetInput { sequence_store_id: store_id, id } = parse(input)?;
    state.read_read_set(&store_id, &id, &mut BTreeSet::new(), now);
    let read_set = state.read_set(&store_id, &id)?;
    let mut metadata = entry(read_set, &store_id, state.region());
    if let Some(job_id) = &read_set.metadata.creation_job_id {
        metadata["creationJobId"] = json!(job_id);
    }
    // Only an active read set has files.
    if read_set.snapshot.status == ReadSetStatus::Active {
        metadata["files"] = read_set.metadata.files.clone().unwrap_or_else(|| files(read_set, &store_id));
    }
    Ok(metadata)
}

/// `BatchDeleteReadSet`: the read sets are removed at once. It succeeds even if none exists, with an error for each that
/// does not.
pub(crate) fn batch_delete(state: &mut State, input: Value, _: RequestTime) -> Result<Value, ServiceError> {
    let input: BatchDeleteInput = parse(input)?;
    let store = state.store_mut(&input.sequence_store_id)?;
    let mut errors = Vec::new();
    for id in &input.ids {
        if !store.remove(id) {
            let message = messages::READ_SET_NOT_FOUND;
            errors.push(json!({ "id": id, "code": "ResourceNotFoundException", "message": message }));
        }
    }
    // Documented as a response without a body.
    Ok(if errors.is_empty() { Value::Null } else { json!({ "errors": errors }) })
}

fn matches(filter: &ReadSetFilter, read_set: &ReadSet) -> bool {
    matches_but_status(filter, read_set) && is_equal(filter.status.as_deref(), Some(read_set.snapshot.status.as_str()))
}

/// Whether a read set matches the filter, whatever its status, which a read of its jobs may change.
fn matches_but_status(filter: &ReadSetFilter, read_set: &ReadSet) -> bool {
    let snapshot = &read_set.snapshot;
    let metadata = &read_set.metadata;
    is_equal(filter.creation_type.as_deref(), Some(metadata.creation_type.as_str()))
        && is_equal(filter.name.as_deref(), snapshot.name.as_deref())
        && is_equal(filter.sample_id.as_deref(), snapshot.sample_id.as_ref().map(|id| id.as_str()))
        && is_equal(filter.subject_id.as_deref(), snapshot.subject_id.as_ref().map(|id| id.as_str()))
        && is_equal(filter.generated_from.as_deref(), metadata.sequence_information.generated_from.as_deref())
        // An empty ARN is that of read sets without a reference.
        && is_equal(filter.reference_arn.as_deref(), metadata.reference_arn.as_deref().or(Some("")))
}

/// Whether a field of the filter is absent or has this value.
fn is_equal(wanted: Option<&str>, value: Option<&str>) -> bool {
    wanted.is_none() || wanted == value
}

/// A read set in a list: the metadata has more fields.
fn entry(read_set: &ReadSet, store_id: &str, region: &str) -> Value {
    let LocalReadSet { id, status, file_type, subject_id, sample_id, name } = &read_set.snapshot;
    let metadata = &read_set.metadata;
    let reads = &metadata.sequence_information;
    let alignment = if is_aligned(file_type) { "ALIGNED" } else { "UNALIGNED" };
    let sequence_information = json!({
        "totalReadCount": reads.total_read_count.unwrap_or(READ_COUNT),
        "totalBaseCount": reads.total_base_count.unwrap_or(BASE_COUNT),
        "generatedFrom": reads.generated_from,
        "alignment": reads.alignment.as_deref().unwrap_or(alignment),
    });
    without_nulls(json!({
        "id": id,
        "arn": format!("arn:aws:omics:{region}:{ACCOUNT}:sequenceStore/{store_id}/readSet/{id}"),
        "sequenceStoreId": store_id,
        "subjectId": subject_id,
        "sampleId": sample_id,
        "status": status,
        "name": name,
        "statusMessage": metadata.status_message,
        "description": metadata.description,
        "referenceArn": metadata.reference_arn,
        "fileType": file_type,
        "sequenceInformation": without_nulls(sequence_information),
        "creationTime": timestamp(read_set.created),
        "creationType": metadata.creation_type,
        "etag": etag(read_set),
    }))
}

fn is_aligned(file_type: &FileType) -> bool {
    matches!(file_type, FileType::Bam | FileType::Cram)
}

fn etag(read_set: &ReadSet) -> Value {
    if let Some(etag) = &read_set.metadata.etag {
        return json!(etag);
    }
    let algorithm = match read_set.snapshot.file_type {
        FileType::Fastq => "FASTQ_MD5up",
        FileType::Cram => "CRAM_MD5up",
        _ => "BAM_MD5up",
    };
    // As long as an MD5. Files of the same URI have the same content, and so the same tag.
    let tag = |content: &str| sha256_hex(content.as_bytes()).split_off(32);
    let files = read_set.metadata.source_files.as_ref();
    let source1 = tag(files.map_or(read_set.snapshot.id.as_str(), |files| &files.source1));
    let source2 = files.and_then(|files| files.source2.as_deref()).map(tag);
    without_nulls(json!({ "algorithm": algorithm, "source1": source1, "source2": source2 }))
}

fn files(read_set: &ReadSet, store_id: &str) -> Value {
    let id = &read_set.snapshot.id;
    let (extension, index_extension) = match read_set.snapshot.file_type {
        FileType::Fastq => ("fastq.gz", ""),
        FileType::Cram => ("cram", "cram.crai"),
        _ => ("bam", "bam.bai"),
    };
    let folder = format!("s3://{ACCOUNT}-healthomics-s3alias/{ACCOUNT}/sequenceStore/{store_id}/readSet/{id}");
    let file = |name: &str, extension: &str, size: u64| {
        json!({
            "totalParts": size.div_ceil(PART_SIZE),
            "partSize": PART_SIZE,
            "contentLength": size,
            "s3Access": { "s3Uri": format!("{folder}/{name}.{extension}") },
        })
    };
    let mut files = json!({ "source1": file("source1", extension, SOURCE1_SIZE) });
    if read_set.metadata.has_source2() {
        files["source2"] = file("source2", extension, SOURCE2_SIZE);
    }
    if is_aligned(&read_set.snapshot.file_type) {
        files["index"] = file("source1", index_extension, INDEX_SIZE);
    }
    files
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, value| !value.is_null());
    }
    value
}
