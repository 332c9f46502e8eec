//! One attempt of a call: credentials, signature, transport, and what a failure of any of them means.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::clock::ClockOffset;
use crate::config::Settings;
use crate::credentials::{CredentialsCache, SigningIdentity};
use crate::error::{BoxError, Context, Error, ErrorAnswer};
use crate::json::Undecodable;
use crate::retry::{self, Class, ServerDelay};
use crate::sign::{self, Secrets, UnsignedRequest};
use crate::transport::{Limits, PartialResponse, TransportError, TransportErrorKind};
use crate::wire::RawResponse;

/// What an attempt lacks that timed out before it was sent.
pub(crate) const CREDENTIALS: &str = "credentials";

/// One attempt of a call.
pub(crate) struct Attempt<'a> {
    pub(crate) request: &'a UnsignedRequest,
    pub(crate) invocation: &'a HeaderValue,
    /// How the clock is off by what an earlier attempt suggests.
    pub(crate) clock_offset: Option<ClockOffset>,
    /// The first is 1.
    pub(crate) number: u32,
    pub(crate) max: u32,
    pub(crate) limits: AttemptLimits,
}

/// What one attempt may take.
#[derive(Clone, Copy)]
pub(crate) struct AttemptLimits {
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) operation_timeout: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) network: Limits,
}

/// Why an attempt failed.
pub(crate) struct Failure {
    pub(crate) class: Class,
    pub(crate) server_delay: Option<ServerDelay>,
    /// Whether the service may have done its work.
    pub(crate) may_have_been_applied: bool,
    pub(crate) cause: Box<Cause>,
}

pub(crate) enum Cause {
    Credentials(Arc<CredentialsError>),
    Signing(BoxError),
    Transport(TransportError, Option<Head>),
    Timeout { lacking: &'static str, what: &'static str, limit: Duration, head: Option<Head> },
    Answer(ErrorAnswer),
    Undecodable(Undecodable, Head),
}

/// The head of a response whose body is missing, incomplete or unusable.
pub(crate) struct Head {
    status: StatusCode,
    request_id: Option<String>,
}

impl Head {
    fn of(response: &RawResponse) -> Self {
        Self { status: response.status, request_id: response.request_id().map(str::to_owned) }
    }
}

/// How far an attempt has got, which outlives one that is stopped by a timeout.
#[derive(Default)]
struct Progress {
    sent: Option<Sent>,
    received: Option<PartialResponse>,
}

/// How a request was signed that was sent.
struct Sent {
    identity: Arc<SigningIdentity>,
    secrets: Secrets,
    signed_at: SystemTime,
}

impl Settings {
    /// Makes one attempt within its limits; an answer that is no success is a failure.
    pub(crate) async fn attempt(&self, attempt: &Attempt<'_>, span: &Span) -> Result<RawResponse, Failure> {
        let started = Instant::now();
        let result = self.limited_attempt(attempt).instrument(span.clone()).await;
        let (status, request_id) = match &result {
            Ok(raw) => (Some(raw.status), raw.request_id()),
            Err(failure) => failure.answered(),
        };
        record_answer(span, status, request_id);
        span.record("duration_ms", millis_since(started));
        result
    }

    async fn limited_attempt(&self, attempt: &Attempt<'_>) -> Result<RawResponse, Failure> {
        let mut progress = Progress::default();
        let outcome = self.exchange_in_time(attempt, &mut progress).await;
        let arrived = progress.received.as_mut().map(PartialResponse::take);
        let response = match (outcome, arrived) {
            (Ok(response), _) => response,
            // The status of an error response says enough, whatever happened to its body.
            (Err(_), Some(part)) if !part.status.is_success() => part,
            (Err(failure), part) => return Err(failure.after(part.as_ref().map(Head::of))),
        };
        match progress.sent {
            Some(sent) if !response.status.is_success() => Err(self.refused(&response, &sent)),
            _ => {
                self.credentials.set_accepted();
                Ok(response)
            }
        }
    }

    async fn exchange_in_time(&self, attempt: &Attempt<'_>, progress: &mut Progress) -> Result<RawResponse, Failure> {
        let limits = &attempt.limits;
        let left = limits.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let (what, limit) = match (limits.attempt_timeout, left) {
            (Some(attempt), Some(left)) if attempt <= left => ("attempt", Some((attempt, attempt))),
            (Some(attempt), None) => ("attempt", Some((attempt, attempt))),
            (_, Some(left)) => ("operation", Some((left, limits.operation_timeout.unwrap_or(left)))),
            (None, None) => ("", None),
        };
        let work = self.exchange(attempt, progress);
        let Some((wait, limit)) = limit else { return work.await };
        if let Ok(outcome) = tokio::time::timeout(wait, work).await {
            return outcome;
        }
        let sent = progress.sent.is_some();
        let lacking = if sent { "answer" } else { CREDENTIALS };
        Err(Failure {
            class: Class::Transient,
            server_delay: None,
            may_have_been_applied: sent,
            cause: Box::new(Cause::Timeout { lacking, what, limit, head: None }),
        })
    }

    /// Sends the request and receives the response, whatever its status.
    async fn exchange(&self, attempt: &Attempt<'_>, progress: &mut Progress) -> Result<RawResponse, Failure> {
        let identity = self.credentials.get(self.clock.now()).await.map_err(Failure::credentials)?;
        // The provider may have taken its time: the signature is of now.
        let signed_at = self.clock.now_by(attempt.clock_offset);
        let headers = self.unsigned_headers(attempt);
        let signed =
            sign::signed(attempt.request, headers, &identity, &self.region, signed_at).map_err(Failure::signing)?;
        progress.sent = Some(Sent { identity, secrets: signed.secrets(), signed_at });
        let response = self.transport.send(signed, attempt.limits.network, &mut progress.received).await;
        response.map_err(Failure::transport)
    }

    /// The headers that tell the service about callers and attempts; not signed, as in the official SDKs.
    fn unsigned_headers(&self, attempt: &Attempt<'_>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(http::header::USER_AGENT, self.user_agent.clone());
        headers.insert(&INVOCATION_ID, attempt.invocation.clone());
        if let Some(trace_id) = self.lambda.trace_id() {
            headers.insert(&TRACE_ID, trace_id);
        }
        if let Ok(value) = HeaderValue::try_from(format!("attempt={}; max={}", attempt.number, attempt.max)) {
            headers.insert(&SDK_REQUEST, value);
        }
        headers
    }

    /// An error answer; what it says of the credentials is put to use here.
    fn refused(&self, raw: &RawResponse, sent: &Sent) -> Failure {
        let answer = ErrorAnswer::read(raw, self.clock.now(), &sent.secrets);
        let skew = retry::clock_skew(raw, sent.signed_at).and_then(|service| self.clock.offset_to(service));
        let class = retry::classify(&answer, skew);
        if class == Class::ExpiredCredentials {
            self.credentials.forget(&sent.identity);
        }
        Failure {
            class,
            server_delay: retry::server_delay(raw, self.clock.now()),
            may_have_been_applied: retry::may_have_been_applied(&answer, class),
            cause: Box::new(Cause::Answer(answer)),
        }
    }
}

impl Failure {
    /// Missing credentials and a wrong configuration stay so; any other failure of a provider may pass.
    pub(crate) fn credentials(error: Arc<CredentialsError>) -> Self {
        let class = match *error {
            CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => Class::Final,
            _ => Class::Transient,
        };
        Self { class, server_delay: None, may_have_been_applied: false, cause: Box::new(Cause::Credentials(error)) }
    }

    /// The provider returned nothing within the attempt timeout.
    pub(crate) fn no_credentials_in_time(limit: Duration) -> Self {
        Self {
            class: Class::Transient,
            server_delay: None,
            may_have_been_applied: false,
            cause: Box::new(Cause::Timeout { lacking: CREDENTIALS, what: "attempt", limit, head: None }),
        }
    }

    /// Whether waits, watches and bulk runs retry after it for as long as it lasts.
    ///
    /// A credentials provider that fails has an outage only if it has worked before. One that never worked more likely
    /// needs a person: an SSO session that has ended, a role that can't be assumed.
    pub(crate) fn is_outage(&self, credentials: &CredentialsCache) -> bool {
        match (&*self.cause, self.class) {
            (Cause::Credentials(_) | Cause::Timeout { lacking: CREDENTIALS, .. }, class) => {
                class.is_retryable() && credentials.were_provided()
            }
            (_, Class::ExpiredCredentials) => credentials.may_be_renewed(),
            (_, class) => class.is_retryable(),
        }
    }

    /// It never got as far as to be sent.
    pub(crate) fn not_let_out(lacking: &'static str, operation_timeout: Option<Duration>) -> Self {
        let limit = operation_timeout.unwrap_or_default();
        Self {
            class: Class::Transient,
            server_delay: None,
            may_have_been_applied: false,
            cause: Box::new(Cause::Timeout { lacking, what: "operation", limit, head: None }),
        }
    }

    fn signing(error: BoxError) -> Self {
        Self {
            class: Class::Final,
            server_delay: None,
            may_have_been_applied: false,
            cause: Box::new(Cause::Signing(error)),
        }
    }

    fn transport(error: TransportError) -> Self {
        use TransportErrorKind::{
            Connect, ConnectTimeout, Interrupted, ReadTimeout, StaleConnection, TooLarge, Untrusted,
        };
        Self {
            class: match error.kind {
                TooLarge | Untrusted => Class::Final,
                StaleConnection => Class::StaleConnection,
                Connect | ConnectTimeout | Interrupted | ReadTimeout => Class::Transient,
            },
            server_delay: None,
            may_have_been_applied: !matches!(error.kind, Connect | ConnectTimeout | Untrusted),
            cause: Box::new(Cause::Transport(error, None)),
        }
    }

    pub(crate) fn undecodable(error: Undecodable, raw: &RawResponse) -> Self {
        Self {
            class: if error.broken { Class::Transient } else { Class::Final },
            server_delay: None,
            may_have_been_applied: true,
            cause: Box::new(Cause::Undecodable(error, Head::of(raw))),
        }
    }

    /// The head of the response arrived before this.
    fn after(mut self, arrived: Option<Head>) -> Self {
        if let Cause::Transport(_, head) | Cause::Timeout { head, .. } = &mut *self.cause {
            *head = arrived;
        }
        self
    }

    /// Status and request id, as far as an answer came.
    pub(crate) fn answered(&self) -> (Option<StatusCode>, Option<&str>) {
        let head = match &*self.cause {
            Cause::Answer(answer) => return (Some(answer.status), answer.request_id.as_deref()),
            Cause::Transport(_, head) | Cause::Timeout { head, .. } => head.as_ref(),
            Cause::Undecodable(_, head) => Some(head),
            Cause::Credentials(_) | Cause::Signing(_) => None,
        };
        (head.map(|head| head.status), head.and_then(|head| head.request_id.as_deref()))
    }

    pub(crate) fn into_error(self, context: Context) -> Error {
        match *self.cause {
            Cause::Answer(answer) => Error::from_answer(answer, context),
            Cause::Credentials(error) => {
                let what = credentials_failure(&error).to_owned();
                Error::from_failure(Error::Credentials, what, None, Some(Box::new(error)), context)
            }
            Cause::Signing(error) => {
                let what = "the request could not be signed: characters in the credentials that no header can carry, \
                            or a clock out of range";
                Error::from_failure(Error::Signing, what.to_owned(), None, Some(error), context)
            }
            Cause::Timeout { lacking, what, limit, head } => {
                let what = format!("no {lacking} within the {what} time-out of {limit:?}");
                Error::from_failure(Error::Timeout, what, head.and_then(|head| head.request_id), None, context)
            }
            Cause::Transport(error, head) => {
                let variant = match error.kind {
                    TransportErrorKind::ConnectTimeout | TransportErrorKind::ReadTimeout => Error::Timeout,
                    TransportErrorKind::TooLarge => Error::UndecodableResponse,
                    TransportErrorKind::Connect
                    | TransportErrorKind::Untrusted
                    | TransportErrorKind::Interrupted
                    | TransportErrorKind::StaleConnection => Error::Transport,
                };
                let request_id = head.and_then(|head| head.request_id);
                Error::from_failure(variant, error.what, request_id, error.source, context)
            }
            Cause::Undecodable(error, head) => {
                Error::from_failure(Error::UndecodableResponse, error.what, head.request_id, error.source, context)
            }
        }
    }
}

/// What is wrong with the credentials, and what to do; what the provider says is the cause.
fn credentials_failure(error: &CredentialsError) -> &'static str {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            "there are no credentials, check the environment or profile that the credentials provider reads"
        }
        CredentialsError::InvalidConfiguration(_) => {
            "the credentials provider is not configured correctly, check its profile or settings"
        }
        CredentialsError::ProviderTimedOut(_) => "the credentials provider did not respond in time",
        _ => "the credentials provider failed, renew its login or check its endpoint",
    }
}

static INVOCATION_ID: HeaderName = HeaderName::from_static("amz-sdk-invocation-id");
static TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
static SDK_REQUEST: HeaderName = HeaderName::from_static("amz-sdk-request");

/// The span of one attempt.
pub(crate) fn span(operation: &'static str, attempt: u32) -> Span {
    tracing::debug_span!(
        "healthomics.attempt",
        operation,
        attempt,
        status = tracing::field::Empty,
        request_id = tracing::field::Empty,
        duration_ms = tracing::field::Empty,
    )
}

/// Notes on a span what came back. Never on the current one: with ours filtered out, that is the caller's.
pub(crate) fn record_answer(span: &Span, status: Option<StatusCode>, request_id: Option<&str>) {
    if let Some(status) = status {
        span.record("status", status.as_u16());
    }
    if let Some(id) = request_id {
        span.record("request_id", id);
    }
}

/// For spans.
pub(crate) fn millis_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
