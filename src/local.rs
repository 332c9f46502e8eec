//! An embedded HealthOmics on loopback, for tests and first steps.
//!
//! [`LocalService`] is a real HTTP server inside the process. It checks signatures and inputs as HealthOmics does, runs
//! export, import and activation jobs at a [`Pace`] of your choice, holds its read sets in memory, and [injects
//! faults](Fault). Any AWS SDK can talk to it, as it routes by the path alone and accepts any `Host`.
//!
//! By default the third read of a job finds it ended, whether it is read by a Get, by a list of jobs or through its read
//! sets, and a job that nobody reads ends after a second: [`Pace`] has the details.
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
//! client.start_read_set_activation_job().sequence_store_id(&store).sources([&read_set]).send().await?;
//! assert_eq!(local.read_set_status(&store, &read_set), Some(ReadSetStatus::Activating));
//! assert_eq!(local.jobs().len(), 1);
//! # Ok(()) }
//! ```
//!
//! # Assumptions
//!
//! Where nobody has a source for what the real service does, the local one does the plainest thing:
//!
//! - A Start with the client token and the parameters of an earlier one on the same store gets the earlier answer; with
//!   other parameters it gets a `ValidationException`. Tokens are never forgotten.
//! - An item of an export fails unless its read set is active when the item is exported. An item whose read set is not
//!   there fails, in an export as in an activation.
//! - An import item of BAM or CRAM without a reference fails, and so does one of another type than FASTQ with a second
//!   file.
//! - The read set of an import appears when its item finishes, as an active one.
//! - A job is `SUBMITTED` for the first tenth of its time; its items share the rest evenly.
//! - An item of an activation is finished as soon as the job runs if its read set is active, or if another job is about
//!   to activate it.
//! - A read set whose activation fails goes back to the archive.
//! - A deleted read set is gone at once, whatever is at work on it. What is not there can't be deleted: a
//!   `ResourceNotFoundException` among the errors of the response. A response without errors has no body.
//! - A list is in the order of creation, 100 to a page unless it is told otherwise. `createdAfter` and `createdBefore`
//!   leave out what was created at that very millisecond; names and ids are matched whole; an empty `referenceArn` is
//!   that of read sets without one. A `nextToken` is good for the list, store and filter that gave it, for ever; for
//!   any other it gets a `ValidationException`. It has to be percent-encoded.
//! - What the service does on stores, reference stores, tags, uploads, downloads and access policies is refused with a
//!   `NotImplementedException` (501) that names the operation.
//! - A read set that was put in without a job counts as an upload. Its counts, sizes and entity tags are made up.
//! - A job without success and one of mixed success say so in words of this crate.

mod answer;
mod assumed;
mod auth;
mod fault;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod job;
mod list;
mod progress;
mod read_set;
mod record;
mod route;
pub(crate) mod schema;
mod server;
pub(crate) mod shapes;
mod state;
mod world;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use self::fault::Fault;
use self::job::Job;
pub use self::progress::Pace;
pub use self::record::ReceivedRequest;
pub use self::state::Quotas;
use self::state::{Shared, State};
pub use self::world::{JobKind, LocalItem, LocalJob, LocalReadSet, SeedReadSet};
use crate::model::{ReadSetId, ReadSetStatus, SequenceStoreId};
use crate::{Client, ClientBuilder, Error};

/// Between the first polls of a job by the clients of a local service.
const INITIAL_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// An embedded HealthOmics. It stops, with all of its connections, when it is dropped.
///
/// It runs on the tokio runtime that started it.
/// The [module](self) has an example.
#[must_use = "the service stops when it is dropped"]
pub struct LocalService {
    shared: Arc<Shared>,
    address: SocketAddr,
    credentials: Credentials,
    server: AbortHandle,
}

impl LocalService {
    /// The access key that is accepted unless other credentials are given.
    pub const ACCESS_KEY_ID: &'static str = "AKIDLOCALEXAMPLE";
    /// The secret that belongs to [`ACCESS_KEY_ID`](Self::ACCESS_KEY_ID).
    pub const SECRET_ACCESS_KEY: &'static str = "local-example-secret-access-key";
    /// The region unless another is given.
    pub const REGION: &'static str = "us-east-1";

    /// Starts one on a free port of 127.0.0.1, with the default [`Pace`]: the third read of a job finds it ended, and a job
    /// that nobody reads ends after a second.
    ///
    /// # Errors
    ///
    /// If the port can't be listened on.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// For anything but the defaults.
    ///
    /// [`LocalServiceBuilder`] has an example.
    pub fn builder() -> LocalServiceBuilder {
        LocalServiceBuilder {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_non_loopback: false,
            credentials: None,
            region: Self::REGION.to_owned(),
            pace: Pace::default(),
            quotas: Quotas::default(),
        }
    }

    /// The names of the operations that the local service implements, as AWS writes them.
    ///
    /// ```
    /// use healthomics::local::LocalService;
    ///
    /// assert!(LocalService::operations().any(|operation| operation == "StartReadSetExportJob"));
    /// ```
    pub fn operations() -> impl Iterator<Item = &'static str> {
        route::operations()
    }

    /// Where it listens, such as `http://127.0.0.1:41234`.
    ///
    /// If it listens on every interface, this is the loopback one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// let local = LocalService::start().await?;
    /// // What another process or another SDK needs to call it:
    /// println!("AWS_ENDPOINT_URL={} AWS_REGION={}", local.endpoint_url(), local.region());
    /// println!("AWS_ACCESS_KEY_ID={}", local.credentials().access_key_id());
    /// assert_eq!(local.endpoint_url(), format!("http://{}", local.address()));
    /// # Ok(()) }
    /// ```
    pub fn endpoint_url(&self) -> String {
        let mut reachable = self.address;
        if reachable.ip().is_unspecified() {
            reachable.set_ip(match reachable.ip() {
                IpAddr::V4(_) => IpAddr::from(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::from(std::net::Ipv6Addr::LOCALHOST),
            });
        }
        format!("http://{reachable}")
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client for this service, with its credentials and region. Its waits, watches and bulk runs poll new jobs every few
    /// milliseconds ([`ClientBuilder::initial_poll_interval`]).
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`], if the region it was started with is empty.
    pub fn client(&self) -> Result<Client, Error> {
        self.client_builder().build()
    }

    /// Like [`client`](Self::client), for further settings.
    pub fn client_builder(&self) -> ClientBuilder {
        Client::builder()
            .endpoint_url(self.endpoint_url())
            .region(self.region())
            .credentials(self.credentials())
            // What is on loopback needs no proxy, and only the rate that was asked for.
            .use_system_proxy(false)
            .initial_poll_interval(INITIAL_POLL_INTERVAL)
            .requests_per_second(self.shared.requests_per_second)
    }

    /// The region that requests must be signed for.
    pub fn region(&self) -> &str {
        &self.shared.region
    }

    /// The credentials it was started with.
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// Accepts further credentials. Credentials of the same access key are replaced.
    pub fn accept_credentials(&self, credentials: Credentials) {
        self.shared.state().keys.accept(credentials);
    }

    /// Answers whatever is signed with this key with an `ExpiredTokenException` from now on.
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
        self.shared.state().keys.expire(access_key_id);
    }

    /// Creates an empty store. Ids are the same in every run.
    pub fn create_sequence_store(&self) -> SequenceStoreId {
        self.shared.state().world.create_store()
    }

    /// Puts a read set into a store, without a job. A store that is not there is created.
    /// [`SeedReadSet`] has an example.
    pub fn seed_read_set(&self, store: &SequenceStoreId, read_set: SeedReadSet) -> ReadSetId {
        let mut state = self.shared.state();
        let clock = state.clock();
        state.world.seed(store, read_set, clock)
    }

    /// Where a read set stands, if there is one.
    pub fn read_set_status(&self, store: &SequenceStoreId, read_set: &ReadSetId) -> Option<ReadSetStatus> {
        let state = self.shared.state();
        state.world.stores.get(store.as_str())?.get(read_set.as_str()).map(|read_set| read_set.shown.status.clone())
    }

    /// The read sets of a store as they are now, by id.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let kept = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// let gone = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
    /// let deleted = client.batch_delete_read_set().sequence_store_id(&store).ids([&gone]).send().await?;
    /// # assert!(deleted.errors.is_empty());
    /// assert_eq!(local.read_sets(&store).iter().map(|read_set| &read_set.id).collect::<Vec<_>>(), [&kept]);
    /// assert_eq!(local.read_set_status(&store, &gone), None);
    /// # Ok(()) }
    /// ```
    pub fn read_sets(&self, store: &SequenceStoreId) -> Vec<LocalReadSet> {
        let state = self.shared.state();
        let store = state.world.stores.get(store.as_str());
        store.into_iter().flat_map(|store| store.read_sets().map(|read_set| read_set.shown.clone())).collect()
    }

    /// Makes an item fail with this message in every job that starts from now on: an item of this read set id, or of
    /// this `source1`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let read_set = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
    /// local.fail_item(read_set.as_str(), "the tape broke");
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([read_set]);
    /// let started = call.send().await?;
    /// let outcome = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5)).await?;
    /// assert_eq!(outcome.items()[0].reason(), "the tape broke");
    /// # Ok(()) }
    /// ```
    pub fn fail_item(&self, key: impl Into<String>, message: impl Into<String>) {
        self.shared.state().world.failures.insert(key.into(), message.into());
    }

    /// Lets something go wrong with the next request of an operation that has no fault waiting for it. Each request
    /// takes one fault, in the order they were queued, even if it would have been refused.
    ///
    /// # Panics
    ///
    /// If no such operation is served, or the fault can't be carried out: a misspelt test would test nothing.
    ///
    /// [`Fault`] has an example.
    pub fn queue_fault(&self, operation: &str, fault: Fault) {
        check_fault(operation, &fault);
        self.shared.state().faults.queue(operation, fault);
    }

    /// Lets something go wrong with every request of an operation, once the queued faults have run out, until
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
    /// local.fault_always("ListReadSets", Fault::error(403, "AccessDeniedException", "not you"));
    /// assert!(client.list_read_sets().sequence_store_id(&store).send().await.is_err());
    /// local.clear_faults();
    /// assert!(client.list_read_sets().sequence_store_id(&store).send().await.is_ok());
    /// # Ok(()) }
    /// ```
    pub fn fault_always(&self, operation: &str, fault: Fault) {
        check_fault(operation, &fault);
        self.shared.state().faults.always(operation, fault);
    }

    /// Forgets the faults that have not happened.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// Sets the service's clock this many seconds ahead of the machine's, or behind: its `Date` headers, its
    /// timestamps and what it thinks of the age of signatures.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.shared.state().clock_offset = seconds;
    }

    /// The requests that have arrived, oldest first. The last 100,000 are kept, or fewer if they are beyond 256 MiB.
    ///
    /// [`ReceivedRequest`] has an example.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.state().record.all()
    }

    /// Forgets the requests that have arrived.
    pub fn clear_requests(&self) {
        self.shared.state().record.clear();
    }

    /// The jobs of all stores, in the order they started. This is not a read of them as [`Pace`] counts it.
    ///
    /// [`LocalJob`] has an example.
    pub fn jobs(&self) -> Vec<LocalJob> {
        self.shared.state().world.jobs.iter().map(Job::snapshot).collect()
    }
}

fn check_fault(operation: &str, fault: &Fault) {
    assert!(route::is_served(operation), "{operation:?} is not served; these are: {}", route::names());
    let flaw = fault.flaw();
    assert!(flaw.is_none(), "this fault can't be carried out: {}", flaw.unwrap_or_default());
}

impl Drop for LocalService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl std::fmt::Debug for LocalService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalService")
            .field("endpoint_url", &self.endpoint_url())
            .field("region", &self.shared.region)
            .finish_non_exhaustive()
    }
}

/// Settings of a [`LocalService`].
///
/// ```
/// use std::time::Duration;
///
/// use healthomics::local::{LocalService, Pace, Quotas};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let builder = LocalService::builder().region("eu-west-2").pace(Pace::Time(Duration::from_secs(2)));
/// let local = builder.quotas(Quotas::of_new_account()).start().await?;
/// assert_eq!(local.client()?.region(), "eu-west-2");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct LocalServiceBuilder {
    address: SocketAddr,
    allow_non_loopback: bool,
    credentials: Option<Credentials>,
    region: String,
    pace: Pace,
    quotas: Quotas,
}

impl LocalServiceBuilder {
    /// Where to listen; port 0 takes a free one. An address of the network is refused unless
    /// [`allow_non_loopback`](Self::allow_non_loopback).
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Lets others on the network in. The service is made for tests: it has no TLS and keeps what it is sent.
    pub fn allow_non_loopback(mut self) -> Self {
        self.allow_non_loopback = true;
        self
    }

    /// The credentials to accept instead of the example ones.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The region that requests must be signed for.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// What moves jobs on: by default reads, and a second for a job that nobody reads.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Bounds on requests and jobs.
    pub fn quotas(mut self, quotas: Quotas) -> Self {
        self.quotas = quotas;
        self
    }

    /// Starts it on the tokio runtime of the caller.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the address is not a loopback one and that was not allowed; otherwise if it can't be listened
    /// on.
    pub async fn start(self) -> io::Result<LocalService> {
        if !self.allow_non_loopback && !self.address.ip().is_loopback() {
            let message = format!("{} is not a loopback address, see allow_non_loopback()", self.address);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind(self.address).await?;
        let address = listener.local_addr()?;
        let credentials = self.credentials.unwrap_or_else(|| {
            let (key, secret) = (LocalService::ACCESS_KEY_ID, LocalService::SECRET_ACCESS_KEY);
            Credentials::new(key, secret, None, None, "healthomics-local")
        });
        let mut state = State::default();
        state.world.pace = self.pace;
        state.keys.accept(credentials.clone());
        let shared = Arc::new(Shared::new(self.region, self.quotas, state));
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared))).abort_handle();
        Ok(LocalService { shared, address, credentials, server })
    }
}
