//! The constructors of a local service, and its settings.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use tokio::net::TcpListener;

use super::clock::{Clock, TimeSource};
use super::pace::Pace;
use super::quotas::Quotas;
use super::seed::Seed;
use super::server::{self, Listener};
use super::service::{Service, Settings};
use super::{LocalService, Server};
use crate::model::time::from_system_time;

/// The settings of a [`LocalService`].
///
/// ```
/// use std::time::Duration;
///
/// use healthomics::local::{LocalService, Pace, Quotas};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let local = LocalService::builder()
///     .region("eu-west-2")
///     .pace(Pace::Time(Duration::from_secs(2)))
///     .quotas(Quotas::of_new_account())
///     .start()
///     .await?;
/// assert_eq!(local.client()?.region(), "eu-west-2");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LocalServiceBuilder {
    address: SocketAddr,
    allow_non_loopback: bool,
    settings: Settings,
    start_time: Option<SystemTime>,
}

impl LocalService {
    /// The access key id of the credentials that are accepted, unless the builder sets others.
    pub const ACCESS_KEY_ID: &'static str = "AKIDLOCALEXAMPLE";
    /// The secret access key that belongs to [`ACCESS_KEY_ID`](Self::ACCESS_KEY_ID).
    pub const SECRET_ACCESS_KEY: &'static str = "local-example-secret-access-key";
    /// The region, unless the builder sets another.
    pub const REGION: &'static str = "us-east-1";

    /// Starts an HTTP server on a free port of 127.0.0.1 and on the tokio runtime of the caller, with the default
    /// [`Pace`]: the third read of a job finds it ended, and a job that is not read ends after a second.
    ///
    /// # Errors
    ///
    /// The error of listening on the port.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Creates a service without a socket, with the defaults of [`start`](Self::start). Only the clients of
    /// [`client`](Self::client), [`client_builder`](Self::client_builder) and [`http_client`](Self::http_client) can call
    /// it. All checks and faults are those of the server.
    ///
    /// The clock of the service, and that of its clients, is tokio's. A test that pauses it (which needs tokio's feature
    /// `test-util`) passes hours in milliseconds, as the clock jumps to the next timer whenever every task waits. Create
    /// the service inside the runtime whose clock it is to follow.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use healthomics::local::{LocalService, Pace, SeedReadSet};
    /// use healthomics::read_set::FileType;
    ///
    /// # /*
    /// #[tokio::test(start_paused = true)]
    /// # */
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> { six_hours().await }
    /// async fn six_hours() -> Result<(), Box<dyn std::error::Error>> {
    ///     let pace = Pace::Time(Duration::from_hours(6));
    ///     let local = LocalService::builder().pace(pace).in_process();
    ///     let client = local.client()?;
    ///     let store = local.create_sequence_store();
    ///     let id = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    ///
    ///     let call = client
    ///         .start_read_set_activation_job()
    ///         .sequence_store_id(&store)
    ///         .sources([id]);
    ///     let started = call.send().await?;
    ///     let outcome = client.job(&started).wait().timeout(Duration::from_hours(7)).await?;
    ///     assert!(outcome.is_completed());
    ///     Ok(())
    /// }
    /// ```
    pub fn in_process() -> Self {
        Self::builder().in_process()
    }

    /// The builder of a service with other settings than the defaults.
    ///
    /// [`LocalServiceBuilder`] has an example.
    pub fn builder() -> LocalServiceBuilder {
        LocalServiceBuilder::new()
    }
}

impl LocalServiceBuilder {
    pub(super) fn new() -> Self {
        let access_key_id = LocalService::ACCESS_KEY_ID;
        let secret_access_key = LocalService::SECRET_ACCESS_KEY;
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_non_loopback: false,
            settings: Settings {
                credentials: Credentials::new(access_key_id, secret_access_key, None, None, "healthomics-local"),
                region: LocalService::REGION.to_owned(),
                pace: Pace::default(),
                quotas: Quotas::default(),
                seed: Seed::default(),
                has_control_path: false,
                has_socket: false,
            },
            start_time: None,
        }
    }

    /// The address to listen on; by default a free port of 127.0.0.1, as with port 0. An address that is not a loopback
    /// one needs [`allow_non_loopback`](Self::allow_non_loopback).
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Allows an [`address`](Self::address) that can be reached from the network. The service is made for tests: it has
    /// no TLS, and keeps the requests that it receives.
    pub fn allow_non_loopback(mut self) -> Self {
        self.allow_non_loopback = true;
        self
    }

    /// The credentials to accept, instead of those of [`LocalService::ACCESS_KEY_ID`].
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.settings.credentials = credentials;
        self
    }

    /// The region that requests must be signed for; [`LocalService::REGION`] by default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.settings.region = region.into();
        self
    }

    /// What moves jobs forward: by default reads, and a second for a job that is not read.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.settings.pace = pace;
        self
    }

    /// The limits on requests and jobs; none by default.
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.settings.quotas = quotas;
        self
    }

    /// The stores and read sets that the service has at its start and after a [`reset`](LocalService::reset).
    ///
    /// [`Seed`] has an example.
    pub fn seed(mut self, seed: Seed) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Lets other processes do over HTTP what [`LocalService`] does in Rust, such as seeds and faults. The requests are
    /// those of `healthomics-local --control`: the [guide](crate::guide::testing) has a table of them. They need no
    /// signature, so that whoever reaches the address can change the service.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::LocalService;
    ///
    /// let local = LocalService::builder().control_path().start().await?;
    /// println!("curl {}/_local/health", local.endpoint_url());
    /// # Ok(()) }
    /// ```
    pub fn control_path(mut self) -> Self {
        self.settings.has_control_path = true;
        self
    }

    /// Starts an HTTP server on the tokio runtime of the caller.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the address is not a loopback one and that was not allowed, or the error of listening on it.
    pub async fn start(mut self) -> io::Result<LocalService> {
        if !self.allow_non_loopback && !self.address.ip().is_loopback() {
            let message = format!("{} is not a loopback address, see allow_non_loopback()", self.address);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(self.address).await?;
        let address = listener.local_addr()?;
        let listener = Arc::new(Listener::new(listener));
        self.settings.has_socket = true;
        let mut local = self.build(TimeSource::System);
        let serve = server::serve(Arc::clone(&listener), Arc::downgrade(&local.service));
        let task = tokio::spawn(serve).abort_handle();
        local.server = Some(Server { address, listener, task });
        Ok(local)
    }

    /// The time at which the clock of a service [in process](Self::in_process) starts, for the same timestamps in every
    /// run; the system's time by default.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use healthomics::local::LocalService;
    ///
    /// // #[tokio::test(start_paused = true)]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    /// let local = LocalService::builder().start_time(start).in_process();
    /// let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let call = client
    ///     .start_read_set_activation_job()
    ///     .sequence_store_id(&store)
    ///     .sources(["5555555555"]);
    /// assert_eq!(SystemTime::from(call.send().await?.creation_time.unwrap()), start);
    /// # Ok(()) }
    /// ```
    pub fn start_time(mut self, time: SystemTime) -> Self {
        self.start_time = Some(time);
        self
    }

    /// Creates a service without a socket: [`LocalService::in_process`], with other settings. The address is not used.
    pub fn in_process(self) -> LocalService {
        let start_time = self.start_time.unwrap_or_else(SystemTime::now);
        self.build(TimeSource::tokio(from_system_time(start_time)))
    }

    fn build(self, time_source: TimeSource) -> LocalService {
        let service = Service::new(self.settings, Clock::new(time_source));
        LocalService { service: Arc::new(service), server: None }
    }
}
