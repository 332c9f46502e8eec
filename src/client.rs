//! The client, and the one pipeline that every call goes through.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use aws_types::SdkConfig;
use http::HeaderValue;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::attempt::{self, Attempt, AttemptLimits, Failure, millis_since, record_answer};
use crate::check::Violations;
use crate::config::{ClientBuilder, Settings, Timeouts};
use crate::error::{Context, Error, StopReason};
use crate::operation::Operation;
use crate::pacer::NoTurn;
use crate::retry::{Class, Decision, Retry, RetryPolicy};
use crate::transport::Limits;

/// Calls AWS HealthOmics. Cheap to clone; clones share connections, credentials, clock and retry quota.
///
/// Make one for a process and clone it wherever it is needed.
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
    /// See [`ClientBuilder::from_sdk_config`] for what is honoured.
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

    pub(crate) fn with_settings(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
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
            checked(&operation)?;
            let span = tracing::info_span!(
                "healthomics.call",
                operation = O::NAME,
                attempts = tracing::field::Empty,
                error = tracing::field::Empty,
                status = tracing::field::Empty,
                request_id = tracing::field::Empty,
                duration_ms = tracing::field::Empty,
            );
            let started = Instant::now();
            let result = self.attempts(&operation, started, &span).instrument(span.clone()).await;
            span.record("duration_ms", millis_since(started));
            if let Err(error) = &result {
                span.record("error", tracing::field::display(error));
            }
            result
        }
    }

    /// The one retry loop.
    async fn attempts<O: Operation>(&self, operation: &O, started: Instant, span: &Span) -> Result<O::Output, Error> {
        let settings = &*self.client.settings;
        // Made when it may go out, and the same on each attempt: thousands of calls may wait for their turn.
        let mut request = None;
        let deadline = self.timeouts.operation.and_then(|limit| started.checked_add(limit));
        let invocation = invocation_id();
        let mut retry = Retry::new(self.policy(), settings.quota.clone());
        let mut may_have_been_applied = false;
        let end = |failure: Failure, attempts: u32, may_have_been_applied: bool, stopped: Option<StopReason>| {
            let (status, request_id) = failure.answered();
            record_answer(span, status, request_id);
            span.record("attempts", attempts);
            let context = Context {
                operation: O::NAME,
                attempts,
                client_token: operation.client_token().cloned(),
                may_have_been_applied,
                retryable: failure.class.is_retryable(),
                throttling: failure.class == Class::Throttling,
                stopped,
            };
            failure.into_error(context)
        };
        loop {
            let slot = match self.slot(O::NAME, deadline).await {
                Ok(slot) => slot,
                Err(lacking) => {
                    let failure = Failure::not_let_out(lacking, self.timeouts.operation);
                    return Err(end(failure, retry.attempts(), may_have_been_applied, Some(StopReason::NoTimeLeft)));
                }
            };
            let number = retry.next_attempt();
            // In a block of its own: what is not needed while the call rests takes no room then.
            let failure = {
                let of_attempt = attempt::span(O::NAME, number);
                let (max, limits) = (self.max_attempts, self.limits(deadline));
                let request = request.get_or_insert_with(|| Box::new(settings.address(operation.to_wire())));
                let attempt = Attempt { request, invocation: &invocation, number, max, limits };
                let outcome = Box::pin(settings.attempt(&attempt, &of_attempt)).await;
                match outcome.and_then(|raw| match operation.decode(&raw) {
                    Ok(output) => Ok((output, raw)),
                    Err(error) => Err(Failure::undecodable(error, &raw)),
                }) {
                    Ok((output, raw)) => {
                        retry.succeeded();
                        record_answer(span, Some(raw.status), raw.request_id());
                        span.record("attempts", number);
                        return Ok(output);
                    }
                    Err(failure) => failure,
                }
            };
            drop(slot);
            may_have_been_applied |= O::MUTATES && failure.may_have_been_applied;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match retry.failed(failure.class, failure.server_delay, fastrand::f64(), left) {
                Decision::Again { after } => {
                    tracing::debug!(attempt = number, class = ?failure.class, delay = ?after, "attempt failed, trying again");
                    tokio::time::sleep(after).await;
                }
                Decision::Stop(stopped) => return Err(end(failure, number, may_have_been_applied, stopped)),
            }
        }
    }

    /// Waits until an attempt may go out, which it does while it has a slot. Otherwise tells what was lacking.
    async fn slot(
        &self,
        operation: &'static str,
        deadline: Option<Instant>,
    ) -> Result<Option<SemaphorePermit<'_>>, &'static str> {
        let settings = &*self.client.settings;
        if self.paced {
            // Credentials first: behind the turn, a slow provider would let several requests out at once. What goes
            // wrong is told by the attempt, which asks again.
            // Boxed, so that a call is small while it waits for its turn.
            let credentials = Box::pin(settings.credentials.get(settings.clock.now()));
            let limit = self.timeouts.attempt.and_then(|limit| Instant::now().checked_add(limit));
            drop(until(limit.into_iter().chain(deadline).min(), credentials).await);
            let turn = settings.pacer.turn(operation, deadline).await;
            turn.map_err(|NoTurn| "turn among the paced requests")?;
        }
        let Some(slots) = &settings.slots else { return Ok(None) };
        match until(deadline, slots.acquire()).await {
            Some(Ok(slot)) => Ok(Some(slot)),
            _ => Err("free connection"),
        }
    }

    fn policy(&self) -> RetryPolicy {
        RetryPolicy { max_attempts: self.max_attempts, ..self.client.settings.retry }
    }

    fn limits(&self, deadline: Option<Instant>) -> AttemptLimits {
        AttemptLimits {
            attempt_timeout: self.timeouts.attempt,
            operation_timeout: self.timeouts.operation,
            deadline,
            network: Limits {
                connect_timeout: self.timeouts.connect,
                read_timeout: self.timeouts.read,
                max_response_size: self.client.settings.max_response_size,
            },
        }
    }
}

/// What work comes to, if it does before the deadline.
async fn until<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
}

/// Nothing is sent that the service would refuse.
fn checked<O: Operation>(operation: &O) -> Result<(), Error> {
    let mut violations = Violations::default();
    operation.check(&mut violations);
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid_input(O::NAME, violations)) }
}

/// The same on every attempt of a call, so that the service can tell attempts from calls.
fn invocation_id() -> HeaderValue {
    // Nothing depends on it that would be worth asking the system for randomness.
    let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = id.as_hyphenated().encode_lower(&mut text);
    // A UUID has only characters that a header may have.
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
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
