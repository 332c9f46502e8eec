//! From JSON to the builders of the SDK.

use std::fmt::Debug;
use std::time::Duration;

use aws_sdk_omics::client::Waiters;
use aws_sdk_omics::primitives::{DateTime, DateTimeFormat};
use aws_sdk_omics::types::{
    ActivateReadSetFilter, ExportReadSet, ExportReadSetFilter, ImportReadSetFilter, ReadSetFilter, SourceFiles,
    StartReadSetActivationJobSourceItem, StartReadSetImportJobSourceItem,
};
use aws_smithy_runtime_api::client::waiters::error::WaiterError;
use serde_json::{Value, json};

use crate::client::Connected;
use crate::to_json::{ToJson, failed, result_to_json};
use crate::{CommandResult, text};

fn given(input: &Value, name: &str) -> Option<String> {
    input[name].as_str().map(str::to_owned)
}

fn time(input: &Value, name: &str) -> Option<DateTime> {
    input[name].as_str().and_then(|text| DateTime::from_str(text, DateTimeFormat::DateTimeWithOffset).ok())
}

fn sources(input: &Value) -> impl Iterator<Item = &Value> {
    input["sources"].as_array().into_iter().flatten()
}

fn import_source(source: &Value) -> Result<StartReadSetImportJobSourceItem, Box<dyn std::error::Error>> {
    let files = &source["sourceFiles"];
    let files = SourceFiles::builder().set_source1(given(files, "source1")).set_source2(given(files, "source2"));
    let mut item = StartReadSetImportJobSourceItem::builder()
        .source_files(files.build()?)
        .set_source_file_type(given(source, "sourceFileType").map(|text| text.as_str().into()))
        .set_subject_id(given(source, "subjectId"))
        .set_sample_id(given(source, "sampleId"))
        .set_generated_from(given(source, "generatedFrom"))
        .set_reference_arn(given(source, "referenceArn"))
        .set_name(given(source, "name"))
        .set_description(given(source, "description"));
    for (key, value) in source["tags"].as_object().into_iter().flatten() {
        item = item.tags(key, value.as_str().unwrap_or_default());
    }
    Ok(item.build()?)
}

/// The members that all lists have.
macro_rules! list {
    ($client:ident.$method:ident, $input:ident, $filter:expr) => {{
        let most = $input["maxResults"].as_i64().and_then(|most| most.try_into().ok());
        let call = $client.$method().set_sequence_store_id(given($input, "sequenceStoreId"));
        call.set_max_results(most).set_next_token(given($input, "nextToken")).set_filter($filter)
    }};
}

macro_rules! job_filter {
    ($Filter:ident, $input:ident) => {{
        let filter = &$input["filter"];
        filter.is_object().then(|| {
            $Filter::builder()
                .set_status(given(filter, "status").map(|text| text.as_str().into()))
                .set_created_after(time(filter, "createdAfter"))
                .set_created_before(time(filter, "createdBefore"))
                .build()
        })
    }};
}

macro_rules! export_jobs {
    ($client:ident, $input:ident) => {
        list!($client.list_read_set_export_jobs, $input, job_filter!(ExportReadSetFilter, $input))
    };
}

macro_rules! import_jobs {
    ($client:ident, $input:ident) => {
        list!($client.list_read_set_import_jobs, $input, job_filter!(ImportReadSetFilter, $input))
    };
}

macro_rules! activation_jobs {
    ($client:ident, $input:ident) => {
        list!($client.list_read_set_activation_jobs, $input, job_filter!(ActivateReadSetFilter, $input))
    };
}

macro_rules! read_sets {
    ($client:ident, $input:ident) => {
        list!($client.list_read_sets, $input, read_set_filter(&$input["filter"]))
    };
}

fn read_set_filter(filter: &Value) -> Option<ReadSetFilter> {
    filter.is_object().then(|| {
        ReadSetFilter::builder()
            .set_name(given(filter, "name"))
            .set_status(given(filter, "status").map(|text| text.as_str().into()))
            .set_reference_arn(given(filter, "referenceArn"))
            .set_created_after(time(filter, "createdAfter"))
            .set_created_before(time(filter, "createdBefore"))
            .set_sample_id(given(filter, "sampleId"))
            .set_subject_id(given(filter, "subjectId"))
            .set_generated_from(given(filter, "generatedFrom"))
            .set_creation_type(given(filter, "creationType").map(|text| text.as_str().into()))
            .build()
    })
}

pub async fn call(connected: &Connected, order: &Value) -> CommandResult {
    let (client, input) = (&connected.client, &order["input"]);
    let (store, id) = (given(input, "sequenceStoreId"), given(input, "id"));
    Ok(match text(order, "operation")? {
        "StartReadSetExportJob" => {
            let read_set = |source| ExportReadSet::builder().set_read_set_id(given(source, "readSetId")).build();
            let call = client
                .start_read_set_export_job()
                .set_sequence_store_id(store)
                .set_destination(given(input, "destination"))
                .set_role_arn(given(input, "roleArn"))
                .set_client_token(given(input, "clientToken"))
                .set_sources(Some(sources(input).map(read_set).collect::<Result<_, _>>()?));
            result_to_json(call.send().await)
        }
        "StartReadSetImportJob" => {
            let call = client
                .start_read_set_import_job()
                .set_sequence_store_id(store)
                .set_role_arn(given(input, "roleArn"))
                .set_client_token(given(input, "clientToken"))
                .set_sources(Some(sources(input).map(import_source).collect::<Result<_, _>>()?));
            result_to_json(call.send().await)
        }
        "StartReadSetActivationJob" => {
            let read_set = |source| {
                StartReadSetActivationJobSourceItem::builder().set_read_set_id(given(source, "readSetId")).build()
            };
            let call = client
                .start_read_set_activation_job()
                .set_sequence_store_id(store)
                .set_client_token(given(input, "clientToken"))
                .set_sources(Some(sources(input).map(read_set).collect::<Result<_, _>>()?));
            result_to_json(call.send().await)
        }
        "GetReadSetExportJob" => {
            result_to_json(client.get_read_set_export_job().set_sequence_store_id(store).set_id(id).send().await)
        }
        "GetReadSetImportJob" => {
            result_to_json(client.get_read_set_import_job().set_sequence_store_id(store).set_id(id).send().await)
        }
        "GetReadSetActivationJob" => {
            result_to_json(client.get_read_set_activation_job().set_sequence_store_id(store).set_id(id).send().await)
        }
        "GetReadSetMetadata" => {
            result_to_json(client.get_read_set_metadata().set_sequence_store_id(store).set_id(id).send().await)
        }
        "BatchDeleteReadSet" => {
            let ids =
                input["ids"].as_array().map(|ids| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            result_to_json(client.batch_delete_read_set().set_sequence_store_id(store).set_ids(ids).send().await)
        }
        "ListReadSetExportJobs" => result_to_json(export_jobs!(client, input).send().await),
        "ListReadSetImportJobs" => result_to_json(import_jobs!(client, input).send().await),
        "ListReadSetActivationJobs" => result_to_json(activation_jobs!(client, input).send().await),
        "ListReadSets" => result_to_json(read_sets!(client, input).send().await),
        other => return Err(format!("the operation {other} is not known").into()),
    })
}

/// Every page of a list, by the SDK's paginators: the ids of its items.
pub async fn pages(connected: &Connected, order: &Value) -> CommandResult {
    /// Takes page after page.
    macro_rules! pages {
        ($call:expr, $items:ident) => {{
            let (mut stream, mut all) = ($call.into_paginator().send(), Vec::new());
            while let Some(page) = stream.next().await {
                match page {
                    Ok(page) => all.push(page.$items().iter().map(|item| json!(item.id())).collect()),
                    Err(error) => return Ok(failed(&error)),
                }
            }
            all
        }};
    }
    let (client, input) = (&connected.client, &order["input"]);
    let pages: Vec<Vec<Value>> = match text(order, "operation")? {
        "ListReadSetExportJobs" => pages!(export_jobs!(client, input), export_jobs),
        "ListReadSetImportJobs" => pages!(import_jobs!(client, input), import_jobs),
        "ListReadSetActivationJobs" => pages!(activation_jobs!(client, input), activation_jobs),
        "ListReadSets" => pages!(read_sets!(client, input), read_sets),
        other => return Err(format!("the list {other} is not known").into()),
    };
    Ok(json!({ "pages": pages }))
}

/// Waits for the end of a job, by the SDK's waiters.
pub async fn wait(connected: &Connected, order: &Value) -> CommandResult {
    let (client, input) = (&connected.hasty, &order["input"]);
    let (store, id) = (given(input, "sequenceStoreId"), given(input, "id"));
    /// What the waiter makes of the job, and the status it saw last.
    macro_rules! wait {
        ($call:expr) => {
            match $call.set_sequence_store_id(store).set_id(id).wait(Duration::from_secs(3600)).await {
                Ok(poll) => ended("success", poll.into_result()),
                Err(WaiterError::FailureState(failure)) => ended("failure", failure.into_final_poll().into_result()),
                Err(error) => return Err(error.into()),
            }
        };
    }
    match text(order, "operation")? {
        "GetReadSetExportJob" => wait!(client.wait_until_read_set_export_job_completed()),
        "GetReadSetImportJob" => wait!(client.wait_until_read_set_import_job_completed()),
        "GetReadSetActivationJob" => wait!(client.wait_until_read_set_activation_job_completed()),
        other => Err(format!("nothing to wait for with {other}").into()),
    }
}

fn ended<T: ToJson, E: Debug>(state: &str, last: Result<T, E>) -> CommandResult {
    let output = last.map_err(|error| format!("{state}: {error:?}"))?;
    Ok(json!({ "waited": state, "state": output.to_json()["status"] }))
}
