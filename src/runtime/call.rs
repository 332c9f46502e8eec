//! One call from its first attempt to its last: the one retry loop. It does not know the fields of an operation or of its
//! output, so that it is compiled once and not for each operation.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use time::OffsetDateTime;
use tokio::runtime::Handle;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::attempt::{Attempt, AttemptLimits, Failure};
use super::clock::ClockOffset;
use super::known_jobs::KnownJobs;
use super::rate_limiter::DeadlineExceeded;
use super::retry::{Class, Decision, Retry, RetryPolicy};
use super::{Runtime, Timeouts, attempt};
use crate::error::{ConfigurationError, Context, Error, StopReason};
use crate::http::{ConnectOptions, ResponseLimits};
use crate::model::ClientToken;
use crate::model::validation::Violations;
use crate::protocol::json::Undecodable;
use crate::protocol::operation::{Operation, Replay};
use crate::protocol::replayed::Evidence;
use crate::protocol::request::Request;
use crate::protocol::sigv4::UnsignedRequest;

/// A call that was not awaited yet. It does nothing until it is awaited, and stops when it is dropped.
///
/// It is boxed, so that it is small wherever it is held, and so that the compiler names a missing field once.
pub type CallFuture<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// What a fluent builder has besides the fields: what the client holds, and the settings of this call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    runtime: Arc<Runtime>,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_attempts: u32,
    /// Whether each attempt waits for a permit of the client's rate limiter.
    pub(crate) rate_limited: bool,
    /// Whether a start is repeated although it may have been applied.
    pub(crate) trust_client_token: bool,
    /// When the first attempt of an earlier start was whose job is to be found before this start is sent.
    pub(crate) reconcile_since: Option<OffsetDateTime>,
    /// Whether the client token was made for this call, and no earlier call has sent it.
    pub(crate) is_client_token_new: bool,
}

impl Call {
    pub(crate) fn new(runtime: &Arc<Runtime>) -> Self {
        Self {
            runtime: Arc::clone(runtime),
            timeouts: runtime.timeouts,
            max_attempts: runtime.retry.max_attempts,
            rate_limited: false,
            trust_client_token: runtime.trust_client_token,
            reconcile_since: None,
            is_client_token_new: false,
        }
    }

    /// The time at an instant in the past. `None` while the service has not accepted the time of the client's clock.
    pub(crate) fn time_of(&self, instant: Instant) -> Option<OffsetDateTime> {
        self.runtime.clock.time_of(instant)
    }

    pub(crate) fn known_jobs(&self) -> &KnownJobs {
        &self.runtime.known_jobs
    }

    /// The time between a start that may have been applied and the search for its job.
    pub(crate) fn reconcile_after(&self) -> Duration {
        self.runtime.reconcile_after
    }

    /// Checks the request, sends it until it succeeds or must not be retried, and returns its output.
    #[expect(clippy::manual_async_fn, reason = "an async fn would keep its arguments twice")]
    pub(crate) fn send<O: Operation>(self, operation: O) -> impl Future<Output = Result<O::Output, Error>> + Send {
        async move {
            let mut output = None;
            let mut decode = |evidence: &Evidence<'_>| {
                let mut decoded = operation.decode(evidence.response)?;
                operation.set_replayed(&mut decoded, evidence);
                output = Some(decoded);
                Ok(())
            };
            run(&self, &operation, &mut decode).await?;
            Ok(output.unwrap_or_else(|| unreachable!("a call succeeds when its response has been decoded")))
        }
    }
}

/// An [`Operation`] without its output.
trait ErasedOperation: Send + Sync {
    fn name(&self) -> &'static str;
    fn mutates(&self) -> bool;
    fn replay(&self) -> Replay;
    fn max_rate(&self) -> Option<u32>;
    fn find_violations(&self, violations: &mut Violations);
    fn request(&self) -> Request;
    fn token(&self) -> Option<&ClientToken>;
    fn subject_text(&self) -> String;
}

impl<O: Operation> ErasedOperation for O {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn mutates(&self) -> bool {
        O::MUTATES
    }

    fn replay(&self) -> Replay {
        O::REPLAY
    }

    fn max_rate(&self) -> Option<u32> {
        O::MAX_RATE
    }

    fn find_violations(&self, violations: &mut Violations) {
        self.check(violations);
    }

    fn request(&self) -> Request {
        self.to_request()
    }

    fn token(&self) -> Option<&ClientToken> {
        self.client_token()
    }

    fn subject_text(&self) -> String {
        self.subject().to_string()
    }
}

/// Reads a successful response. What it returns of an unusable one is one more reason to retry.
type Decode<'a> = &'a mut (dyn FnMut(&Evidence<'_>) -> Result<(), Undecodable> + Send);

async fn run(call: &Call, operation: &dyn ErasedOperation, decode: Decode<'_>) -> Result<(), Error> {
    let mut violations = Violations::new(call.runtime.parameter_validation);
    operation.find_violations(&mut violations);
    if !violations.is_empty() {
        return Err(Error::invalid_input(operation.name(), violations));
    }
    // Timers and sockets would panic.
    if Handle::try_current().is_err() {
        return Err(ConfigurationError::OutsideRuntime.into());
    }

    let span = tracing::info_span!(
        "healthomics.call",
        operation = operation.name(),
        attempts = tracing::field::Empty,
        error = tracing::field::Empty,
        status = tracing::field::Empty,
        request_id = tracing::field::Empty,
        duration_ms = tracing::field::Empty,
    );
    let mut attempts = Attempts::new(call, operation, span.clone());
    let result = attempts.run(decode).instrument(span.clone()).await;
    span.record("attempts", attempts.retry.attempts());
    span.record("duration_ms", attempt::millis_since(attempts.started));
    if let Err(error) = &result {
        span.record("error", tracing::field::display(error));
    }
    result
}

/// The attempts of one call.
struct Attempts<'a> {
    call: &'a Call,
    operation: &'a dyn ErasedOperation,
    span: Span,
    started: Instant,
    invocation_id: HeaderValue,
    /// The same on each attempt. It is made for the first one, as thousands of calls may wait for the rate limiter.
    request: Option<Box<UnsignedRequest>>,
    retry: Retry,
    /// Whether further attempts open connections: if one idle connection did not work, the others may not either.
    new_connections: bool,
    /// Used for this call only, as the `Date` that it is from may be wrong: the client's clock is corrected by an offset
    /// with which an attempt succeeded.
    clock_offset: Option<ClockOffset>,
    may_have_been_applied: bool,
}

impl<'a> Attempts<'a> {
    fn new(call: &'a Call, operation: &'a dyn ErasedOperation, span: Span) -> Self {
        let policy = RetryPolicy { max_attempts: call.max_attempts, ..call.runtime.retry };
        Self {
            call,
            operation,
            span,
            started: Instant::now(),
            invocation_id: invocation_id(),
            request: None,
            retry: Retry::new(policy, call.runtime.quota.clone()),
            new_connections: false,
            clock_offset: None,
            may_have_been_applied: false,
        }
    }

    async fn run(&mut self, decode: Decode<'_>) -> Result<(), Error> {
        loop {
            let result = match self.permit().await {
                Ok(permit) => {
                    // Boxed, so that a call is small while it waits.
                    let result = Box::pin(self.attempt(&mut *decode)).await;
                    drop(permit);
                    result
                }
                Err(NotSent::Credentials(failure)) => {
                    self.retry.next_attempt();
                    Err(failure)
                }
                Err(NotSent::NoTimeLeft { lacking }) => {
                    let failure = Failure::operation_timeout(lacking, self.call.timeouts.operation);
                    return Err(self.error(failure, Some(StopReason::NoTimeLeft)));
                }
            };
            let Err(failure) = result else { return Ok(()) };
            self.back_off(failure).await?;
        }
    }

    /// Makes one attempt: signs and sends the request, receives and decodes the response.
    async fn attempt(&mut self, decode: Decode<'_>) -> Result<(), Failure> {
        let number = self.retry.next_attempt();
        let runtime = &*self.call.runtime;
        let deadline = self.deadline();
        let request = if let Some(request) = &self.request {
            request
        } else {
            let unsigned = runtime.endpoint.unsigned(self.operation.request());
            let unsigned = unsigned.map_err(|error| Failure::signing(error.into()))?;
            self.request.insert(Box::new(unsigned))
        };
        let attempt = Attempt {
            operation: self.operation.name(),
            request,
            invocation_id: &self.invocation_id,
            clock_offset: self.clock_offset,
            number,
            max_attempts: self.call.max_attempts,
            limits: AttemptLimits {
                attempt_timeout: self.call.timeouts.attempt,
                operation_timeout: self.call.timeouts.operation,
                deadline,
                connect: ConnectOptions { timeout: self.call.timeouts.connect, new_connection: self.new_connections },
                response: ResponseLimits { read_timeout: self.call.timeouts.read, max_size: runtime.max_response_size },
            },
        };
        let sent = Instant::now();
        let signed_at = runtime.clock.now_by(self.clock_offset);
        let response = runtime.attempt(&attempt).await?;
        let evidence = Evidence {
            is_client_token_new: self.call.is_client_token_new && !self.may_have_been_applied,
            response: &response,
            duration: sent.elapsed(),
        };
        decode(&evidence).map_err(|error| Failure::undecodable(error, &response))?;
        if let Some(offset) = self.clock_offset.take() {
            runtime.clock.correct(offset);
        }
        runtime.clock.confirm(sent, signed_at);
        self.retry.succeeded();
        attempt::record_response(&self.span, Some(response.status), response.request_id());
        Ok(())
    }

    /// Waits until another attempt may follow a failed one, or returns the error that ends the call.
    async fn back_off(&mut self, failure: Failure) -> Result<(), Error> {
        self.may_have_been_applied |= self.operation.mutates() && failure.may_have_been_applied;
        self.new_connections |= failure.may_have_been_applied && failure.response_head().0.is_none();
        if self.may_have_been_applied && self.replay() == Replay::OnlyIfNotApplied {
            return Err(self.error(failure, Some(StopReason::MayHaveBeenApplied)));
        }
        if let Class::ClockSkew(offset) = failure.class {
            self.clock_offset = Some(offset);
        }
        let time_left = self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let number = self.retry.attempts();
        match self.retry.failed(failure.class, failure.server_delay, fastrand::f64(), time_left) {
            Decision::Retry { after } => {
                tracing::debug!(attempt = number, class = ?failure.class, delay = ?after, "attempt failed, retrying");
                drop(failure);
                tokio::time::sleep(after).await;
                Ok(())
            }
            Decision::Stop(reason) => Err(self.error(failure, reason)),
        }
    }

    fn error(&self, failure: Failure, stop_reason: Option<StopReason>) -> Error {
        let (status, request_id) = failure.response_head();
        attempt::record_response(&self.span, status, request_id);
        let context = Context {
            operation: self.operation.name(),
            subject: self.operation.subject_text().into(),
            attempts: self.retry.attempts(),
            client_token: self.operation.token().cloned(),
            may_have_been_applied: self.may_have_been_applied,
            retryable: failure.class.is_retryable(),
            throttling: failure.class == Class::Throttling,
            outage: failure.is_outage(&self.call.runtime.credentials),
            stop_reason,
        };
        failure.into_error(context)
    }

    fn replay(&self) -> Replay {
        let relies_on_token = self.operation.token().is_some();
        if relies_on_token && !self.call.trust_client_token {
            return Replay::OnlyIfNotApplied;
        }
        self.operation.replay()
    }

    fn deadline(&self) -> Option<Instant> {
        self.call.timeouts.operation.and_then(|limit| self.started.checked_add(limit))
    }

    /// Waits until an attempt may be sent. It holds the connection permit while it is in flight.
    async fn permit(&self) -> Result<Option<SemaphorePermit<'a>>, NotSent> {
        let call = self.call;
        let deadline = self.deadline();
        if call.rate_limited {
            // Credentials first: after the rate limiter, a slow provider would let several requests out at once.
            // Boxed, so that a call is small while it waits for the rate limiter.
            Box::pin(self.credentials(deadline)).await?;
            let permit =
                call.runtime.rate_limiter.acquire(self.operation.name(), self.operation.max_rate(), deadline).await;
            permit.map_err(|DeadlineExceeded| NotSent::NoTimeLeft { lacking: "permit of the rate limiter" })?;
        }
        let Some(permits) = &call.runtime.connection_permits else { return Ok(None) };
        match before(deadline, permits.acquire()).await {
            Some(Ok(permit)) => Ok(Some(permit)),
            _ => Err(NotSent::NoTimeLeft { lacking: "free connection" }),
        }
    }

    /// Fetches credentials into the cache, within the attempt timeout.
    async fn credentials(&self, deadline: Option<Instant>) -> Result<(), NotSent> {
        let runtime = &*self.call.runtime;
        let attempt_timeout = self.call.timeouts.attempt.filter(|timeout| {
            let end = Instant::now().checked_add(*timeout);
            deadline.is_none_or(|deadline| end.is_some_and(|end| end <= deadline))
        });
        let end = attempt_timeout.and_then(|timeout| Instant::now().checked_add(timeout)).or(deadline);
        match before(end, runtime.credentials.get(runtime.clock.now())).await {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(NotSent::Credentials(Failure::credentials(error))),
            None => Err(match attempt_timeout {
                Some(timeout) => NotSent::Credentials(Failure::credentials_timeout(timeout)),
                None => NotSent::NoTimeLeft { lacking: attempt::CREDENTIALS },
            }),
        }
    }
}

/// Why an attempt was not sent.
enum NotSent {
    /// There are no credentials to sign it with. A retry may get some.
    Credentials(Failure),
    /// The operation timeout passed before.
    NoTimeLeft { lacking: &'static str },
}

/// The output of a future, if it is ready before the deadline.
async fn before<T>(deadline: Option<Instant>, future: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, future).await.ok(),
        None => Some(future.await),
    }
}

/// The same on every attempt of a call, so that the service can tell attempts from calls.
fn invocation_id() -> HeaderValue {
    // No randomness of the operating system is needed, as nothing depends on the id.
    let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_ne_bytes()).into_uuid();
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = id.as_hyphenated().encode_lower(&mut text);
    // A UUID has only characters that a header may have.
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
}

#[cfg(test)]
mod tests;
