//! Calls through the crate's own builders.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use healthomics::read_set::{ImportReadSetSource, JobFilter, ReadSetFilter};
use healthomics::{Client, Credentials, Error};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::echo::Echo;
use crate::inputs::{
    BatchDelete, Get, List, OfJobs, OfReadSets, ReadSet, StartActivation, StartExport, StartImport, set,
};
use crate::{CommandResult, number, text};

#[derive(Default)]
pub struct Clients(HashMap<u32, Client>);

fn input<T: DeserializeOwned>(order: &Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(order["input"].clone())
}

fn ids(sources: Vec<ReadSet>) -> impl Iterator<Item = String> {
    sources.into_iter().map(|source| source.read_set_id)
}

/// A list call with the fields of its input.
macro_rules! list {
    ($client:ident.$method:ident of $Input:ty as $Filter:ty, $order:ident) => {{
        let input: List<$Input> = input($order)?;
        let call = $client.$method().sequence_store_id(input.sequence_store_id);
        let call = call.max_results(input.max_results).next_token(input.next_token);
        call.filter(input.filter.map(<$Filter>::from))
    }};
}

impl Clients {
    pub fn connect(&mut self, order: &Value) -> CommandResult {
        let token = order["session_token"].as_str().map(str::to_owned);
        let (key, secret) = (text(order, "access_key_id")?, text(order, "secret_access_key")?);
        let mut builder = Client::builder()
            .region(text(order, "region")?)
            .credentials(Credentials::new(key, secret, token, None, "driver"))
            .host_prefix(order["host_prefix"] == true)
            .use_fips(order["fips"] == true)
            .use_dual_stack(order["dual_stack"] == true)
            .max_attempts(number(order, "attempts").unwrap_or(1))
            .parameter_validation(order["parameter_validation"] != false)
            .requests_per_second(None);
        if let Some(url) = order["endpoint"].as_str() {
            builder = builder.endpoint_url(url);
        }
        let number = u32::try_from(self.0.len())?;
        self.0.insert(number, builder.build()?);
        Ok(json!({ "client": number }))
    }

    fn client(&self, order: &Value) -> Result<&Client, &'static str> {
        number(order, "client").and_then(|number| self.0.get(&number)).ok_or("there is no such client")
    }

    pub async fn call(&self, order: &Value) -> CommandResult {
        let client = self.client(order)?;
        Ok(match text(order, "operation")? {
            "StartReadSetExportJob" => {
                let input: StartExport = input(order)?;
                let mut call = client
                    .start_read_set_export_job()
                    .sequence_store_id(input.sequence_store_id)
                    .destination(input.destination)
                    .role_arn(input.role_arn)
                    .sources(ids(input.sources));
                set!(call, input: client_token);
                result_to_json(call.send().await)
            }
            "StartReadSetImportJob" => {
                let input: StartImport = input(order)?;
                let mut call = client
                    .start_read_set_import_job()
                    .sequence_store_id(input.sequence_store_id)
                    .role_arn(input.role_arn)
                    .sources(input.sources.into_iter().map(ImportReadSetSource::from));
                set!(call, input: client_token);
                result_to_json(call.send().await)
            }
            "StartReadSetActivationJob" => {
                let input: StartActivation = input(order)?;
                let call = client.start_read_set_activation_job().sequence_store_id(input.sequence_store_id);
                let mut call = call.sources(ids(input.sources));
                set!(call, input: client_token);
                result_to_json(call.send().await)
            }
            "GetReadSetExportJob" => {
                let Get { sequence_store_id, id } = input(order)?;
                result_to_json(
                    client.get_read_set_export_job().sequence_store_id(sequence_store_id).id(id).send().await,
                )
            }
            "GetReadSetImportJob" => {
                let Get { sequence_store_id, id } = input(order)?;
                result_to_json(
                    client.get_read_set_import_job().sequence_store_id(sequence_store_id).id(id).send().await,
                )
            }
            "GetReadSetActivationJob" => {
                let Get { sequence_store_id, id } = input(order)?;
                result_to_json(
                    client.get_read_set_activation_job().sequence_store_id(sequence_store_id).id(id).send().await,
                )
            }
            "GetReadSetMetadata" => {
                let Get { sequence_store_id, id } = input(order)?;
                result_to_json(client.get_read_set_metadata().sequence_store_id(sequence_store_id).id(id).send().await)
            }
            "BatchDeleteReadSet" => {
                let BatchDelete { sequence_store_id, ids } = input(order)?;
                result_to_json(
                    client.batch_delete_read_set().sequence_store_id(sequence_store_id).ids(ids).send().await,
                )
            }
            "ListReadSetExportJobs" => {
                result_to_json(list!(client.list_read_set_export_jobs of OfJobs as JobFilter, order).send().await)
            }
            "ListReadSetImportJobs" => {
                result_to_json(list!(client.list_read_set_import_jobs of OfJobs as JobFilter, order).send().await)
            }
            "ListReadSetActivationJobs" => {
                result_to_json(list!(client.list_read_set_activation_jobs of OfJobs as JobFilter, order).send().await)
            }
            "ListReadSets" => {
                result_to_json(list!(client.list_read_sets of OfReadSets as ReadSetFilter, order).send().await)
            }
            other => return Err(format!("the operation {other} is not known").into()),
        })
    }

    /// Every page of a list, by the crate's own pages.
    pub async fn pages(&self, order: &Value) -> CommandResult {
        /// Takes page after page.
        macro_rules! pages {
            ($call:expr, $items:ident) => {{
                let (mut pages, mut all) = ($call.pages(), Vec::new());
                while let Some(page) = pages.next().await {
                    match page {
                        Ok(page) => all.push(page.$items.iter().map(|item| json!(item.id)).collect()),
                        Err(error) => return Ok(failed(&error)),
                    }
                }
                all
            }};
        }
        let client = self.client(order)?;
        let pages: Vec<Vec<Value>> = match text(order, "operation")? {
            "ListReadSetExportJobs" => {
                pages!(list!(client.list_read_set_export_jobs of OfJobs as JobFilter, order), export_jobs)
            }
            "ListReadSetImportJobs" => {
                pages!(list!(client.list_read_set_import_jobs of OfJobs as JobFilter, order), import_jobs)
            }
            "ListReadSetActivationJobs" => {
                pages!(list!(client.list_read_set_activation_jobs of OfJobs as JobFilter, order), activation_jobs)
            }
            "ListReadSets" => pages!(list!(client.list_read_sets of OfReadSets as ReadSetFilter, order), read_sets),
            other => return Err(format!("the list {other} is not known").into()),
        };
        Ok(json!({ "pages": pages }))
    }

    /// Waits for the end of a job, by the crate's own wait.
    pub async fn wait(&self, order: &Value) -> CommandResult {
        /// The last state of a job, whatever came of it.
        macro_rules! wait {
            ($job:expr) => {
                match $job.wait().poll_every(Duration::from_millis(20)).await {
                    Ok(outcome) => json!({ "state": outcome.job().status }),
                    Err(error) => return Err(error.into()),
                }
            };
        }
        let client = self.client(order)?;
        let Get { sequence_store_id, id } = input(order)?;
        let store = sequence_store_id;
        Ok(match text(order, "operation")? {
            "GetReadSetExportJob" => wait!(client.export_job(&store, id)),
            "GetReadSetImportJob" => wait!(client.import_job(&store, id)),
            "GetReadSetActivationJob" => wait!(client.activation_job(&store, id)),
            other => return Err(format!("nothing to wait for with {other}").into()),
        })
    }

    /// The builders of a call with nothing set, as `Debug` has them: every member, and which of them are required.
    pub fn builders(&self, order: &Value) -> CommandResult {
        let client = self.client(order)?;
        Ok(json!({
            "StartReadSetExportJob": debug(client.start_read_set_export_job()),
            "StartReadSetImportJob": debug(client.start_read_set_import_job()),
            "StartReadSetActivationJob": debug(client.start_read_set_activation_job()),
            "GetReadSetExportJob": debug(client.get_read_set_export_job()),
            "GetReadSetImportJob": debug(client.get_read_set_import_job()),
            "GetReadSetActivationJob": debug(client.get_read_set_activation_job()),
            "GetReadSetMetadata": debug(client.get_read_set_metadata()),
            "BatchDeleteReadSet": debug(client.batch_delete_read_set()),
            "ListReadSetExportJobs": debug(client.list_read_set_export_jobs()),
            "ListReadSetImportJobs": debug(client.list_read_set_import_jobs()),
            "ListReadSetActivationJobs": debug(client.list_read_set_activation_jobs()),
            "ListReadSets": debug(client.list_read_sets()),
        }))
    }
}

pub fn debug(value: impl Debug) -> String {
    format!("{value:#?}")
}

fn result_to_json<T: Echo + Debug>(result: Result<T, Error>) -> Value {
    match result {
        Ok(output) => json!({ "output": output.echo(), "debug": debug(&output) }),
        Err(error) => failed(&error),
    }
}

/// The name of the variant of an error of the service.
fn variant(error: &Error) -> &'static str {
    match error {
        Error::ValidationException(_) => "ValidationException",
        Error::ServiceQuotaExceededException(_) => "ServiceQuotaExceededException",
        Error::AccessDeniedException(_) => "AccessDeniedException",
        Error::ResourceNotFoundException(_) => "ResourceNotFoundException",
        Error::NotSupportedOperationException(_) => "NotSupportedOperationException",
        Error::RequestTimeoutException(_) => "RequestTimeoutException",
        Error::ConflictException(_) => "ConflictException",
        Error::RangeNotSatisfiableException(_) => "RangeNotSatisfiableException",
        Error::ThrottlingException(_) => "ThrottlingException",
        Error::InternalServerException(_) => "InternalServerException",
        Error::Service(_) => "Service",
        _ => "not an error of the service",
    }
}

fn failed(error: &Error) -> Value {
    if let Some(violations) = error.violations() {
        let fields = violations.iter().map(|violation| violation.field()).collect::<Vec<_>>();
        return json!({ "refused": error.to_string(), "fields": fields });
    }
    json!({
        "error": {
            "variant": variant(error),
            "code": error.code(),
            "status": error.status(),
            "message": error.message(),
            "text": error.report().to_string(),
            "throttling": error.is_throttling(),
            "retryable": error.is_retryable(),
        }
    })
}
