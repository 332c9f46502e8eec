//! An HTTP client of the caller's: its errors decide whether a start may have been applied.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use healthomics::http::{Body, HttpClient, HttpError, HttpFuture};
use healthomics::{Client, ClientBuilder, Credentials, Error};

type Respond = fn(usize) -> Result<http::Response<Body>, HttpError>;

/// Responds to each request by its number, and records the requests.
#[derive(Clone, Debug)]
struct Scripted {
    respond: Respond,
    count: Arc<AtomicUsize>,
    sent: Arc<Mutex<Vec<http::Request<Body>>>>,
}

impl Scripted {
    fn new(respond: Respond) -> Self {
        Self { respond, count: Arc::default(), sent: Arc::default() }
    }

    fn builder(&self) -> ClientBuilder {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        Client::builder().region("us-east-1").credentials(credentials).http_client(self.clone())
    }
}

impl HttpClient for Scripted {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        self.sent.lock().unwrap().push(request);
        let response = (self.respond)(self.count.fetch_add(1, Ordering::Relaxed));
        Box::pin(async move { response })
    }
}

fn started() -> http::Response<Body> {
    http::Response::new(Body::from(r#"{"id":"1234567890","status":"SUBMITTED"}"#))
}

async fn start(client: &Client) -> Result<(), Error> {
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    call.send().await.map(|_| ())
}

#[tokio::test]
async fn it_gets_signed_requests_for_the_endpoint_of_the_region_and_they_are_retried() {
    let scripted = Scripted::new(|number| match number {
        0 => Err(HttpError::not_sent("no route")),
        1 => Err(HttpError::interrupted("reset")),
        _ => Ok(started()),
    });
    start(&scripted.builder().build().unwrap()).await.unwrap();
    let sent = scripted.sent.lock().unwrap();
    assert_eq!(sent.len(), 3);
    for request in sent.iter() {
        assert_eq!(request.method(), "POST");
        let url = "https://control-storage-omics.us-east-1.amazonaws.com/sequencestore/1234567890/activationjob";
        assert_eq!(request.uri(), url);
        let signature = request.headers()["authorization"].to_str().unwrap();
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
        assert_eq!(request.body().as_bytes(), sent[0].body().as_bytes(), "the token is the same");
    }
}

#[tokio::test]
async fn its_errors_become_the_errors_of_calls() {
    for (scripted, applied, message) in [
        (Scripted::new(|_| Err(HttpError::not_sent("no route"))), false, "no connection to control-storage-omics."),
        (Scripted::new(|_| Err(HttpError::interrupted("reset"))), true, "broke before the response"),
    ] {
        let error = start(&scripted.builder().build().unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)) && error.is_retryable(), "{error}");
        assert_eq!((error.may_have_been_applied(), error.attempts()), (applied, 3), "{error}");
        assert!(error.to_string().contains(message), "{error}");
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[derive(Debug)]
struct NoResponse;
impl HttpClient for NoResponse {
    fn send(&self, _: http::Request<Body>) -> HttpFuture {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn its_responses_are_limited_in_size_and_time() {
    let scripted = Scripted::new(|_| Ok(http::Response::new(Body::from(vec![b' '; 1_000]))));
    let error = start(&scripted.builder().max_response_size(999).build().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("the response is larger than 999 bytes"), "{error}");
    assert_eq!(scripted.sent.lock().unwrap().len(), 1);

    let builder = Scripted::new(|_| Ok(started())).builder().http_client(NoResponse);
    let client = builder.read_timeout(Duration::from_millis(20)).max_attempts(1).build().unwrap();
    let error = start(&client).await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_applied(), "{error}");
}
