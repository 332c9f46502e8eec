//! Calls over real connections: resets, truncated bodies, read timeouts, redirects, proxies, clocks, credentials.
#![allow(clippy::unwrap_used)]

mod support;

use std::error::Error as _;
use std::process::Command;
use std::time::Duration;

use aws_credential_types::Credentials;
use healthomics::local::{Fault, LocalService};
use healthomics::read_set::StartReadSetExportJobOutput;
use healthomics::{Client, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const OPERATION: &str = "StartReadSetExportJob";

async fn service() -> (LocalService, String) {
    let local = LocalService::start().await.unwrap();
    let store = local.create_sequence_store().to_string();
    (local, store)
}

async fn start(client: &Client, store: &str) -> Result<StartReadSetExportJobOutput, Error> {
    let call = client.start_read_set_export_job().sequence_store_id(store).sources(["5000000001"]);
    call.destination("s3://bucket/").role_arn("arn:aws:iam::123456789012:role/OmicsExport").send().await
}

#[tokio::test]
async fn every_fault_after_processing_leaves_one_job() {
    for fault in [
        Fault::ResetAfter,
        Fault::TruncatedBody,
        Fault::EmptyBody,
        Fault::MalformedBody,
        Fault::response_after(502, "<html>bad gateway</html>"),
        Fault::HangAfter,
    ] {
        let (local, store) = service().await;
        let client = local.client_builder().read_timeout(Duration::from_millis(300)).build().unwrap();
        local.queue_fault(OPERATION, fault.clone());
        let job = start(&client, &store).await.unwrap();
        assert_eq!(local.requests().len(), 2, "{fault:?}");
        assert_eq!(local.jobs().len(), 1, "{fault:?}");
        assert_eq!(local.jobs()[0].id, job.id.as_str(), "{fault:?}");
    }
}

#[tokio::test]
async fn a_start_repeated_by_the_caller_with_the_token_of_the_error_returns_the_first_job() {
    let (local, store) = service().await;
    let client = local.client().unwrap();
    local.fault_always(OPERATION, Fault::ResetAfter);
    let error = start(&client, &store).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)) && error.is_retryable() && error.may_have_been_applied(), "{error}");
    assert!(error.source().is_some());

    local.clear_faults();
    let call = client.start_read_set_export_job().sequence_store_id(&store).sources(["5000000001"]);
    let call = call.destination("s3://bucket/").role_arn("arn:aws:iam::123456789012:role/OmicsExport");
    let job = call.clone().client_token(error.client_token().unwrap()).send().await.unwrap();
    assert_eq!(local.jobs().len(), 1);
    assert_eq!(Some(&job.client_token), error.client_token());

    // The service rejects the same token with other sources.
    let same = call.client_token(&job.client_token).max_attempts(1);
    let other = client.start_read_set_export_job().sequence_store_id(&store).sources(["5000000002"]);
    let other = other.destination("s3://bucket/").role_arn("arn:aws:iam::123456789012:role/OmicsExport");
    assert!(matches!(other.client_token(&job.client_token).send().await, Err(Error::ValidationException(_))));
    assert_eq!(same.send().await.unwrap().id, job.id);
}

#[tokio::test]
async fn an_invalid_request_is_not_sent() {
    let (local, _) = service().await;
    let client = local.client().unwrap();
    for store in ["", "..", "1/2", "123456789", &"1".repeat(37), "１２３４５６７８９０"] {
        assert!(matches!(start(&client, store).await, Err(Error::InvalidInput(_))), "{store}");
    }
    assert!(local.requests().is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (local, store) = service().await;
    let (elsewhere, _) = service().await;
    for status in [301, 302, 303, 307, 308] {
        let location = ("location".to_owned(), format!("{}/sequencestore/{store}/exportjob", elsewhere.endpoint_url()));
        local.queue_fault(OPERATION, Fault::Response { status, headers: vec![location], body: Vec::new() });
        let error = start(&local.client().unwrap(), &store).await.unwrap_err();
        assert_eq!((error.status(), error.attempts()), (Some(status), 1));
        assert!(error.to_string().contains("redirects are not followed"), "{error}");
    }
    assert!(elsewhere.requests().is_empty(), "credentials must not travel");
    assert!(local.jobs().is_empty());
}

#[tokio::test]
async fn a_missing_response_ends_in_a_read_timeout() {
    let (local, store) = service().await;
    let client = local.client_builder().read_timeout(Duration::from_millis(100)).max_attempts(2).build().unwrap();
    local.fault_always(OPERATION, Fault::HangBefore);
    let error = start(&client, &store).await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)) && error.is_timeout(), "{error}");
    assert!(error.to_string().contains("read timeout of 100ms [2 attempts"), "{error}");

    // A response within the timeout is a success.
    local.clear_faults();
    local.queue_fault(OPERATION, Fault::Delay(Duration::from_millis(20)));
    assert!(start(&client, &store).await.is_ok());
}

#[tokio::test]
async fn a_response_that_is_too_large_is_not_read() {
    let (local, store) = service().await;
    let client = local.client_builder().max_response_size(1_000).build().unwrap();
    local.queue_fault(OPERATION, Fault::response_after(200, vec![b' '; 100_000]));
    let error = start(&client, &store).await.unwrap_err();
    assert!(matches!(error, Error::UndecodableResponse(_)), "{error}");
    assert!(error.to_string().contains("larger than 1000 bytes") && error.may_have_been_applied(), "{error}");

    // An error response keeps its status, however large its body is.
    local.queue_fault(OPERATION, Fault::response(404, vec![b'x'; 100_000]));
    let error = start(&client, &store).await.unwrap_err();
    assert!(matches!(error, Error::ResourceNotFoundException(_)), "{error}");
}

#[tokio::test]
async fn the_request_id_of_a_truncated_response_is_kept() {
    let (local, store) = service().await;
    local.fault_always(OPERATION, Fault::TruncatedBody);
    let error = start(&local.client().unwrap(), &store).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)) && error.may_have_been_applied(), "{error}");
    assert_eq!(error.request_id().map(str::len), Some(36), "{error}");
    assert_eq!(local.jobs().len(), 1);
}

#[tokio::test]
async fn a_requested_delay_can_be_added_to_any_time() {
    let (local, store) = service().await;
    let client = local.client_builder().max_attempts(1).build().unwrap();
    for (name, value) in [
        ("retry-after", "18446744073709551615"),
        ("retry-after", "99999999999999999999"),
        ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("x-amz-retry-after", "18446744073709551615"),
    ] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        local.queue_fault(OPERATION, Fault::Response { status: 503, headers, body: Vec::new() });
        let error = start(&client, &store).await.unwrap_err();
        let delay = error.retry_after().unwrap();
        assert_eq!(delay, Duration::from_hours(24), "{name}: {value}");
        assert!(std::time::Instant::now() + delay > std::time::Instant::now());
    }
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_sent() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let (local, store) = service().await;
    let client = local.client_builder().endpoint_url(format!("http://{address}")).build().unwrap();
    let error = start(&client, &store).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)) && error.is_retryable() && !error.may_have_been_applied());
    assert_eq!(
        error.to_string(),
        format!(
            "StartReadSetExportJob (store {store}): no connection to {address}: it refused [3 attempts, no attempts left]"
        )
    );
}

#[tokio::test]
async fn a_call_can_have_its_own_connect_timeout() {
    let (local, store) = service().await;
    let client = local.client_builder().endpoint_url("http://127.0.0.1:9").build().unwrap();
    let call = client.get_read_set_export_job().sequence_store_id(&store).id("1234567890").max_attempts(1);
    let error = call.clone().connect_timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");

    // Calls with any timeout succeed, with more different timeouts than there are separate connection pools.
    let client = local.client().unwrap();
    for millis in 1_000..1_020 {
        let call = client.start_read_set_export_job().sequence_store_id(&store).sources(["5000000001"]);
        let call = call.destination("s3://bucket/").role_arn("arn:aws:iam::123456789012:role/OmicsExport");
        call.connect_timeout(Duration::from_millis(millis)).send().await.unwrap();
    }
    assert_eq!(local.jobs().len(), 20);
}

#[tokio::test]
async fn wrong_keys_and_wrong_signatures_are_different_errors() {
    let (local, store) = service().await;
    let with = |key: &str, secret: &str| {
        local.client_builder().credentials(Credentials::new(key, secret, None, None, "test")).build().unwrap()
    };
    let error = start(&with("AKIDNOBODY", "secret"), &store).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some("UnrecognizedClientException"), 1));
    let error = start(&with(LocalService::ACCESS_KEY_ID, "wrong"), &store).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some("InvalidSignatureException"), 1));
    let error = start(&local.client_builder().region("eu-west-2").build().unwrap(), &store).await.unwrap_err();
    assert!(error.message().unwrap().contains("valid region"), "{error}");
    assert!(local.jobs().is_empty());
}

#[tokio::test]
async fn session_credentials_are_accepted_and_expire() {
    let (local, store) = service().await;
    let session = Credentials::new("ASIASESSION", "secret", Some("session-token".to_owned()), None, "test");
    local.accept_credentials(session.clone());
    let client = local.client_builder().credentials(session).build().unwrap();
    start(&client, &store).await.unwrap();
    local.expire_credentials("ASIASESSION");
    let error = start(&client, &store).await.unwrap_err();
    assert_eq!(
        (error.code(), error.attempts()),
        (Some("ExpiredTokenException"), 2),
        "the credentials are fetched again, once"
    );
}

#[tokio::test]
async fn a_clock_that_is_hours_off_is_corrected() {
    for offset in [-7_200, 7_200] {
        let (local, store) = service().await;
        local.set_clock_offset(offset);
        let client = local.client().unwrap();
        start(&client, &store).await.unwrap();
        start(&client, &store).await.unwrap();
        assert_eq!(local.requests().len(), 3, "rejected once, then corrected");
    }
}

#[tokio::test]
async fn connections_are_kept() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut requests = 0;
        let mut buffer = vec![0; 65_536];
        while requests < 5 {
            // Each request is small enough to arrive at once, and the client waits for each response.
            assert!(stream.read(&mut buffer).await.unwrap() > 0);
            requests += 1;
            let body = r#"{"id":"1234567890","status":"SUBMITTED"}"#;
            let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(response.as_bytes()).await.unwrap();
        }
        requests
    });
    let builder = Client::builder().region("us-east-1").endpoint_url(format!("http://{address}"));
    let builder = builder.credentials(Credentials::new("AKID", "secret", None, None, "test"));
    let client = builder.use_system_proxy(false).build().unwrap();
    for _ in 0..5 {
        start(&client, "1234567890").await.unwrap();
    }
    assert_eq!(serve.await.unwrap(), 5);
}

/// Runs the quickstart against an endpoint, in a process with an environment of its own, and returns its error output.
fn quickstart(local: &LocalService, endpoint: &str, variables: &[(&str, &str)]) -> String {
    let inherited =
        std::env::vars().filter(|(name, _)| !name.starts_with("AWS_") && !name.to_lowercase().contains("proxy"));
    let output = Command::new(support::example("quickstart"))
        .args(["--store", "1234567890", "--role", "arn:aws:iam::123456789012:role/Omics"])
        .args(["--destination", "s3://my-bucket/", "--endpoint", endpoint])
        .env_clear()
        .envs(inherited)
        .env("AWS_REGION", local.region())
        // Many files have a newline at the end.
        .env("AWS_ACCESS_KEY_ID", format!("{}\n", LocalService::ACCESS_KEY_ID))
        .env("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_of_the_system_is_used() {
    let proxy = LocalService::start().await.unwrap();
    let url = proxy.endpoint_url();
    let output = quickstart(&proxy, "http://omics.example", &[("HTTP_PROXY", &url), ("http_proxy", &url)]);
    assert!(output.contains("StartReadSetImportJob (store 1234567890): ResourceNotFoundException (404)"), "{output}");
    let requests = proxy.requests();
    assert_eq!(requests[0].header("host"), Some("omics.example"));
    assert!(requests[0].header("user-agent").unwrap().ends_with(" app/healthomics-quickstart"));

    let dead = "http://127.0.0.1:1";
    let output = quickstart(&proxy, "http://omics.example", &[("HTTP_PROXY", dead), ("http_proxy", dead)]);
    assert!(output.contains("no connection to omics.example or its proxy: it refused"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_needs_no_certificates() {
    let local = LocalService::start().await.unwrap();
    let nowhere = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    let output = quickstart(&local, &local.endpoint_url(), &nowhere);
    assert!(output.contains("StartReadSetImportJob (store 1234567890): ResourceNotFoundException (404)"), "{output}");
}
