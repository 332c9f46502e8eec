//! Connections that the server closes between requests, before a response, or during one.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used)]

#[path = "proxy/mod.rs"]
mod proxy;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use healthomics::error::StopReason;
use healthomics::read_set::StartReadSetActivationJobOutput;
use healthomics::{Client, ClientBuilder, Error};
use proxy::{Proxy, Root};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, mpsc};
use tokio::task::JoinSet;

/// A timeout that is to pass, and within which a loopback connection and a response certainly succeed.
const SHORT: Duration = Duration::from_secs(1);

const STARTED: &str = r#"{"id":"1234567890","status":"SUBMITTED"}"#;

fn builder(address: SocketAddr) -> ClientBuilder {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    let builder = Client::builder().region("us-east-1").endpoint_url(format!("http://{address}"));
    builder.credentials(credentials).use_system_proxy(false)
}

async fn start(client: &Client) -> Result<StartReadSetActivationJobOutput, Error> {
    client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]).send().await
}

/// Serves each connection by `serve`, which also gets its number. Returns the address of the server.
async fn server<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        for number in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(serve(number, stream));
        }
    });
    address
}

/// The client token of the next request, once all of the request has been read; `None` at the end of the connection.
async fn next_token(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            let body = &request[end + 4..];
            if body.len() == length {
                let body: serde_json::Value = serde_json::from_slice(body).unwrap();
                return Some(body["clientToken"].as_str().unwrap().to_owned());
            }
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// Sends a complete response, whose headers say that the connection stays open.
async fn respond(stream: &mut TcpStream) {
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{STARTED}", STARTED.len());
    // The client may have closed the connection.
    drop(stream.write_all(response.as_bytes()).await);
}

/// When the client is notified that a connection was closed after its first response.
#[derive(Clone, Copy, Debug)]
enum Close {
    /// With the response, or shortly after it.
    AtOnce,
    /// As late as possible: after it has sent another request on it.
    AtTheNextRequest,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_when_a_server_closes_each_connection_without_notice() {
    for close in [Close::AtOnce, Close::AtTheNextRequest] {
        for in_flight in [1, 4, 16, 64] {
            every_start_succeeds(close, in_flight).await;
        }
    }
}

async fn every_start_succeeds(close: Close, in_flight: usize) {
    const CALLS: usize = 500;
    let (applied, mut tokens) = mpsc::unbounded_channel();
    let address = server(move |_, mut stream| {
        let applied = applied.clone();
        async move {
            if let Some(token) = next_token(&mut stream).await {
                applied.send(token).unwrap();
                respond(&mut stream).await;
                if matches!(close, Close::AtTheNextRequest) {
                    next_token(&mut stream).await;
                }
            }
        }
    })
    .await;
    let client = builder(address).build().unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..in_flight {
        let (client, next) = (client.clone(), Arc::clone(&next));
        workers.spawn(async move {
            let mut results = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < CALLS {
                results.push(start(&client).await);
            }
            results
        });
    }
    let results = workers.join_all().await.into_iter().flatten().collect::<Vec<_>>();
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failed.is_empty(), "{close:?}, {in_flight} in flight: {} failed, the first: {}", failed.len(), failed[0]);
    assert_eq!(results.len(), CALLS);

    // Every start was applied under one token, however many attempts it took.
    let returned: HashSet<_> = results.iter().flatten().map(|job| job.client_token.to_string()).collect();
    let mut received = HashSet::new();
    while let Ok(token) = tokens.try_recv() {
        received.insert(token);
    }
    assert_eq!(received.len(), CALLS, "{close:?}, {in_flight} in flight");
    assert_eq!(received, returned);
}

/// What a connection does at its second request.
#[derive(Clone, Copy)]
enum Second {
    Closes,
    /// There is no response, as if a gateway had dropped the connection.
    Hangs,
}

/// A server that responds to one request of each connection. It responds to the first two together, so that a client
/// has two idle connections then.
async fn server_with_two_connections(second: Second) -> SocketAddr {
    let both = Arc::new(Barrier::new(2));
    server(move |number, mut stream| {
        let both = Arc::clone(&both);
        async move {
            next_token(&mut stream).await;
            if number <= 2 {
                both.wait().await;
            }
            respond(&mut stream).await;
            next_token(&mut stream).await;
            if matches!(second, Second::Hangs) {
                std::future::pending::<()>().await;
            }
        }
    })
    .await
}

/// A client with two idle connections.
async fn with_two_idle_connections(builder: ClientBuilder) -> Client {
    let client = builder.build().unwrap();
    let (first, second) = tokio::join!(start(&client), start(&client));
    first.unwrap();
    second.unwrap();
    client
}

/// The retry quota is empty, and no backoff would fit into the operation timeout.
fn without_quota_and_backoff(builder: ClientBuilder) -> ClientBuilder {
    builder.retry_quota(0).initial_backoff(Duration::MAX).max_attempts(2)
}

#[tokio::test]
async fn after_a_stale_connection_the_next_attempt_uses_a_new_one_without_backoff_or_quota() {
    let client = with_two_idle_connections(without_quota_and_backoff(builder(
        server_with_two_connections(Second::Closes).await,
    )))
    .await;
    start(&client).await.unwrap();
    // The other connection was closed, too.
    start(&client).await.unwrap();
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_new_connection_trusts_the_same_roots() {
    let root = Root::new();
    let proxy = Proxy::start(server_with_two_connections(Second::Closes).await, Some(&root)).await;
    let builder = without_quota_and_backoff(builder(([127, 0, 0, 1], 0).into())).endpoint_url(proxy.url());
    let client = with_two_idle_connections(builder.only_root_certificates(&root.pem)).await;
    start(&client).await.unwrap();
    start(&client).await.unwrap();
}

#[tokio::test]
async fn an_attempt_on_a_stale_connection_is_counted_and_described() {
    let client =
        with_two_idle_connections(builder(server_with_two_connections(Second::Closes).await).max_attempts(1)).await;
    let error = start(&client).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    assert!(error.is_retryable() && error.may_have_been_applied(), "{error}");
    assert_eq!((error.attempts(), error.stop_reason()), (1, Some(StopReason::AttemptsExhausted)));
    let line = error.to_string();
    assert!(line.contains("idle since an earlier request, broke before the response: it was closed"), "{line}");
}

#[tokio::test]
async fn after_a_read_timeout_the_next_attempt_uses_a_new_connection() {
    let builder = builder(server_with_two_connections(Second::Hangs).await).read_timeout(SHORT);
    let client = with_two_idle_connections(builder.max_attempts(2)).await;
    start(&client).await.unwrap();
}

#[tokio::test]
async fn a_new_connection_that_breaks_is_an_ordinary_failure() {
    let address = server(|_, mut stream| async move {
        next_token(&mut stream).await;
    })
    .await;
    let error = start(&builder(address).retry_quota(0).build().unwrap()).await.unwrap_err();
    assert_eq!((error.attempts(), error.stop_reason()), (1, Some(StopReason::QuotaExhausted)));
    let line = error.to_string();
    assert!(line.contains("broke before the response: it was closed"), "{line}");
}

/// A server that sends a head, and then a body byte by byte without end.
async fn slow_server(head: &'static str) -> SocketAddr {
    server(move |_, mut stream| async move {
        next_token(&mut stream).await;
        let head = format!("HTTP/1.1 {head}\r\nx-amzn-requestid: req-1\r\ncontent-length: 100000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

#[tokio::test]
async fn an_error_response_that_never_ends_keeps_its_status() {
    let client = builder(slow_server("503 Service Unavailable").await).max_attempts(1).build().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    for call in [call.clone().operation_attempt_timeout(SHORT), call.clone().operation_timeout(SHORT)] {
        let error = call.send().await.unwrap_err();
        assert!(matches!(error, Error::Service(_)), "{error}");
        assert_eq!((error.status(), error.request_id()), (Some(503), Some("req-1")));
        assert!(error.is_retryable() && error.may_have_been_applied() && !error.is_timeout(), "{error}");
        let excerpt = error.as_service_error().unwrap().body_excerpt().unwrap();
        assert!(excerpt.starts_with('x'), "{excerpt}");
    }
    // The status is that of a rejection, whatever the body is.
    let client = builder(slow_server("403 Forbidden").await).build().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    let error = call.operation_attempt_timeout(SHORT).send().await.unwrap_err();
    assert!(matches!(error, Error::AccessDeniedException(_)), "{error}");
    assert_eq!((error.attempts(), error.is_retryable(), error.may_have_been_applied()), (1, false, false));
}

#[tokio::test]
async fn a_success_that_never_ends_is_a_timeout_with_its_request_id() {
    let client = builder(slow_server("200 OK").await).max_attempts(1).build().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    let error = call.operation_attempt_timeout(SHORT).send().await.unwrap_err();
    assert!(matches!(error, Error::Timeout(_)), "{error}");
    assert_eq!((error.status(), error.request_id()), (None, Some("req-1")));
}
