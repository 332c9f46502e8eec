//! The configuration of a client: by hand, from the environment, from an `SdkConfig`.

#[cfg(feature = "aws-config")]
mod chain;
pub(crate) mod endpoint;
mod env;
#[cfg(feature = "sdk-config")]
mod sdk;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_async::time::{SharedTimeSource, TimeSource};
use http::HeaderValue;
use tokio::sync::Semaphore;

use self::endpoint::EndpointConfig;
use crate::error::ConfigurationError;
use crate::http::HttpClient;
use crate::http::reqwest::ReqwestClient;
use crate::http::tls::Roots;
use crate::runtime::clock::Clock;
use crate::runtime::credentials::CredentialsCache;
use crate::runtime::known_jobs::KnownJobs;
use crate::runtime::lambda::Lambda;
use crate::runtime::rate_limiter::{self, RateLimiter};
use crate::runtime::retry::{Quota, RetryPolicy};
use crate::runtime::{Runtime, Timeouts};

const MAX_APP_NAME_LENGTH: usize = 50;
/// Far more than the request quota of an account allows, and far fewer than a process may open.
const DEFAULT_CONNECTIONS: usize = 100;

/// Builds a [`Client`](crate::Client).
///
/// It is created by [`Client::builder`](crate::Client::builder), [`ClientBuilder::from_env`],
/// `ClientBuilder::from_sdk_config` (feature `sdk-config`), `ClientBuilder::from_default_chain` or
/// `ClientBuilder::from_profile` (feature `aws-config`). A setting that is set again replaces the earlier value.
///
/// ```
/// use std::time::Duration;
///
/// use healthomics::{Client, Credentials};
///
/// # fn main() -> Result<(), healthomics::Error> {
/// let client = Client::builder()
///     .region("eu-west-2")
///     .credentials(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"))
///     .max_attempts(5)
///     .operation_timeout(Duration::from_secs(60))
///     .app_name("sequencer-upload")
///     .build()?;
/// assert_eq!(client.region(), "eu-west-2");
/// # Ok(()) }
/// ```
///
/// # Settings
///
/// | setting | default | environment variable of [`from_env`](Self::from_env) |
/// |---|---|---|
/// | [`region`](Self::region) | none, required | `AWS_REGION`, `AWS_DEFAULT_REGION` |
/// | [`credentials`](Self::credentials), [`credentials_provider`](Self::credentials_provider) | none, required | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` |
/// | [`endpoint_url`](Self::endpoint_url) | the endpoint of the region | `AWS_ENDPOINT_URL_OMICS`, `AWS_ENDPOINT_URL` |
/// | [`host_prefix`](Self::host_prefix) | off for endpoint URLs | |
/// | [`use_fips`](Self::use_fips), [`use_dual_stack`](Self::use_dual_stack) | off | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` |
/// | [`add_root_certificates`](Self::add_root_certificates), [`only_root_certificates`](Self::only_root_certificates) | those of the system | `AWS_CA_BUNDLE` |
/// | [`use_system_proxy`](Self::use_system_proxy) | on | `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` |
/// | [`http_client`](Self::http_client) | the built-in client | |
/// | [`max_attempts`](Self::max_attempts) | 3 | `AWS_MAX_ATTEMPTS`, `AWS_RETRY_MODE` |
/// | [`initial_backoff`](Self::initial_backoff), [`throttling_backoff`](Self::throttling_backoff), [`max_backoff`](Self::max_backoff) | 50 ms, 1 s, 20 s | |
/// | [`retry_quota`](Self::retry_quota) | 500 | |
/// | [`connect_timeout`](Self::connect_timeout) | 3.1 s | |
/// | [`read_timeout`](Self::read_timeout) | 30 s | |
/// | [`operation_attempt_timeout`](Self::operation_attempt_timeout) | 60 s | |
/// | [`operation_timeout`](Self::operation_timeout) | 240 s | |
/// | [`max_connections`](Self::max_connections) | 100 | |
/// | [`max_response_size`](Self::max_response_size) | 8 MiB | |
/// | [`requests_per_second`](Self::requests_per_second) of waits, watches, bulk runs and lists | 5 for each operation | |
/// | [`initial_poll_interval`](Self::initial_poll_interval) | 1 s, in bulk runs 2 s | |
/// | [`parameter_validation`](Self::parameter_validation) | on | |
/// | [`trust_client_token`](Self::trust_client_token), [`reconcile_after`](Self::reconcile_after) | on, 30 s | |
/// | [`app_name`](Self::app_name) | none | `AWS_SDK_UA_APP_ID` |
/// | [`time_source`](Self::time_source), [`correct_clock_skew`](Self::correct_clock_skew) | the clock of the system, corrected | |
///
/// The timeouts and `max_attempts` can also be set on each call. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read by
/// all clients.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    endpoint: EndpointConfig,
    credentials: Option<SharedCredentialsProvider>,
    retry: RetryPolicy,
    retry_quota: Option<u32>,
    requests_per_second: Option<u32>,
    initial_poll_interval: Option<Duration>,
    max_connections: Option<usize>,
    timeouts: Timeouts,
    max_response_size: usize,
    app_name: Option<String>,
    time_source: SharedTimeSource,
    correct_clock_skew: bool,
    use_system_proxy: bool,
    roots: Roots,
    http_client: Option<Arc<dyn HttpClient>>,
    parameter_validation: bool,
    trust_client_token: bool,
    reconcile_after: Duration,
}

impl fmt::Debug for ClientBuilder {
    /// Without the credentials provider, which may show its secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("has_credentials", &self.credentials.is_some())
            .field("retry", &self.retry)
            .field("timeouts", &self.timeouts)
            .field("app_name", &self.app_name)
            .finish_non_exhaustive()
    }
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            endpoint: EndpointConfig::default(),
            credentials: None,
            retry: RetryPolicy::default(),
            retry_quota: Some(Quota::DEFAULT_CAPACITY),
            requests_per_second: Some(rate_limiter::DEFAULT_RATE),
            initial_poll_interval: None,
            max_connections: Some(DEFAULT_CONNECTIONS),
            timeouts: Timeouts::default(),
            max_response_size: 8 * 1024 * 1024,
            app_name: None,
            time_source: SharedTimeSource::default(),
            correct_clock_skew: true,
            use_system_proxy: true,
            http_client: None,
            parameter_validation: true,
            trust_client_token: true,
            reconcile_after: Duration::from_secs(30),
            roots: Roots::default(),
        }
    }
}

/// Endpoint and connections.
impl ClientBuilder {
    /// Sets the AWS region, such as `us-east-1`. It is required, also with an endpoint URL, as requests are signed for it.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.endpoint.region = Some(region.into());
        self
    }

    /// Sets an endpoint URL to use instead of the endpoint of the region, `http://` or `https://`: a private endpoint or a
    /// local service.
    ///
    /// Unlike in the official SDKs, no host prefix is put before its host; see [`host_prefix`](Self::host_prefix).
    pub fn endpoint_url(mut self, url: impl Into<String>) -> Self {
        self.endpoint.url = Some(url.into());
        self
    }

    /// Sets whether the host prefix of an operation (`control-storage-`) is also put before the host of an endpoint URL;
    /// `false` by default.
    pub fn host_prefix(mut self, enabled: bool) -> Self {
        self.endpoint.prefix_custom_host = enabled;
        self
    }

    /// Sets whether the FIPS endpoints of the service are used; `false` by default. Can't be combined with an endpoint URL.
    pub fn use_fips(mut self, enabled: bool) -> Self {
        self.endpoint.use_fips = enabled;
        self
    }

    /// Sets whether the dual-stack endpoints are used, which support IPv6; `false` by default. Can't be combined with an
    /// endpoint URL.
    pub fn use_dual_stack(mut self, enabled: bool) -> Self {
        self.endpoint.use_dual_stack = enabled;
        self
    }

    /// Sets whether the proxy of the system (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`) is used; `true` by default.
    pub fn use_system_proxy(mut self, enabled: bool) -> Self {
        self.use_system_proxy = enabled;
        self
    }

    /// Sets the HTTP client that sends the requests. The settings here for TLS, proxies, connect timeouts and root
    /// certificates have no effect on it.
    ///
    /// [`HttpClient`] has an example.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Adds root certificates to those of the system, in PEM form, one or many: of a proxy that terminates TLS, or of a
    /// private endpoint.
    ///
    /// Bytes without a certificate, or with a malformed one, are an error when the client is [built](Self::build).
    ///
    /// ```
    /// use healthomics::{Client, Credentials};
    ///
    /// let pem = "not a certificate"; // std::fs::read("/etc/ssl/our-proxy.pem")?
    /// let builder = Client::builder().region("eu-west-2").add_root_certificates(pem);
    /// let error = builder
    ///     .credentials(Credentials::new("AKID", "secret", None, None, "example"))
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "add_root_certificates(): there is no certificate in PEM form"
    /// );
    /// ```
    pub fn add_root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.add(pem.as_ref());
        self
    }

    /// Sets the root certificates to trust instead of those of the system, in PEM form, one or many. It replaces all that
    /// were set or added before.
    ///
    /// `AWS_CA_BUNDLE` has the same effect, as in every AWS SDK.
    ///
    /// Bytes without a certificate, or with a malformed one, are an error when the client is [built](Self::build).
    pub fn only_root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.only(pem.as_ref());
        self
    }

    /// Sets whether requests are checked against the lengths, counts and patterns of the service's model, and the rules of
    /// the user guide, before they are sent; `true` by default.
    ///
    /// With `false` only the service decides, which may allow more than the model that this version knows. A request that
    /// would be malformed is always rejected: a path segment that is empty, `.`, `..` or has control characters, a URL that
    /// is too long, a time that can't be formatted. Bulk runs keep the sizes of their groups.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// let client = local.client_builder().parameter_validation(false).build()?;
    /// let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("7");
    /// let error = call.send().await.unwrap_err();
    /// assert_eq!(error.code(), Some("ValidationException"), "the service rejected it");
    ///
    /// let call = client.get_read_set_metadata().sequence_store_id("..").id("7");
    /// assert!(call.send().await.unwrap_err().violations().is_some(), "it was not sent");
    /// # Ok(()) }
    /// ```
    pub fn parameter_validation(mut self, enabled: bool) -> Self {
        self.parameter_validation = enabled;
        self
    }

    /// Sets whether a start is repeated, with the same client token, although it may have been applied: `true` by default.
    /// AWS does not document that the service starts nothing for a token that it knows. With `false`, nothing relies on
    /// it:
    ///
    /// After a failure that may have been applied, a start waits for [`reconcile_after`](Self::reconcile_after), lists the
    /// jobs that were created since its first attempt, and gets those that may be its own. It returns the job that has its
    /// sources, destination and role; it is sent again if there is none; and it fails with
    /// [`Error::AmbiguousStart`](crate::Error::AmbiguousStart) if there are several. The results of other starts of this
    /// client, and of its clones, are no candidates. An equal job that another program has started can't be
    /// distinguished.
    ///
    /// It needs the rights to list and get the jobs, and it is slower only after a failure. In a bulk run it also applies
    /// to starts of which the journal has no result: without a journal, a run that was interrupted must not be repeated
    /// then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// # use healthomics::local::{ClientTokens, Fault, LocalService};
    ///
    /// # let local = LocalService::start().await?;
    /// # local.set_client_tokens(ClientTokens::Ignored);
    /// # local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    /// # let store = local.create_sequence_store();
    /// let builder = local.client_builder().trust_client_token(false);
    /// let client = builder.reconcile_after(Duration::from_millis(20)).build()?;
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store);
    /// call.sources(["5555555555"]).send().await?; // the response of the first attempt is lost
    /// assert_eq!(local.jobs().len(), 1);
    /// # Ok(()) }
    /// ```
    pub fn trust_client_token(mut self, trust: bool) -> Self {
        self.trust_client_token = trust;
        self
    }

    /// Sets the time between a start that may have been applied and the search for its job, if client tokens are not
    /// [trusted](Self::trust_client_token): 30 seconds by default. It is for requests that arrive although their
    /// connection broke, and for lists that are behind.
    pub fn reconcile_after(mut self, time: Duration) -> Self {
        self.reconcile_after = time;
        self
    }
}

/// Credentials and identity of the caller.
impl ClientBuilder {
    /// Sets credentials that never change.
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.credentials_provider(credentials)
    }

    /// Sets the credentials provider. Its credentials are cached until shortly before they expire, fetched by one call at a
    /// time, and fetched again when the service reports them as expired.
    pub fn credentials_provider(mut self, provider: impl ProvideCredentials + 'static) -> Self {
        self.credentials = Some(SharedCredentialsProvider::new(provider));
        self
    }

    /// Sets the name of the application for the `User-Agent` header of every request: 1 to 50 letters, digits and
    /// ``!#$%&'*+-.^_`|~``.
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.app_name = Some(name.into());
        self
    }
}

/// Retries, timeouts and limits.
impl ClientBuilder {
    /// Sets how many attempts a call makes at most, including the first: 3 by default; 1 disables retries, 0 counts as 1.
    ///
    /// The server may have closed a connection while it was idle. When a request on such a connection fails, the next
    /// attempt is made at once on a new connection, once a call; it counts as one of these attempts, and costs nothing of
    /// the [retry quota](Self::retry_quota).
    ///
    /// One more attempt is made at once after expired credentials were fetched again, and up to two after a signature was
    /// rejected and the clock was [corrected](Self::correct_clock_skew).
    pub fn max_attempts(mut self, count: u32) -> Self {
        self.retry.max_attempts = count.max(1);
        self
    }

    /// Sets the backoff before the first retry: 50 ms by default. It doubles with each retry, and has full jitter.
    pub fn initial_backoff(mut self, backoff: Duration) -> Self {
        self.retry.backoff = backoff;
        self
    }

    /// Sets the backoff before the first retry after throttling: 1 s by default. It doubles with each retry, and has full
    /// jitter.
    pub fn throttling_backoff(mut self, backoff: Duration) -> Self {
        self.retry.throttling_backoff = backoff;
        self
    }

    /// Sets the longest backoff: 20 s by default.
    pub fn max_backoff(mut self, backoff: Duration) -> Self {
        self.retry.max_backoff = backoff;
        self
    }

    /// Sets the retry quota that all calls of the client share: 500 by default, `None` disables it.
    ///
    /// A retry costs 14 units, after throttling 5. A success returns what its last retry cost, or 1 unit if it needed none.
    /// While the quota is empty, calls are not retried, so that a client does not overload a service that fails.
    pub fn retry_quota(mut self, capacity: impl Into<Option<u32>>) -> Self {
        self.retry_quota = capacity.into();
        self
    }

    /// Sets how many requests a second the waits, bulk runs and lists (`items`, `pages`) of this client send for each
    /// operation, including retries: 5 by default, which is the default quota of an account; 0 counts as 1, `None` disables
    /// the limit.
    ///
    /// Single calls are not limited.
    pub fn requests_per_second(mut self, rate: impl Into<Option<u32>>) -> Self {
        self.requests_per_second = rate.into();
        self
    }

    /// Sets the time between the first polls of a job: by default one second in waits and watches and two in bulk runs. It
    /// grows by half with each poll up to their `poll_every`.
    ///
    /// It is meant for tests: the clients of a `LocalService` (feature `local`) have a few milliseconds.
    /// [`requests_per_second`](Self::requests_per_second) still applies.
    pub fn initial_poll_interval(mut self, interval: Duration) -> Self {
        self.initial_poll_interval = Some(interval);
        self
    }

    /// Sets how many requests of this client are in flight at once, each on a connection of its own: 100 by default; 0
    /// counts as 1, `None` disables the limit.
    ///
    /// Further requests wait for a free connection, within the operation timeout.
    pub fn max_connections(mut self, count: impl Into<Option<usize>>) -> Self {
        self.max_connections = count.into();
        self
    }

    /// Sets how long opening a connection may take: 3.1 s by default, `None` disables the limit.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeouts.connect = limit.into();
        self
    }

    /// Sets how long no bytes may be received, before a response and inside it: 30 s by default, `None` disables the limit.
    pub fn read_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeouts.read = limit.into();
        self
    }

    /// Sets how long one attempt may take: 60 s by default, `None` disables the limit.
    pub fn operation_attempt_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeouts.attempt = limit.into();
        self
    }

    /// Sets how long a call may take, all attempts and the backoff between them included: 240 s by default, `None` disables
    /// the limit.
    ///
    /// A wait that the service asks for (`Retry-After`) is kept if it fits into this timeout, up to five minutes.
    pub fn operation_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.timeouts.operation = limit.into();
        self
    }

    /// Sets the size of the largest response that is read, in bytes: 8 MiB by default.
    pub fn max_response_size(mut self, bytes: usize) -> Self {
        self.max_response_size = bytes;
        self
    }

    /// Sets the clock whose time requests are signed with; the clock of the system by default.
    pub fn time_source(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.time_source = SharedTimeSource::new(TimeFn(now));
        self
    }

    /// Sets whether a request whose signature was rejected is signed again with the time of the response (`Date`) when it
    /// differs from the local time by more than four minutes; `true` by default.
    ///
    /// Later requests are signed with that time only if the service has accepted one that was, so that a wrong `Date` has no
    /// lasting effect.
    pub fn correct_clock_skew(mut self, enabled: bool) -> Self {
        self.correct_clock_skew = enabled;
        self
    }
}

struct TimeFn<F>(F);

impl<F> std::fmt::Debug for TimeFn<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TimeFn")
    }
}

impl<F: Fn() -> SystemTime + Send + Sync> TimeSource for TimeFn<F> {
    fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl ClientBuilder {
    /// Resolves the configuration into what the client holds.
    pub(crate) fn into_runtime(mut self) -> Result<Runtime, ConfigurationError> {
        #[cfg(feature = "fips")]
        aws_lc_rs::try_fips_mode().map_err(|reason| ConfigurationError::NotInFipsMode { reason })?;
        let endpoint = self.endpoint.resolve()?;
        // No call waits longer for a connection than for its response.
        let limits = [self.timeouts.connect, self.timeouts.read, self.timeouts.attempt];
        self.timeouts.connect = limits.into_iter().flatten().min();
        let http_client = if let Some(client) = self.http_client.take() {
            client
        } else {
            let https = endpoint.is_https();
            Arc::new(ReqwestClient::new(self.timeouts.connect, self.use_system_proxy, https, &self.roots)?)
        };
        Ok(Runtime {
            region: signing_region(self.endpoint.region)?,
            endpoint,
            http_client,
            credentials: CredentialsCache::new(self.credentials.ok_or(ConfigurationError::MissingCredentials)?),
            clock: Clock::new(self.time_source, self.correct_clock_skew),
            retry: self.retry,
            quota: Quota::new(self.retry_quota),
            rate_limiter: RateLimiter::new(self.requests_per_second),
            initial_poll_interval: self.initial_poll_interval,
            connection_permits: self
                .max_connections
                .map(|count| Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS))),
            timeouts: self.timeouts,
            max_response_size: self.max_response_size,
            user_agent: user_agent(self.app_name)?,
            parameter_validation: self.parameter_validation,
            trust_client_token: self.trust_client_token,
            reconcile_after: self.reconcile_after,
            known_jobs: KnownJobs::default(),
            lambda: Lambda::from_env(),
        })
    }
}

/// Requests to an endpoint URL are signed for a region, too, which may be one that this crate does not know.
pub(crate) fn signing_region(region: Option<String>) -> Result<String, ConfigurationError> {
    let region = region.filter(|region| !region.is_empty()).ok_or(ConfigurationError::MissingRegion)?;
    let is_label = region.len() <= 63 && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_label { Ok(region) } else { Err(ConfigurationError::UnknownRegion { region }) }
}

/// `healthomics/0.1.0 ua/2.1 os/linux lang/rust api/omics cfg/retry-mode#standard app/my-app`
fn user_agent(app_name: Option<String>) -> Result<HeaderValue, ConfigurationError> {
    let mut text = format!(
        "healthomics/{} ua/2.1 os/{} lang/rust api/omics cfg/retry-mode#standard",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
    );
    let expected = "1 to 50 letters, digits and !#$%&'*+-.^_`|~";
    if let Some(name) = &app_name {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !(1..=MAX_APP_NAME_LENGTH).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(ConfigurationError::InvalidSetting { setting: "app_name", value: name.clone(), expected });
        }
        text.push_str(" app/");
        text.push_str(name);
    }
    HeaderValue::try_from(text).map_err(|_| ConfigurationError::InvalidSetting {
        setting: "app_name",
        value: app_name.unwrap_or_default(),
        expected,
    })
}
