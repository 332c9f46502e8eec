//! One attempt of a call: credentials, signature, HTTP, and what a failure of any of them means.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use super::Runtime;
use super::clock::ClockOffset;
use super::credentials::CredentialsCache;
use super::retry::{self, Class};
use crate::error::{Context, Error};
use crate::http::{
    self as http_client, Body, ConnectOptions, HttpError, HttpErrorKind, HttpFuture, PartialResponse, ResponseLimits,
};
use crate::model::BoxError;
use crate::protocol::error_response::{ErrorResponse, ServerDelay, clock_skew, server_delay};
use crate::protocol::json::Undecodable;
use crate::protocol::response::Response;
use crate::protocol::sigv4::{self, Secrets, SigningIdentity, UnsignedRequest};

/// What is missing when the credentials provider does not return in time.
pub(super) const CREDENTIALS: &str = "credentials";

/// One attempt of a call.
pub(super) struct Attempt<'a> {
    pub(super) operation: &'static str,
    pub(super) request: &'a UnsignedRequest,
    pub(super) invocation_id: &'a HeaderValue,
    /// How far the clock is off, by what an earlier attempt suggests.
    pub(super) clock_offset: Option<ClockOffset>,
    /// The first is 1.
    pub(super) number: u32,
    pub(super) max_attempts: u32,
    pub(super) limits: AttemptLimits,
}

/// The limits of one attempt.
#[derive(Clone, Copy)]
pub(super) struct AttemptLimits {
    pub(super) attempt_timeout: Option<Duration>,
    pub(super) operation_timeout: Option<Duration>,
    pub(super) deadline: Option<Instant>,
    pub(super) connect: ConnectOptions,
    pub(super) response: ResponseLimits,
}

/// Why an attempt failed.
pub(crate) struct Failure {
    pub(super) class: Class,
    pub(super) server_delay: Option<ServerDelay>,
    /// Whether the service may have done its work.
    pub(super) may_have_been_applied: bool,
    cause: Box<Cause>,
}

enum Cause {
    Credentials(Arc<CredentialsError>),
    Signing(BoxError),
    Http { message: String, source: Option<BoxError>, kind: HttpErrorKind, head: Option<Head> },
    Timeout { lacking: &'static str, timeout: &'static str, limit: Duration, head: Option<Head> },
    ErrorResponse(ErrorResponse),
    Undecodable(Undecodable, Head),
}

/// The head of a response whose body is missing, incomplete or unusable.
struct Head {
    status: StatusCode,
    request_id: Option<String>,
}

impl Head {
    fn of(response: &Response) -> Self {
        Self { status: response.status, request_id: response.request_id().map(str::to_owned) }
    }
}

/// How far an attempt has got. It outlives an attempt that is stopped by a timeout.
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

impl Runtime {
    /// Makes one attempt within its limits. An error response is a failure.
    pub(super) async fn attempt(&self, attempt: &Attempt<'_>) -> Result<Response, Failure> {
        let span = tracing::debug_span!(
            "healthomics.attempt",
            operation = attempt.operation,
            attempt = attempt.number,
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        );
        let started = Instant::now();
        let result = self.limited_attempt(attempt).instrument(span.clone()).await;
        let (status, request_id) = match &result {
            Ok(response) => (Some(response.status), response.request_id()),
            Err(failure) => failure.response_head(),
        };
        record_response(&span, status, request_id);
        span.record("duration_ms", millis_since(started));
        result
    }

    async fn limited_attempt(&self, attempt: &Attempt<'_>) -> Result<Response, Failure> {
        let mut progress = Progress::default();
        let result = self.exchange_in_time(attempt, &mut progress).await;
        let arrived = progress.received.as_mut().map(PartialResponse::take);
        let response = match (result, arrived) {
            (Ok(response), _) => response,
            // The status of an error response is enough, whatever happened to its body.
            (Err(_), Some(part)) if !part.status.is_success() => part,
            (Err(failure), part) => return Err(failure.with_head(part.as_ref().map(Head::of))),
        };
        match progress.sent {
            Some(sent) if !response.status.is_success() => Err(self.error_response(&response, &sent)),
            _ => {
                self.credentials.set_accepted();
                Ok(response)
            }
        }
    }

    async fn exchange_in_time(&self, attempt: &Attempt<'_>, progress: &mut Progress) -> Result<Response, Failure> {
        let limits = &attempt.limits;
        let time_left = limits.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let (timeout, wait, limit) = match (limits.attempt_timeout, time_left) {
            (None, None) => return self.exchange(attempt, progress).await,
            (Some(limit), None) => ("attempt", limit, limit),
            (Some(limit), Some(left)) if limit <= left => ("attempt", limit, limit),
            (_, Some(left)) => ("operation", left, limits.operation_timeout.unwrap_or(left)),
        };
        if let Ok(result) = tokio::time::timeout(wait, self.exchange(attempt, progress)).await {
            return result;
        }
        let sent = progress.sent.is_some();
        let lacking = if sent { "response" } else { CREDENTIALS };
        Err(Failure {
            class: Class::Transient,
            server_delay: None,
            may_have_been_applied: sent,
            cause: Box::new(Cause::Timeout { lacking, timeout, limit, head: None }),
        })
    }

    /// Signs and sends the request and receives the response, whatever its status.
    async fn exchange(&self, attempt: &Attempt<'_>, progress: &mut Progress) -> Result<Response, Failure> {
        let identity = self.credentials.get(self.clock.now()).await.map_err(Failure::credentials)?;
        let response = self.send(attempt, identity, &mut progress.sent)?;
        let response = http_client::receive(response, attempt.limits.response, &mut progress.received).await;
        let host = attempt.request.uri.authority().map_or("", |authority| authority.as_str());
        response.map_err(|error| Failure::http(error, host))
    }

    /// Signs and sends the request. It is not async, as its variables would make each call in flight larger.
    fn send(
        &self,
        attempt: &Attempt<'_>,
        identity: Arc<SigningIdentity>,
        sent: &mut Option<Sent>,
    ) -> Result<HttpFuture, Failure> {
        // The provider may have taken its time: the request is signed with the present time.
        let signed_at = self.clock.now_by(attempt.clock_offset);
        let headers = self.unsigned_headers(attempt);
        let signed = sigv4::sign(attempt.request, headers, &identity, &self.region, signed_at);
        let signed = signed.map_err(Failure::signing)?;
        *sent = Some(Sent { identity, secrets: signed.secrets(), signed_at });
        let mut request = signed.into_http().map(Body::from);
        request.extensions_mut().insert(attempt.limits.connect);
        Ok(self.http_client.send(request))
    }

    /// The headers that say who calls and which attempt it is. They are not signed, as in the official SDKs.
    fn unsigned_headers(&self, attempt: &Attempt<'_>) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(http::header::USER_AGENT, self.user_agent.clone());
        headers.insert(&INVOCATION_ID, attempt.invocation_id.clone());
        if let Some(trace_id) = self.lambda.trace_id() {
            headers.insert(&TRACE_ID, trace_id);
        }
        if let Ok(value) = HeaderValue::try_from(format!("attempt={}; max={}", attempt.number, attempt.max_attempts)) {
            headers.insert(&SDK_REQUEST, value);
        }
        headers
    }

    /// Reads an error response. Credentials that it calls expired leave the cache.
    fn error_response(&self, response: &Response, sent: &Sent) -> Failure {
        let error = ErrorResponse::read(response, self.clock.now(), &sent.secrets);
        let skew = clock_skew(response, sent.signed_at).and_then(|service| self.clock.offset_to(service));
        let class = retry::classify(&error, skew);
        if class == Class::ExpiredCredentials {
            self.credentials.forget(&sent.identity);
        }
        Failure {
            class,
            server_delay: server_delay(response, self.clock.now()),
            may_have_been_applied: retry::may_have_been_applied(&error, class),
            cause: Box::new(Cause::ErrorResponse(error)),
        }
    }
}

impl Failure {
    /// A failure before anything was sent.
    fn not_sent(class: Class, cause: Cause) -> Self {
        Self { class, server_delay: None, may_have_been_applied: false, cause: Box::new(cause) }
    }

    /// Missing credentials and a wrong configuration do not change; other failures of a provider may be transient.
    pub(super) fn credentials(error: Arc<CredentialsError>) -> Self {
        let class = match *error {
            CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => Class::Final,
            _ => Class::Transient,
        };
        Self::not_sent(class, Cause::Credentials(error))
    }

    /// The provider returned nothing within the attempt timeout.
    pub(super) fn credentials_timeout(limit: Duration) -> Self {
        let cause = Cause::Timeout { lacking: CREDENTIALS, timeout: "attempt", limit, head: None };
        Self::not_sent(Class::Transient, cause)
    }

    /// The operation timeout passed before an attempt could be sent.
    pub(super) fn operation_timeout(lacking: &'static str, limit: Option<Duration>) -> Self {
        let limit = limit.unwrap_or_default();
        Self::not_sent(Class::Transient, Cause::Timeout { lacking, timeout: "operation", limit, head: None })
    }

    pub(super) fn signing(error: BoxError) -> Self {
        Self::not_sent(Class::Final, Cause::Signing(error))
    }

    fn http(error: HttpError, host: &str) -> Self {
        use HttpErrorKind::{Connect, ConnectTimeout, Interrupted, ReadTimeout, StaleConnection, TooLarge, Untrusted};
        let kind = error.kind();
        let (message, source) = error.into_parts(host);
        Self {
            class: match kind {
                TooLarge | Untrusted => Class::Final,
                StaleConnection => Class::StaleConnection,
                Connect | ConnectTimeout | Interrupted | ReadTimeout => Class::Transient,
            },
            server_delay: None,
            may_have_been_applied: !matches!(kind, Connect | ConnectTimeout | Untrusted),
            cause: Box::new(Cause::Http { message, source, kind, head: None }),
        }
    }

    pub(crate) fn undecodable(error: Undecodable, response: &Response) -> Self {
        Self {
            class: if error.broken { Class::Transient } else { Class::Final },
            server_delay: None,
            may_have_been_applied: true,
            cause: Box::new(Cause::Undecodable(error, Head::of(response))),
        }
    }

    /// Adds the head of the response, if it had arrived.
    fn with_head(mut self, arrived: Option<Head>) -> Self {
        if let Cause::Http { head, .. } | Cause::Timeout { head, .. } = &mut *self.cause {
            *head = arrived;
        }
        self
    }

    /// Status and request id, as far as a response arrived.
    pub(super) fn response_head(&self) -> (Option<StatusCode>, Option<&str>) {
        let head = match &*self.cause {
            Cause::ErrorResponse(error) => return (Some(error.status), error.request_id.as_deref()),
            Cause::Http { head, .. } | Cause::Timeout { head, .. } => head.as_ref(),
            Cause::Undecodable(_, head) => Some(head),
            Cause::Credentials(_) | Cause::Signing(_) => None,
        };
        (head.map(|head| head.status), head.and_then(|head| head.request_id.as_deref()))
    }

    /// Whether waits, watches and bulk runs retry after it for as long as it lasts.
    ///
    /// A credentials provider that fails has an outage only if it has worked before. One that never worked more likely
    /// needs a person: an SSO session that has ended, a role that can't be assumed.
    pub(super) fn is_outage(&self, credentials: &CredentialsCache) -> bool {
        match (&*self.cause, self.class) {
            (Cause::Credentials(_) | Cause::Timeout { lacking: CREDENTIALS, .. }, class) => {
                class.is_retryable() && credentials.were_provided()
            }
            (_, Class::ExpiredCredentials) => credentials.may_be_renewed(),
            (_, class) => class.is_retryable(),
        }
    }

    pub(crate) fn into_error(self, context: Context) -> Error {
        match *self.cause {
            Cause::ErrorResponse(error) => Error::from_response(error, context),
            Cause::Credentials(error) => {
                let message = credentials_message(&error).to_owned();
                Error::from_failure(Error::Credentials, message, None, Some(Box::new(error)), context)
            }
            Cause::Signing(error) => {
                let message = "the request could not be signed: characters in the credentials that no header can carry, \
                               or a clock out of range";
                Error::from_failure(Error::Signing, message.to_owned(), None, Some(error), context)
            }
            Cause::Timeout { lacking, timeout, limit, head } => {
                let message = format!("no {lacking} within the {timeout} timeout of {limit:?}");
                Error::from_failure(Error::Timeout, message, head.and_then(|head| head.request_id), None, context)
            }
            Cause::Http { message, source, kind, head } => {
                let variant = match kind {
                    HttpErrorKind::ConnectTimeout | HttpErrorKind::ReadTimeout => Error::Timeout,
                    HttpErrorKind::TooLarge => Error::UndecodableResponse,
                    HttpErrorKind::Connect
                    | HttpErrorKind::Untrusted
                    | HttpErrorKind::Interrupted
                    | HttpErrorKind::StaleConnection => Error::Transport,
                };
                Error::from_failure(variant, message, head.and_then(|head| head.request_id), source, context)
            }
            Cause::Undecodable(error, head) => {
                Error::from_failure(Error::UndecodableResponse, error.what, head.request_id, error.source, context)
            }
        }
    }
}

/// What is wrong with the credentials, and what to do; what the provider says is the cause.
fn credentials_message(error: &CredentialsError) -> &'static str {
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

/// Records a response on a span of this crate. The current span may be the caller's, where ours are filtered out.
pub(super) fn record_response(span: &Span, status: Option<StatusCode>, request_id: Option<&str>) {
    if let Some(status) = status {
        span.record("status", status.as_u16());
    }
    if let Some(id) = request_id {
        span.record("request_id", id);
    }
}

/// Milliseconds, as spans record them.
pub(super) fn millis_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
