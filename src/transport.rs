//! `reqwest` behind one small trait: a signed request goes in, a raw answer comes out.

mod tls;

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, StatusCode};
use hyper_util::client::legacy::Error as ConnectionError;
use hyper_util::client::legacy::connect::HttpInfo;
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
    /// Whether to open a connection instead of using one that is idle.
    pub(crate) fresh_connection: bool,
}

/// The part of a response that has arrived. It outlives an attempt that breaks off or is stopped by a timeout.
#[derive(Debug)]
pub(crate) struct PartialResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: BytesMut,
}

impl PartialResponse {
    /// What has arrived, as the whole response.
    pub(crate) fn take(&mut self) -> RawResponse {
        RawResponse {
            status: self.status,
            headers: std::mem::take(&mut self.headers),
            body: std::mem::take(&mut self.body).freeze(),
        }
    }
}

pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<RawResponse, TransportError>> + Send + 'a>>;

/// Sends one signed request, once: no retries, no redirects.
pub(crate) trait Transport: fmt::Debug + Send + Sync {
    /// As soon as the head of a response is there, it is in `received`, and the body as it arrives.
    fn send<'a>(
        &'a self,
        request: SignedRequest,
        limits: Limits,
        received: &'a mut Option<PartialResponse>,
    ) -> Answer<'a>;
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
    /// A connection that an earlier request had used broke before the response began. Usually the other side closed it
    /// while it was idle, but the service may have done its work.
    StaleConnection,
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
}

impl TransportError {
    pub(crate) fn new(kind: TransportErrorKind, what: String, source: Option<BoxError>) -> Self {
        Self { kind, what, source }
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(TransportErrorKind::TooLarge, format!("the answer is larger than {limit} bytes"), None)
    }
}

/// The real one.
#[derive(Debug)]
pub(crate) struct HttpTransport {
    setup: Setup,
    client: reqwest::Client,
    /// Clients of calls that need another one, as connect timeouts and idle connections belong to a client.
    others: Mutex<HashMap<Kind, reqwest::Client>>,
    /// Connections that have brought a response.
    used: Mutex<HashSet<Route>>,
}

/// What clients of the same setup differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind {
    connect_timeout: Option<Duration>,
    keep_idle: bool,
}

/// The addresses at both ends of a TCP connection, which tell it from all others that are open.
type Route = (SocketAddr, SocketAddr);

/// What a client is made by.
#[derive(Debug)]
struct Setup {
    kind: Kind,
    use_system_proxy: bool,
    /// Whether a connection may lead to a proxy instead.
    behind_proxy: bool,
    tls: tls::Tls,
}

/// So many kinds of clients are kept; with more, they are built again.
const MOST_OTHERS: usize = 8;

/// So many connections are remembered as used. With more, which takes many that ended while they were idle, those in the
/// pool are taken for new ones until their next response.
const MOST_USED: usize = 1_024;

impl Setup {
    fn client(&self, kind: Kind) -> Result<reqwest::Client, ConfigurationError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // The retry loop is in `client`, and counts what it does.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true);
        if let Some(timeout) = kind.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if !kind.keep_idle {
            builder = builder.pool_max_idle_per_host(0);
        }
        if !self.use_system_proxy {
            builder = builder.no_proxy();
        }
        self.tls.set_up(builder).build().map_err(|error| ConfigurationError::HttpClient(error.into()))
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
        // A proxy may speak TLS where the endpoint does not.
        let needs_tls = https || behind_proxy;
        let tls = tls::Tls::new(&roots.read(needs_tls)?, needs_tls)?;
        let setup = Setup { kind: Kind { connect_timeout, keep_idle: true }, use_system_proxy, behind_proxy, tls };
        Ok(Self { client: setup.client(setup.kind)?, setup, others: Mutex::default(), used: Mutex::default() })
    }

    fn client(&self, kind: Kind) -> Result<reqwest::Client, TransportError> {
        if kind == self.setup.kind {
            return Ok(self.client.clone());
        }
        let mut others = lock(&self.others);
        if let Some(client) = others.get(&kind) {
            return Ok(client.clone());
        }
        let client = self.setup.client(kind).map_err(|error| {
            TransportError::new(TransportErrorKind::Connect, error.to_string(), Some(Box::new(error)))
        })?;
        if others.len() >= MOST_OTHERS {
            others.clear();
        }
        others.insert(kind, client.clone());
        Ok(client)
    }

    /// Remembers a connection that has brought a response.
    fn note_used(&self, route: Option<Route>) {
        let Some(route) = route else { return };
        let mut used = lock(&self.used);
        if used.len() >= MOST_USED {
            used.clear();
        }
        used.insert(route);
    }

    /// Whether a connection that broke had brought a response before.
    fn was_used(&self, error: &reqwest::Error) -> bool {
        route_of_error(error).is_some_and(|route| lock(&self.used).remove(&route))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error and its causes.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let outermost: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(outermost), |error| (*error).source())
}

fn route_of(connection: &HttpInfo) -> Route {
    (connection.local_addr(), connection.remote_addr())
}

/// The connection that a request had got before it failed.
fn route_of_error(error: &reqwest::Error) -> Option<Route> {
    let connection = chain(error).find_map(|error| error.downcast_ref::<ConnectionError>()?.connect_info())?;
    let mut extensions = http::Extensions::new();
    connection.get_extras(&mut extensions);
    extensions.get().map(route_of)
}

/// Whether the environment speaks of a proxy at all.
fn names_a_proxy() -> bool {
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

impl Transport for HttpTransport {
    fn send<'a>(
        &'a self,
        request: SignedRequest,
        limits: Limits,
        received: &'a mut Option<PartialResponse>,
    ) -> Answer<'a> {
        let (method, url, headers, body) = request.into_parts();
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        if !body.is_empty() {
            *request.body_mut() = Some(body.into());
        }
        Box::pin(self.execute(request, limits, received))
    }
}

impl HttpTransport {
    pub(crate) async fn execute(
        &self,
        request: reqwest::Request,
        limits: Limits,
        received: &mut Option<PartialResponse>,
    ) -> Result<RawResponse, TransportError> {
        let host = authority(request.url()).to_owned();
        let kind = Kind { connect_timeout: limits.connect_timeout, keep_idle: !limits.fresh_connection };
        let client = self.client(kind)?;
        let response = within(limits.read_timeout, client.execute(request)).await?;
        let mut response = response.map_err(|error| self.failed(error, &host, limits))?;
        if kind.keep_idle {
            self.note_used(response.extensions().get().map(route_of));
        }
        let received = received.insert(PartialResponse {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: BytesMut::new(),
        });
        read_body(&mut response, &mut received.body, limits).await?;
        Ok(received.take())
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
            let is_stale = !is_malformed(&error) && self.was_used(&error);
            let (kind, age) = if is_stale {
                (TransportErrorKind::StaleConnection, ", idle since an earlier request,")
            } else {
                (TransportErrorKind::Interrupted, "")
            };
            (kind, format!("the connection to {host}{age} broke before the response: {}", cause_of(&error)))
        };
        TransportError::new(kind, what, Some(error.into()))
    }
}

async fn read_body(
    response: &mut reqwest::Response,
    body: &mut BytesMut,
    limits: Limits,
) -> Result<(), TransportError> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    body.reserve(announced.min(limits.max_response_size));
    loop {
        let chunk = within(limits.read_timeout, response.chunk()).await?.map_err(|error| {
            let error = error.without_url();
            let what = format!("the connection broke inside the response: {}", cause_of(&error));
            TransportError::new(TransportErrorKind::Interrupted, what, Some(error.into()))
        })?;
        let Some(chunk) = chunk else { return Ok(()) };
        if body.len() + chunk.len() > limits.max_response_size {
            return Err(TransportError::too_large(limits.max_response_size));
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

/// Whether something came back that is not HTTP.
fn is_malformed(error: &reqwest::Error) -> bool {
    chain(error).filter_map(|error| error.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse)
}

/// The deepest cause in few words of our own; the whole chain is in `source`.
fn cause_of(error: &reqwest::Error) -> &'static str {
    let mut words = "";
    for error in chain(error) {
        if let Some(found) = error.downcast_ref::<hyper::Error>().and_then(words_of_http) {
            words = found;
        }
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
    }
    if words.is_empty() { "see the cause" } else { words }
}

fn words_of_http(error: &hyper::Error) -> Option<&'static str> {
    if error.is_parse() {
        Some("what came is not HTTP")
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Some("it was closed")
    } else {
        None
    }
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
