//! The HTTP client that sends requests: the built-in one, or one of your own that a service shares with the rest of it, has
//! another TLS library, or records what it sends.

mod body;
pub(crate) mod reqwest;
pub(crate) mod tls;

use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body::Body as _;

pub use self::body::Body;
use crate::model::BoxError;
use crate::protocol::response::Response;

/// What [`HttpClient::send`] returns.
///
/// [`HttpClient`] has an example.
pub type HttpFuture = Pin<Box<dyn Future<Output = Result<http::Response<Body>, HttpError>> + Send>>;

/// Sends requests in place of the built-in client: see [`ClientBuilder::http_client`](crate::ClientBuilder::http_client).
///
/// It sends a request once and unchanged: without retries, redirects or further headers, as the request is signed.
/// [`Client`](crate::Client) retries, and enforces the read timeout, the attempt timeout and the size limit of responses.
/// Connect timeouts, proxies and TLS are up to this client. A connection that the server has closed while it was idle
/// fails like any other broken connection, and is retried after the usual backoff.
///
/// With any version of `reqwest`:
///
/// ```
/// use healthomics::http::{Body, HttpClient, HttpError, HttpFuture};
///
/// #[derive(Debug)]
/// struct Shared(reqwest::Client);
///
/// impl HttpClient for Shared {
///     fn send(&self, request: http::Request<Body>) -> HttpFuture {
///         let client = self.0.clone();
///         Box::pin(async move {
///             let request = request.map(reqwest::Body::wrap);
///             let request = request.try_into().map_err(HttpError::not_sent)?;
///             match client.execute(request).await {
///                 Ok(response) => Ok(http::Response::from(response).map(Body::new)),
///                 Err(error) if error.is_connect() => Err(HttpError::not_sent(error)),
///                 Err(error) => Err(HttpError::interrupted(error)),
///             }
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let store = local.create_sequence_store();
/// # #[cfg(feature = "rustls")] rustls::crypto::ring::default_provider().install_default().ok();
/// let no_redirects = reqwest::redirect::Policy::none();
/// let mine = reqwest::Client::builder().redirect(no_redirects).build()?;
/// let client = local.client_builder().http_client(Shared(mine)).build()?;
/// let page = client.list_read_sets().sequence_store_id(&store).send().await?;
/// assert!(page.read_sets.is_empty());
/// # Ok(()) }
/// ```
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends one request once. The future returns as soon as the head of the response has arrived, and is dropped when a
    /// timeout has passed.
    fn send(&self, request: http::Request<Body>) -> HttpFuture;
}

/// Why there is no response, or no complete one.
///
/// ```
/// use healthomics::http::{Body, HttpClient, HttpError, HttpFuture};
///
/// #[derive(Debug)]
/// struct NoNetwork;
///
/// impl HttpClient for NoNetwork {
///     fn send(&self, _: http::Request<Body>) -> HttpFuture {
///         Box::pin(async { Err(HttpError::not_sent("this test has no network")) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// let client = local.client_builder().http_client(NoNetwork).max_attempts(1).build()?;
/// let call = client
///     .start_read_set_activation_job()
///     .sequence_store_id("1234567890")
///     .sources(["5555555555"]);
/// let error = call.send().await.unwrap_err();
/// // It would be true with `HttpError::interrupted`.
/// assert!(!error.may_have_been_applied());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct HttpError {
    kind: HttpErrorKind,
    /// One line without the source; empty for an error of an HTTP client outside this crate.
    message: String,
    source: Option<BoxError>,
}

/// What failed on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HttpErrorKind {
    /// No connection: nothing was sent.
    Connect,
    /// No connection, as the certificate of the server is not trusted: nothing was sent.
    Untrusted,
    /// No connection within the connect timeout: nothing was sent.
    ConnectTimeout,
    /// The connection broke before the response was complete: the service may have done its work.
    Interrupted,
    /// A connection that an earlier request had used broke before the response began. Usually the server closed it while it
    /// was idle, but the service may have done its work.
    StaleConnection,
    /// No bytes were received within the read timeout. There may have been no connection yet.
    ReadTimeout,
    /// The response is larger than allowed.
    TooLarge,
}

impl HttpError {
    /// The request was not sent, as there was no connection: the service has done nothing.
    ///
    /// [`HttpError`] has an example.
    pub fn not_sent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: HttpErrorKind::Connect, message: String::new(), source: Some(source.into()) }
    }

    /// The request may have been sent, and no complete response has arrived: the service may have done its work. This is
    /// also right when the client can't tell.
    pub fn interrupted(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: HttpErrorKind::Interrupted, message: String::new(), source: Some(source.into()) }
    }

    pub(crate) fn new(kind: HttpErrorKind, message: String, source: Option<BoxError>) -> Self {
        Self { kind, message, source }
    }

    fn too_large(limit: usize) -> Self {
        Self::new(HttpErrorKind::TooLarge, format!("the response is larger than {limit} bytes"), None)
    }

    pub(crate) fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// The message, which is about a host if the HTTP client has written none, and the source.
    pub(crate) fn into_parts(self, host: &str) -> (String, Option<BoxError>) {
        let message = match self.kind {
            _ if !self.message.is_empty() => self.message,
            HttpErrorKind::Connect => format!("no connection to {host}"),
            _ => format!("the connection to {host} broke before the response"),
        };
        (message, self.source)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            _ if !self.message.is_empty() => &self.message,
            HttpErrorKind::Connect => "the request was not sent",
            _ => "no complete response has arrived",
        })
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// How the built-in client connects for one request: an extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectOptions {
    pub(crate) timeout: Option<Duration>,
    /// Whether to open a connection instead of using one that is idle.
    pub(crate) new_connection: bool,
}

/// What limits a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseLimits {
    /// The longest time without any bytes received: before the head of the response, and inside its body.
    pub(crate) read_timeout: Option<Duration>,
    /// In bytes.
    pub(crate) max_size: usize,
}

/// The part of a response that has arrived. It outlives an attempt that breaks off or is stopped by a timeout.
#[derive(Debug)]
pub(crate) struct PartialResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The first piece of the body. Most bodies arrive in one, which is not copied.
    first: Bytes,
    /// The pieces after it, in one buffer: their number must not matter for the memory that they take.
    rest: BytesMut,
}

impl PartialResponse {
    /// Keeps the head of a response, and returns its body, which is to be read.
    fn begin(response: http::Response<Body>, received: &mut Option<Self>) -> (&mut Self, Body) {
        let (head, body) = response.into_parts();
        let part = Self { status: head.status, headers: head.headers, first: Bytes::new(), rest: BytesMut::new() };
        (received.insert(part), body)
    }

    /// What has arrived, as the whole response.
    pub(crate) fn take(&mut self) -> Response {
        Response {
            status: self.status,
            headers: std::mem::take(&mut self.headers),
            body: if self.rest.is_empty() {
                std::mem::take(&mut self.first)
            } else {
                [&self.first[..], &self.rest].concat().into()
            },
        }
    }

    fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() {
            self.first = piece;
        } else {
            self.rest.extend_from_slice(&piece);
        }
    }
}

/// Receives the response of a request. As soon as the head of a response has arrived it is in `received`, and the body as it
/// arrives.
pub(crate) async fn receive(
    response: HttpFuture,
    limits: ResponseLimits,
    received: &mut Option<PartialResponse>,
) -> Result<Response, HttpError> {
    let response = within(limits.read_timeout, response).await??;
    let (received, body) = PartialResponse::begin(response, received);
    read_body(body, received, limits).await?;
    Ok(received.take())
}

async fn read_body(body: Body, received: &mut PartialResponse, limits: ResponseLimits) -> Result<(), HttpError> {
    let mut body = pin!(body);
    let mut size = 0;
    loop {
        let frame = within(limits.read_timeout, poll_fn(|cx| body.as_mut().poll_frame(cx))).await?;
        let Some(frame) = frame else { return Ok(()) };
        let frame = frame.map_err(reqwest::interrupted_body)?;
        // Trailers are not used.
        let Ok(mut piece) = frame.into_data() else { continue };
        size += piece.len();
        if size > limits.max_size {
            piece.truncate(piece.len() - (size - limits.max_size));
            received.push(piece);
            return Err(HttpError::too_large(limits.max_size));
        }
        received.push(piece);
    }
}

/// Limits how long nothing may be received.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, HttpError> {
    let Some(limit) = limit else { return Ok(work.await) };
    tokio::time::timeout(limit, work).await.map_err(|_| {
        let message = format!("no response within the read timeout of {limit:?}");
        HttpError::new(HttpErrorKind::ReadTimeout, message, None)
    })
}
