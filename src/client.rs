//! The client, and the one pipeline that every call goes through.

mod attempts;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "sdk-config")]
use aws_types::SdkConfig;
use time::OffsetDateTime;

use self::attempts::{AnyOperation, Attempts};
use crate::attempt::Failure;
use crate::check::Violations;
use crate::config::{ClientBuilder, Settings, Timeouts};
use crate::error::Error;
use crate::model::time::from_system_time;
use crate::operation::Operation;

/// Calls AWS HealthOmics. Cheap to clone; clones share connections, credentials, clock and retry quota.
///
/// Make one for a process and clone it wherever it is needed: by [`from_env`](Self::from_env) or
/// [`builder`](Self::builder), by `Client::new(&sdk_config)` with the feature `sdk-config`, or by
/// `Client::from_default_chain()` with the feature `aws-config`.
///
/// ```
/// use healthomics::Client;
///
/// // From the environment: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …
/// match Client::from_env() {
///     Ok(client) => println!("calls go to {}", client.region()),
///     Err(error) => println!("{error}"), // no region: set AWS_REGION, or call region() on the builder
/// }
/// ```
#[derive(Clone)]
pub struct Client {
    settings: Arc<Settings>,
}

impl Client {
    /// A client by the environment: see [`ClientBuilder::from_env`].
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a missing region, missing credentials, or a variable that means nothing.
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

    /// A client by hand: see [`ClientBuilder`] for an example and all settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client by what an `SdkConfig` says: `aws_config::load_from_env().await` plugs straight in.
    ///
    /// Needs the feature `sdk-config`, or `aws-config`, which has it in it. See [`ClientBuilder::from_sdk_config`] for
    /// what is honoured.
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
    /// // Usually: `let config = aws_config::load_from_env().await;`
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

    /// A client by the whole default chain of AWS: environment, profiles, SSO, web identity, containers, instances.
    ///
    /// Needs the feature `aws-config`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if the chain has no region or no credentials provider, or if the root certificates of
    /// `AWS_CA_BUNDLE` can't be read.
    #[cfg(feature = "aws-config")]
    pub async fn from_default_chain() -> Result<Self, Error> {
        Self::new(&crate::config::default_chain().await?)
    }

    pub(crate) fn initial_poll_interval(&self) -> Option<Duration> {
        self.settings.initial_poll_interval
    }

    pub(crate) fn with_settings(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    /// The time by the clock that requests are signed by.
    pub(crate) fn now(&self) -> OffsetDateTime {
        from_system_time(self.settings.clock.now())
    }

    pub(crate) fn parameter_validation(&self) -> bool {
        self.settings.parameter_validation
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.settings.region
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.settings.region)
            .field("endpoint", &self.settings.endpoint)
            .field("timeouts", &self.settings.timeouts)
            .field("retry", &self.settings.retry)
            .finish_non_exhaustive()
    }
}

/// A call on its way: does nothing until it is awaited, and leaves nothing behind when it is dropped.
///
/// Boxed, so that it is small wherever it is held, and so that the compiler names a missing member once.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// What a fluent builder carries beside the members: the client, and settings of this one call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    client: Client,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_attempts: u32,
    /// Whether each attempt waits for its turn at the client's pacer.
    pub(crate) paced: bool,
}

impl Call {
    pub(crate) fn new(client: &Client) -> Self {
        let (timeouts, max_attempts) = (client.settings.timeouts, client.settings.retry.max_attempts);
        Self { client: client.clone(), timeouts, max_attempts, paced: false }
    }

    /// builder → request → checked → wire request → endpoint → (signed → sent)… → output
    #[expect(clippy::manual_async_fn, reason = "an async fn would keep its arguments twice")]
    pub(crate) fn send<O: Operation>(self, operation: O) -> impl Future<Output = Result<O::Output, Error>> + Send {
        async move {
            checked(&operation, self.client.settings.parameter_validation)?;
            let mut attempts = Attempts::new(&self, &operation);
            let mut unusable = None;
            let result = loop {
                let raw = match attempts.answer(unusable.take()).await {
                    Ok(raw) => raw,
                    Err(error) => break Err(error),
                };
                match attempts.in_span(|| operation.decode(&raw)) {
                    Ok(output) => {
                        attempts.succeeded(&raw);
                        break Ok(output);
                    }
                    Err(error) => unusable = Some(Failure::undecodable(error, &raw)),
                }
            };
            attempts.end(result.as_ref().err());
            result
        }
    }
}

/// Nothing is sent that the service would refuse.
fn checked(operation: &dyn AnyOperation, parameter_validation: bool) -> Result<(), Error> {
    let mut violations = Violations::new(parameter_validation);
    operation.find_violations(&mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid_input(operation.name(), violations)) }
}

/// The settings of one call, on every fluent builder.
macro_rules! call_settings {
    () => {
        /// The longest this call may take, all attempts and waits together, instead of the client's setting; `None`
        /// lifts the limit.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # let local = healthomics::local::LocalService::start().await?;
        /// # let client = local.client()?;
        /// # local.fault_always("ListReadSets", healthomics::local::Fault::HangBefore);
        /// use std::time::Duration;
        ///
        /// let call = client.list_read_sets().sequence_store_id("1234567890");
        /// let call = call.operation_timeout(Duration::from_millis(50));
        /// assert!(call.send().await.unwrap_err().is_timeout());
        /// # Ok(()) }
        /// ```
        pub fn operation_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.operation = limit.into();
            self
        }

        /// The longest one attempt of this call may take, instead of the client's setting; `None` lifts the limit.
        pub fn operation_attempt_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.attempt = limit.into();
            self
        }

        /// The longest a connection for this call may take, instead of the client's setting; `None` lifts the limit.
        ///
        /// Connections are shared by calls of the same connect time-out: use few different ones.
        pub fn connect_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.connect = limit.into();
            self
        }

        /// The longest silence of the service in this call, instead of the client's setting; `None` lifts the limit.
        pub fn read_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.read = limit.into();
            self
        }

        /// One of many: each attempt waits for its turn, and the call ends when its caller has no time left.
        #[allow(dead_code, reason = "single calls are not paced")]
        pub(crate) fn paced(mut self, left: Option<std::time::Duration>) -> Self {
            let operation = self.call.timeouts.operation;
            self.call.timeouts.operation = operation.into_iter().chain(left).min();
            self.call.paced = true;
            self
        }

        /// How many attempts this call makes at most, instead of the client's setting; 0 counts as 1.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # let local = healthomics::local::LocalService::start().await?;
        /// # let client = local.client()?;
        /// # local.fault_always("ListReadSets", healthomics::local::Fault::ResetBefore);
        /// let call = client.list_read_sets().sequence_store_id("1234567890").max_attempts(1);
        /// let error = call.send().await.unwrap_err();
        /// assert_eq!((error.attempts(), error.is_retryable()), (1, true));
        /// # Ok(()) }
        /// ```
        pub fn max_attempts(mut self, count: u32) -> Self {
            self.call.max_attempts = count.max(1);
            self
        }
    };
}
pub(crate) use call_settings;

#[cfg(test)]
mod tests;
