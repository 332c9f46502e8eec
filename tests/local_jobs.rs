//! The jobs of the local service over HTTP: what starts, how it continues, how it ends.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod local_support;

use std::time::Duration;

use healthomics::local::{JobKind, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::{FileType, JobStatus, ReadSetStatus};
use healthomics::{ReadSetId, SequenceStoreId};
use local_support::{ROLE, Reply, bare, call};
use serde_json::{Value, json};

async fn service(pace: Pace) -> (LocalService, SequenceStoreId) {
    let service = LocalService::builder().pace(pace).start().await.unwrap();
    let store = service.create_sequence_store();
    (service, store)
}

async fn start(service: &LocalService, store: &SequenceStoreId, kind: &str, body: &Value) -> Reply {
    call(service, "POST", &format!("/sequencestore/{store}/{kind}"), body).send().await
}

async fn started(service: &LocalService, store: &SequenceStoreId, kind: &str, body: &Value) -> String {
    let reply = start(service, store, kind, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let response = reply.json();
    assert_eq!(response["status"], "SUBMITTED");
    assert_eq!(response["sequenceStoreId"], store.as_str());
    response["id"].as_str().unwrap().to_owned()
}

async fn get(service: &LocalService, store: &SequenceStoreId, kind: &str, id: &str) -> Value {
    let reply = bare(service, "GET", &format!("/sequencestore/{store}/{kind}/{id}")).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn sources(ids: &[&ReadSetId]) -> Value {
    ids.iter().map(|id| json!({"readSetId": id})).collect()
}

fn export(ids: &[&ReadSetId]) -> Value {
    json!({"destination": "s3://bucket/out/", "roleArn": ROLE, "sources": sources(ids)})
}

fn import_source(file: &str, file_type: &str) -> Value {
    json!({
        "sourceFiles": {"source1": format!("s3://bucket/{file}")},
        "sourceFileType": file_type,
        "subjectId": "subject",
        "sampleId": "sample",
    })
}

fn statuses(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_export_moves_forward_when_it_is_read() {
    let (service, store) = service(Pace::Polls(4)).await;
    let sets: Vec<_> = (0..3).map(|_| service.seed_read_set(&store, SeedReadSet::active(FileType::Fastq))).collect();
    let id = started(&service, &store, "exportjob", &export(&sets.iter().collect::<Vec<_>>())).await;
    assert_eq!(service.jobs()[0].status, JobStatus::Submitted);

    let submitted = get(&service, &store, "exportjob", &id).await;
    assert_eq!(submitted["status"], "SUBMITTED");
    assert_eq!(submitted["statusMessage"], "The job is submitted and will start soon.");
    assert_eq!(statuses(&submitted["readSets"]), ["NOT_STARTED"; 3]);
    let first = get(&service, &store, "exportjob", &id).await;
    assert_eq!(first["status"], "IN_PROGRESS");
    assert_eq!(first["statusMessage"], "The job is currently in progress.");
    assert_eq!(first["destination"], "s3://bucket/out/");
    assert_eq!(first.get("roleArn"), None);
    assert_eq!(first.get("completionTime"), None);
    assert_eq!(statuses(&first["readSets"]), ["FINISHED", "IN_PROGRESS", "NOT_STARTED"]);
    assert_eq!(first["readSets"][0]["id"], sets[0].as_str());
    assert_eq!(first["readSets"][1]["statusMessage"], "The source job is currently in progress.");
    assert_eq!(first["readSets"][2]["statusMessage"], "The source is queued for the job.");
    let second = get(&service, &store, "exportjob", &id).await;
    assert_eq!(statuses(&second["readSets"]), ["FINISHED", "FINISHED", "IN_PROGRESS"]);
    let third = get(&service, &store, "exportjob", &id).await;
    assert_eq!(third["status"], "COMPLETED");
    assert_eq!(third["statusMessage"], "The job completed successfully.");
    let completed = third["completionTime"].as_str().unwrap();
    assert!(completed.ends_with('Z') && completed.len() <= "2022-11-23T01:36:38.158Z".len(), "{completed}");
    assert_eq!(get(&service, &store, "exportjob", &id).await, third);
    assert_eq!(service.jobs()[0].status, JobStatus::Completed);
}

#[tokio::test]
async fn items_of_an_export_fail_for_archived_or_missing_read_sets() {
    let (service, store) = service(Pace::Polls(1)).await;
    let archived = service.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let unknown = ReadSetId::from("0000000001");
    let id = started(&service, &store, "exportjob", &export(&[&archived, &unknown])).await;
    let job = get(&service, &store, "exportjob", &id).await;
    assert_eq!(job["status"], "FAILED");
    assert_eq!(job["readSets"][0]["statusMessage"], "Read set is not in ACTIVE state");
    assert_eq!(job["readSets"][1]["statusMessage"], "Read set not found");
}

#[tokio::test(start_paused = true)]
async fn jobs_move_forward_by_a_paused_clock() {
    let (service, store) = service(Pace::Time(Duration::from_mins(1))).await;
    let set = service.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let body = json!({"sources": sources(&[&set])});
    started(&service, &store, "activationjob", &body).await;
    assert_eq!(service.read_set_status(&store, &set), Some(ReadSetStatus::Activating));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(service.jobs()[0].status, JobStatus::InProgress);
    assert_eq!(service.read_set_status(&store, &set), Some(ReadSetStatus::Activating));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(service.read_set_status(&store, &set), Some(ReadSetStatus::Active));
    assert_eq!(service.jobs()[0].status, JobStatus::Completed);
}

#[tokio::test]
async fn an_import_creates_read_sets() {
    let (service, store) = service(Pace::Polls(2)).await;
    let mut pair = import_source("a_1.fastq.gz", "FASTQ");
    pair["sourceFiles"]["source2"] = json!("s3://bucket/a_2.fastq.gz");
    pair["tags"] = json!({"k": "v"});
    let mut named = import_source("b.bam", "BAM");
    named["referenceArn"] = json!("arn:aws:omics:us-east-1:123456789012:referenceStore/1/reference/2");
    named["name"] = json!("b");
    let body = json!({"roleArn": ROLE, "sources": [pair, named]});
    let id = started(&service, &store, "importjob", &body).await;

    let half = get(&service, &store, "importjob", &id).await;
    assert_eq!(half["roleArn"], ROLE);
    assert_eq!(statuses(&half["sources"]), ["FINISHED", "IN_PROGRESS"]);
    assert_eq!(half["sources"][1].get("readSetId"), None);
    assert_eq!(half["sources"][1]["sourceFiles"]["source2"], "");
    assert_eq!(half["sources"][1]["name"], "b");
    assert_eq!(half["sources"][0]["sourceFiles"]["source2"], "s3://bucket/a_2.fastq.gz");
    let tags = json!({"k": "v", "aws:omics:sampleId": "sample", "aws:omics:subjectId": "subject"});
    assert_eq!(half["sources"][0]["tags"], tags);
    assert_eq!(service.read_sets(&store).len(), 1);

    let whole = get(&service, &store, "importjob", &id).await;
    assert_eq!(whole["status"], "COMPLETED");
    let made = ReadSetId::from(whole["sources"][1]["readSetId"].as_str().unwrap());
    assert_eq!(service.read_set_status(&store, &made), Some(ReadSetStatus::Active));
    let sets = service.read_sets(&store);
    let read_set = sets.iter().find(|set| set.id == made).unwrap();
    assert_eq!((&read_set.file_type, read_set.name.as_deref()), (&FileType::Bam, Some("b")));
}

#[tokio::test]
async fn import_items_fail_for_invalid_files_and_where_a_test_says_so() {
    let (service, store) = service(Pace::Polls(1)).await;
    service.fail_item("s3://bucket/d.bam", "Out of tape");
    let mut second = import_source("a.bam", "UBAM");
    second["sourceFiles"]["source2"] = json!("s3://bucket/b.bam");
    let items = [second, import_source("c.cram", "CRAM"), import_source("d.bam", "UBAM"), import_source("e", "UBAM")];
    let id = started(&service, &store, "importjob", &json!({"roleArn": ROLE, "sources": items})).await;
    let job = get(&service, &store, "importjob", &id).await;
    assert_eq!(job["status"], "COMPLETED_WITH_FAILURES");
    assert_eq!(statuses(&job["sources"]), ["FAILED", "FAILED", "FAILED", "FINISHED"]);
    let messages: Vec<_> = (0..3).map(|index| job["sources"][index]["statusMessage"].as_str().unwrap()).collect();
    assert_eq!(messages, ["File validation failed", "File validation failed", "Out of tape"]);
    assert_eq!(service.read_sets(&store).len(), 1);
}

#[tokio::test]
async fn an_activation_has_a_message_for_items_that_need_none() {
    let (service, store) = service(Pace::Polls(1)).await;
    let archived = service.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let active = service.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let body = json!({"sources": sources(&[&archived, &active])});
    let id = started(&service, &store, "activationjob", &body).await;
    let job = get(&service, &store, "activationjob", &id).await;
    assert_eq!(job["status"], "COMPLETED");
    assert_eq!(job["sources"][0]["readSetId"], archived.as_str());
    let message = "No activation needed as read set is already in ACTIVATING or ACTIVE state.";
    assert_eq!(job["sources"][1]["statusMessage"], message);

    let again = service.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    service.fail_item(again.as_str(), "Glacier stuck");
    let body = json!({"sources": [{"readSetId": again}, {"readSetId": "0000000001"}]});
    let id = started(&service, &store, "activationjob", &body).await;
    let job = get(&service, &store, "activationjob", &id).await;
    assert_eq!(job["status"], "FAILED");
    assert_eq!(job["sources"][1]["statusMessage"], "Read set not found");
    assert_eq!(service.read_set_status(&store, &again), Some(ReadSetStatus::Archived));
}

#[tokio::test]
async fn a_client_token_starts_one_job() {
    let (service, store) = service(Pace::Polls(1)).await;
    let other_store = service.create_sequence_store();
    let set = service.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let mut body = export(&[&set]);
    body["clientToken"] = json!("t");
    let first = start(&service, &store, "exportjob", &body).await.json();
    get(&service, &store, "exportjob", first["id"].as_str().unwrap()).await;
    assert_eq!(start(&service, &store, "exportjob", &body).await.json(), first);
    assert_eq!(service.jobs().len(), 1);
    assert_eq!(service.jobs()[0].client_token.as_ref().unwrap().as_str(), "t");

    let mut other = body.clone();
    other["destination"] = json!("s3://bucket/else/");
    let reply = start(&service, &store, "exportjob", &other).await;
    assert_eq!((reply.status, reply.code()), (400, "ValidationException"));
    // The token is one of its operation and store.
    let activation = json!({"clientToken": "t", "sources": sources(&[&set])});
    started(&service, &store, "activationjob", &activation).await;
    started(&service, &other_store, "exportjob", &body).await;
    body["clientToken"] = Value::Null;
    started(&service, &store, "exportjob", &body).await;
    started(&service, &store, "exportjob", &body).await;
    let kinds: Vec<_> = service.jobs().iter().map(|job| job.kind).collect();
    assert_eq!(kinds, [JobKind::Export, JobKind::Activation, JobKind::Export, JobKind::Export, JobKind::Export]);
}

#[tokio::test]
async fn missing_stores_and_jobs_are_not_found() {
    let (service, store) = service(Pace::Polls(1)).await;
    let set = service.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let unknown = SequenceStoreId::from("0000000001");
    let reply = start(&service, &unknown, "exportjob", &export(&[&set])).await;
    assert_eq!((reply.status, reply.code()), (404, "ResourceNotFoundException"));
    let id = started(&service, &store, "exportjob", &export(&[&set])).await;
    for path in [
        format!("/sequencestore/{unknown}/exportjob/{id}"),
        format!("/sequencestore/{store}/importjob/{id}"),
        format!("/sequencestore/{store}/exportjob/0000000001"),
    ] {
        let reply = bare(&service, "GET", &path).send().await;
        assert_eq!((reply.status, reply.code()), (404, "ResourceNotFoundException"), "{path}");
    }
    let reply = bare(&service, "GET", "/nowhere").send().await;
    assert_eq!((reply.status, reply.code()), (404, "UnknownOperationException"));
    assert_eq!(service.requests().last().unwrap().operation, None);
    assert_eq!(service.requests().last().unwrap().status, Some(404));
}

#[tokio::test]
async fn invalid_inputs_are_refused_with_the_messages_of_the_service() {
    let (service, store) = service(Pace::Polls(1)).await;
    let body = json!({"destination": "s3://b", "sources": [{"readSetId": "12a"}]});
    let reply = start(&service, &store, "exportjob", &body).await;
    assert_eq!((reply.status, reply.code()), (400, "ValidationException"));
    assert!(reply.header("x-amzn-errortype").unwrap().starts_with("ValidationException:http://"));
    let message = reply.message();
    assert!(message.starts_with("4 validation errors detected: Value 's3://b' at 'destination'"), "{message}");
    assert!(message.contains("; Value null at 'roleArn' failed to satisfy constraint: Member must not be null; "));

    let mut bad = call(&service, "POST", &format!("/sequencestore/{store}/exportjob"), &json!({}));
    for body in ["{", "[]", "\"x\"", "\u{0}", r#"{"sources": 5}"#] {
        bad.body = body.as_bytes().to_vec();
        let reply = bad.send().await;
        assert_eq!((reply.status, reply.code()), (400, "SerializationException"), "{body}");
    }
    bad.body = Vec::new();
    assert_eq!(bad.send().await.code(), "ValidationException");
    assert!(service.jobs().is_empty());
}

#[tokio::test]
async fn quotas_are_enforced() {
    let quotas = Quotas::none().requests_per_second(2);
    let service = LocalService::builder().quotas(quotas).start().await.unwrap();
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(bare(&service, "GET", "/sequencestore/0123456789/exportjob/0123456789").send().await);
    }
    if codes[2].code() == "ThrottlingException" {
        assert_eq!((codes[2].status, codes[2].message().as_str()), (429, "Rate exceeded"));
    } else {
        let times: Vec<_> = service.requests().iter().map(|request| request.received_at).collect();
        assert!(times[2] - times[0] >= Duration::from_secs(1), "not throttled");
    }

    let service = LocalService::builder().quotas(Quotas::none().jobs_at_once(1)).start().await.unwrap();
    let store = service.create_sequence_store();
    let set = service.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let id = started(&service, &store, "exportjob", &export(&[&set])).await;
    let reply = start(&service, &store, "exportjob", &export(&[&set])).await;
    assert_eq!((reply.status, reply.code()), (402, "ServiceQuotaExceededException"));
    started(&service, &store, "activationjob", &json!({"sources": sources(&[&set])})).await;
    for _ in 0..3 {
        get(&service, &store, "exportjob", &id).await;
    }
    started(&service, &store, "exportjob", &export(&[&set])).await;
}
