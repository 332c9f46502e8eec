//! An HTTP client that records requests and returns given responses, without a socket, so that a paused clock works.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use healthomics::http::{Body, HttpClient, HttpFuture};
use healthomics::{Client, ClientBuilder, Credentials, Error};
use http::{HeaderMap, Method};
use url::Url;

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A response with some headers.
pub(crate) fn respond(status: u16, headers: &[(&str, &str)], body: &str) -> http::Response<Bytes> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// Returns its responses in order, and the last one from then on.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    responses: Arc<Mutex<VecDeque<http::Response<Bytes>>>>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Script {
    pub(crate) fn new(responses: impl IntoIterator<Item = http::Response<Bytes>>) -> Self {
        Self { responses: Arc::new(Mutex::new(responses.into_iter().collect())), sent: Arc::default() }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// A client in us-east-1 that sends its requests to this script.
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
        let body = Bytes::copy_from_slice(body.as_bytes().unwrap());
        self.sent.lock().unwrap().push(Sent { method: head.method, url, headers: head.headers, body });
        let mut responses = self.responses.lock().unwrap();
        let response = if responses.len() > 1 { responses.pop_front() } else { responses.front().cloned() };
        let response = response.expect("a script has at least one response").map(Body::from);
        Box::pin(async move { Ok(response) })
    }
}
