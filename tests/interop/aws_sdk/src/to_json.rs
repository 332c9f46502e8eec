//! From the outputs and errors of the SDK to JSON, as far as the scenarios use them.

use aws_sdk_omics::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_omics::operation::batch_delete_read_set::BatchDeleteReadSetOutput;
use aws_sdk_omics::operation::get_read_set_activation_job::GetReadSetActivationJobOutput;
use aws_sdk_omics::operation::get_read_set_export_job::GetReadSetExportJobOutput;
use aws_sdk_omics::operation::get_read_set_import_job::GetReadSetImportJobOutput;
use aws_sdk_omics::operation::get_read_set_metadata::GetReadSetMetadataOutput;
use aws_sdk_omics::operation::list_read_set_activation_jobs::ListReadSetActivationJobsOutput;
use aws_sdk_omics::operation::list_read_set_export_jobs::ListReadSetExportJobsOutput;
use aws_sdk_omics::operation::list_read_set_import_jobs::ListReadSetImportJobsOutput;
use aws_sdk_omics::operation::list_read_sets::ListReadSetsOutput;
use aws_sdk_omics::operation::start_read_set_activation_job::StartReadSetActivationJobOutput;
use aws_sdk_omics::operation::start_read_set_export_job::StartReadSetExportJobOutput;
use aws_sdk_omics::operation::start_read_set_import_job::StartReadSetImportJobOutput;
use aws_sdk_omics::primitives::{DateTime, DateTimeFormat};
use aws_sdk_omics::types::{
    ActivateReadSetJobItem, ExportReadSetJobDetail, FileInformation, ImportReadSetJobItem, ReadSetListItem,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::{Map, Value, json};

pub trait ToJson {
    fn to_json(&self) -> Value;
}

pub fn result_to_json<T: ToJson, E: ProvideErrorMetadata>(result: Result<T, SdkError<E, HttpResponse>>) -> Value {
    match result {
        Ok(output) => json!({ "output": output.to_json() }),
        Err(error) => failed(&error),
    }
}

pub fn failed<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Value {
    if let SdkError::ConstructionFailure(refused) = error {
        return json!({ "refused": format!("{refused:?}") });
    }
    let status = error.raw_response().map(|response| response.status().as_u16());
    json!({ "error": { "code": error.code(), "status": status, "message": error.message() } })
}

fn time(time: Option<&DateTime>) -> Value {
    json!(time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok()))
}

/// Without what is not there.
fn members(value: Value) -> Value {
    let mut members = match value {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.retain(|_, value| !value.is_null());
    Value::Object(members)
}

macro_rules! jobs {
    ($($T:ident { $($method:ident $name:literal),* })+) => { $(impl ToJson for $T {
        fn to_json(&self) -> Value {
            members(json!({
                "id": self.id(),
                "sequenceStoreId": self.sequence_store_id(),
                "status": self.status().as_str(),
                "creationTime": time(Some(self.creation_time())),
                $($name: $method(self),)*
            }))
        }
    })+ };
}

/// A text that a job has.
macro_rules! texts {
    ($($function:ident $field:ident of $T:ident)+) => { $(fn $function(job: &$T) -> Value {
        json!(job.$field())
    })+ };
}

texts! {
    started_export_destination destination of StartReadSetExportJobOutput
    export_destination destination of GetReadSetExportJobOutput
    export_message status_message of GetReadSetExportJobOutput
    started_import_role role_arn of StartReadSetImportJobOutput
    import_role role_arn of GetReadSetImportJobOutput
    import_message status_message of GetReadSetImportJobOutput
    activation_message status_message of GetReadSetActivationJobOutput
    listed_destination destination of ExportReadSetJobDetail
    listed_role role_arn of ImportReadSetJobItem
}

/// When a job ended.
macro_rules! ends {
    ($($function:ident of $T:ident)+) => { $(fn $function(job: &$T) -> Value {
        time(job.completion_time())
    })+ };
}

ends! {
    export_end of GetReadSetExportJobOutput
    import_end of GetReadSetImportJobOutput
    activation_end of GetReadSetActivationJobOutput
}

fn exported(job: &GetReadSetExportJobOutput) -> Value {
    let item = |item: &aws_sdk_omics::types::ExportReadSetDetail| json!({ "id": item.id(), "status": item.status().as_str(), "statusMessage": item.status_message() });
    job.read_sets().iter().map(item).collect()
}

fn imported(job: &GetReadSetImportJobOutput) -> Value {
    let item = |item: &aws_sdk_omics::types::ImportReadSetSourceItem| {
        let files = item.source_files();
        members(json!({
            "sourceFiles": { "source1": files.map(|files| files.source1()), "source2": files.map(|files| files.source2()) },
            "sourceFileType": item.source_file_type().as_str(),
            "status": item.status().as_str(),
            "statusMessage": item.status_message(),
            "subjectId": item.subject_id(),
            "sampleId": item.sample_id(),
            "generatedFrom": item.generated_from(),
            "referenceArn": item.reference_arn(),
            "name": item.name(),
            "description": item.description(),
            "tags": item.tags(),
            "readSetId": item.read_set_id(),
        }))
    };
    job.sources().iter().map(item).collect()
}

fn activated(job: &GetReadSetActivationJobOutput) -> Value {
    let item = |item: &aws_sdk_omics::types::ActivateReadSetSourceItem| {
        json!({
            "readSetId": item.read_set_id(), "status": item.status().as_str(), "statusMessage": item.status_message(),
        })
    };
    job.sources().iter().map(item).collect()
}

jobs! {
    StartReadSetExportJobOutput { started_export_destination "destination" }
    StartReadSetImportJobOutput { started_import_role "roleArn" }
    StartReadSetActivationJobOutput {}
    GetReadSetExportJobOutput { export_destination "destination", export_message "statusMessage", export_end "completionTime", exported "readSets" }
    GetReadSetImportJobOutput { import_role "roleArn", import_message "statusMessage", import_end "completionTime", imported "sources" }
    GetReadSetActivationJobOutput { activation_message "statusMessage", activation_end "completionTime", activated "sources" }
    ExportReadSetJobDetail { listed_destination "destination" }
    ImportReadSetJobItem { listed_role "roleArn" }
    ActivateReadSetJobItem {}
}

impl ToJson for BatchDeleteReadSetOutput {
    fn to_json(&self) -> Value {
        let error = |error: &aws_sdk_omics::types::ReadSetBatchError| json!({ "id": error.id(), "code": error.code(), "message": error.message() });
        json!({ "errors": self.errors().iter().map(error).collect::<Vec<_>>() })
    }
}

macro_rules! lists {
    ($($T:ident $items:ident $name:literal)+) => { $(impl ToJson for $T {
        fn to_json(&self) -> Value {
            let items: Vec<_> = self.$items().iter().map(ToJson::to_json).collect();
            members(json!({ $name: items, "nextToken": self.next_token() }))
        }
    })+ };
}

lists! {
    ListReadSetExportJobsOutput export_jobs "exportJobs"
    ListReadSetImportJobsOutput import_jobs "importJobs"
    ListReadSetActivationJobsOutput activation_jobs "activationJobs"
    ListReadSetsOutput read_sets "readSets"
}

macro_rules! read_sets {
    ($($T:ident)+) => { $(impl ToJson for $T {
        fn to_json(&self) -> Value {
            let counted = self.sequence_information().map(|counted| json!({
                "totalReadCount": counted.total_read_count(), "totalBaseCount": counted.total_base_count(),
                "generatedFrom": counted.generated_from(), "alignment": counted.alignment(),
            }));
            let etag = self.etag().map(|etag| json!({
                "algorithm": etag.algorithm().map(|algorithm| algorithm.as_str()),
                "source1": etag.source1(), "source2": etag.source2(),
            }));
            members(json!({
                "id": self.id(), "arn": self.arn(), "sequenceStoreId": self.sequence_store_id(),
                "subjectId": self.subject_id(), "sampleId": self.sample_id(), "status": self.status().as_str(),
                "name": self.name(), "description": self.description(), "referenceArn": self.reference_arn(),
                "fileType": self.file_type().as_str(), "creationTime": time(Some(self.creation_time())),
                "creationType": self.creation_type().map(|kind| kind.as_str()),
                "sequenceInformation": counted.map(members), "etag": etag.map(members),
                "files": files(self), "creationJobId": creation_job(self),
            }))
        }
    })+ };
}

read_sets! { ReadSetListItem GetReadSetMetadataOutput }

/// What the metadata have and the entries of a list have not.
trait Files {
    fn files(&self) -> Option<Value> {
        None
    }

    fn job(&self) -> Option<&str> {
        None
    }
}

impl Files for ReadSetListItem {}

impl Files for GetReadSetMetadataOutput {
    fn files(&self) -> Option<Value> {
        let file = |file: &FileInformation| {
            json!({
                "totalParts": file.total_parts(), "partSize": file.part_size(), "contentLength": file.content_length(),
                "s3Access": file.s3_access().map(|access| json!({ "s3Uri": access.s3_uri() })),
            })
        };
        let files = self.files.as_ref()?;
        Some(members(json!({
            "source1": files.source1().map(file), "source2": files.source2().map(file), "index": files.index().map(file),
        })))
    }

    fn job(&self) -> Option<&str> {
        self.creation_job_id()
    }
}

fn files(read_set: &impl Files) -> Option<Value> {
    read_set.files()
}

fn creation_job(read_set: &impl Files) -> Option<&str> {
    read_set.job()
}
