//! The control path of the local service: what other processes do with it over HTTP.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod local_support;

use std::time::Duration;

use healthomics::http::{Body, HttpClient as _};
use healthomics::job::Outcome;
use healthomics::local::{Fault, LocalService, Pace};
use healthomics::read_set::{JobStatus, ReadSetStatus};
use healthomics::{Client, Credentials, Error, SequenceStoreId};
use local_support::bare;
use serde_json::{Value, json};

const STORE: &str = "1234567890";
const READ_SET: &str = "5555555555";
const START: &str = "StartReadSetActivationJob";

async fn service() -> (LocalService, Client) {
    let local = LocalService::builder().control_path().start().await.unwrap();
    let client = local.client_builder().max_attempts(1).build().unwrap();
    (local, client)
}

/// Sends a control request without a signature; returns the status and the body of the response.
async fn send(local: &LocalService, method: &'static str, name: &str, body: &Value) -> (u16, Value) {
    let mut request = bare(local, method, &format!("/_local/{name}"));
    if !body.is_null() {
        request.body = body.to_string().into_bytes();
    }
    let reply = request.send_with(Vec::new()).await.unwrap();
    (reply.status, reply.json())
}

async fn get(local: &LocalService, name: &str) -> Value {
    let (status, body) = send(local, "GET", name, &Value::Null).await;
    assert_eq!(status, 200, "{name}: {body}");
    body
}

async fn post(local: &LocalService, name: &str, body: Value) -> Value {
    let (status, reply) = send(local, "POST", name, &body).await;
    assert_eq!(status, 200, "{name} {body}: {reply}");
    reply
}

/// The message of a request that is refused with this status.
async fn refused(local: &LocalService, status: u16, method: &'static str, name: &str, body: Value) -> String {
    let (found, reply) = send(local, method, name, &body).await;
    assert_eq!(found, status, "{name} {body}: {reply}");
    reply["message"].as_str().unwrap().to_owned()
}

/// Seeds a store with an archived read set.
async fn seed(local: &LocalService) {
    let read_set = json!({ "id": READ_SET, "status": "ARCHIVED", "fileType": "BAM" });
    post(local, "seed", json!({ "stores": [{ "id": STORE, "readSets": [read_set] }] })).await;
}

async fn start(client: &Client) -> Result<String, Error> {
    let call = client.start_read_set_activation_job().sequence_store_id(STORE).sources([READ_SET]);
    Ok(call.send().await?.id.to_string())
}

async fn wait(client: &Client, id: &str) -> Outcome<healthomics::job::Activation> {
    client.activation_job(STORE, id).wait().await.unwrap()
}

fn read_set_status(local: &LocalService) -> Option<ReadSetStatus> {
    local.read_set_status(&STORE.into(), &READ_SET.into())
}

#[tokio::test]
async fn the_control_path_is_off_by_default() {
    let local = LocalService::start().await.unwrap();
    for (method, path) in [("GET", "/_local/health"), ("POST", "/_local/reset"), ("GET", "/_local/"), ("GET", "/other")]
    {
        let reply = bare(&local, method, path).send_with(Vec::new()).await.unwrap();
        assert_eq!((reply.status, reply.code()), (403, "MissingAuthenticationTokenException"), "{path}");
        let reply = bare(&local, method, path).send().await;
        assert_eq!((reply.status, reply.code()), (404, "UnknownOperationException"), "{path}");
    }
    assert_eq!(local.requests().len(), 8);
}

#[tokio::test]
async fn requests_that_are_not_known_are_refused_and_not_recorded() {
    let (local, _) = service().await;
    let health = get(&local, "health").await;
    assert_eq!((&health["status"], &health["region"]), (&json!("ok"), &json!(LocalService::REGION)));
    for (method, name) in [("GET", "nothing"), ("GET", "reset"), ("POST", "health"), ("GET", ""), ("DELETE", "jobs")] {
        let message = refused(&local, 404, method, name, Value::Null).await;
        assert!(message.starts_with(&format!("{method} /_local/{name} is not a control request")), "{message}");
        assert!(message.contains("POST /_local/finish-job"), "{message}");
    }
    for (name, body, expected) in [
        ("finish-job", json!({}), "missing field `id`"),
        ("finish-job", json!({"id": 1}), "expected a string at line 1 column"),
        ("reset", json!({"x": 1}), "unknown field `x`"),
        ("set-pace", json!({}), "polls, timeMs or both are needed"),
        ("set-pace", json!({"kind": "COPY", "polls": 1}), "unknown variant `COPY`"),
        ("set-client-tokens", json!({"mode": "FORGOTTEN"}), "unknown variant `FORGOTTEN`"),
        ("set-job-status", json!({"id": "1", "status": "PAUSED"}), "\"PAUSED\" is none of SUBMITTED, "),
        ("seed", json!({"stores": [{"id": "12"}]}), "\"12\" must be 10 to 36 digits at line 1 column"),
        ("seed", json!({"stores": [{"readSets": [{"status": "ACTIVE"}]}]}), "missing field `fileType`"),
        (
            "seed",
            json!({"stores": [{"readSets": [{"status": "ACTIVE", "fileType": "BAM", "creationTime": "noon"}]}]}),
            "\"noon\" is not a time",
        ),
        (
            "inject-fault",
            json!({"operation": "ListReadSet", "fault": "emptyBody"}),
            "\"ListReadSet\" is not implemented",
        ),
        ("inject-fault", json!({"operation": START, "fault": "empty"}), "unknown variant `empty`"),
        ("inject-fault", json!({"operation": START, "fault": "emptyBody", "nth": 0}), "there is no request 0"),
        ("inject-fault", json!({"operation": START, "fault": "connectionRefused"}), "can't refuse single connections"),
    ] {
        let message = refused(&local, 400, "POST", name, body.clone()).await;
        assert!(message.contains(expected), "{name} {body}: {message}");
    }
    assert!(
        refused(&local, 400, "GET", "requests?operations=x", Value::Null).await.contains("unknown field `operations`")
    );
    let message = refused(&local, 404, "GET", "read-sets?sequenceStoreId=1", Value::Null).await;
    assert_eq!(message, "store 1: Sequence store not found.");
    let message = refused(&local, 404, "POST", "finish-job", json!({"id": "0000000042"})).await;
    assert_eq!(message, "job 0000000042: Job not found.");
    let body = json!({"sequenceStoreId": STORE, "id": "1", "status": "DELETING"});
    assert!(refused(&local, 404, "POST", "set-read-set-status", body).await.contains("Sequence store not found"));
    let body = json!({"accessKeyId": "AKIDNOBODY"});
    assert!(refused(&local, 404, "POST", "expire-credentials", body).await.contains("AKIDNOBODY"));
    assert!(local.requests().is_empty());
}

#[tokio::test]
async fn thousands_of_read_sets_are_seeded_with_all_metadata() {
    let (local, client) = service().await;
    let read_set = |number: u32| {
        json!({
            "id": format!("{number:010}"),
            "arn": "arn:aws:omics:us-east-1:123456789012:sequenceStore/1234567890/readSet/1",
            "sequenceStoreId": STORE,
            "status": "ACTIVE",
            "statusMessage": "fine",
            "fileType": "FASTQ",
            "subjectId": "HG00096",
            "sampleId": format!("S{number}"),
            "name": "lane 1",
            "description": "first run",
            "referenceArn": "arn:aws:omics:us-east-1:123456789012:referenceStore/1/reference/2",
            "creationTime": "2024-02-29T12:00:00Z",
            "creationType": "IMPORT",
            "creationJobId": "7777777777",
            "sequenceInformation": {"totalReadCount": 1, "totalBaseCount": 2, "generatedFrom": "blood", "alignment": "ALIGNED"},
            "etag": {"algorithm": "FASTQ_MD5up", "source1": "0af1", "source2": "0af2"},
            "files": {"source1": {"totalParts": 1, "partSize": 5, "contentLength": 5}},
        })
    };
    let read_sets: Vec<_> = (0..5_000).map(read_set).collect();
    let seeded = post(&local, "seed", json!({"stores": [{"id": STORE, "readSets": read_sets}, {}]})).await;
    assert_eq!(seeded["stores"][0]["readSetIds"].as_array().unwrap().len(), 5_000);
    let other = seeded["stores"][1]["id"].as_str().unwrap();
    assert_eq!(get(&local, "stores").await, json!({"stores": [STORE, other]}));
    let listed = get(&local, &format!("read-sets?sequenceStoreId={STORE}")).await;
    assert_eq!(listed["readSets"].as_array().unwrap().len(), 5_000);
    assert_eq!(listed["readSets"][7]["sampleId"], "S7");

    let metadata = client.get_read_set_metadata().sequence_store_id(STORE).id("0000004999").send().await.unwrap();
    let found = serde_json::to_value(&metadata).unwrap();
    let mut expected = read_set(4_999);
    expected["arn"] = json!(format!("arn:aws:omics:us-east-1:123456789012:sequenceStore/{STORE}/readSet/0000004999"));
    for (name, value) in expected.as_object().unwrap() {
        if name != "files" {
            assert_eq!(found[name], *value, "{name}");
        }
    }
    assert_eq!(found["files"]["source1"]["contentLength"], 5);
    let mut pages = client.list_read_sets().sequence_store_id(STORE).items();
    let mut count = 0;
    while let Some(read_set) = pages.next().await {
        assert_eq!(read_set.unwrap().status_message.as_deref(), Some("fine"));
        count += 1;
    }
    assert_eq!(count, 5_000);
}

#[tokio::test]
async fn faults_are_injected_by_operation_store_item_and_number() {
    let (local, client) = service().await;
    seed(&local).await;
    let error = json!({"error": {"status": 429, "code": "ThrottlingException", "message": "Rate exceeded"}});
    let rule = json!({"operation": START, "fault": error, "sequenceStoreId": STORE, "item": READ_SET, "nth": 2});
    post(&local, "inject-fault", rule).await;
    start(&client).await.unwrap();
    assert!(matches!(start(&client).await, Err(Error::ThrottlingException(_))));
    start(&client).await.unwrap();

    let always = json!({"operation": START, "fault": "resetBefore", "sequenceStoreId": "9999999999", "always": true});
    post(&local, "inject-fault", always.clone()).await;
    start(&client).await.unwrap();
    post(&local, "inject-fault", json!({"operation": START, "fault": "resetBefore", "always": true})).await;
    for _ in 0..2 {
        assert!(start(&client).await.unwrap_err().may_have_been_applied());
    }
    post(&local, "clear-faults", Value::Null).await;
    start(&client).await.unwrap();
}

/// In process, so that a request without a response fails by the paused clock.
#[tokio::test(start_paused = true)]
async fn every_kind_of_fault_has_a_message() {
    let local = LocalService::builder().control_path().in_process();
    let post = async |name: &str, body: Value| {
        let request = http::Request::post(format!("{}/_local/{name}", local.endpoint_url()));
        let request = request.body(Body::from(body.to_string())).unwrap();
        assert_eq!(local.http_client().send(request).await.unwrap().status(), 200, "{name} {body}");
    };
    post("seed", json!({"stores": [{"id": STORE}]})).await;
    let client = local.client_builder().max_attempts(1).max_response_size(1 << 20).build().unwrap();
    // Whether the work is done, and whether the call fails.
    for (fault, applied, fails) in [
        (json!({"error": {"status": 500, "code": "InternalServerException"}}), false, true),
        (json!({"response": {"status": 502, "headers": {"content-type": "text/html"}, "body": "<html>"}}), false, true),
        (json!({"responseAfter": {"status": 504}}), true, true),
        (json!("connectionRefused"), false, true),
        (json!("resetBefore"), false, true),
        (json!("resetAfter"), true, true),
        (json!({"delayMs": 5}), true, false),
        (json!("hangBefore"), false, true),
        (json!("hangAfter"), true, true),
        (json!("truncatedBody"), true, true),
        (json!({"slowBodyMs": 1}), true, false),
        (json!({"largeBodyBytes": 2 << 20}), true, true),
        (json!("malformedBody"), true, true),
        (json!("emptyBody"), true, true),
        (json!({"merge": {"status": "FROZEN"}}), true, false),
        (json!({"dateOffsetSeconds": 60}), true, false),
    ] {
        local.clear_requests();
        post("inject-fault", json!({"operation": START, "fault": fault})).await;
        let result = start(&client).await;
        assert_eq!(result.is_err(), fails, "{fault}: {result:?}");
        assert_eq!(local.requests().iter().any(|request| request.applied), applied, "{fault}");
    }
}

#[tokio::test]
async fn jobs_and_read_sets_get_any_status() {
    let (local, client) = service().await;
    seed(&local).await;
    post(&local, "set-pace", json!({"timeMs": 3_600_000})).await;
    let id = start(&client).await.unwrap();
    for status in ["CANCELLING", "CANCELLED"] {
        post(&local, "set-job-status", json!({"id": id, "status": status})).await;
        for _ in 0..4 {
            let job = client.activation_job(STORE, &id).get().await.unwrap();
            assert_eq!(job.status.as_str(), status);
        }
    }
    assert!(matches!(wait(&client, &id).await, Outcome::Cancelled(_)));
    assert_eq!(read_set_status(&local), Some(ReadSetStatus::Archived));
    let ended = get(&local, "jobs").await;
    assert_eq!(ended["jobs"][0]["items"][0]["status"], "NOT_STARTED");
    assert!(ended["jobs"][0]["completionTime"].is_string());
    let message = refused(&local, 409, "POST", "set-job-status", json!({"id": id, "status": "CANCELLING"})).await;
    assert_eq!(message, format!("job {id}: The job has ended."));

    let id = start(&client).await.unwrap();
    assert_eq!(read_set_status(&local), Some(ReadSetStatus::Activating));
    post(&local, "finish-job", json!({"id": id})).await;
    post(&local, "finish-job", json!({"id": id})).await;
    assert!(wait(&client, &id).await.is_completed());
    assert_eq!(read_set_status(&local), Some(ReadSetStatus::Active));
    for status in ["DELETING", "DELETED", "PROCESSING_UPLOAD", "UPLOAD_FAILED", "ARCHIVED"] {
        let body = json!({"sequenceStoreId": STORE, "id": READ_SET, "status": status});
        post(&local, "set-read-set-status", body).await;
        let metadata = client.get_read_set_metadata().sequence_store_id(STORE).id(READ_SET).send().await.unwrap();
        assert_eq!(metadata.status.as_str(), status);
    }
}

#[tokio::test]
async fn the_pace_is_set_for_each_kind_and_changed_later() {
    let (local, client) = service().await;
    seed(&local).await;
    post(&local, "set-pace", json!({"timeMs": 3_600_000})).await;
    post(&local, "set-pace", json!({"kind": "ACTIVATION", "polls": 1})).await;
    let id = start(&client).await.unwrap();
    assert!(client.activation_job(STORE, &id).get().await.unwrap().status.is_terminal());
    let call = client.start_read_set_export_job().sequence_store_id(STORE).destination("s3://bucket/");
    let export = call.role_arn(local_support::ROLE).sources([READ_SET]).send().await.unwrap();
    assert!(!client.job(&export).get().await.unwrap().status.is_terminal());
    post(&local, "set-pace", json!({"polls": 5, "timeMs": 3_600_000})).await;
    let id = start(&client).await.unwrap();
    assert!(!client.activation_job(STORE, &id).get().await.unwrap().status.is_terminal());
}

#[tokio::test]
async fn quotas_are_set_and_removed() {
    let (local, client) = service().await;
    seed(&local).await;
    post(&local, "set-quotas", json!({"requestsPerSecond": 100, "jobsAtOnce": 0})).await;
    assert!(matches!(start(&client).await, Err(Error::ServiceQuotaExceededException(_))));
    post(&local, "set-quotas", json!({"requestsPerSecond": 0})).await;
    assert!(matches!(start(&client).await, Err(Error::ThrottlingException(_))));
    post(&local, "set-quotas", json!({})).await;
    start(&client).await.unwrap();
}

#[tokio::test]
async fn client_tokens_are_ignored_refused_and_forgotten() {
    let (local, client) = service().await;
    seed(&local).await;
    let call = client.start_read_set_activation_job().sequence_store_id(STORE).sources([READ_SET]);
    let call = call.client_token("token");
    let first = call.clone().send().await.unwrap().id;
    assert_eq!(call.clone().send().await.unwrap().id, first);
    post(&local, "set-client-tokens", json!({"mode": "CONFLICT"})).await;
    assert!(matches!(call.clone().send().await, Err(Error::ConflictException(_))));
    for body in [json!({"mode": "IGNORED"}), json!({"mode": "FORGOTTEN_AFTER", "timeMs": 0})] {
        post(&local, "set-client-tokens", body).await;
        assert_ne!(call.clone().send().await.unwrap().id, first);
    }
}

#[tokio::test]
async fn failing_items_are_set_limited_and_undone() {
    let (local, client) = service().await;
    seed(&local).await;
    let archive = json!({"sequenceStoreId": STORE, "id": READ_SET, "status": "ARCHIVED"});
    for (body, expected) in [
        (json!({"key": READ_SET, "message": "damaged", "times": 2}), [false, false, true]),
        (json!({"key": READ_SET, "message": "damaged"}), [false, false, false]),
    ] {
        post(&local, "fail-item", body).await;
        for is_completed in expected {
            post(&local, "set-read-set-status", archive.clone()).await;
            let id = start(&client).await.unwrap();
            let outcome = wait(&client, &id).await;
            assert_eq!(outcome.is_completed(), is_completed);
            let failed = outcome.failed_items().map(|item| item.reason().to_owned()).collect::<Vec<_>>();
            assert_eq!(failed, if is_completed { vec![] } else { vec!["damaged".to_owned()] });
        }
    }
    post(&local, "clear-item-failure", json!({"key": READ_SET})).await;
    let id = start(&client).await.unwrap();
    assert!(wait(&client, &id).await.is_completed());
}

#[tokio::test]
async fn received_requests_are_listed_counted_and_cleared() {
    let (local, client) = service().await;
    seed(&local).await;
    let call = client.start_read_set_activation_job().sequence_store_id(STORE).sources([READ_SET]);
    call.client_token("order-4711").send().await.unwrap();
    client.list_read_sets().sequence_store_id(STORE).max_results(5).send().await.unwrap();

    assert_eq!(get(&local, "request-count").await, json!({"count": 2}));
    assert_eq!(get(&local, &format!("request-count?operation={START}")).await, json!({"count": 1}));
    let listed = get(&local, &format!("requests?operation={START}")).await;
    let request = &listed["requests"][0];
    assert_eq!(request["path"], format!("/sequencestore/{STORE}/activationjob"));
    assert_eq!((&request["status"], &request["applied"]), (&json!(200), &json!(true)));
    let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["clientToken"], "order-4711");
    assert!(!listed.to_string().contains("Signature="), "{listed}");
    assert_eq!(get(&local, "requests").await["requests"][1]["query"], "maxResults=5");
    post(&local, "clear-requests", Value::Null).await;
    assert_eq!(get(&local, "requests").await, json!({"requests": []}));
}

#[tokio::test]
async fn credentials_are_accepted_and_expire_at_once_or_at_a_time() {
    let (local, _) = service().await;
    seed(&local).await;
    let client = |key: &str| {
        let credentials = Credentials::new(key, "secret", Some("session".to_owned()), None, "test");
        local.client_builder().max_attempts(1).credentials(credentials).build().unwrap()
    };
    let accept = |key: &str, expiration: Option<&str>| json!({"accessKeyId": key, "secretAccessKey": "secret", "sessionToken": "session", "expiration": expiration});
    let code = |result: Result<String, Error>| result.unwrap_err().code().map(str::to_owned);
    assert_eq!(code(start(&client("AKIDA")).await).as_deref(), Some("UnrecognizedClientException"));
    post(&local, "accept-credentials", accept("AKIDA", None)).await;
    start(&client("AKIDA")).await.unwrap();
    post(&local, "expire-credentials", json!({"accessKeyId": "AKIDA", "at": "2999-01-01T00:00:00Z"})).await;
    start(&client("AKIDA")).await.unwrap();
    post(&local, "expire-credentials", json!({"accessKeyId": "AKIDA"})).await;
    assert_eq!(code(start(&client("AKIDA")).await).as_deref(), Some("ExpiredTokenException"));
    post(&local, "accept-credentials", accept("AKIDB", Some("2020-01-01T00:00:00Z"))).await;
    assert_eq!(code(start(&client("AKIDB")).await).as_deref(), Some("ExpiredTokenException"));
}

#[tokio::test]
async fn the_clock_is_set() {
    let (local, _) = service().await;
    seed(&local).await;
    post(&local, "set-clock-offset", json!({"seconds": 3_600})).await;
    start(&local.client().unwrap()).await.unwrap();
    let statuses: Vec<_> = local.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(403), Some(200)]);
}

#[tokio::test]
async fn a_reset_restores_the_start() {
    let seed = serde_json::from_value(json!({"stores": [
        {"id": STORE, "readSets": [{"id": READ_SET, "status": "ARCHIVED", "fileType": "BAM"}]},
    ]}));
    let builder = LocalService::builder().control_path().pace(Pace::Polls(1)).seed(seed.unwrap());
    let local = builder.start().await.unwrap();
    let client = local.client_builder().max_attempts(1).build().unwrap();
    let run = async || {
        let id = start(&client).await.unwrap();
        assert!(wait(&client, &id).await.is_completed());
        id
    };
    let first = run().await;
    local.create_sequence_store();
    local.set_pace(Pace::Time(Duration::from_hours(1)));
    local.fail_item(READ_SET, "damaged");
    local.fault_always(START, Fault::ResetBefore);
    local.expire_credentials(LocalService::ACCESS_KEY_ID);
    local.set_clock_offset(86_400);
    post(&local, "set-quotas", json!({"jobsAtOnce": 0})).await;
    post(&local, "reset", Value::Null).await;
    assert!(local.jobs().is_empty() && local.requests().is_empty());
    assert_eq!(local.sequence_stores(), [SequenceStoreId::from(STORE)]);
    assert_eq!(read_set_status(&local), Some(ReadSetStatus::Archived));
    assert_eq!(run().await, first);
    assert_eq!(local.jobs()[0].status, JobStatus::Completed);
}

/// Ids that a test has chosen, perhaps from the output of an earlier run, are not issued to something else.
#[tokio::test]
async fn chosen_ids_are_not_issued() {
    let (local, client) = service().await;
    let issued: Vec<_> = (0..3).map(|_| local.create_sequence_store().to_string()).collect();
    local.reset();
    let read_sets: Vec<_> = issued.iter().map(|id| json!({"id": id, "status": "ACTIVE", "fileType": "BAM"})).collect();
    post(&local, "seed", json!({"stores": [{"id": STORE, "readSets": read_sets}]})).await;
    assert!(!issued.contains(&local.create_sequence_store().to_string()));
    assert!(!issued.contains(&start(&client).await.unwrap()));
    assert_eq!(local.read_sets(&STORE.into()).len(), 3);
}
