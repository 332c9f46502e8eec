//! Whatever reads a job or its read sets moves the job on, and statuses come in the order of the service.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod local_support;

use std::time::Duration;

use healthomics::local::{LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::{FileType, JobFilter, JobStatus, ReadSetFilter, ReadSetStatus};
use healthomics::{Client, ReadSetId, SequenceStoreId};
use local_support::{ROLE, bare, call};
use serde_json::{Value, json};

/// Far longer than anything here takes, and far shorter than forever.
const LIMIT: Duration = Duration::from_mins(1);

async fn service(pace: Pace) -> (LocalService, Client, SequenceStoreId) {
    let local = LocalService::builder().pace(pace).start().await.unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    (local, client, store)
}

fn archived(local: &LocalService, store: &SequenceStoreId, count: usize) -> Vec<ReadSetId> {
    (0..count).map(|_| local.seed_read_set(store, SeedReadSet::archived(FileType::Bam))).collect()
}

async fn activate(client: &Client, store: &SequenceStoreId, read_sets: &[ReadSetId]) -> healthomics::ActivationJobId {
    client.start_read_set_activation_job().sequence_store_id(store).sources(read_sets).send().await.unwrap().id
}

#[tokio::test]
async fn with_the_default_pace_a_bulk_run_of_many_jobs_and_a_watch_end() {
    let local = LocalService::start().await.unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    let read_sets = archived(&local, &store, 100);
    let call = client.activate_read_sets().run_id("run").sequence_store_id(&store).read_sets(read_sets);
    let report = tokio::time::timeout(LIMIT, call.prepare().unwrap().run()).await.expect("the run ends").unwrap();
    assert_eq!(report.finished_count(), 100);

    let mut jobs = Vec::new();
    for read_set in archived(&local, &store, 4) {
        let started = client.start_read_set_activation_job().sequence_store_id(&store).sources([read_set]);
        jobs.push(client.job(&started.send().await.unwrap()));
    }
    let mut watch = client.watch(jobs);
    for _ in 0..4 {
        let (_, outcome) = tokio::time::timeout(LIMIT, watch.next()).await.expect("the watch ends").unwrap();
        assert!(outcome.unwrap().is_completed());
    }
}

#[tokio::test]
async fn with_the_default_pace_jobs_end_however_they_are_monitored() {
    let local = LocalService::start().await.unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    let read_sets = archived(&local, &store, 6);
    for read_set in &read_sets {
        activate(&client, &store, std::slice::from_ref(read_set)).await;
    }
    let ends = async {
        let completed = || JobFilter::new().status(JobStatus::Completed);
        let list = || client.list_read_set_activation_jobs().sequence_store_id(&store).filter(completed());
        while list().send().await.unwrap().activation_jobs.len() < 6 {}
        let metadata = || client.get_read_set_metadata().sequence_store_id(&store).id(&read_sets[0]);
        while metadata().send().await.unwrap().status != ReadSetStatus::Active {}
        let active = || ReadSetFilter::new().status(ReadSetStatus::Active);
        while client.list_read_sets().sequence_store_id(&store).filter(active()).send().await.unwrap().read_sets.len()
            < 6
        {}
        // By what the service shows to tests.
        let more = archived(&local, &store, 1);
        activate(&client, &store, &more).await;
        while local.read_set_status(&store, &more[0]) != Some(ReadSetStatus::Active) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, ends).await.expect("jobs end");
}

#[tokio::test]
async fn every_read_of_a_job_counts() {
    for read in ["get", "list", "list by status", "metadata", "read sets", "read sets by status"] {
        let (local, client, store) = service(Pace::Polls(3)).await;
        let read_sets = archived(&local, &store, 2);
        let id = activate(&client, &store, &read_sets).await;
        // Neither a job of another kind nor one of another store is read.
        let other_store = local.create_sequence_store();
        let elsewhere = archived(&local, &other_store, 1);
        activate(&client, &other_store, &elsewhere).await;

        for expected in [JobStatus::Submitted, JobStatus::InProgress, JobStatus::Completed] {
            let jobs = || client.list_read_set_activation_jobs().sequence_store_id(&store);
            let sets = || client.list_read_sets().sequence_store_id(&store);
            match read {
                "get" => {
                    let call = client.get_read_set_activation_job().sequence_store_id(&store).id(&id);
                    assert_eq!(call.send().await.unwrap().status, expected);
                }
                "list" => assert_eq!(jobs().send().await.unwrap().activation_jobs[0].status, expected),
                "list by status" => {
                    let page = jobs().filter(JobFilter::new().status(expected.clone())).send().await.unwrap();
                    assert_eq!(page.activation_jobs[0].status, expected);
                }
                "metadata" => {
                    drop(
                        client
                            .get_read_set_metadata()
                            .sequence_store_id(&store)
                            .id(&read_sets[1])
                            .send()
                            .await
                            .unwrap(),
                    );
                }
                // Both read sets of the job are shown, which is one read of it.
                "read sets" => assert_eq!(sets().send().await.unwrap().read_sets.len(), 2),
                _ => drop(sets().filter(ReadSetFilter::new().status(ReadSetStatus::Active)).send().await.unwrap()),
            }
            assert_eq!(local.jobs()[0].status, expected, "{read}");
        }
        assert_eq!(local.jobs()[1].status, JobStatus::Submitted, "{read}");
    }
}

#[tokio::test]
async fn a_list_reads_only_the_jobs_of_its_page() {
    let (local, client, store) = service(Pace::Polls(1)).await;
    for read_set in archived(&local, &store, 5) {
        activate(&client, &store, &[read_set]).await;
    }
    let list = client.list_read_set_activation_jobs().sequence_store_id(&store).max_results(2);
    assert!(list.send().await.unwrap().next_token.is_some());
    let ended = local.jobs().iter().filter(|job| job.status == JobStatus::Completed).count();
    assert_eq!(ended, 2);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_submitted_for_the_first_tenth_of_its_time() {
    let (local, client, store) = service(Pace::Time(Duration::from_secs(100))).await;
    let read_sets = archived(&local, &store, 20);
    let client_task = client.start_read_set_activation_job().sequence_store_id(&store).sources(&read_sets);
    drop(client_task.send().await.unwrap());
    let begun = local.jobs();
    assert_eq!(begun[0].status, JobStatus::Submitted);
    let mut seen = Vec::new();
    for _ in 0..110 {
        let job = local.jobs().remove(0);
        let settled = job.items.iter().filter(|item| item.status.as_str() == "FINISHED").count();
        seen.push((job.status, settled));
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let submitted = seen.iter().filter(|(status, _)| *status == JobStatus::Submitted).count();
    assert!((9..=10).contains(&submitted), "{submitted}");
    assert!(seen.iter().all(|(status, settled)| *status != JobStatus::Submitted || *settled == 0));
    assert!(seen.iter().map(|(_, settled)| *settled).is_sorted());
    assert_eq!(seen.last().unwrap(), &(JobStatus::Completed, 20));
}

#[tokio::test]
async fn an_activation_item_of_an_active_set_is_finished_as_soon_as_the_job_runs() {
    let (local, client, store) = service(Pace::Polls(3)).await;
    let mut sources = archived(&local, &store, 3);
    sources.push(local.seed_read_set(&store, SeedReadSet::active(FileType::Bam)));
    let id = activate(&client, &store, &sources).await;
    let get = || client.get_read_set_activation_job().sequence_store_id(&store).id(&id).send();
    let statuses = async || get().await.unwrap().sources.iter().map(|item| item.status.to_string()).collect::<Vec<_>>();
    assert_eq!(statuses().await, ["NOT_STARTED"; 4]);
    assert_eq!(statuses().await, ["FINISHED", "FINISHED", "IN_PROGRESS", "FINISHED"]);
}

#[tokio::test]
async fn an_export_checks_the_status_of_a_read_set_when_its_item_settles() {
    let (local, client, store) = service(Pace::Polls(1)).await;
    let set = archived(&local, &store, 1).remove(0);
    let gone = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let body = json!({
        "destination": "s3://bucket/out/",
        "roleArn": ROLE,
        "sources": [{"readSetId": set}, {"readSetId": gone}],
    });
    let reply = call(&local, "POST", &format!("/sequencestore/{store}/exportjob"), &body).send().await;
    let export = reply.json()["id"].as_str().unwrap().to_owned();
    // Between its start and its work the one is activated and the other deleted.
    let activation = activate(&client, &store, std::slice::from_ref(&set)).await;
    client.get_read_set_activation_job().sequence_store_id(&store).id(&activation).send().await.unwrap();
    assert_eq!(local.read_set_status(&store, &set), Some(ReadSetStatus::Active));
    drop(client.batch_delete_read_set().sequence_store_id(&store).ids([&gone]).send().await.unwrap());

    let job = bare(&local, "GET", &format!("/sequencestore/{store}/exportjob/{export}")).send().await.json();
    assert_eq!(job["readSets"][0]["status"], "FINISHED");
    assert_eq!(job["readSets"][1]["statusMessage"], "Read set not found");
    assert_eq!(job["status"], "COMPLETED_WITH_FAILURES");
}

#[tokio::test]
async fn a_delete_without_errors_has_no_body_and_a_rate_of_its_own() {
    let local = LocalService::builder().quotas(Quotas::of_new_account()).start().await.unwrap();
    let store = local.create_sequence_store();
    let read_sets = archived(&local, &store, 1);
    let path = format!("/sequencestore/{store}/readset/batch/delete");
    let deleted = call(&local, "POST", &path, &json!({ "ids": read_sets })).send().await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, ""));
    assert!(deleted.header("x-amzn-requestid").is_some());
    let again = call(&local, "POST", &path, &json!({ "ids": read_sets })).send().await;
    let requests = local.requests();
    if again.status == 200 {
        let apart = requests[1].received_at - requests[0].received_at;
        assert!(apart >= Duration::from_secs(1), "the quota is one a second");
        assert_eq!(again.json()["errors"][0]["id"], read_sets[0].as_str());
    } else {
        assert_eq!((again.status, again.code()), (429, "ThrottlingException"));
    }
}

#[tokio::test]
async fn operations_that_are_not_implemented_are_refused_by_name() {
    let local = LocalService::start().await.unwrap();
    for (method, path, operation) in [
        ("POST", "/sequencestore", "CreateSequenceStore"),
        ("GET", "/sequencestore/1234567890", "GetSequenceStore"),
        ("POST", "/sequencestores", "ListSequenceStores"),
        ("PATCH", "/sequencestore/1234567890", "UpdateSequenceStore"),
        ("DELETE", "/sequencestore/1234567890", "DeleteSequenceStore"),
        ("GET", "/sequencestore/1234567890/readset/1234567890?partNumber=1", "GetReadSet"),
        ("POST", "/sequencestore/1234567890/upload", "CreateMultipartReadSetUpload"),
        ("PUT", "/sequencestore/1234567890/upload/1234567890/part?partNumber=1", "UploadReadSetPart"),
        ("POST", "/sequencestore/1234567890/upload/1234567890/complete", "CompleteMultipartReadSetUpload"),
        ("DELETE", "/sequencestore/1234567890/upload/1234567890/abort", "AbortMultipartReadSetUpload"),
        ("POST", "/sequencestore/1234567890/uploads", "ListMultipartReadSetUploads"),
        ("POST", "/sequencestore/1234567890/upload/1234567890/parts", "ListReadSetUploadParts"),
        ("GET", "/tags/arn%3Aaws%3Aomics%3Ax", "ListTagsForResource"),
        ("POST", "/tags/arn%3Aaws%3Aomics%3Ax", "TagResource"),
        ("DELETE", "/tags/arn%3Aaws%3Aomics%3Ax?tagKeys=a", "UntagResource"),
        ("POST", "/referencestore", "CreateReferenceStore"),
        ("GET", "/referencestore/1234567890/reference/1234567890/metadata", "GetReferenceMetadata"),
        ("PUT", "/s3accesspolicy/arn%3Aaws%3As3%3Ax", "PutS3AccessPolicy"),
    ] {
        let reply = bare(&local, method, path).send().await;
        assert_eq!((reply.status, reply.code()), (501, "NotImplementedException"), "{operation}: {}", reply.text);
        let message = format!("{operation} is not implemented by the local service.");
        assert_eq!(reply.message(), message);
        assert_eq!(local.requests().last().unwrap().operation, Some(operation));
        // Nobody learns of it without a signature.
        let reply = bare(&local, method, path).send_with(Vec::new()).await.unwrap();
        assert_eq!((reply.status, reply.code()), (403, "MissingAuthenticationTokenException"), "{operation}");
    }
}

#[tokio::test]
async fn the_signature_is_checked_before_the_path() {
    let local = LocalService::start().await.unwrap();
    let unsigned = bare(&local, "GET", "/nowhere").send_with(Vec::new()).await.unwrap();
    assert_eq!((unsigned.status, unsigned.code()), (403, "MissingAuthenticationTokenException"));
    let signed = bare(&local, "GET", "/nowhere").send().await;
    assert_eq!((signed.status, signed.code()), (404, "UnknownOperationException"));
}

#[tokio::test]
async fn page_tokens_must_be_percent_encoded() {
    let local = LocalService::start().await.unwrap();
    let store = local.create_sequence_store();
    archived(&local, &store, 3);
    let path = format!("/sequencestore/{store}/readsets?maxResults=1");
    let page = call(&local, "POST", &path, &json!({})).send().await.json();
    let token = page["nextToken"].as_str().unwrap();
    let encoded = percent_encoding::utf8_percent_encode(token, percent_encoding::NON_ALPHANUMERIC).to_string();
    let next = async |token: &str| call(&local, "POST", &format!("{path}&nextToken={token}"), &json!({})).send().await;
    assert_eq!(next(&encoded).await.status, 200);
    assert_eq!(next(&encoded.to_lowercase()).await.status, 200);
    for (wrong, why) in [
        (token.replace('%', "%25"), "only percent signs encoded"),
        (encoded.replace("%2B", "+"), "a raw plus sign"),
        (encoded.replace("%26", "&"), "a raw ampersand"),
        (encoded.replace('%', "%25"), "encoded twice"),
    ] {
        assert_ne!(wrong, encoded, "{why}: {token}");
        let reply = next(&wrong).await;
        // Signers do not agree on what a raw plus sign means.
        let refused = matches!(reply.code(), "ValidationException" | "InvalidSignatureException");
        assert!(refused && reply.status >= 400, "{why}: {}", reply.text);
    }
}

#[tokio::test]
async fn the_largest_import_of_the_model_is_accepted() {
    let local = LocalService::start().await.unwrap();
    let store = local.create_sequence_store();
    let long = |length: usize| "鍵".repeat(length);
    let tags: Value = (0..50)
        .map(|tag| (format!("{tag:02}{}", long(126)), json!(long(256))))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let source = json!({
        "sourceFiles": {
            "source1": format!("s3://{}/{}", "b".repeat(63), long(1024)),
            "source2": format!("s3://{}/{}", "b".repeat(63), long(1024)),
        },
        "sourceFileType": "FASTQ",
        "subjectId": long(127),
        "sampleId": long(127),
        "generatedFrom": long(127),
        "referenceArn": format!("arn:{}", long(123)),
        "name": long(127),
        "description": long(255),
        "tags": tags,
    });
    let body = json!({"roleArn": ROLE, "sources": vec![source; 100]});
    let request = call(&local, "POST", &format!("/sequencestore/{store}/importjob"), &body);
    assert!(request.body.len() > 5 << 20);
    let reply = request.send().await;
    assert_eq!(reply.status, 200, "{:.500}", reply.text);
}

#[tokio::test]
async fn errors_do_not_have_the_messages_of_a_json_library() {
    let local = LocalService::start().await.unwrap();
    for (body, message) in [
        ("{", "The request body is not valid JSON."),
        ("{\"ids\": [1,]}", "The request body is not valid JSON."),
        ("\u{1}", "The request body is not valid JSON."),
        ("{} {}", "The request body is not valid JSON."),
        ("[]", "START_ARRAY can not be converted to a structure"),
        ("\"x\"", "STRING_VALUE can not be converted to a structure"),
        ("null", "NULL_VALUE can not be converted to a structure"),
    ] {
        let mut request = call(&local, "POST", "/sequencestore/1234567890/readset/batch/delete", &Value::Null);
        request.body = body.as_bytes().to_vec();
        let reply = request.send().await;
        assert_eq!((reply.status, reply.code()), (400, "SerializationException"), "{body:?}");
        assert_eq!(reply.message(), message, "{body:?}");
    }
}
