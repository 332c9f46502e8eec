//! `reqwest` behind one small trait: a signed request goes in, a raw answer comes out.

mod tls;

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
#[cfg(feature = "aws-config")]
pub(crate) use tls::COMPILED_IN as TLS_COMPILED_IN;
pub(crate) use tls::{BUNDLE_VARIABLE, Roots};

use crate::endpoint::authority;
use crate::error::{BoxError, ConfigurationError};
use crate::sign::SignedRequest;
use crate::wire::RawResponse;

/// What a call allows the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) connect_timeout: Option<Duration>,
    /// The longest silence: until the head of the answer, and between pieces of its body.
    pub(crate) read_timeout: Option<Duration>,
    pub(crate) max_response_size: usize,
}

pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<RawResponse, TransportError>> + Send + 'a>>;

/// Sends one signed request, once: no retries, no redirects.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    fn send(&self, request: SignedRequest, limits: Limits) -> Answer<'_>;
}

/// What the network did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransportErrorKind {
    /// No connection: nothing was sent.
    Connect,
    /// No connection, as nobody who is trusted vouches for the other side: nothing was sent.
    Untrusted,
    /// No connection in time: nothing was sent.
    ConnectTimeout,
    /// The connection broke before the answer was whole: the service may have done its work.
    Interrupted,
    /// The service fell silent before the answer was whole, or there was no connection by then: nobody can tell.
    ReadTimeout,
    /// The answer is larger than allowed.
    TooLarge,
}

#[derive(Debug)]
pub(crate) struct TransportError {
    pub(crate) kind: TransportErrorKind,
    pub(crate) what: String,
    pub(crate) source: Option<BoxError>,
    /// Of an answer whose head arrived.
    pub(crate) status: Option<StatusCode>,
    pub(crate) request_id: Option<String>,
}

impl TransportError {
    pub(crate) fn new(kind: TransportErrorKind, what: String, source: Option<BoxError>) -> Self {
        Self { kind, what, source, status: None, request_id: None }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(TransportErrorKind::TooLarge, format!("the answer is larger than {limit} bytes"), None)
    }
}

/// The real one.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    client: reqwest::Client,
    setup: Setup,
    /// Clients of single calls with a connect time-out of their own: it belongs to the connections.
    others: Mutex<HashMap<Option<Duration>, reqwest::Client>>,
}

/// What a client is made by.
#[derive(Clone, Debug)]
struct Setup {
    connect_timeout: Option<Duration>,
    use_system_proxy: bool,
    /// Whether a connection may lead to a proxy instead.
    behind_proxy: bool,
    https: bool,
    trust: tls::Trust,
}

/// So many connect time-outs of calls are kept apart; with more, connections are made anew.
const MOST_OTHERS: usize = 8;

impl Setup {
    fn client(&self) -> Result<reqwest::Client, ConfigurationError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // The retry loop is in `client`, and counts what it does.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true);
        if let Some(timeout) = self.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if !self.use_system_proxy {
            builder = builder.no_proxy();
        }
        // A proxy may speak TLS where the endpoint does not.
        let client = tls::set_up(&self.trust, builder, self.https || self.behind_proxy)?.build();
        client.map_err(|error| ConfigurationError::HttpClient(error.into()))
    }
}

impl HttpTransport {
    pub(crate) fn new(
        connect_timeout: Option<Duration>,
        use_system_proxy: bool,
        https: bool,
        roots: &Roots,
    ) -> Result<Self, ConfigurationError> {
        if https && !tls::COMPILED_IN {
            return Err(ConfigurationError::TlsNotCompiledIn);
        }
        let behind_proxy = use_system_proxy && names_a_proxy();
        let trust = roots.read(https || behind_proxy)?;
        let setup = Setup { connect_timeout, use_system_proxy, behind_proxy, https, trust };
        Ok(Self { client: setup.client()?, setup, others: Mutex::default() })
    }

    fn client(&self, connect_timeout: Option<Duration>) -> Result<reqwest::Client, TransportError> {
        if connect_timeout == self.setup.connect_timeout {
            return Ok(self.client.clone());
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = others.get(&connect_timeout) {
            return Ok(client.clone());
        }
        let client = Setup { connect_timeout, ..self.setup.clone() }.client().map_err(|error| {
            TransportError::new(TransportErrorKind::Connect, error.to_string(), Some(Box::new(error)))
        })?;
        if others.len() >= MOST_OTHERS {
            others.clear();
        }
        others.insert(connect_timeout, client.clone());
        Ok(client)
    }
}

/// Whether the environment speaks of a proxy at all.
fn names_a_proxy() -> bool {
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

impl Transport for HttpTransport {
    fn send(&self, request: SignedRequest, limits: Limits) -> Answer<'_> {
        let (method, url, headers, body) = request.into_parts();
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        Box::pin(self.execute(request, limits))
    }
}

impl HttpTransport {
    pub(crate) async fn execute(
        &self,
        request: reqwest::Request,
        limits: Limits,
    ) -> Result<RawResponse, TransportError> {
        let host = authority(request.url()).to_owned();
        let client = self.client(limits.connect_timeout)?;
        let answer = within(limits.read_timeout, client.execute(request)).await?;
        let answer = answer.map_err(|error| self.failed(error, &host, limits))?;
        read(answer, limits).await
    }

    fn failed(&self, error: reqwest::Error, host: &str, limits: Limits) -> TransportError {
        // Path and query are no help in a message, and not everybody's business.
        let error = error.without_url();
        let (kind, what) = if error.is_connect() && error.is_timeout() {
            let limit = limits.connect_timeout.unwrap_or_default();
            (
                TransportErrorKind::ConnectTimeout,
                format!("no connection to {host} within the connect time-out of {limit:?}"),
            )
        } else if error.is_connect() {
            let way = if self.setup.behind_proxy { " or its proxy" } else { "" };
            let untrusted = tls::is_untrusted(&error);
            let kind = if untrusted { TransportErrorKind::Untrusted } else { TransportErrorKind::Connect };
            (kind, format!("no connection to {host}{way}: {}", cause_of(&error)))
        } else {
            let what = format!("the connection to {host} broke before the answer came: {}", cause_of(&error));
            (TransportErrorKind::Interrupted, what)
        };
        TransportError::new(kind, what, Some(error.into()))
    }
}

async fn read(mut answer: reqwest::Response, limits: Limits) -> Result<RawResponse, TransportError> {
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let whole = read_body(&mut answer, limits).await;
    let body = match whole {
        Ok(body) => body,
        // The status of an error answer says enough, whatever became of its body.
        Err((partial, _)) if !status.is_success() => partial.freeze(),
        Err((_, error)) => {
            let head = RawResponse { status, headers, body: Bytes::new() };
            let request_id = head.request_id().map(str::to_owned);
            return Err(TransportError { status: Some(status), request_id, ..error });
        }
    };
    Ok(RawResponse { status, headers, body })
}

/// On failure, what has come until then comes along.
async fn read_body(answer: &mut reqwest::Response, limits: Limits) -> Result<Bytes, (BytesMut, TransportError)> {
    let announced = answer.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut body = BytesMut::with_capacity(announced.min(limits.max_response_size));
    loop {
        let chunk = match within(limits.read_timeout, answer.chunk()).await {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => {
                let error = error.without_url();
                let what = format!("the connection broke inside the answer: {}", cause_of(&error));
                let kind = TransportErrorKind::Interrupted;
                return Err((body, TransportError::new(kind, what, Some(error.into()))));
            }
            Err(error) => return Err((body, error)),
        };
        let Some(chunk) = chunk else { return Ok(body.freeze()) };
        if body.len() + chunk.len() > limits.max_response_size {
            return Err((body, TransportError::too_large(limits.max_response_size)));
        }
        body.extend_from_slice(&chunk);
    }
}

pub(crate) async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, TransportError> {
    let Some(limit) = limit else { return Ok(work.await) };
    tokio::time::timeout(limit, work).await.map_err(|_| {
        let what = format!("no answer within the read time-out of {limit:?}");
        TransportError::new(TransportErrorKind::ReadTimeout, what, None)
    })
}

/// The deepest cause in few words of our own; the whole chain is in `source`.
fn cause_of(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut words = "";
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<io::Error>().and_then(|error| words_for(error.kind())) {
            words = found;
        }
        // No type of the resolver or of TLS can be named here, but what they say can be known.
        let text = error.to_string();
        if text.starts_with("dns error") || text.contains("failed to lookup address") {
            words = "its name can't be resolved, check region and endpoint";
        } else if text.contains("InvalidContentType") || text.contains("wrong version number") {
            words = "it does not speak TLS, is its URL http://?";
        } else if text.contains("certificate") {
            words = "its certificate is not trusted, see add_root_certificates()";
        } else if text.contains("tunnel") || text.contains("proxy auth") {
            words = "the proxy let nothing through";
        }
        cause = error.source();
    }
    if words.is_empty() { "see the cause" } else { words }
}

fn words_for(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("it refused"),
        io::ErrorKind::ConnectionReset => Some("it was reset"),
        io::ErrorKind::ConnectionAborted => Some("it was aborted"),
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Some("it was closed"),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("it can't be reached"),
        io::ErrorKind::TimedOut => Some("it timed out"),
        _ => None,
    }
}
