//! An embedded HealthOmics, for tests and first steps without an AWS account.
//!
//! [`LocalService::start`] runs an HTTP server on loopback, inside the process. It checks signatures and inputs as
//! HealthOmics does, runs export, import and activation jobs at a [`Pace`] of your choice, keeps its read sets in memory,
//! and [injects faults](Fault). Every AWS SDK can call it, as it finds the operation by the path of a request and accepts
//! any `Host`.
//!
//! By default the third read of a job finds it ended, whether it is read by a Get, by a list of jobs or through its read
//! sets, and a job that is not read ends after a second: see [`Pace`].
//!
//! ```
//! use healthomics::local::{LocalService, SeedReadSet};
//! use healthomics::read_set::{FileType, ReadSetStatus};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let local = LocalService::start().await?;
//! let store = local.create_sequence_store();
//! let read_set = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
//! // Give this client to the code under test:
//! let client = local.client()?;
//! let call = client
//!     .start_read_set_activation_job()
//!     .sequence_store_id(&store)
//!     .sources([&read_set]);
//! call.send().await?;
//! assert_eq!(local.read_set_status(&store, &read_set), Some(ReadSetStatus::Activating));
//! assert_eq!(local.jobs().len(), 1);
//! # Ok(()) }
//! ```
//!
//! The program `healthomics-local` (feature `local-service`) is the same service for tests in other languages: see the
//! [guide](crate::guide::testing).
//!
//! [`LocalService::in_process`] is the same service without a socket, for tests with a paused clock: a job of six hours
//! then takes milliseconds.
//!
//! # Assumptions
//!
//! Where it is not known what the real service does, the local one does what is simplest:
//!
//! - A start with the client token and the parameters of an earlier one on the same store gets the response to the earlier
//!   one; with other parameters it gets a `ValidationException`. Tokens do not expire.
//! - An item of an export fails unless its read set is active when the item settles. An item whose read set does not
//!   exist fails, in an export and in an activation.
//! - An import item of BAM or CRAM without a reference fails, and so does one of another type than FASTQ with a second
//!   file.
//! - The read set of an import is created, as an active one, when its item finishes.
//! - A job is `SUBMITTED` for the first tenth of its time; its items share the rest evenly.
//! - An item of an activation finishes as soon as the job runs if its read set is active, or if another job is
//!   activating it.
//! - A read set whose activation fails is archived again.
//! - A read set is deleted at once, even if a job uses it. A read set that does not exist can't be deleted: it is among
//!   the errors of the response, with a `ResourceNotFoundException`. A response without errors has no body.
//! - A list is sorted by creation and has pages of 100 entries, unless the request has another `maxResults`. `createdAfter`
//!   and `createdBefore` exclude that very millisecond; names and ids must be equal; an empty `referenceArn` is
//!   that of read sets without a reference. A `nextToken` is valid for the list, store and filter that it was returned
//!   for, and does not expire; elsewhere it gets a `ValidationException`. It has to be percent-encoded.
//! - Operations on stores, reference stores, tags, uploads, downloads and access policies are refused with a
//!   `NotImplementedException` (501) that names the operation.
//! - A seeded read set has the creation type `UPLOAD` unless the seed says otherwise. Counts, sizes and entity tags that a
//!   seed does not have are invented.
//! - A job whose status is set to a terminal one has ended, and its items keep their status.
//! - The status messages of a job without success, of one with failures and of one that is cancelled are those of this
//!   crate.

mod auth;
mod builder;
mod client;
mod client_tokens;
mod clock;
mod contents;
mod control;
mod fault_rules;
mod faults;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod handlers;
mod injection;
mod merge_patch;
mod messages;
mod operations;
mod pace;
mod quotas;
mod request_log;
mod response;
mod schema;
mod seed;
mod server;
mod service;
mod service_error;
mod shapes;
mod snapshot;
mod state;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use time::OffsetDateTime;
use tokio::task::AbortHandle;

pub use self::builder::LocalServiceBuilder;
pub use self::client_tokens::ClientTokens;
pub use self::fault_rules::FaultRule;
pub use self::faults::Fault;
pub use self::pace::Pace;
pub use self::quotas::Quotas;
pub use self::request_log::ReceivedRequest;
pub use self::seed::{Seed, SeedReadSet, SeedStore, SeededStore};
use self::server::Listener;
use self::service::Service;
pub use self::snapshot::{JobKind, LocalItem, LocalJob, LocalReadSet};
use crate::model::time::from_system_time;

/// The endpoint of a service in process. No host can have this name.
const IN_PROCESS_ENDPOINT: &str = "http://healthomics.invalid";

/// An embedded HealthOmics: an HTTP server on loopback, or a service [in process](Self::in_process). It stops, with all
/// of its connections, when it is dropped, and its port is free at once. Calls to a service that was dropped fail: there
/// is `no connection to 127.0.0.1:…: it refused`.
///
/// The [module](self) has an example.
#[must_use = "the service stops when it is dropped"]
pub struct LocalService {
    service: Arc<Service>,
    /// `None` for a service in process.
    server: Option<Server>,
}

/// An HTTP server, which stops when it is dropped.
struct Server {
    address: SocketAddr,
    listener: Arc<Listener>,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The task ends later: until then the port would not be free.
        self.listener.close();
        self.task.abort();
    }
}

impl LocalService {
    /// The names of the operations that the local service implements, such as `StartReadSetExportJob`.
    ///
    /// ```
    /// use healthomics::local::LocalService;
    ///
    /// assert!(
    ///     LocalService::operations().any(|operation| operation == "StartReadSetExportJob")
    /// );
    /// ```
    pub fn operations() -> impl Iterator<Item = &'static str> {
        operations::names()
    }

    /// The URL of the service, such as `http://127.0.0.1:41234`.
    ///
    /// For a service that listens on every interface, it is that of loopback. That of a service [in
    /// process](Self::in_process) has a host name that does not exist.
    ///
    /// ```
    /// use healthomics::local::LocalService;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let local = LocalService::start().await?;
    /// // What another process or another SDK needs to call it:
    /// println!("AWS_ENDPOINT_URL={} AWS_REGION={}", local.endpoint_url(), local.region());
    /// println!("AWS_ACCESS_KEY_ID={}", local.credentials().access_key_id());
    /// # assert_eq!(Some(local.endpoint_url()), local.address().map(|address| format!("http://{address}")));
    /// # Ok(()) }
    /// ```
    pub fn endpoint_url(&self) -> String {
        let Some(mut address) = self.address() else { return IN_PROCESS_ENDPOINT.to_owned() };
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => IpAddr::from(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::from(Ipv6Addr::LOCALHOST),
            });
        }
        format!("http://{address}")
    }

    /// The address that the service listens on; `None` for a service [in process](Self::in_process).
    pub fn address(&self) -> Option<SocketAddr> {
        self.server.as_ref().map(|server| server.address)
    }

    /// The region that requests must be signed for.
    pub fn region(&self) -> &str {
        &self.service.settings.region
    }

    /// The credentials that the service was started with.
    pub fn credentials(&self) -> Credentials {
        self.service.settings.credentials.clone()
    }

    /// Accepts further credentials, until their expiry if they have one. They replace credentials with the same access
    /// key id.
    pub fn accept_credentials(&self, credentials: Credentials) {
        self.service.lock().credentials.accept(credentials);
    }

    /// Refuses all later requests that are signed with this access key id, with an `ExpiredTokenException`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    ///
    /// local.expire_credentials(LocalService::ACCESS_KEY_ID);
    /// let error = client.list_read_sets().sequence_store_id(&store).send().await.unwrap_err();
    /// assert_eq!(error.code(), Some("ExpiredTokenException"));
    ///
    /// local.accept_credentials(local.credentials());
    /// client.list_read_sets().sequence_store_id(&store).send().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// If no such credentials are accepted.
    pub fn expire_credentials(&self, access_key_id: &str) {
        self.expire_at(access_key_id, OffsetDateTime::UNIX_EPOCH);
    }

    /// Refuses all requests from this time on, by the service's clock, that are signed with this access key id, with an
    /// `ExpiredTokenException`.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use healthomics::local::LocalService;
    ///
    /// // #[tokio::test(start_paused = true)]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let local = LocalService::in_process();
    /// let in_an_hour = SystemTime::now() + Duration::from_hours(1);
    /// local.expire_credentials_at(LocalService::ACCESS_KEY_ID, in_an_hour);
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    ///
    /// client.list_read_sets().sequence_store_id(&store).send().await?;
    /// tokio::time::advance(Duration::from_mins(61)).await;
    /// let error = client.list_read_sets().sequence_store_id(&store).send().await.unwrap_err();
    /// assert_eq!(error.code(), Some("ExpiredTokenException"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`expire_credentials`](Self::expire_credentials).
    pub fn expire_credentials_at(&self, access_key_id: &str, time: SystemTime) {
        self.expire_at(access_key_id, from_system_time(time));
    }

    fn expire_at(&self, access_key_id: &str, time: OffsetDateTime) {
        let was_accepted = self.service.lock().credentials.expire_at(access_key_id, time);
        assert!(was_accepted, "the service accepts no credentials of {access_key_id:?}");
    }

    /// Sets the pace of jobs that are started later. Earlier jobs keep theirs.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use healthomics::local::{LocalService, Pace};
    ///
    /// // #[tokio::test(start_paused = true)]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::in_process();
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let call = client
    ///     .start_read_set_activation_job()
    ///     .sequence_store_id(&store)
    ///     .sources(["5555555555"]);
    /// local.set_pace(Pace::Time(Duration::from_hours(1)));
    /// call.clone().send().await?;
    /// local.set_pace(Pace::Time(Duration::from_hours(2)));
    /// call.send().await?;
    ///
    /// tokio::time::advance(Duration::from_mins(90)).await;
    /// let ended: Vec<_> = local.jobs().iter().map(|job| job.status.is_terminal()).collect();
    /// assert_eq!(ended, [true, false]);
    /// # Ok(()) }
    /// ```
    pub fn set_pace(&self, pace: Pace) {
        self.service.lock().state.set_pace(pace);
    }

    /// Sets the pace of jobs of one kind that are started later, until the next [`set_pace`](Self::set_pace).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::{JobKind, LocalService, Pace};
    /// # let local = LocalService::start().await?;
    ///
    /// // Activations end when they are read for the first time, other jobs as before.
    /// local.set_pace_of(JobKind::Activation, Pace::Polls(1));
    /// # Ok(()) }
    /// ```
    pub fn set_pace_of(&self, kind: JobKind, pace: Pace) {
        self.service.lock().state.set_pace_of(kind, pace);
    }

    /// Sets the limits on later requests and starts.
    ///
    /// Clients that were built before keep the request rate of the limits at that time.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::{LocalService, Quotas};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    ///
    /// local.set_quotas(Quotas::none().jobs_at_once(0));
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store);
    /// let call = call.sources(["5555555555"]);
    /// assert_eq!(call.send().await.unwrap_err().status(), Some(402));
    /// # Ok(()) }
    /// ```
    pub fn set_quotas(&self, quotas: Quotas) {
        self.service.lock().set_quotas(quotas);
    }

    /// Restores the state after the start: the stores and read sets of the builder's [seed](LocalServiceBuilder::seed),
    /// no jobs, no faults, no failing items, no received requests, and pace, quotas, accepted credentials and clock as
    /// the builder had them. Ids are issued from the first one again.
    ///
    /// ```
    /// use healthomics::local::Fault;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// let store = local.create_sequence_store();
    /// local.fault_always("ListReadSets", Fault::EmptyBody);
    /// local.reset();
    /// assert!(local.sequence_stores().is_empty());
    /// assert_eq!(local.create_sequence_store(), store);
    /// client.list_read_sets().sequence_store_id(&store).send().await?;
    /// # Ok(()) }
    /// ```
    pub fn reset(&self) {
        self.service.reset();
    }

    /// Sets what the service does about client tokens of earlier starts: by default it returns the job of the first one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use healthomics::local::{ClientTokens, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store);
    /// let call = call.sources(["5555555555"]).client_token("token-1");
    /// local.set_client_tokens(ClientTokens::Ignored);
    /// call.clone().send().await?;
    /// call.send().await?;
    /// assert_eq!(local.jobs().len(), 2);
    /// # Ok(()) }
    /// ```
    pub fn set_client_tokens(&self, client_tokens: ClientTokens) {
        self.service.lock().state.set_client_tokens(client_tokens);
    }

    /// Sets the service's clock this many seconds ahead of that of its callers, or behind it if the number is negative:
    /// its `Date` headers, its timestamps and the time that signatures are checked against.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.service.lock().clock.set_offset(seconds);
    }

    /// The requests that were received, oldest first. The last 100,000 are kept, or fewer if they exceed 256 MiB.
    ///
    /// [`ReceivedRequest`] has an example.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.service.lock().requests.iter().cloned().collect()
    }

    /// Forgets the requests that were received.
    pub fn clear_requests(&self) {
        self.service.lock().requests.clear();
    }
}

impl fmt::Debug for LocalService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalService")
            .field("endpoint_url", &self.endpoint_url())
            .field("region", &self.region())
            .finish_non_exhaustive()
    }
}
