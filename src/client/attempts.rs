//! The attempts of one call: the one retry loop. It knows neither the members of an operation nor its output, so that it
//! is compiled once and not for each of them.

use http::HeaderValue;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::Call;
use crate::attempt::{self, Attempt, AttemptLimits, CREDENTIALS, Failure, millis_since, record_answer};
use crate::check::Violations;
use crate::clock::ClockOffset;
use crate::error::{Context, Error, StopReason};
use crate::model::ClientToken;
use crate::operation::Operation;
use crate::pacer::NoTurn;
use crate::retry::{Class, Decision, Retry, RetryPolicy};
use crate::sign::UnsignedRequest;
use crate::transport::Limits;
use crate::wire::{RawResponse, WireRequest};

/// An [`Operation`] whose output does not matter.
pub(super) trait AnyOperation: Send + Sync {
    fn name(&self) -> &'static str;
    fn mutates(&self) -> bool;
    fn find_violations(&self, violations: &mut Violations);
    fn wire_request(&self) -> WireRequest;
    fn token(&self) -> Option<&ClientToken>;
    fn subject_text(&self) -> String;
}

impl<O: Operation> AnyOperation for O {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn mutates(&self) -> bool {
        O::MUTATES
    }

    fn find_violations(&self, violations: &mut Violations) {
        self.check(violations);
    }

    fn wire_request(&self) -> WireRequest {
        self.to_wire()
    }

    fn token(&self) -> Option<&ClientToken> {
        self.client_token()
    }

    fn subject_text(&self) -> String {
        self.subject().to_string()
    }
}

/// One call from its first attempt to its last.
pub(super) struct Attempts<'a> {
    call: &'a Call,
    operation: &'a dyn AnyOperation,
    span: Span,
    started: Instant,
    invocation: HeaderValue,
    /// Made when it may go out, and the same on each attempt: thousands of calls may wait for their turn.
    request: Option<Box<UnsignedRequest>>,
    retry: Retry,
    /// Whether further attempts open connections: where one that is open did not work, the others may not either.
    fresh_connections: bool,
    /// On trial, as the `Date` that it is from may be wrong: the client's clock is corrected by what has worked.
    clock_offset: Option<ClockOffset>,
    may_have_been_applied: bool,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(call: &'a Call, operation: &'a dyn AnyOperation) -> Self {
        let span = tracing::info_span!(
            "healthomics.call",
            operation = operation.name(),
            attempts = tracing::field::Empty,
            error = tracing::field::Empty,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        );
        let settings = &call.client.settings;
        let policy = RetryPolicy { max_attempts: call.max_attempts, ..settings.retry };
        Self {
            call,
            operation,
            span,
            started: Instant::now(),
            invocation: invocation_id(),
            request: None,
            retry: Retry::new(policy, settings.quota.clone()),
            fresh_connections: false,
            clock_offset: None,
            may_have_been_applied: false,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.call.timeouts.operation.and_then(|limit| self.started.checked_add(limit))
    }

    /// The next answer that is a success by its status, after as many attempts as that takes. `unusable` is what was
    /// wrong with the one before.
    pub(super) fn answer(
        &mut self,
        unusable: Option<Failure>,
    ) -> impl Future<Output = Result<RawResponse, Error>> + Send {
        let span = self.span.clone();
        self.next_answer(unusable).instrument(span)
    }

    async fn next_answer(&mut self, unusable: Option<Failure>) -> Result<RawResponse, Error> {
        let mut failed = unusable;
        loop {
            if let Some(failure) = failed.take() {
                self.wait_after(failure).await?;
            }
            let slot = match self.slot().await {
                Ok(slot) => slot,
                Err(NotSent::Credentials(failure)) => {
                    self.retry.next_attempt();
                    failed = Some(failure);
                    continue;
                }
                Err(NotSent::NoTimeLeft { lacking }) => {
                    let failure = Failure::not_let_out(lacking, self.call.timeouts.operation);
                    return Err(self.failed(failure, Some(StopReason::NoTimeLeft)));
                }
            };
            // In a block of its own: what is not needed while the call rests takes no room then.
            let outcome = {
                let number = self.retry.next_attempt();
                let of_attempt = attempt::span(self.operation.name(), number);
                let (max, limits) = (self.call.max_attempts, self.limits());
                let settings = &*self.call.client.settings;
                let address = || Box::new(settings.address(self.operation.wire_request()));
                let request = self.request.get_or_insert_with(address);
                let (invocation, clock_offset) = (&self.invocation, self.clock_offset);
                let attempt = Attempt { request, invocation, clock_offset, number, max, limits };
                Box::pin(settings.attempt(&attempt, &of_attempt)).await
            };
            drop(slot);
            match outcome {
                Ok(raw) => {
                    if let Some(offset) = self.clock_offset.take() {
                        self.call.client.settings.clock.correct(offset);
                    }
                    return Ok(raw);
                }
                Err(failure) => failed = Some(failure),
            }
        }
    }

    /// Waits until another attempt may follow a failed one, or tells the end.
    async fn wait_after(&mut self, failure: Failure) -> Result<(), Error> {
        self.may_have_been_applied |= self.operation.mutates() && failure.may_have_been_applied;
        let was_sent = failure.may_have_been_applied;
        self.fresh_connections |= was_sent && failure.answered().0.is_none();
        if let Class::ClockSkew(offset) = failure.class {
            self.clock_offset = Some(offset);
        }
        let left = self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let number = self.retry.attempts();
        match self.retry.failed(failure.class, failure.server_delay, fastrand::f64(), left) {
            Decision::Again { after } => {
                tracing::debug!(attempt = number, class = ?failure.class, delay = ?after, "attempt failed, trying again");
                drop(failure);
                tokio::time::sleep(after).await;
                Ok(())
            }
            Decision::Stop(stopped) => Err(self.failed(failure, stopped)),
        }
    }

    fn failed(&self, failure: Failure, stopped: Option<StopReason>) -> Error {
        let (status, request_id) = failure.answered();
        record_answer(&self.span, status, request_id);
        let context = Context {
            operation: self.operation.name(),
            subject: self.operation.subject_text().into(),
            attempts: self.retry.attempts(),
            client_token: self.operation.token().cloned(),
            may_have_been_applied: self.may_have_been_applied,
            retryable: failure.class.is_retryable(),
            throttling: failure.class == Class::Throttling,
            outage: failure.is_outage(&self.call.client.settings.credentials),
            stopped,
        };
        failure.into_error(context)
    }

    pub(super) fn succeeded(&mut self, raw: &RawResponse) {
        self.retry.succeeded();
        record_answer(&self.span, Some(raw.status), raw.request_id());
    }

    /// The call is over.
    pub(super) fn end(&self, error: Option<&Error>) {
        self.span.record("attempts", self.retry.attempts());
        self.span.record("duration_ms", millis_since(self.started));
        if let Some(error) = error {
            self.span.record("error", tracing::field::display(error));
        }
    }

    pub(super) fn in_span<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    /// Waits until an attempt may be sent, which it is while it has a connection permit.
    async fn slot(&self) -> Result<Option<SemaphorePermit<'a>>, NotSent> {
        let (call, deadline) = (self.call, self.deadline());
        let settings = &*call.client.settings;
        if call.paced {
            // Credentials first: after the rate limiter, a slow provider would let several requests out at once.
            // Boxed, so that a call is small while it waits for its turn.
            let credentials = Box::pin(settings.credentials.get(settings.clock.now()));
            let attempt = call.timeouts.attempt.and_then(|limit| Some((limit, Instant::now().checked_add(limit)?)));
            let attempt = attempt.filter(|(_, end)| deadline.is_none_or(|deadline| *end <= deadline));
            let end = attempt.map(|(_, end)| end).or(deadline);
            match (until(end, credentials).await, attempt) {
                (Some(Ok(_)), _) => {}
                (Some(Err(error)), _) => return Err(NotSent::Credentials(Failure::credentials(error))),
                (None, Some((limit, _))) => {
                    return Err(NotSent::Credentials(Failure::no_credentials_in_time(limit)));
                }
                (None, None) => return Err(NotSent::NoTimeLeft { lacking: CREDENTIALS }),
            }
            let turn = settings.pacer.turn(self.operation.name(), deadline).await;
            turn.map_err(|NoTurn| NotSent::NoTimeLeft { lacking: "turn among the paced requests" })?;
        }
        let Some(slots) = &settings.slots else { return Ok(None) };
        match until(deadline, slots.acquire()).await {
            Some(Ok(slot)) => Ok(Some(slot)),
            _ => Err(NotSent::NoTimeLeft { lacking: "free connection" }),
        }
    }

    fn limits(&self) -> AttemptLimits {
        let timeouts = &self.call.timeouts;
        AttemptLimits {
            attempt_timeout: timeouts.attempt,
            operation_timeout: timeouts.operation,
            deadline: self.deadline(),
            network: Limits {
                connect_timeout: timeouts.connect,
                read_timeout: timeouts.read,
                max_response_size: self.call.client.settings.max_response_size,
                fresh_connection: self.fresh_connections,
            },
        }
    }
}

/// Why an attempt was not sent.
enum NotSent {
    /// There are no credentials to sign it with, which another attempt may change.
    Credentials(Failure),
    /// The call's time was up before.
    NoTimeLeft { lacking: &'static str },
}

/// What work comes to, if it does before the deadline.
async fn until<T>(deadline: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
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
