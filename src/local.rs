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
//! - A seeded read set has the creation type `UPLOAD`. Its counts, sizes and entity tags are invented.
//! - The status messages of a job without success and of one with failures are those of this crate.

mod auth;
mod builder;
mod client;
mod clock;
mod faults;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod handlers;
mod messages;
mod operations;
mod pace;
mod quotas;
mod request_log;
mod response;
mod schema;
mod server;
mod service;
mod service_error;
mod shapes;
mod snapshot;
mod state;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use aws_credential_types::Credentials;
use tokio::task::AbortHandle;

pub use self::builder::LocalServiceBuilder;
pub use self::faults::Fault;
pub use self::pace::Pace;
pub use self::quotas::Quotas;
pub use self::request_log::ReceivedRequest;
use self::service::Service;
pub use self::snapshot::{JobKind, LocalItem, LocalJob, LocalReadSet, SeedReadSet};
use self::state::Job;
use crate::model::{ReadSetId, ReadSetStatus, SequenceStoreId};

/// The endpoint of a service in process. No host can have this name.
const IN_PROCESS_ENDPOINT: &str = "http://healthomics.invalid";

/// An embedded HealthOmics: an HTTP server on loopback, or a service [in process](Self::in_process). It stops, with all
/// of its connections, when it is dropped.
///
/// The [module](self) has an example.
#[must_use = "the service stops when it is dropped"]
pub struct LocalService {
    service: Arc<Service>,
    credentials: Credentials,
    /// `None` for a service in process.
    server: Option<Server>,
}

/// An HTTP server, which stops when it is dropped.
struct Server {
    address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
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
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
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
        &self.service.region
    }

    /// The credentials that the service was started with.
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// Accepts further credentials. They replace credentials with the same access key id.
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
    pub fn expire_credentials(&self, access_key_id: &str) {
        self.service.lock().credentials.expire(access_key_id);
    }

    /// Creates an empty store and returns its id. Ids are the same in every run.
    pub fn create_sequence_store(&self) -> SequenceStoreId {
        self.service.lock().state.create_store()
    }

    /// Puts a read set into a store, without a job, and returns its id. A store that does not exist is created.
    ///
    /// [`SeedReadSet`] has an example.
    pub fn seed_read_set(&self, store: &SequenceStoreId, read_set: SeedReadSet) -> ReadSetId {
        let mut service = self.service.lock();
        let now = service.clock.now();
        service.state.seed(store, read_set, now)
    }

    /// The status of a read set; `None` if there is no such store or read set.
    pub fn read_set_status(&self, store: &SequenceStoreId, read_set: &ReadSetId) -> Option<ReadSetStatus> {
        let service = self.service.lock();
        let read_set = service.state.read_set(store.as_str(), read_set.as_str()).ok()?;
        Some(read_set.snapshot.status.clone())
    }

    /// The read sets of a store, sorted by id; none if there is no such store.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let kept = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// let deleted = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// let call = client.batch_delete_read_set().sequence_store_id(&store).ids([&deleted]);
    /// assert!(call.send().await?.errors.is_empty());
    /// assert_eq!(local.read_sets(&store)[0].id, kept);
    /// assert_eq!(local.read_set_status(&store, &deleted), None);
    /// # Ok(()) }
    /// ```
    pub fn read_sets(&self, store: &SequenceStoreId) -> Vec<LocalReadSet> {
        match self.service.lock().state.store(store.as_str()) {
            Ok(store) => store.read_sets().map(|read_set| read_set.snapshot.clone()).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Makes items fail with this message, in all jobs that start later: export and activation items with this read set
    /// id, and import items with this `source1`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let id = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// local.fail_item(id.as_str(), "the archive is damaged");
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([id]);
    /// let started = call.send().await?;
    /// let outcome = client.job(&started).wait().await?;
    /// assert_eq!(outcome.items()[0].reason(), "the archive is damaged");
    /// # Ok(()) }
    /// ```
    pub fn fail_item(&self, key: impl Into<String>, message: impl Into<String>) {
        self.service.lock().state.fail_item(key.into(), message.into());
    }

    /// Injects a fault into the next request of an operation that has no queued fault. Each request takes one fault, in
    /// the order in which they were queued, even a request that would have been refused.
    ///
    /// [`Fault`] has an example.
    ///
    /// # Panics
    ///
    /// If the operation is not [implemented](Self::operations), or the fault can't be injected: a test with a misspelt
    /// name would test nothing.
    pub fn queue_fault(&self, operation: &str, fault: Fault) {
        self.check_fault(operation, &fault);
        self.service.lock().faults.queue(operation, fault);
    }

    /// Injects a fault into every request of an operation that has no queued fault, until
    /// [`clear_faults`](Self::clear_faults).
    ///
    /// # Panics
    ///
    /// As [`queue_fault`](Self::queue_fault).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// local.fault_always("ListReadSets", Fault::error(403, "AccessDeniedException", "denied"));
    /// assert!(client.list_read_sets().sequence_store_id(&store).send().await.is_err());
    /// local.clear_faults();
    /// assert!(client.list_read_sets().sequence_store_id(&store).send().await.is_ok());
    /// # Ok(()) }
    /// ```
    pub fn fault_always(&self, operation: &str, fault: Fault) {
        self.check_fault(operation, &fault);
        self.service.lock().faults.always(operation, fault);
    }

    /// Removes all faults that have not been injected.
    pub fn clear_faults(&self) {
        self.service.lock().faults.clear();
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

    /// Sets the service's clock this many seconds ahead of that of its callers, or behind it if the number is negative:
    /// its `Date` headers, its timestamps and the time that signatures are checked against.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.service.lock().clock.set_offset(seconds);
    }

    /// The requests that were received, oldest first. The last 100,000 are kept, or fewer if they exceed 256 MiB.
    ///
    /// [`ReceivedRequest`] has an example.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.service.lock().requests.all()
    }

    /// Forgets the requests that were received.
    pub fn clear_requests(&self) {
        self.service.lock().requests.clear();
    }

    /// The jobs of all stores, in the order of their starts. This does not count as a read of them ([`Pace`]).
    ///
    /// [`LocalJob`] has an example.
    pub fn jobs(&self) -> Vec<LocalJob> {
        self.service.lock().state.jobs().iter().map(Job::snapshot).collect()
    }

    fn check_fault(&self, operation: &str, fault: &Fault) {
        let is_implemented = Self::operations().any(|name| name == operation);
        let names = || Self::operations().collect::<Vec<_>>().join(", ");
        assert!(is_implemented, "{operation:?} is not implemented; the operations are {}", names());
        let invalid_reason = match (fault, &self.server) {
            (Fault::ConnectionRefused, Some(_)) => Some("a server can't refuse single connections".to_owned()),
            _ => fault.invalid_reason(),
        };
        assert!(invalid_reason.is_none(), "this fault can't be injected: {}", invalid_reason.unwrap_or_default());
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
