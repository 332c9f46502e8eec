//! A scripted transport for tests of the pipeline: no sockets, so that a paused clock works.

mod protocol;
pub(crate) mod provider;
pub(crate) mod service;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use crate::config::ClientBuilder;
use crate::sign::SignedRequest;
use crate::transport::{Answer, Limits, PartialResponse, Transport, TransportError, TransportErrorKind};
use crate::wire::RawResponse;
use crate::{Client, Error};

/// A request that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) fresh_connection: bool,
}

impl Sent {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// What becomes of one attempt.
pub(crate) enum Step {
    Answer(RawResponse),
    Fail(TransportErrorKind),
    Hang,
}

/// An answer with some headers.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Step {
    Step::Answer(raw(status, headers, body))
}

pub(crate) fn raw(status: u16, headers: &[(&str, &str)], body: &str) -> RawResponse {
    let headers = headers
        .iter()
        .map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap()))
        .collect();
    RawResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
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
            Step::Answer(raw) => Step::Answer(raw.clone()),
            Step::Fail(kind) => Step::Fail(*kind),
            Step::Hang => Step::Hang,
        }
    }

    /// A client in us-east-1 that talks to this script.
    pub(crate) fn client(&self) -> Client {
        self.client_with(builder()).unwrap()
    }

    pub(crate) fn client_with(&self, builder: ClientBuilder) -> Result<Client, Error> {
        let endpoint = builder.endpoint()?;
        Ok(builder.build_with(endpoint, Box::new(self.clone()))?)
    }
}

pub(crate) fn builder() -> ClientBuilder {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    Client::builder().region("us-east-1").credentials(credentials)
}

impl Transport for Script {
    fn send<'a>(&'a self, request: SignedRequest, limits: Limits, _: &'a mut Option<PartialResponse>) -> Answer<'a> {
        let (method, url, headers, body) = request.into_parts();
        let asked = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default().to_owned();
        let fresh_connection = limits.fresh_connection;
        self.sent.lock().unwrap().push(Sent { method, url, headers, body, fresh_connection });
        let mut step = self.next();
        // A job of which any id may be asked.
        if let Step::Answer(raw) = &mut step
            && let Ok(text) = str::from_utf8(&raw.body)
            && text.contains("{id}")
        {
            raw.body = text.replace("{id}", &asked).into();
        }
        Box::pin(async move {
            match step {
                Step::Answer(raw) => Ok(raw),
                Step::Fail(kind) => Err(TransportError::new(kind, "scripted".to_owned(), None)),
                Step::Hang => std::future::pending().await,
            }
        })
    }
}
