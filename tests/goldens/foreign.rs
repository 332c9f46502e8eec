//! Responses with status 200 and JSON that are not the service's: those of a proxy, a health check or a login page.

use healthomics::{Client, Error};

use crate::script::{Script, respond};

const STORE: &str = "1234567890";
const REQUEST_ID: (&str, &str) = ("x-amzn-requestid", "req-1");

const FOREIGN: &[&str] = &[
    "{}",
    r#"{"message":"session expired, log in"}"#,
    r#"{"status":"healthy"}"#,
    r#"{"ok":true,"data":{"readSets":[]}}"#,
    r#"{"Errors":null,"readsets":[],"export_jobs":[]}"#,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    ListReadSets,
    ListExportJobs,
    ListImportJobs,
    ListActivationJobs,
    BatchDelete,
    GetExportJob,
    GetImportJob,
    GetActivationJob,
    GetMetadata,
    StartExportJob,
    StartActivationJob,
}
use Operation::*;

const ALL: [Operation; 11] = [
    ListReadSets,
    ListExportJobs,
    ListImportJobs,
    ListActivationJobs,
    BatchDelete,
    GetExportJob,
    GetImportJob,
    GetActivationJob,
    GetMetadata,
    StartExportJob,
    StartActivationJob,
];

/// Those whose output has no required field.
const ALL_OPTIONAL: [Operation; 4] = [ListExportJobs, ListImportJobs, ListActivationJobs, BatchDelete];

impl Operation {
    /// How many items the response has.
    async fn call(self, client: &Client) -> Result<usize, Error> {
        Ok(match self {
            ListReadSets => client.list_read_sets().sequence_store_id(STORE).send().await?.read_sets.len(),
            ListExportJobs => {
                client.list_read_set_export_jobs().sequence_store_id(STORE).send().await?.export_jobs.len()
            }
            ListImportJobs => {
                client.list_read_set_import_jobs().sequence_store_id(STORE).send().await?.import_jobs.len()
            }
            ListActivationJobs => {
                client.list_read_set_activation_jobs().sequence_store_id(STORE).send().await?.activation_jobs.len()
            }
            BatchDelete => {
                client.batch_delete_read_set().sequence_store_id(STORE).ids(["5000000001"]).send().await?.errors.len()
            }
            GetExportJob => {
                client.get_read_set_export_job().sequence_store_id(STORE).id("7000000001").send().await?.read_sets.len()
            }
            GetImportJob => {
                client.get_read_set_import_job().sequence_store_id(STORE).id("7000000001").send().await?.sources.len()
            }
            GetActivationJob => {
                let call = client.get_read_set_activation_job().sequence_store_id(STORE).id("7000000001");
                call.send().await?.sources.len()
            }
            GetMetadata => {
                client.get_read_set_metadata().sequence_store_id(STORE).id("5000000001").send().await.map(|_| 0)?
            }
            StartExportJob => {
                let call = client.start_read_set_export_job().sequence_store_id(STORE).sources(["5000000001"]);
                let call = call.destination("s3://bucket/").role_arn("arn:aws:iam::123456789012:role/Omics");
                call.send().await.map(|_| 0)?
            }
            StartActivationJob => {
                let call = client.start_read_set_activation_job().sequence_store_id(STORE).sources(["5000000001"]);
                call.send().await.map(|_| 0)?
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_response_that_is_not_the_services_is_no_empty_success() {
    for operation in ALL {
        for body in FOREIGN {
            let script = Script::new([respond(200, &[], body)]);
            let error = operation.call(&script.client()).await.unwrap_err();
            assert!(matches!(error, Error::UndecodableResponse(_)), "{operation:?}, {body}: {error}");
            assert_eq!((script.sent().len(), error.is_retryable()), (3, true), "{operation:?}, {body}: {error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_list_of_read_sets_is_required() {
    for body in ["{}", r#"{"readSets":null}"#, r#"{"nextToken":"more"}"#] {
        let error = ListReadSets.call(&Script::new([respond(200, &[REQUEST_ID], body)]).client()).await.unwrap_err();
        assert!(error.is_retryable() && error.request_id() == Some("req-1"), "{body}: {error}");
        assert!(error.to_string().contains("the response has no readSets"), "{error}");
    }
    let whole = || respond(200, &[], r#"{"readSets":[{"id":"5000000001","status":"ACTIVE"}]}"#);
    let script = Script::new([respond(200, &[REQUEST_ID], "{}"), whole()]);
    assert_eq!(ListReadSets.call(&script.client()).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_response_of_the_service_is_a_success() {
    for operation in ALL_OPTIONAL {
        // A request id is enough, and so is a field.
        for body in ["{}", r#"{"newField":1}"#, r#"{"exportJobs":null,"importJobs":null,"errors":null}"#] {
            let script = Script::new([respond(200, &[REQUEST_ID], body)]);
            assert_eq!(operation.call(&script.client()).await.unwrap(), 0, "{operation:?}, {body}");
        }
        let key = match operation {
            ListExportJobs => "exportJobs",
            ListImportJobs => "importJobs",
            ListActivationJobs => "activationJobs",
            _ => "errors",
        };
        let script = Script::new([respond(200, &[], &format!(r#"{{"{key}":[]}}"#))]);
        assert_eq!(operation.call(&script.client()).await.unwrap(), 0, "{operation:?}");
    }
    let script = Script::new([respond(200, &[], r#"{"nextToken":"more"}"#)]);
    assert_eq!(ListExportJobs.call(&script.client()).await.unwrap(), 0);
    let script = Script::new([respond(200, &[], r#"{"readSets":[]}"#)]);
    assert_eq!(ListReadSets.call(&script.client()).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_empty_body_is_a_success_only_of_a_deletion_with_a_request_id() {
    for body in ["", " \r\n"] {
        for operation in ALL {
            let script = Script::new([respond(200, &[REQUEST_ID], body)]);
            let result = operation.call(&script.client()).await;
            assert_eq!(result.is_ok(), operation == BatchDelete, "{operation:?}");

            let script = Script::new([respond(200, &[], body)]);
            let error = operation.call(&script.client()).await.unwrap_err();
            assert!(error.is_retryable() && error.attempts() == 3, "{operation:?}: {error}");
        }
    }
}
