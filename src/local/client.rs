//! Clients of the local service, and the HTTP client that calls it without a socket.

use std::fmt;
use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use http::header::{HOST, HeaderValue};
use http::request::Parts;

use super::LocalService;
use super::response::Delivery;
use super::service::{Service, read_body};
use crate::http::{Body, HttpClient, HttpError, HttpFuture};
use crate::{Client, ClientBuilder, Error};

/// The interval between the first polls of a job by the clients of a local service.
const INITIAL_POLL_INTERVAL: Duration = Duration::from_millis(2);

impl LocalService {
    /// Builds a client for this service, with its credentials and region. Waits, watches and bulk runs poll a new job
    /// every few milliseconds ([`ClientBuilder::initial_poll_interval`]).
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`], if the service was started with an empty region.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_builder().build()
    }

    /// The builder of [`client`](Self::client), for further settings.
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder()
            .endpoint_url(self.endpoint_url())
            .region(self.region())
            .credentials(self.credentials())
            // No proxy is needed for loopback, and no other request rate than that of the service.
            .use_system_proxy(false)
            .initial_poll_interval(INITIAL_POLL_INTERVAL)
            .requests_per_second(self.service.lock().quotas().requests_per_second);
        if self.address().is_some() {
            return builder;
        }
        let time = self.service.lock().clock.source();
        builder.http_client(self.http_client()).time_source(move || SystemTime::from(time.now()))
    }

    /// The HTTP client of the clients of a service [in process](Self::in_process). It calls the service without a
    /// socket, and is of use inside an HTTP client of your own that records requests or makes them fail.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// use healthomics::http::{Body, HttpClient, HttpFuture};
    /// use healthomics::local::LocalService;
    ///
    /// #[derive(Debug)]
    /// struct Counting<C>(C, Arc<AtomicUsize>);
    ///
    /// impl<C: HttpClient> HttpClient for Counting<C> {
    ///     fn send(&self, request: http::Request<Body>) -> HttpFuture {
    ///         self.1.fetch_add(1, Ordering::Relaxed);
    ///         self.0.send(request)
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let local = LocalService::in_process();
    /// let count = Arc::new(AtomicUsize::new(0));
    /// let counting = Counting(local.http_client(), Arc::clone(&count));
    /// let client = local.client_builder().http_client(counting).build()?;
    ///
    /// let store = local.create_sequence_store();
    /// client.list_read_sets().sequence_store_id(&store).send().await?;
    /// assert_eq!(count.load(Ordering::Relaxed), 1);
    /// # Ok(()) }
    /// ```
    pub fn http_client(&self) -> impl HttpClient + Clone + use<> {
        InProcessClient(Arc::downgrade(&self.service))
    }
}

/// Calls the service without a socket, until the [`LocalService`] is dropped.
#[derive(Clone)]
struct InProcessClient(Weak<Service>);

impl fmt::Debug for InProcessClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcessClient")
    }
}

impl InProcessClient {
    async fn call(self, request: http::Request<Body>) -> Result<http::Response<Body>, HttpError> {
        let (mut head, body) = request.into_parts();
        add_host(&mut head);
        let body = read_body(body).await.map_err(HttpError::interrupted)?;
        let service = self.0.upgrade().ok_or_else(|| HttpError::not_sent("the local service was dropped"))?;
        match service.handle(&head, body) {
            Delivery::Respond { response, delay } => {
                if !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                }
                Ok(response.into_http(service.now()).map(Body::new))
            }
            Delivery::RefuseConnection => Err(HttpError::not_sent(io::Error::from(io::ErrorKind::ConnectionRefused))),
            Delivery::Reset => Err(HttpError::interrupted(io::Error::from(io::ErrorKind::ConnectionReset))),
            Delivery::Hang => std::future::pending().await,
        }
    }
}

impl HttpClient for InProcessClient {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        Box::pin(self.clone().call(request))
    }
}

/// Adds the `Host` header, as an HTTP client does when it writes a request.
fn add_host(head: &mut Parts) {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    if !head.headers.contains_key(HOST)
        && let Some(Ok(host)) = authority.map(HeaderValue::from_str)
    {
        head.headers.insert(HOST, host);
    }
}
