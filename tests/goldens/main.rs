//! Every request equals the one that botocore sends for the same input, and every response that the service may send is
//! read: `tests/fixtures` has both.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod foreign;
mod lists;
mod script;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use healthomics::error::Violations;
use healthomics::read_set::{
    FileType, GetReadSetActivationJobOutput, GetReadSetExportJobOutput, GetReadSetImportJobOutput, ImportReadSetSource,
    ItemStatus, JobStatus, SourceFiles,
};
use healthomics::{Client, Error};

use crate::script::{Script, builder, respond};

const RESPONSE: &str = r#"{"id":"1234567890","sequenceStoreId":"1234567890","status":"SUBMITTED","readSets":[]}"#;

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap_or_else(|| panic!("{name} in {input}"))
}

fn import_source(input: &Value) -> ImportReadSetSource {
    let optional = |name: &str| input[name].as_str();
    let files = &input["sourceFiles"];
    let tags = input["tags"].as_object().map(|tags| {
        let tags = tags.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
        tags.collect::<BTreeMap<_, _>>()
    });
    ImportReadSetSource::builder()
        .source_files(SourceFiles::source1(text(files, "source1")).source2(files["source2"].as_str()))
        .source_file_type(text(input, "sourceFileType"))
        .subject_id(text(input, "subjectId"))
        .sample_id(text(input, "sampleId"))
        .generated_from(optional("generatedFrom"))
        .reference_arn(optional("referenceArn"))
        .name(optional("name"))
        .description(optional("description"))
        .tags(tags)
        .build()
}

/// Sends the call of an operation with the input that botocore had.
async fn call(client: &Client, operation: &str, input: &Value) -> Result<(), Error> {
    let store = text(input, "sequenceStoreId");
    let ids = || input["sources"].as_array().unwrap().iter().map(|source| text(source, "readSetId"));
    let token = input["clientToken"].as_str();
    match operation {
        "StartReadSetExportJob" => {
            let call = client
                .start_read_set_export_job()
                .sequence_store_id(store)
                .destination(text(input, "destination"))
                .role_arn(text(input, "roleArn"))
                .sources(ids());
            call.client_token(token).send().await.map(drop)
        }
        "StartReadSetImportJob" => {
            let sources = input["sources"].as_array().unwrap().iter().map(import_source);
            let call = client
                .start_read_set_import_job()
                .sequence_store_id(store)
                .role_arn(text(input, "roleArn"))
                .sources(sources);
            call.client_token(token).send().await.map(drop)
        }
        "StartReadSetActivationJob" => {
            let call = client.start_read_set_activation_job().sequence_store_id(store).sources(ids());
            call.client_token(token).send().await.map(drop)
        }
        "GetReadSetExportJob" => {
            client.get_read_set_export_job().sequence_store_id(store).id(text(input, "id")).send().await.map(drop)
        }
        "GetReadSetImportJob" => {
            client.get_read_set_import_job().sequence_store_id(store).id(text(input, "id")).send().await.map(drop)
        }
        "GetReadSetActivationJob" => {
            client.get_read_set_activation_job().sequence_store_id(store).id(text(input, "id")).send().await.map(drop)
        }
        _ => lists::call(client, operation, input).await,
    }
}

#[tokio::test]
async fn requests_equal_those_of_botocore() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../fixtures/requests.json")).unwrap();
    assert!(cases.len() >= 190);
    for case in &cases {
        let (name, expect) = (text(case, "name"), &case["expect"]);
        let id = case["input"]["id"].as_str().unwrap_or("1234567890");
        let body = RESPONSE.replace("1234567890", id);
        let script = Script::new([respond(200, &[("x-amzn-requestid", "req-1")], &body)]);
        let client = script.client_with(builder().region(text(case, "region"))).unwrap();
        call(&client, text(case, "operation"), &case["input"]).await.unwrap_or_else(|error| panic!("{name}: {error}"));

        let sent = script.sent().pop().unwrap();
        assert_eq!(sent.method.as_str(), text(expect, "method"), "{name}");
        assert_eq!(sent.url.scheme(), "https", "{name}");
        assert_eq!(sent.url.host_str(), expect["host"].as_str(), "{name}");
        assert_eq!(sent.header("host"), expect["host"].as_str(), "{name}");
        assert_eq!(sent.url.path(), text(expect, "path"), "{name}");
        assert_eq!(sent.url.query().unwrap_or_default(), text(expect, "query"), "{name}");
        assert_eq!(sent.header("content-type"), expect["content_type"].as_str(), "{name}");
        let mut body = if sent.body.is_empty() { Value::Null } else { serde_json::from_slice(&sent.body).unwrap() };
        if case["input"].get("clientToken").is_none() && text(case, "operation").starts_with("Start") {
            // The one intended difference: a start is never sent without a token.
            let token = body.as_object_mut().unwrap().remove("clientToken").unwrap();
            assert_eq!(token.as_str().map(str::len), Some(36), "{name}");
        }
        assert_eq!(lists::same_times(body), lists::same_times(expect["body"].clone()), "{name}");
    }
}

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/responses").join(format!("{name}.json"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn client_for(name: &str) -> Client {
    Script::new([respond(200, &[("x-amzn-requestid", "req-1")], &fixture(name))]).client()
}

async fn get_import(name: &str) -> Result<GetReadSetImportJobOutput, Error> {
    client_for(name).get_read_set_import_job().sequence_store_id("1234567890").id("3578013579").send().await
}

async fn get_export(name: &str) -> Result<GetReadSetExportJobOutput, Error> {
    client_for(name).get_read_set_export_job().sequence_store_id("1234567890").id("2468013579").send().await
}

async fn get_activation(name: &str) -> Result<GetReadSetActivationJobOutput, Error> {
    client_for(name).get_read_set_activation_job().sequence_store_id("1234567890").id("4688013579").send().await
}

/// The names of all responses of an operation.
fn fixtures_of(operation: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/responses");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let of_operation = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<_> = of_operation.filter(|name| name.starts_with(&format!("{operation}."))).collect();
    names.sort();
    assert!(names.len() >= 10, "{operation}: {names:?}");
    names
}

/// Whether a response lacks a field without which it is an error. All others must be read.
fn lacks_a_required_field(name: &str) -> bool {
    let case = name.split_once('.').unwrap().1;
    let missing = ["without_id", "id_null", "id_empty", "without_status", "status_null", "status_empty"];
    missing.contains(&case) || case == "empty_object"
}

#[tokio::test]
async fn every_response_is_read_or_rejected_as_a_whole() {
    let mut read = 0;
    let mut rejected = 0;
    for operation in ["get_import_job", "get_export_job", "get_activation_job", "get_read_set_metadata"] {
        for name in fixtures_of(operation) {
            let result = match operation {
                "get_import_job" => get_import(&name).await.map(drop),
                "get_export_job" => get_export(&name).await.map(drop),
                "get_activation_job" => get_activation(&name).await.map(drop),
                _ => lists::metadata(&name).await.map(drop),
            };
            match result {
                Ok(()) => {
                    assert!(!lacks_a_required_field(&name), "{name} was read");
                    read += 1;
                }
                Err(error) => {
                    assert!(lacks_a_required_field(&name), "{name}: {}", error.report());
                    assert!(matches!(error, Error::UndecodableResponse(_)), "{name}: {error:?}");
                    assert!(!error.may_have_been_applied(), "{name}: a Get changes nothing");
                    assert_eq!(error.request_id(), Some("req-1"), "{name}");
                    rejected += 1;
                }
            }
        }
    }
    assert!(read > 75 && rejected > 15, "{read} read, {rejected} rejected");
}

#[tokio::test]
async fn a_start_whose_response_lacks_id_or_status_may_have_been_applied() {
    for operation in ["start_import_job", "start_export_job", "start_activation_job"] {
        for name in fixtures_of(operation) {
            let client = client_for(&name);
            let result = match operation {
                "start_import_job" => {
                    let source = ImportReadSetSource::builder()
                        .source_files("s3://bucket/key")
                        .source_file_type(FileType::Ubam)
                        .subject_id("subject")
                        .sample_id("sample")
                        .build();
                    let call = client.start_read_set_import_job().sequence_store_id("1234567890");
                    let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsImport").sources([source]);
                    call.client_token("my-token").send().await.map(|job| (job.id.to_string(), job.client_token))
                }
                "start_export_job" => {
                    let call =
                        client.start_read_set_export_job().sequence_store_id("1234567890").sources(["5000000001"]);
                    let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsExport").destination("s3://bucket");
                    call.client_token("my-token").send().await.map(|job| (job.id.to_string(), job.client_token))
                }
                _ => {
                    let call = client.start_read_set_activation_job().sequence_store_id("1234567890");
                    let call = call.sources(["5000000001"]).client_token("my-token");
                    call.send().await.map(|job| (job.id.to_string(), job.client_token))
                }
            };
            match result {
                Ok((id, token)) => {
                    assert!(!lacks_a_required_field(&name), "{name} was read");
                    assert!(id.len() >= 10, "{name}");
                    assert_eq!(token, "my-token", "{name}");
                }
                Err(error) => {
                    assert!(lacks_a_required_field(&name), "{name}: {}", error.report());
                    assert!(matches!(error, Error::UndecodableResponse(_)), "{name}: {error:?}");
                    assert!(error.may_have_been_applied(), "{name}");
                    assert_eq!(error.client_token().map(|token| token.as_str()), Some("my-token"), "{name}");
                    assert!(error.to_string().contains("may have been applied"), "{error}");
                    assert_eq!(error.attempts(), 1, "{name}: the service left it out, and would again");
                }
            }
        }
    }
}

#[tokio::test]
async fn times_in_every_format_are_the_same_time() {
    let whole = datetime!(2022-11-23 01:36:38 UTC);
    let mut seen = 0;
    for name in fixtures_of("get_export_job").into_iter().filter(|name| name.contains(".time_")) {
        let job = get_export(&name).await.unwrap();
        let created = job.creation_time.unwrap();
        assert_eq!(created.replace_nanosecond(0).unwrap().to_offset(time::UtcOffset::UTC), whole, "{name}");
        assert!(job.completion_time.is_some_and(|completed: OffsetDateTime| completed > created), "{name}");
        seen += 1;
    }
    assert!(seen >= 5);
}

#[tokio::test]
async fn an_import_job_is_read_in_full() {
    let job = get_import("get_import_job.full").await.unwrap();
    assert_eq!(job.id, "3578013579");
    assert_eq!(job.status, JobStatus::Completed);
    assert_eq!(job.status_message.as_deref(), Some("The job completed successfully."));
    assert_eq!(job.creation_time, Some(datetime!(2022-11-23 01:36:38.158 UTC)));
    assert_eq!(job.role_arn.as_ref().map(|role| role.as_str()), Some("arn:aws:iam::123456789012:role/OmicsImport"));
    assert_eq!(job.request_id.as_deref(), Some("req-1"));
    let source = &job.sources[0];
    assert_eq!(source.status, ItemStatus::Finished);
    assert_eq!(source.source_file_type, Some(FileType::Fastq));
    assert!(source.source_files.source2.as_ref().is_some_and(|file| file.as_str().ends_with("_2.filt.fastq.gz")));
    assert_eq!(source.subject_id.as_ref().map(|id| id.as_str()), Some("HG00146"));
    assert_eq!(source.sample_id.as_ref().map(|id| id.as_str()), Some("SRR233106"));
    assert_eq!(source.tags["aws:omics:sampleId"], "SRR233106");
    assert_eq!(source.read_set_id.as_ref().map(|id| id.as_str()), Some("5000000001"));
    assert_eq!(job.sources[1].source_files.source2, None);
}

#[tokio::test]
async fn values_that_this_version_does_not_know_are_kept() {
    let job = get_export("get_export_job.unknown_enum_values").await.unwrap();
    assert_eq!(job.status.as_str(), "PAUSED");
    assert!(!job.status.is_terminal());
    assert!(matches!(job.status, JobStatus::Unknown(_)));
    assert_eq!(serde_json::to_string(&job.status).unwrap(), "\"PAUSED\"");
}

#[tokio::test]
async fn a_store_that_the_response_lacks_is_that_of_the_request() {
    let job = get_activation("get_activation_job.id_and_status_alone").await.unwrap();
    assert_eq!(job.sequence_store_id, "1234567890");
    assert_eq!(job.creation_time, None);
    assert!(job.sources.is_empty());
}

#[tokio::test]
async fn an_invalid_request_is_not_sent() {
    let script = Script::new([respond(200, &[("x-amzn-requestid", "req-1")], RESPONSE)]);
    let long = "x".repeat(128);
    let source = ImportReadSetSource::builder()
        .source_files(SourceFiles::source1("s3://bucket").source2("https://bucket/key"))
        .source_file_type("fastq")
        .subject_id("")
        .sample_id("a\u{7}b")
        .name(&long)
        .description("ok")
        .reference_arn("not-an-arn")
        .tag("", "value")
        .tag("key", "v".repeat(257))
        .build();
    let call = script.client().start_read_set_import_job().sequence_store_id("..").role_arn("role").sources([source]);
    let error = call.client_token(&long).send().await.unwrap_err();

    let fields: Vec<_> = error.violations().into_iter().flat_map(Violations::iter).map(|v| v.field()).collect();
    assert_eq!(
        fields,
        [
            "sequenceStoreId",
            "roleArn",
            "roleArn",
            "clientToken",
            "sources[0].sourceFiles.source1",
            "sources[0].sourceFiles.source2",
            "sources[0].sourceFileType",
            "sources[0].subjectId",
            "sources[0].sampleId",
            "sources[0].referenceArn",
            "sources[0].name",
            "sources[0].tags[\"\"].key",
            "sources[0].tags[\"key\"]",
        ]
    );
    assert!(script.sent().is_empty());
    assert_eq!(error.attempts(), 0);
    assert!(!error.may_have_been_applied() && !error.is_retryable());
    assert_eq!(
        error.to_string(),
        "StartReadSetImportJob: invalid input, nothing was sent: sequenceStoreId: \"..\" must be 10 to 36 digits; \
         roleArn: must have 20 to 2048 characters, has 4; roleArn: \"role\" must be \"arn:\" and the rest of one line; \
         clientToken: must have 1 to 127 characters, has 128; sources[0].sourceFiles.source1: \"s3://bucket\" must be \
         s3://bucket/key, the key of 1 to 1024 characters; and 8 more"
    );
}

#[tokio::test]
async fn the_number_of_sources_is_checked() {
    let client = Script::new([respond(200, &[("x-amzn-requestid", "req-1")], RESPONSE)]).client();
    let ids = |count: usize| (0..count).map(|index| format!("{:010}", 5_000_000_000_u64 + index as u64));
    for (count, fits) in [(0, false), (1, true), (20, true), (21, false)] {
        let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(ids(count));
        assert_eq!(call.send().await.is_ok(), fits, "{count} activations");
    }
    for (count, fits) in [(0, false), (1, true), (100, true), (101, false)] {
        let call = client.start_read_set_export_job().sequence_store_id("1234567890").sources(ids(count));
        let call = call.destination("s3://bucket").role_arn("arn:aws:iam::123456789012:role/OmicsExport");
        let result = call.send().await;
        assert_eq!(result.is_ok(), fits, "{count} exports");
        if let Err(error) = result {
            let violation = error.violations().unwrap().iter().next().unwrap().to_string();
            assert_eq!(violation, format!("sources: must have 1 to 100 items, has {count}"));
        }
    }
}
