//! A scripted transport for tests of the pipeline: no sockets, so that a paused clock works.

mod protocol;
pub(crate) mod provider;
pub(crate) mod service;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use url::Url;

use crate::config::ClientBuilder;
use crate::http::{Body, ConnectOptions, HttpClient, HttpError, HttpErrorKind, HttpFuture};
use crate::protocol::response::Response;
use crate::{Client, Error};

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) new_connection: bool,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The result of one attempt.
pub(crate) enum Step {
    Respond(Response),
    Fail(HttpErrorKind),
    Hang,
}

/// A response with some headers.
pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> Step {
    Step::Respond(response(status, headers, body))
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap()))
        .collect();
    Response { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::copy_from_slice(body.as_bytes()) }
}

/// A response as an HTTP client returns it.
pub(crate) fn into_http(response: Response) -> http::Response<Body> {
    let mut http = http::Response::new(Body::from(response.body));
    *http.status_mut() = response.status;
    *http.headers_mut() = response.headers;
    http
}

/// Plays its steps in turn, the last one for ever. `{id}` in a body is the last segment of the path.
#[derive(Clone, Default)]
pub(crate) struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), sent: Arc::default() }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    fn next(&self) -> Step {
        let mut steps = self.steps.lock().unwrap();
        if steps.len() > 1 {
            return steps.pop_front().unwrap();
        }
        match steps.front().expect("a script has at least one step") {
            Step::Respond(raw) => Step::Respond(raw.clone()),
            Step::Fail(kind) => Step::Fail(*kind),
            Step::Hang => Step::Hang,
        }
    }

    /// A client in us-east-1 that talks to this script.
    pub(crate) fn client(&self) -> Client {
        self.client_with(builder()).unwrap()
    }

    pub(crate) fn client_with(&self, builder: ClientBuilder) -> Result<Client, Error> {
        builder.http_client(self.clone()).build()
    }
}

pub(crate) fn builder() -> ClientBuilder {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    Client::builder().region("us-east-1").credentials(credentials)
}

impl HttpClient for Script {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string()).unwrap();
        let id = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default().to_owned();
        let new_connection = head.extensions.get::<ConnectOptions>().unwrap().new_connection;
        let body = body.into_bytes().unwrap();
        self.sent.lock().unwrap().push(Sent { url, headers: head.headers, body, new_connection });
        let step = self.next();
        Box::pin(async move {
            match step {
                Step::Respond(response) => {
                    let text = String::from_utf8_lossy(&response.body);
                    let body = if text.contains("{id}") { text.replace("{id}", &id).into() } else { response.body };
                    Ok(into_http(Response { body, ..response }))
                }
                Step::Fail(kind) => Err(HttpError::new(kind, "scripted".to_owned(), None)),
                Step::Hang => std::future::pending().await,
            }
        })
    }
}
