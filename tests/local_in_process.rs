//! The local service without a socket, mostly under a paused clock.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::error::Error as _;
use std::io;
use std::time::{Duration, SystemTime};

use healthomics::local::{Fault, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::{FileType, JobStatus};
use healthomics::{Client, ClientBuilder, Credentials, Error, ReadSetId, SequenceStoreId};
use tokio::time::Instant;

const START: &str = "StartReadSetActivationJob";
const HOUR: Duration = Duration::from_hours(1);

/// A service with a store that has an archived read set.
fn service(pace: Pace) -> (LocalService, SequenceStoreId, ReadSetId) {
    let local = LocalService::builder().pace(pace).in_process();
    let store = local.create_sequence_store();
    let read_set = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    (local, store, read_set)
}

async fn start(client: &Client, store: &SequenceStoreId, read_set: &ReadSetId) -> Result<String, Error> {
    let call = client.start_read_set_activation_job().sequence_store_id(store).sources([read_set]);
    Ok(call.send().await?.id.to_string())
}

/// A client that sends every request once and gives up after a minute without bytes.
fn single_attempt(builder: ClientBuilder) -> Client {
    builder.max_attempts(1).read_timeout(Duration::from_mins(1)).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_job_of_hours_ends_by_the_paused_clock() {
    let (local, store, read_set) = service(Pace::Time(6 * HOUR));
    let client = local.client().unwrap();
    let begun = (Instant::now(), std::time::Instant::now());
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([&read_set]);
    let started = call.send().await.unwrap();
    let outcome = client.job(&started).wait().timeout(7 * HOUR).await.unwrap();
    assert!(matches!(outcome, healthomics::job::Outcome::Completed(_)));
    assert_eq!(local.jobs()[0].status, JobStatus::Completed);
    assert!(begun.0.elapsed() >= 6 * HOUR);
    assert!(begun.1.elapsed() < Duration::from_mins(1));
    let requests = local.requests();
    assert!(requests.iter().all(|request| request.status == Some(200)), "a signature expired");

    // The timestamps of the service are on the same clock.
    let job = client.job(&started).get().await.unwrap();
    let duration = job.completion_time.unwrap() - job.creation_time.unwrap();
    assert_eq!(duration, 6 * HOUR);
}

#[tokio::test]
async fn a_service_needs_no_socket_and_no_paused_clock() {
    let (local, store, read_set) = service(Pace::Polls(1));
    assert_eq!(local.address(), None);
    let client = local.client().unwrap();
    start(&client, &store, &read_set).await.unwrap();
    let request = &local.requests()[0];
    assert_eq!((request.operation, request.status, request.applied), (Some(START), Some(200), true));
    assert_eq!(request.path, format!("/sequencestore/{store}/activationjob"));
    assert_eq!(request.header("host"), local.endpoint_url().strip_prefix("http://"));
}

#[tokio::test(start_paused = true)]
async fn signatures_inputs_and_quotas_are_checked() {
    let quotas = Quotas::none().requests_per_second(2);
    let local = LocalService::builder().quotas(quotas).in_process();
    let store = local.create_sequence_store();
    let read_set = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let code = |result: Result<String, Error>| result.unwrap_err().code().map(str::to_owned);

    let credentials = Credentials::new(LocalService::ACCESS_KEY_ID, "wrong", None, None, "test");
    let client = single_attempt(local.client_builder().credentials(credentials));
    assert_eq!(code(start(&client, &store, &read_set).await).as_deref(), Some("InvalidSignatureException"));

    let client =
        single_attempt(local.client_builder().time_source(|| SystemTime::UNIX_EPOCH).correct_clock_skew(false));
    assert_eq!(code(start(&client, &store, &read_set).await).as_deref(), Some("InvalidSignatureException"));

    let client = single_attempt(local.client_builder().parameter_validation(false).requests_per_second(None));
    let invalid = start(&client, &store, &ReadSetId::from("x")).await;
    assert_eq!(code(invalid).as_deref(), Some("ValidationException"));
    start(&client, &store, &read_set).await.unwrap();
    assert_eq!(code(start(&client, &store, &read_set).await).as_deref(), Some("ThrottlingException"));
    tokio::time::advance(Duration::from_secs(1)).await;
    start(&client, &store, &read_set).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected() {
    let (local, store, read_set) = service(Pace::Polls(1));
    local.set_clock_offset(3_600);
    start(&local.client().unwrap(), &store, &read_set).await.unwrap();
    let statuses: Vec<_> = local.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(403), Some(200)]);
}

#[tokio::test(start_paused = true)]
async fn broken_connections_are_errors_of_the_http_client() {
    // The fault, whether the work may have been done, whether it was, and the number of requests received.
    for (fault, may_have_been_applied, applied, received) in [
        (Fault::ConnectionRefused, false, false, 0),
        (Fault::ResetBefore, true, false, 1),
        (Fault::ResetAfter, true, true, 1),
        (Fault::HangBefore, true, false, 1),
        (Fault::HangAfter, true, true, 1),
        (Fault::TruncatedBody, true, true, 1),
    ] {
        let (local, store, read_set) = service(Pace::Polls(1));
        let client = single_attempt(local.client_builder());
        local.queue_fault(START, fault.clone());
        let error = start(&client, &store, &read_set).await.unwrap_err();
        assert_eq!(error.may_have_been_applied(), may_have_been_applied, "{fault:?}: {error}");
        assert_eq!(local.jobs().len(), usize::from(applied), "{fault:?}");
        assert_eq!(local.requests().len(), received, "{fault:?}");
        assert_eq!(local.requests().iter().filter(|request| request.applied).count(), usize::from(applied));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_and_a_reset_have_their_causes() {
    for (fault, kind) in [
        (Fault::ConnectionRefused, io::ErrorKind::ConnectionRefused),
        (Fault::ResetAfter, io::ErrorKind::ConnectionReset),
    ] {
        let (local, store, read_set) = service(Pace::Polls(1));
        local.queue_fault(START, fault);
        let error = start(&single_attempt(local.client_builder()), &store, &read_set).await.unwrap_err();
        let mut cause = error.source();
        while let Some(error) = cause
            && error.downcast_ref::<io::Error>().is_none_or(|error| error.kind() != kind)
        {
            cause = error.source();
        }
        assert!(cause.is_some(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn responses_are_delayed_slow_large_or_replaced() {
    let (local, store, read_set) = service(Pace::Polls(1));
    let client = single_attempt(local.client_builder());
    let begun = Instant::now();
    local.queue_fault(START, Fault::Delay(Duration::from_secs(50)));
    start(&client, &store, &read_set).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(50));

    // Every byte takes less than the read timeout, the body takes much longer.
    let begun = Instant::now();
    local.queue_fault(START, Fault::SlowBody(Duration::from_secs(30)));
    let client = local.client_builder().operation_attempt_timeout(HOUR * 24).operation_timeout(HOUR * 24);
    start(&single_attempt(client), &store, &read_set).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_mins(30));

    local.queue_fault(START, Fault::LargeBody(1 << 20));
    start(&single_attempt(local.client_builder()), &store, &read_set).await.unwrap();
    local.queue_fault(START, Fault::LargeBody(1 << 20));
    let error = start(&single_attempt(local.client_builder().max_response_size(1 << 20)), &store, &read_set).await;
    assert!(error.unwrap_err().to_string().contains("larger than 1048576 bytes"));

    for (fault, status) in [
        (Fault::error(500, "InternalServerException", "failure"), Some(500)),
        (Fault::response(502, "<html>"), Some(502)),
        (Fault::response_after(504, "<html>"), Some(504)),
    ] {
        local.queue_fault(START, fault.clone());
        let error = start(&single_attempt(local.client_builder()), &store, &read_set).await.unwrap_err();
        assert_eq!(error.status(), status, "{fault:?}");
    }
    for fault in [Fault::MalformedBody, Fault::EmptyBody] {
        local.queue_fault(START, fault.clone());
        let result = start(&single_attempt(local.client_builder()), &store, &read_set).await;
        assert!(result.is_err_and(|error| error.may_have_been_applied()), "{fault:?}");
    }
    local.queue_fault(START, Fault::merge(r#"{ "id": "0000000042" }"#));
    assert_eq!(start(&single_attempt(local.client_builder()), &store, &read_set).await.unwrap(), "0000000042");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_service_can_not_be_called() {
    let (local, store, read_set) = service(Pace::Polls(1));
    let client = single_attempt(local.client_builder());
    drop(local);
    let error = start(&client, &store, &read_set).await.unwrap_err();
    assert!(!error.may_have_been_applied());
    assert!(format!("{error:?}").contains("the local service was dropped"), "{error:?}");
}

#[tokio::test]
#[should_panic(expected = "a server can't refuse single connections")]
async fn a_server_refuses_no_single_connection() {
    LocalService::start().await.unwrap().queue_fault(START, Fault::ConnectionRefused);
}
