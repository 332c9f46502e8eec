//! Activation jobs.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ReadSetSource, job, parse, read_set_ids};
use crate::local::clock::RequestTime;
use crate::local::service_error::ServiceError;
use crate::local::snapshot::JobKind;
use crate::local::state::{JobRequest, State};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartInput {
    sequence_store_id: String,
    client_token: Option<String>,
    sources: Vec<ReadSetSource>,
}

/// `StartReadSetActivationJob`.
pub(crate) fn start(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    let input: StartInput = parse(input)?;
    let request = JobRequest::Activation { read_set_ids: read_set_ids(input.sources) };
    let job = state.start_job(&input.sequence_store_id, input.client_token, request, now)?;
    Ok(job::start_response(job))
}

/// `GetReadSetActivationJob`.
pub(crate) fn get(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    let job = job::read(state, JobKind::Activation, input, now)?;
    let items = job
        .items()
        .map(|item| json!({ "readSetId": item.key, "status": item.status, "statusMessage": item.status_message }))
        .collect();
    Ok(job::get_response(job, "sources", items))
}

/// `ListReadSetActivationJobs`.
pub(crate) fn list(state: &mut State, input: Value, now: RequestTime) -> Result<Value, ServiceError> {
    job::list(state, JobKind::Activation, "activationJobs", input, now)
}
