//! An HTTP client of your own: one that a service shares with the rest of it, another TLS library, a recorder.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::endpoint::authority;
use crate::error::BoxError;
use crate::sign::SignedRequest;
use crate::transport::{Answer, Limits, PartialResponse, Transport, TransportError, TransportErrorKind, within};
use crate::wire::RawResponse;

/// What [`HttpClient::send`] returns.
///
/// [`HttpClient`] has an example.
pub type HttpFuture = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, HttpError>> + Send>>;

/// Sends requests in place of the built-in client: see [`ClientBuilder::http_client`](crate::ClientBuilder::http_client).
///
/// It sends a request once, as it is: no retries, no redirects, no further headers but those of HTTP itself. The request
/// is signed: what is signed must not change on the way. Retries, the silence that
/// [`read_timeout`](crate::ClientBuilder::read_timeout) allows and the size of answers are seen to here; connect
/// time-outs, proxies and TLS are the given client's own affair. So is a connection that was kept open and that the server
/// has closed: the client can't tell such a failure from another, and retries it after the usual backoff.
///
/// With `reqwest`, of whatever version:
///
/// ```
/// use bytes::Bytes;
/// use healthomics::http_client::{HttpClient, HttpError, HttpFuture};
///
/// #[derive(Debug)]
/// struct Shared(reqwest::Client);
///
/// impl HttpClient for Shared {
///     fn send(&self, request: http::Request<Bytes>) -> HttpFuture {
///         let client = self.0.clone();
///         Box::pin(async move {
///             let request = reqwest::Request::try_from(request).map_err(HttpError::not_sent)?;
///             let answer = client.execute(request).await;
///             let answer = answer.map_err(|error| match error.is_connect() {
///                 true => HttpError::not_sent(error),
///                 false => HttpError::interrupted(error),
///             })?;
///             let (status, headers) = (answer.status(), answer.headers().clone());
///             let mut response = http::Response::new(answer.bytes().await.map_err(HttpError::interrupted)?);
///             (*response.status_mut(), *response.headers_mut()) = (status, headers);
///             Ok(response)
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let store = local.create_sequence_store();
/// # #[cfg(feature = "rustls")] rustls::crypto::ring::default_provider().install_default().ok();
/// let mine = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let client = local.client_builder().http_client(Shared(mine)).build()?;
/// assert!(client.list_read_sets().sequence_store_id(&store).send().await?.read_sets.is_empty());
/// # Ok(()) }
/// ```
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends one request, once. The future is dropped when its time is up.
    fn send(&self, request: http::Request<Bytes>) -> HttpFuture;
}

/// Why there is no answer, or no whole one.
///
/// ```
/// use healthomics::http_client::{HttpClient, HttpError, HttpFuture};
///
/// #[derive(Debug)]
/// struct NoNetwork;
///
/// impl HttpClient for NoNetwork {
///     fn send(&self, _: http::Request<bytes::Bytes>) -> HttpFuture {
///         Box::pin(async { Err(HttpError::not_sent("this test has no network")) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// let client = local.client_builder().http_client(NoNetwork).max_attempts(1).build()?;
/// let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5555555555"]);
/// let error = call.send().await.unwrap_err();
/// // It would be true with `HttpError::interrupted`.
/// assert!(!error.may_have_been_applied());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct HttpError {
    sent: bool,
    source: BoxError,
}

impl HttpError {
    /// Nothing was sent: no connection. A start can't have happened.
    ///
    /// [`HttpError`] has an example.
    pub fn not_sent(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { sent: false, source: source.into() }
    }

    /// Something may have been sent, and no whole answer came. A start may have happened. When in doubt, this.
    pub fn interrupted(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { sent: true, source: source.into() }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.sent { "no whole answer came" } else { "nothing was sent" })
    }
}

impl std::error::Error for HttpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// A given client behind the crate's own trait.
#[derive(Clone, Debug)]
pub(crate) struct Given(pub(crate) Arc<dyn HttpClient>);

impl Transport for Given {
    fn send<'a>(
        &'a self,
        request: SignedRequest,
        limits: Limits,
        received: &'a mut Option<PartialResponse>,
    ) -> Answer<'a> {
        let host = authority(request.url()).to_owned();
        let (method, url, headers, body) = request.into_parts();
        Box::pin(async move {
            let mut request = http::Request::new(body);
            *request.method_mut() = method;
            *request.uri_mut() = url.as_str().parse().map_err(|error: http::uri::InvalidUri| {
                TransportError::new(TransportErrorKind::Connect, format!("no URI: {url}"), Some(error.into()))
            })?;
            *request.headers_mut() = headers;
            let answer = within(limits.read_timeout, self.0.send(request)).await?;
            let (head, body) = answer.map_err(|error| failed(error, &host))?.into_parts();
            if body.len() > limits.max_response_size {
                let body = BytesMut::from(&body[..limits.max_response_size]);
                *received = Some(PartialResponse { status: head.status, headers: head.headers, body });
                return Err(TransportError::too_large(limits.max_response_size));
            }
            Ok(RawResponse { status: head.status, headers: head.headers, body })
        })
    }
}

fn failed(error: HttpError, host: &str) -> TransportError {
    let (kind, what) = if error.sent {
        (TransportErrorKind::Interrupted, format!("the connection to {host} broke before the response"))
    } else {
        (TransportErrorKind::Connect, format!("no connection to {host}"))
    };
    TransportError::new(kind, what, Some(error.source))
}
