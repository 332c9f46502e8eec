//! The built-in HTTP client: `reqwest`, with what the retry loop must know of its connections and failures.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper_util::client::legacy::Error as ConnectionError;
use hyper_util::client::legacy::connect::HttpInfo;

use super::tls::{self, Roots};
use super::{Body, ConnectOptions, HttpClient, HttpError, HttpErrorKind, HttpFuture};
use crate::error::ConfigurationError;
use crate::model::BoxError;

/// The built-in HTTP client. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct ReqwestClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: ReqwestConfig,
    client: reqwest::Client,
    /// Clients for requests with other options, as connect timeouts and idle connections belong to a client.
    other_clients: Mutex<HashMap<ClientOptions, reqwest::Client>>,
    /// Connections over which a response has arrived.
    used: Mutex<HashSet<Route>>,
}

/// What differs between the clients of one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ClientOptions {
    connect_timeout: Option<Duration>,
    keep_idle: bool,
}

/// The addresses at both ends of a TCP connection, which identify it among all that are open.
type Route = (SocketAddr, SocketAddr);

/// What all clients have in common.
#[derive(Debug)]
struct ReqwestConfig {
    options: ClientOptions,
    use_system_proxy: bool,
    /// Whether a connection may lead to a proxy instead.
    behind_proxy: bool,
    tls: tls::Tls,
}

/// How many clients with other options are kept; with more, they are built again.
const MAX_OTHER_CLIENTS: usize = 8;

/// How many used connections are remembered. With more, which takes many that ended while they were idle, those in the
/// pool are taken for new ones until their next response.
const MAX_USED: usize = 1_024;

impl ReqwestConfig {
    fn client(&self, options: ClientOptions) -> Result<reqwest::Client, ConfigurationError> {
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // The retry loop is in `runtime::call`, and counts what it does.
            .retry(reqwest::retry::never())
            .tcp_nodelay(true);
        if let Some(timeout) = options.connect_timeout {
            builder = builder.connect_timeout(timeout);
        }
        if !options.keep_idle {
            builder = builder.pool_max_idle_per_host(0);
        }
        if !self.use_system_proxy {
            builder = builder.no_proxy();
        }
        self.tls.set_up(builder).build().map_err(|error| ConfigurationError::HttpClient(error.into()))
    }
}

impl ReqwestClient {
    pub(crate) fn new(
        connect_timeout: Option<Duration>,
        use_system_proxy: bool,
        https: bool,
        roots: &Roots,
    ) -> Result<Self, ConfigurationError> {
        if https && !tls::COMPILED_IN {
            return Err(ConfigurationError::TlsNotCompiledIn);
        }
        let behind_proxy = use_system_proxy && is_proxy_configured();
        // A proxy may speak TLS where the endpoint does not.
        let needs_tls = https || behind_proxy;
        let tls = tls::Tls::new(&roots.read(needs_tls)?)?;
        let options = ClientOptions { connect_timeout, keep_idle: true };
        let config = ReqwestConfig { options, use_system_proxy, behind_proxy, tls };
        let client = config.client(options)?;
        Ok(Self(Arc::new(Shared { config, client, other_clients: Mutex::default(), used: Mutex::default() })))
    }
}

impl HttpClient for ReqwestClient {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.send(request).await })
    }
}

impl Shared {
    async fn send(&self, request: http::Request<Body>) -> Result<http::Response<Body>, HttpError> {
        let options = match request.extensions().get::<ConnectOptions>() {
            Some(connect) => ClientOptions { connect_timeout: connect.timeout, keep_idle: !connect.new_connection },
            None => self.config.options,
        };
        let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let request = reqwest::Request::try_from(request.map(to_reqwest)).map_err(HttpError::not_sent)?;
        let client = self.client(options)?;
        let response = client.execute(request).await;
        let response = response.map_err(|error| self.failed(error, &host, options.connect_timeout))?;
        if options.keep_idle {
            self.set_used(response.extensions().get().map(route_of));
        }
        Ok(http::Response::from(response).map(Body::new))
    }

    fn client(&self, options: ClientOptions) -> Result<reqwest::Client, HttpError> {
        if options == self.config.options {
            return Ok(self.client.clone());
        }
        let mut others = lock(&self.other_clients);
        if let Some(client) = others.get(&options) {
            return Ok(client.clone());
        }
        let client = self
            .config
            .client(options)
            .map_err(|error| HttpError::new(HttpErrorKind::Connect, error.to_string(), Some(Box::new(error))))?;
        if others.len() >= MAX_OTHER_CLIENTS {
            others.clear();
        }
        others.insert(options, client.clone());
        Ok(client)
    }

    /// Remembers a connection over which a response has arrived.
    fn set_used(&self, route: Option<Route>) {
        let Some(route) = route else { return };
        let mut used = lock(&self.used);
        if used.len() >= MAX_USED {
            used.clear();
        }
        used.insert(route);
    }

    /// Whether a response had arrived over a connection before it broke.
    fn was_used(&self, error: &reqwest::Error) -> bool {
        route_of_error(error).is_some_and(|route| lock(&self.used).remove(&route))
    }

    fn failed(&self, error: reqwest::Error, host: &str, connect_timeout: Option<Duration>) -> HttpError {
        // The message does not need path and query, which hold ids.
        let error = error.without_url();
        let (kind, message) = if error.is_connect() && error.is_timeout() {
            let limit = connect_timeout.unwrap_or_default();
            (HttpErrorKind::ConnectTimeout, format!("no connection to {host} within the connect timeout of {limit:?}"))
        } else if error.is_connect() {
            let proxy = if self.config.behind_proxy { " or its proxy" } else { "" };
            let untrusted = tls::is_untrusted(&error);
            let kind = if untrusted { HttpErrorKind::Untrusted } else { HttpErrorKind::Connect };
            (kind, format!("no connection to {host}{proxy}: {}", cause_of(&error)))
        } else {
            let is_stale = !is_malformed(&error) && self.was_used(&error);
            let (kind, age) = if is_stale {
                (HttpErrorKind::StaleConnection, ", idle since an earlier request,")
            } else {
                (HttpErrorKind::Interrupted, "")
            };
            (kind, format!("the connection to {host}{age} broke before the response: {}", cause_of(&error)))
        };
        HttpError::new(kind, message, Some(error.into()))
    }
}

fn to_reqwest(body: Body) -> reqwest::Body {
    match body.into_bytes() {
        Ok(bytes) => bytes.into(),
        Err(streaming) => reqwest::Body::wrap(streaming),
    }
}

/// The connection broke inside the body of a response, whatever the HTTP client.
pub(super) fn interrupted_body(error: BoxError) -> HttpError {
    let error = match error.downcast::<reqwest::Error>() {
        Ok(error) => error.without_url().into(),
        Err(other) => other,
    };
    let message = format!("the connection broke inside the response: {}", cause_of(&*error));
    HttpError::new(HttpErrorKind::Interrupted, message, Some(error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error and its causes.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

fn route_of(connection: &HttpInfo) -> Route {
    (connection.local_addr(), connection.remote_addr())
}

/// The connection that a request had before it failed.
fn route_of_error(error: &reqwest::Error) -> Option<Route> {
    let connection = chain(error).find_map(|error| error.downcast_ref::<ConnectionError>()?.connect_info())?;
    let mut extensions = http::Extensions::new();
    connection.get_extras(&mut extensions);
    extensions.get().map(route_of)
}

/// Whether the environment has a proxy for any scheme.
fn is_proxy_configured() -> bool {
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Whether the response is not HTTP.
fn is_malformed(error: &reqwest::Error) -> bool {
    chain(error).filter_map(|error| error.downcast_ref::<hyper::Error>()).any(hyper::Error::is_parse)
}

/// The deepest cause in a few words; the whole chain is in `source`.
fn cause_of(error: &(dyn StdError + 'static)) -> &'static str {
    let mut cause = "see the cause";
    for error in chain(error) {
        if let Some(found) = error.downcast_ref::<hyper::Error>().and_then(cause_in_http) {
            cause = found;
        }
        if let Some(found) = error.downcast_ref::<io::Error>().and_then(|error| cause_in_io(error.kind())) {
            cause = found;
        }
        // The error types of the resolver and of TLS libraries are not public here, but their messages are known.
        let text = error.to_string();
        if text.starts_with("dns error") || text.contains("failed to lookup address") {
            cause = "its name can't be resolved, check region and endpoint";
        } else if text.contains("InvalidContentType") || text.contains("wrong version number") {
            cause = "it does not speak TLS, is its URL http://?";
        } else if text.contains("certificate") {
            cause = "its certificate is not trusted, see add_root_certificates()";
        } else if text.contains("tunnel") || text.contains("proxy auth") {
            cause = "the proxy refused it";
        }
    }
    cause
}

fn cause_in_http(error: &hyper::Error) -> Option<&'static str> {
    if error.is_parse() {
        Some("the response is not HTTP")
    } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        Some("it was closed")
    } else {
        None
    }
}

fn cause_in_io(kind: io::ErrorKind) -> Option<&'static str> {
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
