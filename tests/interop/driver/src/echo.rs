//! Writes the crate's outputs as the service's JSON, field by field.

use healthomics::read_set::{
    ActivateReadSetJobItem, ActivateReadSetSourceItem, BatchDeleteReadSetOutput, CreationType, ETag, ETagAlgorithm,
    ExportReadSetDetail, ExportReadSetJobDetail, FileInformation, FileType, GetReadSetActivationJobOutput,
    GetReadSetExportJobOutput, GetReadSetImportJobOutput, GetReadSetMetadataOutput, ImportReadSetJobItem,
    ImportReadSetSourceItem, ItemStatus, JobStatus, ListReadSetActivationJobsOutput, ListReadSetExportJobsOutput,
    ListReadSetImportJobsOutput, ListReadSetsOutput, ReadSetBatchError, ReadSetFiles, ReadSetListItem, ReadSetS3Access,
    ReadSetStatus, SequenceInformation, SourceFiles, StartReadSetActivationJobOutput, StartReadSetExportJobOutput,
    StartReadSetImportJobOutput,
};
use healthomics::{
    ActivationJobId, ExportJobId, ImportJobId, ReadSetArn, ReadSetId, ReferenceArn, RoleArn, S3Destination, S3Uri,
    SampleId, SequenceStoreId, SubjectId,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub trait Echo {
    fn echo(&self) -> Value;
}

impl Echo for OffsetDateTime {
    fn echo(&self) -> Value {
        json!(self.format(&Rfc3339).ok())
    }
}

impl<T: Echo> Echo for Option<T> {
    fn echo(&self) -> Value {
        self.as_ref().map_or(Value::Null, Echo::echo)
    }
}

impl<T: Echo> Echo for Vec<T> {
    fn echo(&self) -> Value {
        self.iter().map(Echo::echo).collect()
    }
}

/// Types that are strings in JSON.
macro_rules! plain {
    ($($T:ident)+) => { $(impl Echo for $T {
        fn echo(&self) -> Value {
            json!(self.as_str())
        }
    })+ };
}
plain! {
    ActivationJobId CreationType ETagAlgorithm ExportJobId FileType ImportJobId ItemStatus JobStatus ReadSetArn
    ReadSetId ReadSetStatus ReferenceArn RoleArn S3Destination S3Uri SampleId SequenceStoreId SubjectId
}

macro_rules! json_value {
    ($($T:ty)+) => { $(impl Echo for $T {
        fn echo(&self) -> Value {
            json!(self)
        }
    })+ };
}
json_value! { String u32 u64 std::collections::BTreeMap<String, String> }

/// `field "member"`: the field of the crate and the member of the service.
macro_rules! members {
    ($($T:ident { $($field:ident $name:literal),+ $(,)? })+) => { $(impl Echo for $T {
        fn echo(&self) -> Value {
            let mut members = serde_json::Map::new();
            $(members.insert($name.to_owned(), self.$field.echo());)+
            members.retain(|_, value| !value.is_null());
            Value::Object(members)
        }
    })+ };
}

members! {
    StartReadSetExportJobOutput {
        id "id", sequence_store_id "sequenceStoreId", destination "destination", status "status",
        creation_time "creationTime",
    }
    StartReadSetImportJobOutput {
        id "id", sequence_store_id "sequenceStoreId", role_arn "roleArn", status "status", creation_time "creationTime",
    }
    StartReadSetActivationJobOutput {
        id "id", sequence_store_id "sequenceStoreId", status "status", creation_time "creationTime",
    }
    GetReadSetExportJobOutput {
        id "id", sequence_store_id "sequenceStoreId", destination "destination", status "status",
        status_message "statusMessage", creation_time "creationTime", completion_time "completionTime",
        read_sets "readSets",
    }
    ExportReadSetDetail { id "id", status "status", status_message "statusMessage" }
    GetReadSetImportJobOutput {
        id "id", sequence_store_id "sequenceStoreId", role_arn "roleArn", status "status",
        status_message "statusMessage", creation_time "creationTime", completion_time "completionTime",
        sources "sources",
    }
    ImportReadSetSourceItem {
        source_files "sourceFiles", source_file_type "sourceFileType", status "status", status_message "statusMessage",
        subject_id "subjectId", sample_id "sampleId", generated_from "generatedFrom", reference_arn "referenceArn",
        name "name", description "description", tags "tags", read_set_id "readSetId",
    }
    SourceFiles { source1 "source1", source2 "source2" }
    GetReadSetActivationJobOutput {
        id "id", sequence_store_id "sequenceStoreId", status "status", status_message "statusMessage",
        creation_time "creationTime", completion_time "completionTime", sources "sources",
    }
    ActivateReadSetSourceItem { read_set_id "readSetId", status "status", status_message "statusMessage" }
    BatchDeleteReadSetOutput { errors "errors" }
    ReadSetBatchError { id "id", code "code", message "message" }
    ListReadSetExportJobsOutput { export_jobs "exportJobs", next_token "nextToken" }
    ExportReadSetJobDetail {
        id "id", sequence_store_id "sequenceStoreId", destination "destination", status "status",
        creation_time "creationTime", completion_time "completionTime",
    }
    ListReadSetImportJobsOutput { import_jobs "importJobs", next_token "nextToken" }
    ImportReadSetJobItem {
        id "id", sequence_store_id "sequenceStoreId", role_arn "roleArn", status "status", creation_time "creationTime",
        completion_time "completionTime",
    }
    ListReadSetActivationJobsOutput { activation_jobs "activationJobs", next_token "nextToken" }
    ActivateReadSetJobItem {
        id "id", sequence_store_id "sequenceStoreId", status "status", creation_time "creationTime",
        completion_time "completionTime",
    }
    ListReadSetsOutput { read_sets "readSets", next_token "nextToken" }
    ReadSetListItem {
        id "id", arn "arn", sequence_store_id "sequenceStoreId", subject_id "subjectId", sample_id "sampleId",
        status "status", status_message "statusMessage", name "name", description "description",
        reference_arn "referenceArn", file_type "fileType", sequence_information "sequenceInformation",
        creation_time "creationTime", creation_type "creationType", etag "etag",
    }
    GetReadSetMetadataOutput {
        id "id", arn "arn", sequence_store_id "sequenceStoreId", subject_id "subjectId", sample_id "sampleId",
        status "status", status_message "statusMessage", name "name", description "description",
        file_type "fileType", sequence_information "sequenceInformation", reference_arn "referenceArn",
        creation_time "creationTime", creation_type "creationType", etag "etag", creation_job_id "creationJobId",
        files "files",
    }
    SequenceInformation {
        total_read_count "totalReadCount", total_base_count "totalBaseCount", generated_from "generatedFrom",
        alignment "alignment",
    }
    ETag { algorithm "algorithm", source1 "source1", source2 "source2" }
    ReadSetFiles { source1 "source1", source2 "source2", index "index" }
    FileInformation {
        total_parts "totalParts", part_size "partSize", content_length "contentLength", s3_access "s3Access",
    }
    ReadSetS3Access { s3_uri "s3Uri" }
}
