//! What the jobs of all kinds have in common.

use serde_json::{Map, Value, json};

use super::page::{JobFilter, ListInput, Page};
use super::{GetInput, parse, timestamp};
use crate::local::clock::RequestTime;
use crate::local::messages;
use crate::local::service_error::ServiceError;
use crate::local::snapshot::JobKind;
use crate::local::state::{Job, JobRequest, State};
use crate::model::JobStatus;

/// The response to the start of a job. It is the same for a repeated request with the same client token.
pub(super) fn start_response(job: &Job) -> Value {
    Value::Object(fields(job, &JobStatus::Submitted))
}

/// The response to the Get of a job with these items, which are in a list of this name.
pub(super) fn get_response(job: &Job, items_name: &str, items: Vec<Value>) -> Value {
    let mut response = entry(job);
    response.insert("statusMessage".to_owned(), json!(messages::job_message(&job.status())));
    response.insert(items_name.to_owned(), Value::Array(items));
    Value::Object(response)
}

/// The job that a Get asks for, after this read of it.
pub(super) fn read(state: &mut State, kind: JobKind, input: Value, now: RequestTime) -> Result<&Job, ServiceError> {
    let input: GetInput = parse(input)?;
    let index = state.find_job(kind, &input.sequence_store_id, &input.id)?;
    state.read_job(index, now);
    Ok(state.job(index)?)
}

/// A page of a list of jobs, which is a read of each job that it passes.
pub(super) fn list(
    state: &mut State,
    kind: JobKind,
    list_name: &'static str,
    input: Value,
    now: RequestTime,
) -> Result<Value, ServiceError> {
    let input: ListInput<JobFilter> = parse(input)?;
    let store_id = &input.sequence_store_id;
    let filter = &input.filter;
    let matches = |job: &Job| filter.status.as_deref().is_none_or(|status| status == job.status().as_str());
    state.store(store_id)?;
    let mut page = Page::new(list_name, &input)?;
    while !page.is_full() {
        let next = state.store(store_id)?.jobs_after(kind, page.position()).next();
        let Some((_, index)) = next.filter(|(position, _)| page.includes(*position)) else {
            return Ok(page.into_response(false));
        };
        state.read_job(index, now);
        let job = state.job(index)?;
        page.pass(job.position(index), matches(job).then(|| Value::Object(entry(job))));
    }
    let has_more = state
        .store(store_id)?
        .jobs_after(kind, page.position())
        .take_while(|(position, _)| page.includes(*position))
        .any(|(_, index)| state.job(index).is_ok_and(matches));
    Ok(page.into_response(has_more))
}

/// A job in a list: a Get has more fields.
fn entry(job: &Job) -> Map<String, Value> {
    let mut entry = fields(job, &job.status());
    if let Some(completed) = job.completed {
        entry.insert("completionTime".to_owned(), timestamp(completed));
    }
    entry
}

/// The fields of a job in all responses.
fn fields(job: &Job, status: &JobStatus) -> Map<String, Value> {
    let mut fields = Map::from_iter([
        ("id".to_owned(), json!(job.id)),
        ("sequenceStoreId".to_owned(), json!(job.store_id)),
        ("status".to_owned(), json!(status)),
        ("creationTime".to_owned(), timestamp(job.created)),
    ]);
    match &job.request {
        JobRequest::Export { destination, .. } => drop(fields.insert("destination".to_owned(), json!(destination))),
        JobRequest::Import { role_arn, .. } => drop(fields.insert("roleArn".to_owned(), json!(role_arn))),
        JobRequest::Activation { .. } => {}
    }
    fields
}
