//! `replayed` of the output of a start: whether the job existed before.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used)]

use std::time::{Duration, SystemTime};

use healthomics::http::{Body, HttpClient, HttpFuture};
use healthomics::local::{ClientTokens, Fault, LocalService};
use healthomics::read_set::{FileType, ImportReadSetSource, Reconciled, StartReadSetActivationJobOutput};
use healthomics::{Client, ClientBuilder, ClientToken, Error, SequenceStoreId};

const SECOND: Duration = Duration::from_secs(1);
const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";
const KINDS: [&str; 3] = ["Export", "Import", "Activation"];
const ACTIVATION: &str = "StartReadSetActivationJob";

fn service() -> (LocalService, SequenceStoreId) {
    let local = LocalService::in_process();
    let store = local.create_sequence_store();
    (local, store)
}

/// The `replayed` of a start of each kind, with a client token of the caller or without one.
async fn replayed(
    kind: &str,
    client: &Client,
    store: &SequenceStoreId,
    token: Option<&ClientToken>,
) -> Result<Option<bool>, Error> {
    match kind {
        "Export" => {
            let call = client.start_read_set_export_job().sequence_store_id(store).destination("s3://bucket/a/");
            Ok(call.role_arn(ROLE).sources(["5555555555"]).client_token(token).send().await?.replayed)
        }
        "Import" => {
            let source = ImportReadSetSource::builder().source_files("s3://bucket/a.bam");
            let source = source.source_file_type(FileType::Ubam).subject_id("subject").sample_id("sample").build();
            let call = client.start_read_set_import_job().sequence_store_id(store).role_arn(ROLE);
            Ok(call.sources([source]).client_token(token).send().await?.replayed)
        }
        _ => Ok(activate(client, store, token).await?.replayed),
    }
}

async fn activate(
    client: &Client,
    store: &SequenceStoreId,
    token: Option<&ClientToken>,
) -> Result<StartReadSetActivationJobOutput, Error> {
    let call = client.start_read_set_activation_job().sequence_store_id(store).sources(["5555555555"]);
    call.client_token(token).send().await
}

#[tokio::test(start_paused = true)]
async fn a_start_without_a_token_of_the_caller_has_started_its_job() {
    for kind in KINDS {
        let (local, store) = service();
        let client = local.client().unwrap();
        assert_eq!(replayed(kind, &client, &store, None).await.unwrap(), Some(false), "{kind}");
        // Failures that exclude the work change nothing.
        let operation = format!("StartReadSet{kind}Job");
        local.queue_fault(&operation, Fault::error(429, "ThrottlingException", "Rate exceeded"));
        assert_eq!(replayed(kind, &client, &store, None).await.unwrap(), Some(false), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_repeated_later_returns_a_job_from_before() {
    for kind in KINDS {
        let (local, store) = service();
        let client = local.client().unwrap();
        let token = ClientToken::random();
        let first = replayed(kind, &client, &store, Some(&token)).await.unwrap();
        assert_eq!(first, None, "{kind}: another program may have sent the token");
        assert_eq!(replayed(kind, &client, &store, Some(&token)).await.unwrap(), None, "{kind}: at once");
        tokio::time::sleep(4 * SECOND).await;
        assert_eq!(replayed(kind, &client, &store, Some(&token)).await.unwrap(), Some(true), "{kind}");
        // Neither does a slow response hide it, nor is a job new because its response is slow.
        let operation = format!("StartReadSet{kind}Job");
        local.queue_fault(&operation, Fault::Delay(30 * SECOND));
        assert_eq!(replayed(kind, &client, &store, Some(&ClientToken::random())).await.unwrap(), None, "{kind}");
        tokio::time::sleep(60 * SECOND).await;
        local.queue_fault(&operation, Fault::Delay(30 * SECOND));
        assert_eq!(replayed(kind, &client, &store, Some(&token)).await.unwrap(), Some(true), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_service_has_forgotten_is_not_called_replayed() {
    let (local, store) = service();
    local.set_client_tokens(ClientTokens::Ignored);
    let client = local.client().unwrap();
    let token = ClientToken::random();
    activate(&client, &store, Some(&token)).await.unwrap();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(activate(&client, &store, Some(&token)).await.unwrap().replayed, None);
    assert_eq!(local.jobs().len(), 2);
}

/// The backoff before a retry is shorter than the resolution of the times.
#[tokio::test(start_paused = true)]
async fn a_retry_after_a_lost_response_can_t_know() {
    for kind in KINDS {
        for fault in [Fault::ResetAfter, Fault::ResetBefore, Fault::error(500, "InternalServerException", "failed")] {
            let (local, store) = service();
            local.queue_fault(&format!("StartReadSet{kind}Job"), fault.clone());
            let result = replayed(kind, &local.client().unwrap(), &store, None).await.unwrap();
            assert_eq!((result, local.jobs().len()), (None, 1), "{kind} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_long_after_a_lost_response_returns_a_job_from_before() {
    let (local, store) = service();
    // The response is not received within the timeout.
    local.queue_fault(ACTIVATION, Fault::Delay(60 * SECOND));
    let client = local.client_builder().operation_attempt_timeout(5 * SECOND).build().unwrap();
    let started = activate(&client, &store, None).await.unwrap();
    assert_eq!((started.replayed, local.jobs().len()), (Some(true), 1));
}

#[tokio::test(start_paused = true)]
async fn the_clock_of_the_client_does_not_matter() {
    for seconds in [-86_400, -100, 100, 86_400] {
        let (local, store) = service();
        local.set_clock_offset(seconds);
        let client = local.client().unwrap();
        assert_eq!(activate(&client, &store, None).await.unwrap().replayed, Some(false), "{seconds}");
        let token = ClientToken::random();
        assert_eq!(activate(&client, &store, Some(&token)).await.unwrap().replayed, None, "{seconds}");
        tokio::time::sleep(4 * SECOND).await;
        // Another client, whose clock is not corrected yet.
        let client = local.client().unwrap();
        assert_eq!(activate(&client, &store, Some(&token)).await.unwrap().replayed, Some(true), "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_found_by_its_content_is_from_before() {
    let (local, store) = service();
    local.set_client_tokens(ClientTokens::Ignored);
    let client = local.client_builder().trust_client_token(false).build().unwrap();
    local.queue_fault(ACTIVATION, Fault::ResetAfter);
    assert_eq!(activate(&client, &store, None).await.unwrap().replayed, Some(true));
    // The start did not arrive and is sent again: its first request may still arrive, too.
    local.queue_fault(ACTIVATION, Fault::ResetBefore);
    assert_eq!(activate(&client, &store, None).await.unwrap().replayed, None);
    assert_eq!(activate(&client, &store, None).await.unwrap().replayed, Some(false));

    let other = local.client().unwrap();
    let call = other.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    let Reconciled::Several(jobs) = call.reconcile(SystemTime::now()).await.unwrap() else { panic!("there are three") };
    assert!(jobs.iter().all(|job| job.replayed == Some(true)), "{jobs:?}");
}

/// Responses without a `Date` header.
#[derive(Clone, Debug)]
struct Dateless<H>(H);

impl<H: HttpClient> HttpClient for Dateless<H> {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let response = self.0.send(request);
        Box::pin(async move {
            let mut response = response.await?;
            response.headers_mut().remove("date");
            Ok(response)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_date_nothing_is_known_of_a_token_of_the_caller() {
    let (local, store) = service();
    let builder: ClientBuilder = local.client_builder();
    let client = builder.http_client(Dateless(local.http_client())).build().unwrap();
    let token = ClientToken::random();
    activate(&client, &store, Some(&token)).await.unwrap();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(activate(&client, &store, Some(&token)).await.unwrap().replayed, None);
    assert_eq!(activate(&client, &store, None).await.unwrap().replayed, Some(false));
}

#[tokio::test(start_paused = true)]
async fn what_the_service_says_about_it_is_not_used() {
    let (local, store) = service();
    local.queue_fault(ACTIVATION, Fault::merge(r#"{"replayed":true}"#));
    let mut started = activate(&local.client().unwrap(), &store, None).await.unwrap();
    assert_eq!(started.replayed, Some(false));
    // It is stored with the output.
    for replayed in [None, Some(false), Some(true)] {
        started.replayed = replayed;
        let json = serde_json::to_string(&started).unwrap();
        assert_eq!(serde_json::from_str::<StartReadSetActivationJobOutput>(&json).unwrap(), started, "{json}");
    }
}
