//! Calls with scripted responses: attempts, backoff, timeouts, clock, headers.

mod clock;
mod credentials;
mod replay;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use tokio::time::Instant;

use super::*;
use crate::Client;
use crate::error::StopReason;
use crate::http::HttpErrorKind::{Connect, ConnectTimeout, Interrupted, ReadTimeout, StaleConnection, TooLarge};
use crate::read_set::StartReadSetActivationJobOutput;
use crate::testing::{Script, Sent, Step, builder, respond};

const STARTED: &str = r#"{"id":"1234567890","sequenceStoreId":"1234567890","status":"SUBMITTED"}"#;

fn ok() -> Step {
    respond(200, &[("x-amzn-requestid", "req")], STARTED)
}

async fn start(client: &Client) -> Result<StartReadSetActivationJobOutput, Error> {
    client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]).send().await
}

async fn start_owned(client: Client) -> Result<StartReadSetActivationJobOutput, Error> {
    start(&client).await
}

fn token(sent: &Sent) -> String {
    let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap();
    body["clientToken"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_retried_with_the_same_token() {
    for step in [
        || Step::Fail(Connect),
        || Step::Fail(ConnectTimeout),
        || Step::Fail(Interrupted),
        || Step::Fail(ReadTimeout),
        || Step::Hang,
        || respond(500, &[], ""),
        || respond(503, &[], "<html>"),
        || respond(429, &[], "<html>"),
        || respond(408, &[], ""),
        || respond(400, &[("x-amzn-errortype", "ThrottlingException")], ""),
        || respond(200, &[], ""),
        || respond(200, &[], &STARTED[..20]),
        || respond(200, &[], "<html>sign in</html>"),
        || respond(200, &[], "[]"),
    ] {
        let script = Script::new([step(), step(), ok()]);
        let job = start(&script.client()).await.unwrap();

        let sent = script.sent();
        assert_eq!(sent.len(), 3);
        assert!(sent.iter().all(|sent| token(sent) == job.client_token.as_str()));
        assert!(sent.iter().all(|attempt| attempt.body == sent[0].body));
        assert_eq!(job.request_id.as_deref(), Some("req"));
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_stale_connection_the_call_uses_new_connections() {
    let script = Script::new([Step::Fail(StaleConnection), respond(503, &[], ""), ok(), ok()]);
    let client = script.client();
    let started = Instant::now();
    let job = start(&client).await.unwrap();
    assert!(started.elapsed() <= Duration::from_millis(51), "the first backoff, once");
    start(&client).await.unwrap();
    let fresh: Vec<_> = script.sent().iter().map(|sent| sent.new_connection).collect();
    assert_eq!(fresh, [false, true, true, false]);
    assert!(script.sent()[..3].iter().all(|sent| token(sent) == job.client_token.as_str()));

    // What the first attempt did is unknown.
    let script = Script::new([Step::Fail(StaleConnection), respond(402, &[], "")]);
    assert!(start(&script.client()).await.unwrap_err().may_have_been_applied());
}

#[tokio::test(start_paused = true)]
async fn after_an_attempt_without_a_response_the_call_uses_new_connections() {
    for (step, expected) in [
        (Step::Fail(Interrupted), true),
        (Step::Fail(ReadTimeout), true),
        (Step::Hang, true),
        (respond(503, &[], ""), false),
        (respond(200, &[], "{"), false),
    ] {
        let script = Script::new([step, ok()]);
        start(&script.client()).await.unwrap();
        let fresh: Vec<_> = script.sent().iter().map(|sent| sent.new_connection).collect();
        assert_eq!(fresh, [false, expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn two_calls_never_share_a_token() {
    let script = Script::new([ok()]);
    let client = script.client();
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    let (first, second) = (call.clone().send().await.unwrap(), call.send().await.unwrap());
    assert_ne!(first.client_token, second.client_token);
}

#[tokio::test(start_paused = true)]
async fn final_failures_are_not_retried() {
    for step in [
        || respond(400, &[("x-amzn-errortype", "ValidationException")], ""),
        || respond(402, &[], ""),
        || respond(403, &[], ""),
        || respond(404, &[], ""),
        || respond(302, &[("location", "https://elsewhere.example")], ""),
        || respond(200, &[("x-amzn-requestid", "req")], r#"{"id":"1"}"#),
        || respond(200, &[("x-amzn-requestid", "req")], r#"{"id":{},"status":"SUBMITTED"}"#),
        || Step::Fail(TooLarge),
    ] {
        let script = Script::new([step()]);
        let error = start(&script.client()).await.unwrap_err();
        assert_eq!(script.sent().len(), 1, "{error}");
        assert_eq!(error.attempts(), 1);
        assert_eq!(error.stop_reason(), None);
        assert!(!error.is_retryable());
    }
}

#[tokio::test(start_paused = true)]
async fn may_have_been_applied_is_about_all_attempts() {
    // Interrupted first, refused in the end: the first may have done the work.
    let script = Script::new([Step::Fail(Interrupted), respond(403, &[], "")]);
    let error = start(&script.client()).await.unwrap_err();
    assert!(error.may_have_been_applied());
    assert_eq!((error.attempts(), error.status()), (2, Some(403)));
    assert_eq!(error.client_token().unwrap().as_str(), token(&script.sent()[0]));

    let script = Script::new([Step::Fail(Connect)]);
    let error = start(&script.client()).await.unwrap_err();
    assert!(!error.may_have_been_applied());
    assert!(error.is_retryable());
    assert_eq!(error.stop_reason(), Some(StopReason::AttemptsExhausted));

    let script = Script::new([Step::Fail(Interrupted)]);
    let get = script.client().get_read_set_export_job().sequence_store_id("1234567890").id("1234567890");
    assert!(!get.send().await.unwrap_err().may_have_been_applied(), "reading changes nothing");
}

#[tokio::test(start_paused = true)]
async fn backoff_follows_the_policy_and_the_service() {
    let script = Script::new([respond(503, &[("retry-after", "7")], ""), ok()]);
    let started = Instant::now();
    start(&script.client()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 7);

    let script = Script::new([respond(503, &[("x-amz-retry-after", "2000")], ""), ok()]);
    let started = Instant::now();
    start(&script.client()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 2);

    let script = Script::new([respond(503, &[("retry-after", "400")], ""), ok()]);
    let started = Instant::now();
    let error = start(&script.client()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(400)));
    assert_eq!(error.stop_reason(), Some(StopReason::DelayTooLong));
    assert!(started.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn the_error_names_the_timeout() {
    let script = Script::new([Step::Hang]);
    let client = script.client_with(builder().read_timeout(None)).unwrap();
    let call = || client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);

    let started = Instant::now();
    let error = call().operation_attempt_timeout(Duration::from_secs(2)).max_attempts(2).send().await.unwrap_err();
    assert!(error.to_string().contains("no response within the attempt timeout of 2s [2 attempts"), "{error}");
    assert!(error.is_timeout() && error.is_retryable() && error.may_have_been_applied());
    assert_eq!(started.elapsed().as_secs(), 4);

    let started = Instant::now();
    let error = call().operation_timeout(Duration::from_secs(90)).send().await.unwrap_err();
    assert!(error.to_string().contains("no response within the operation timeout of 90s [2 attempts"), "{error}");
    assert_eq!(error.stop_reason(), Some(StopReason::NoTimeLeft));
    assert_eq!(started.elapsed().as_secs(), 90);

    let started = Instant::now();
    let error = call().send().await.unwrap_err();
    assert!(error.to_string().contains("attempt timeout of 60s [3 attempts"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(182));

    let longest = call().operation_timeout(Duration::MAX).operation_attempt_timeout(Duration::MAX).send();
    assert!(tokio::time::timeout(Duration::from_secs(1_000_000), longest).await.is_err());
    let endless = call().operation_timeout(None).operation_attempt_timeout(None).send();
    assert!(tokio::time::timeout(Duration::from_secs(1_000_000), endless).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_error_names_an_empty_retry_quota() {
    let script = Script::new([respond(500, &[], "")]);
    let client = script.client_with(builder().retry_quota(20)).unwrap();
    let error = start(&client).await.unwrap_err();
    assert_eq!(error.stop_reason(), Some(StopReason::QuotaExhausted));
    assert!(error.to_string().contains("retry quota exhausted"), "{error}");
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_failing_calls_are_retried_only_without_a_quota() {
    let script = Script::new([respond(500, &[], "")]);
    let client = script.client_with(builder().retry_quota(None)).unwrap();
    for _ in 0..1_000 {
        assert_eq!(start(&client).await.unwrap_err().attempts(), 3);
    }
    let client = script.client();
    let mut attempts = 0;
    for _ in 0..1_000 {
        attempts += start(&client).await.unwrap_err().attempts();
    }
    assert_eq!(attempts, 1_000 + 500 / 14);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_returns_its_tokens_to_the_quota() {
    let script = Script::new([respond(503, &[("retry-after", "60")], ""), ok()]);
    let client = script.client();
    assert!(tokio::time::timeout(Duration::from_secs(1), start(&client)).await.is_err());
    assert_eq!(client.call().runtime.quota.tokens(), Some(500));
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_sends_its_headers() {
    let script = Script::new([respond(500, &[], ""), ok()]);
    start(&script.client_with(builder().app_name("sequencer")).unwrap()).await.unwrap();
    let sent = script.sent();
    assert_eq!(sent[0].header("amz-sdk-request"), Some("attempt=1; max=3"));
    assert_eq!(sent[1].header("amz-sdk-request"), Some("attempt=2; max=3"));
    assert_eq!(sent[0].header("amz-sdk-invocation-id"), sent[1].header("amz-sdk-invocation-id"));
    assert_eq!(sent[0].header("amz-sdk-invocation-id").map(str::len), Some(36));
    let agent = sent[0].header("user-agent").unwrap();
    assert!(
        agent.starts_with("healthomics/") && agent.contains(" ua/2.1 ") && agent.ends_with(" app/sequencer"),
        "{agent}"
    );
    let authorization = sent[0].header("authorization").unwrap();
    assert!(authorization.contains("SignedHeaders=content-type;host;x-amz-date, "), "{authorization}");
    assert!(sent[0].headers["authorization"].is_sensitive());
}

#[tokio::test(start_paused = true)]
async fn an_implausible_date_does_not_change_the_clock() {
    let date = ("date", "Fri, 31 Dec 9999 23:59:59 GMT");
    let script = Script::new([respond(403, &[("x-amzn-errortype", "InvalidSignatureException"), date], ""), ok()]);
    let client = script.client();
    assert_eq!(start(&client).await.unwrap_err().attempts(), 1);
    start(&client).await.unwrap();

    let far = SystemTime::UNIX_EPOCH + Duration::from_hours(100_000_000);
    let client = Script::new([ok()]).client_with(builder().time_source(move || far)).unwrap();
    let error = start(&client).await.unwrap_err();
    assert!(matches!(error, Error::Signing(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn unreadable_and_unknown_optional_fields_are_ignored() {
    for extra in [
        r#""creationTime":"yesterday""#,
        r#""creationTime":{"seconds":1}"#,
        r#""creationTime":1e300"#,
        r#""sequenceStoreId":{}"#,
        r#""statusMessage":[1,{"a":2}]"#,
        r#""somethingNew":{"a":[]}"#,
    ] {
        let script =
            Script::new([respond(200, &[], &format!(r#"{{"id":"1234567890","status":"SUBMITTED",{extra}}}"#))]);
        let job = start(&script.client()).await.unwrap_or_else(|error| panic!("{extra}: {}", error.report()));
        assert_eq!((job.id.as_str(), job.sequence_store_id.as_str()), ("1234567890", "1234567890"), "{extra}");
        assert_eq!(job.creation_time, None, "{extra}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_for_later_calls_too() {
    let local = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap();
    let refused = || {
        let date = ("date", "Sat, 21 Nov 2026 13:30:00 GMT");
        respond(403, &[("x-amzn-errortype", "InvalidSignatureException"), date], "")
    };
    let script = Script::new([refused(), ok()]);
    let client = script.client_with(builder().time_source(move || local)).unwrap();
    start(&client).await.unwrap();
    start(&client).await.unwrap();
    let dates: Vec<_> = script.sent().iter().map(|sent| sent.header("x-amz-date").unwrap().to_owned()).collect();
    assert_eq!(dates, ["20261121T120000Z", "20261121T133000Z", "20261121T133000Z"]);

    let script = Script::new([refused()]);
    let client = script.client_with(builder().time_source(move || local).correct_clock_skew(false)).unwrap();
    assert_eq!(start(&client).await.unwrap_err().attempts(), 1);

    // The service's clock is the one that the request was signed by now: another refusal has another cause.
    let script = Script::new([refused()]);
    let client = script.client_with(builder().time_source(move || local)).unwrap();
    assert_eq!(start(&client).await.unwrap_err().attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_free_connection() {
    let script = Script::new([Step::Hang, ok()]);
    let limits = builder().max_connections(1).operation_timeout(Duration::from_secs(5));
    let client = script.client_with(limits).unwrap();
    let mut first = Box::pin(start(&client));
    tokio::select! { _ = &mut first => panic!("it hangs"), () = tokio::time::sleep(Duration::from_secs(1)) => {} }

    let error = start_owned(client.clone()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)) && error.is_retryable() && !error.may_have_been_applied());
    assert!(error.to_string().contains("no free connection within the operation timeout of 5s"), "{error}");
    assert_eq!(script.sent().len(), 1);

    // One that is dropped leaves its place to the next.
    drop(first);
    start(&client).await.unwrap();
    assert_eq!(script.sent().len(), 2);
}

#[test]
fn clients_and_calls_travel_between_threads() {
    fn travels<T: Send + Sync + Clone + 'static>(_: &T) {}
    fn is_send<T: Send + 'static>(_: T) {}
    let client = Script::new([ok()]).client();
    travels(&client);
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    travels(&call);
    is_send(call.send());
}

#[test]
fn a_client_shows_no_secret() {
    let credentials = Credentials::new("AKIDCANARY", "SECRETCANARY", Some("TOKENCANARY".into()), None, "test");
    let builder = builder().credentials(credentials);
    let with_password = builder.clone().endpoint_url("https://user:SECRETCANARY@host");
    let shown =
        format!("{with_password:?} {builder:?} {:?}", Script::new([ok()]).client_with(builder.clone()).unwrap());
    assert!(!shown.contains("SECRETCANARY") && !shown.contains("TOKENCANARY"), "{shown}");
}

/// Ten thousand of them may wait at once.
#[test]
fn calls_and_waits_are_small() {
    let client = Script::default().client();
    let call = client.get_read_set_export_job().sequence_store_id("1234567890").id("1234567890").send();
    let wait = client.export_job("1234567890", "1234567890").wait().into_future();
    let (call, wait) = (size_of_val(&*call), size_of_val(&*wait));
    assert!(call <= 1_536 && wait <= 512, "a call takes {call} bytes, a wait {wait}");
}
