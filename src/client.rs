//! The client: a handle to its runtime.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sdk-config")]
use aws_types::SdkConfig;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::config::ClientBuilder;
use crate::error::Error;
use crate::model::time::from_system_time;
use crate::runtime::{Call, Runtime};

/// Calls AWS HealthOmics.
///
/// It is cheap to clone; clones share connections, credentials, clock, rate limiter and retry quota. Create one for a
/// process with [`from_env`](Self::from_env) or [`builder`](Self::builder), with `Client::new(&sdk_config)` (feature
/// `sdk-config`), or with `Client::from_default_chain()` (feature `aws-config`).
///
/// ```
/// use healthomics::Client;
///
/// // From the environment: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …
/// match Client::from_env() {
///     Ok(client) => println!("calls go to {}", client.region()),
///     // no region: set AWS_REGION, or call region() on the builder
///     Err(error) => println!("{error}"),
/// }
/// ```
///
/// # Calls
///
/// Each method is named after its operation and returns a fluent builder; `send` sends the call.
///
/// | methods | purpose |
/// |---|---|
/// | [`start_read_set_import_job`](Self::start_read_set_import_job), [`get_read_set_import_job`](Self::get_read_set_import_job), [`list_read_set_import_jobs`](Self::list_read_set_import_jobs) | import up to 100 sources in Amazon S3 into a store |
/// | [`start_read_set_activation_job`](Self::start_read_set_activation_job), [`get_read_set_activation_job`](Self::get_read_set_activation_job), [`list_read_set_activation_jobs`](Self::list_read_set_activation_jobs) | activate up to 20 archived read sets |
/// | [`start_read_set_export_job`](Self::start_read_set_export_job), [`get_read_set_export_job`](Self::get_read_set_export_job), [`list_read_set_export_jobs`](Self::list_read_set_export_jobs) | export up to 100 read sets to Amazon S3 |
/// | [`list_read_sets`](Self::list_read_sets), [`get_read_set_metadata`](Self::get_read_set_metadata) | list read sets, describe one |
/// | [`batch_delete_read_set`](Self::batch_delete_read_set) | delete up to 100 read sets |
/// | [`job`](Self::job), [`import_job`](Self::import_job), [`activation_job`](Self::activation_job), [`export_job`](Self::export_job) | wait for the end of a job |
/// | [`watch`](Self::watch) | wait for the end of many jobs |
/// | [`import_read_sets`](Self::import_read_sets), [`activate_read_sets`](Self::activate_read_sets), [`export_read_sets`](Self::export_read_sets) | bulk runs of any number of items: [`bulk`](crate::bulk) |
#[derive(Clone)]
pub struct Client {
    runtime: Arc<Runtime>,
}

impl Client {
    /// Creates a client from environment variables: see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a missing region, missing credentials, or a variable with an invalid value.
    ///
    /// ```
    /// match healthomics::Client::from_env() {
    ///     Ok(client) => println!("{client:?}"),
    ///     Err(error) => println!("{error}"), // names the variable
    /// }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns a builder with the default settings: see [`ClientBuilder`] for an example and all settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Creates a client from an `SdkConfig`, such as the one that `aws_config::load_defaults` returns.
    ///
    /// Needs the feature `sdk-config`, or `aws-config`, which includes it. See [`ClientBuilder::from_sdk_config`] for the
    /// settings that are used.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a missing region, missing credentials, or settings that exclude each other.
    ///
    /// ```
    /// use aws_credential_types::provider::SharedCredentialsProvider;
    /// use aws_types::{SdkConfig, region::Region};
    /// use healthomics::{Client, Credentials};
    ///
    /// # fn main() -> Result<(), healthomics::Error> {
    /// // Usually: `aws_config::load_defaults(BehaviorVersion::latest()).await`
    /// let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "example");
    /// let config = SdkConfig::builder()
    ///     .region(Region::new("eu-west-2"))
    ///     .credentials_provider(SharedCredentialsProvider::new(credentials))
    ///     .build();
    /// assert_eq!(Client::new(&config)?.region(), "eu-west-2");
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "sdk-config")]
    pub fn new(config: &SdkConfig) -> Result<Self, Error> {
        ClientBuilder::from_sdk_config(config).build()
    }

    /// Creates a client from the default chain of AWS: environment, profiles, SSO, web identity, containers, instances.
    ///
    /// Needs the feature `aws-config`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if the chain has no region or no credentials provider, or if the root certificates of
    /// `AWS_CA_BUNDLE` can't be read.
    #[cfg(feature = "aws-config")]
    pub async fn from_default_chain() -> Result<Self, Error> {
        ClientBuilder::from_default_chain().await?.build()
    }

    /// A call with the settings of this client.
    pub(crate) fn call(&self) -> Call {
        Call::new(&self.runtime)
    }

    pub(crate) fn initial_poll_interval(&self) -> Option<Duration> {
        self.runtime.initial_poll_interval
    }

    pub(crate) fn with_runtime(runtime: Runtime) -> Self {
        Self { runtime: Arc::new(runtime) }
    }

    /// The time that requests are signed with.
    pub(crate) fn now(&self) -> OffsetDateTime {
        from_system_time(self.runtime.clock.now())
    }

    /// The time at an instant in the past. `None` while the service has not accepted the time of the client's clock.
    pub(crate) fn time_of(&self, instant: Instant) -> Option<OffsetDateTime> {
        self.runtime.clock.time_of(instant)
    }

    pub(crate) fn trusts_client_token(&self) -> bool {
        self.runtime.trust_client_token
    }

    /// Notes that a job is the result of a start, and not that of another one whose result is not known.
    pub(crate) fn note_result_of_start(&self, job_id: &str) {
        self.runtime.known_jobs.claim(job_id);
    }

    pub(crate) fn parameter_validation(&self) -> bool {
        self.runtime.parameter_validation
    }

    /// Returns the region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.runtime.region
    }
}

impl ClientBuilder {
    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a missing or unknown region, missing credentials, root certificates that can't be
    /// read, or settings that can't work.
    pub fn build(self) -> Result<Client, Error> {
        Ok(Client::with_runtime(self.into_runtime()?))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.runtime.fmt(f)
    }
}
