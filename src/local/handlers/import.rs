//! Import jobs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{job, parse};
use crate::local::clock::RequestTime;
use crate::local::service_error::ServiceError;
use crate::local::snapshot::JobKind;
use crate::local::state::{ImportSource, ItemView, JobRequest, State};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartInput {
    sequence_store_id: String,
    client_token: Option<String>,
    role_arn: String,
    sources: Vec<ImportSource>,
}

/// `StartReadSetImportJob`.
pub(crate) fn start(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    let input: StartInput = parse(input)?;
    let request = JobRequest::Import { role_arn: input.role_arn, sources: input.sources };
    let job = state.start_job(&input.sequence_store_id, input.client_token, request, now)?;
    Ok(job::start_response(job))
}

/// `GetReadSetImportJob`.
pub(crate) fn get(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    let job = job::read(state, JobKind::Import, input, now)?;
    let sources = match &job.request {
        JobRequest::Import { sources, .. } => sources.as_slice(),
        JobRequest::Export { .. } | JobRequest::Activation { .. } => &[],
    };
    let items = sources.iter().zip(job.items()).map(|(source, item)| describe(source, &item)).collect();
    Ok(job::get_response(job, "sources", items))
}

/// `ListReadSetImportJobs`.
pub(crate) fn list(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    job::list(state, JobKind::Import, "importJobs", input, now)
}

/// As the service writes it: with an empty `source2` and with tags of its own.
fn describe(source: &ImportSource, item: &ItemView<'_>) -> Value {
    let mut out = json!(source);
    if source.source_files.source2.is_none() {
        out["sourceFiles"]["source2"] = json!("");
    }
    out["tags"]["aws:omics:subjectId"] = json!(source.subject_id);
    out["tags"]["aws:omics:sampleId"] = json!(source.sample_id);
    out["status"] = json!(item.status);
    out["statusMessage"] = json!(item.status_message);
    if let Some(id) = item.read_set_id {
        out["readSetId"] = json!(id);
    }
    out
}
