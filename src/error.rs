//! One error type for everything that can go wrong.
//!
//! Its `Display` is one line that a person can act on; causes are behind [`source`](std::error::Error::source), and
//! [`Error::report`] prints both. Programs branch on the accessors, which hold for every variant.
//! [`what_happens_when`] tells for each fault how a call ends.

mod configuration;
mod failure;
mod service;
#[doc = include_str!("error/what_happens_when.md")]
pub mod what_happens_when {}

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use configuration::ConfigurationError;
pub(crate) use failure::Context;
pub use failure::{CallFailure, InvalidInput, StopReason};
pub use service::ServiceError;

pub use crate::model::UnknownValue;
use crate::model::text::OneLine;
pub use crate::model::validation::{Violation, Violations};
use crate::model::{BoxError, ClientToken};
use crate::protocol::error_response::ErrorResponse;

/// Why a call failed.
///
/// A variant for each error of the service's model, under the service's own name; one for any other answer of the
/// service; and one for each thing that can fail on this side. All payloads are boxed: the type is two words.
///
/// The [guide](crate::guide::errors) has what to do about each.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.get_read_set_metadata().sequence_store_id(&store).id("5555555555");
/// match call.send().await {
///     Ok(read_set) => println!("{} is {}", read_set.id, read_set.status),
///     Err(healthomics::Error::ResourceNotFoundException(error)) => println!("{:?}", error.message()),
///     Err(error) if error.is_retryable() => println!("later: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400: the service found the input wrong. The message names the member; this crate checks the model's
    /// constraints before it sends, so what is left is usually a state: a role that can't be assumed, a bucket in
    /// another region.
    #[error(transparent)]
    ValidationException(Box<ServiceError>),
    /// 402: too many jobs at once, or another quota. Wait for jobs to end, or have the quota raised.
    #[error(transparent)]
    ServiceQuotaExceededException(Box<ServiceError>),
    /// 403: the caller may not do this. Look at the IAM policy of the caller, and at `iam:PassRole` for the job's role.
    #[error(transparent)]
    AccessDeniedException(Box<ServiceError>),
    /// 404: the store, read set or job is not in this region and account.
    #[error(transparent)]
    ResourceNotFoundException(Box<ServiceError>),
    /// 405: not possible for this kind of store.
    #[error(transparent)]
    NotSupportedOperationException(Box<ServiceError>),
    /// 408: the service ran out of time. A start may have been applied; send it again with the same client token.
    #[error(transparent)]
    RequestTimeoutException(Box<ServiceError>),
    /// 409: the resource is in a state that does not allow this.
    #[error(transparent)]
    ConflictException(Box<ServiceError>),
    /// 416: the part is not in the file.
    #[error(transparent)]
    RangeNotSatisfiableException(Box<ServiceError>),
    /// 429: too many requests. Slow down; the default quota is five requests a second for each operation.
    #[error(transparent)]
    ThrottlingException(Box<ServiceError>),
    /// 500: the service failed. A start may have been applied; send it again with the same client token.
    #[error(transparent)]
    InternalServerException(Box<ServiceError>),
    /// Any other error answer: common AWS errors such as `ExpiredTokenException`, a redirect, a proxy's page.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// The request would be refused. Nothing was sent; mend each of the [`violations`](Error::violations).
    #[error(transparent)]
    InvalidInput(Box<InvalidInput>),
    /// The client's settings can't work. Nothing was sent.
    #[error(transparent)]
    Configuration(Box<ConfigurationError>),
    /// No credentials could be had. The source says what the provider said. It is retryable unless there are none or the
    /// provider's configuration is wrong.
    #[error(transparent)]
    Credentials(Box<CallFailure>),
    /// The request could not be signed.
    #[error(transparent)]
    Signing(Box<CallFailure>),
    /// The network failed: name not found, connection refused, reset, TLS.
    #[error(transparent)]
    Transport(Box<CallFailure>),
    /// One of the timeouts passed.
    #[error(transparent)]
    Timeout(Box<CallFailure>),
    /// The status is 200 and the response can't be used: not JSON, not of the service, without a required field, or a list
    /// that repeats its page token. The message names the field. A job may exist: send the start again with the same client token to learn of it.
    #[error(transparent)]
    UndecodableResponse(Box<CallFailure>),
}

const _: () = assert!(size_of::<Error>() <= 2 * size_of::<usize>(), "errors travel in every result");

/// The part that every variant but input and configuration has.
enum Details<'a> {
    Service(&'a ServiceError),
    Failure(&'a CallFailure),
    Input(&'a InvalidInput),
    None,
}

impl Error {
    fn details(&self) -> Details<'_> {
        match self {
            Self::ValidationException(e)
            | Self::ServiceQuotaExceededException(e)
            | Self::AccessDeniedException(e)
            | Self::ResourceNotFoundException(e)
            | Self::NotSupportedOperationException(e)
            | Self::RequestTimeoutException(e)
            | Self::ConflictException(e)
            | Self::RangeNotSatisfiableException(e)
            | Self::ThrottlingException(e)
            | Self::InternalServerException(e)
            | Self::Service(e) => Details::Service(e),
            Self::Credentials(e)
            | Self::Signing(e)
            | Self::Transport(e)
            | Self::Timeout(e)
            | Self::UndecodableResponse(e) => Details::Failure(e),
            Self::InvalidInput(e) => Details::Input(e),
            Self::Configuration(_) => Details::None,
        }
    }

    fn context(&self) -> Option<&Context> {
        match self.details() {
            Details::Service(e) => Some(&e.context),
            Details::Failure(e) => Some(&e.context),
            Details::Input(_) | Details::None => None,
        }
    }

    /// The answer of the service, if that is what this error is.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// if let Some(answer) = error.as_service_error() {
    ///     println!("{:?}", answer.message());
    /// }
    /// assert_eq!((error.status(), error.code()), (Some(404), Some("ResourceNotFoundException")));
    /// assert_eq!((error.operation(), error.attempts()), (Some("GetReadSetMetadata"), 1));
    /// assert!(error.request_id().is_some_and(|id| error.to_string().contains(id)));
    /// # Ok(()) }
    /// ```
    pub fn as_service_error(&self) -> Option<&ServiceError> {
        match self.details() {
            Details::Service(e) => Some(e),
            _ => None,
        }
    }

    /// The operation that was called, `StartReadSetExportJob`; `None` for errors of the configuration.
    /// [`as_service_error`](Error::as_service_error) has an example.
    pub fn operation(&self) -> Option<&'static str> {
        match self.details() {
            Details::Input(e) => Some(e.operation),
            _ => self.context().map(|context| context.operation),
        }
    }

    /// The HTTP status of the service's answer, if there was an error answer.
    pub fn status(&self) -> Option<u16> {
        self.as_service_error().map(ServiceError::status)
    }

    /// The error code as the service wrote it: `ThrottlingException`.
    /// [`as_service_error`](Error::as_service_error) has an example.
    pub fn code(&self) -> Option<&str> {
        self.as_service_error().and_then(ServiceError::code)
    }

    /// The message of the service.
    pub fn message(&self) -> Option<&str> {
        self.as_service_error().and_then(ServiceError::message)
    }

    /// The id that AWS support asks for, when an answer came at all.
    /// [`as_service_error`](Error::as_service_error) has an example.
    pub fn request_id(&self) -> Option<&str> {
        match self.details() {
            Details::Service(e) => e.request_id(),
            Details::Failure(e) => e.request_id.as_deref(),
            Details::Input(_) | Details::None => None,
        }
    }

    /// How many attempts were made; 0 when nothing was tried.
    pub fn attempts(&self) -> u32 {
        self.context().map_or(0, |context| context.attempts)
    }

    /// The token of a Start call. Repeat the call with it, and a job that was started after all is found, not doubled.
    ///
    /// [`may_have_been_applied`](Error::may_have_been_applied) has an example.
    pub fn client_token(&self) -> Option<&ClientToken> {
        self.context().and_then(|context| context.client_token.as_ref())
    }

    /// How long the service asked to wait before the next request (`Retry-After`, `x-amz-retry-after`), at most 24 hours,
    /// so that it can be added to any time; `None` if it did not ask.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # use std::time::Duration;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # let headers = vec![("Retry-After".to_owned(), "90".to_owned())];
    /// # local.queue_fault("GetReadSetMetadata", Fault::Answer { status: 503, headers, body: Vec::new() });
    /// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// let pause = error.retry_after().unwrap_or(Duration::from_secs(30));
    /// assert_eq!(pause, Duration::from_secs(90));
    /// # Ok(()) }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.as_service_error().and_then(ServiceError::retry_after)
    }

    /// What is wrong with the request, for [`Error::InvalidInput`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// let call = client.get_read_set_metadata().sequence_store_id("12a").id("7");
    /// let error = call.send().await.unwrap_err();
    /// let fields = error.violations().into_iter().flatten().map(|violation| violation.field());
    /// assert_eq!(fields.collect::<Vec<_>>(), ["sequenceStoreId", "id"]);
    /// # Ok(()) }
    /// ```
    pub fn violations(&self) -> Option<&Violations> {
        match self.details() {
            Details::Input(e) => Some(&e.violations),
            _ => None,
        }
    }

    /// Why the call was given up although another attempt could have helped; `None` if none could.
    /// [`is_retryable`](Error::is_retryable) has an example.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.context().and_then(|context| context.stop_reason)
    }

    /// Whether the same call may succeed later: throttling, a failing service, a failing network, a timeout, or a
    /// credentials provider that failed. Missing credentials and a wrong configuration of the provider are not retryable.
    ///
    /// The client has already tried again as often as its policy allows. Wait longer, then repeat a Start call with
    /// the [`client_token`](Error::client_token) of this error. If it is `false`, mend the cause first.
    ///
    /// ```
    /// use healthomics::error::StopReason;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # local.queue_fault("GetReadSetMetadata", Fault::error(429, "ThrottlingException", "Rate exceeded"));
    /// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// assert!(error.is_retryable() && error.is_throttling());
    /// assert_eq!(error.stop_reason(), Some(StopReason::AttemptsExhausted));
    /// # Ok(()) }
    /// ```
    pub fn is_retryable(&self) -> bool {
        self.context().is_some_and(|context| context.retryable)
    }

    /// Whether waits, watches and bulk runs retry after this error for as long as it lasts. It differs from
    /// [`is_retryable`](Self::is_retryable) in failures of the credentials provider, which are an outage only if it has
    /// worked before, and in expired credentials, which it may renew yet.
    pub(crate) fn is_outage(&self) -> bool {
        self.context().is_some_and(|context| context.outage)
    }

    /// Whether there were no credentials, and there will be none: every other call of the client would fail alike.
    pub(crate) fn lacks_credentials(&self) -> bool {
        // Only failures of a provider that never worked are retryable for a single call and not an outage.
        !self.is_outage() && (matches!(self, Self::Credentials(_) | Self::Signing(_)) || self.is_retryable())
    }

    /// Whether the service found the caller too fast, by code or by status 429. Send less, or have the quota raised.
    /// [`is_retryable`](Error::is_retryable) has an example.
    pub fn is_throttling(&self) -> bool {
        self.context().is_some_and(|context| context.throttling)
    }

    /// Whether time ran out: here ([`Error::Timeout`]) or at the service ([`Error::RequestTimeoutException`]).
    /// Raise the timeout that the message names, or look for what is slow.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::RequestTimeoutException(_))
    }

    /// Whether the service may have done what was asked, although the call failed: some attempt reached it and was not
    /// refused. Always `false` for calls that only read.
    ///
    /// Do not start anew: repeat the call with the [`client_token`](Error::client_token) of this error.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # let store = local.create_sequence_store();
    /// # local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// let error = call.clone().send().await.unwrap_err();
    /// if let (true, Some(token)) = (error.may_have_been_applied(), error.client_token()) {
    ///     // Now, or in another process: the job that was started is found.
    ///     call.client_token(token).send().await?;
    /// }
    /// assert_eq!(local.jobs().len(), 1);
    /// # Ok(()) }
    /// ```
    pub fn may_have_been_applied(&self) -> bool {
        self.context().is_some_and(|context| context.may_have_been_applied)
    }

    /// The error and its causes on one line, for a log.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # local.queue_fault("GetReadSetMetadata", Fault::answer(200, r#"{"id":"#));
    /// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// let cause = std::error::Error::source(&error).unwrap(); // EOF while parsing a value at line 1 column 6
    /// assert_eq!(error.report().to_string(), format!("{error}: {cause}"));
    /// # Ok(()) }
    /// ```
    pub fn report(&self) -> impl fmt::Display {
        Report(self)
    }

    /// [`report`](Self::report) without request id, attempts and job, in which calls differ that fail alike.
    pub(crate) fn report_of_cause(&self) -> String {
        let report = self.report().to_string();
        let Some(context) = self.context() else { return report };
        let report = report.replacen(&context.tail(self.request_id()), "", 1);
        match context.subject.split_once(", ") {
            Some((store, _)) => report.replacen(&*context.subject, store, 1),
            None => report,
        }
    }
}

struct Report<'a>(&'a Error);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = self.0.to_string();
        f.write_str(&previous)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors of other crates repeat their cause.
            if !previous.contains(&text) {
                write!(f, ": {}", OneLine(&text))?;
                previous = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl From<ConfigurationError> for Error {
    fn from(error: ConfigurationError) -> Self {
        Self::Configuration(Box::new(error))
    }
}

/// How errors are made; only the pipeline does.
impl Error {
    pub(crate) fn invalid_input(operation: &'static str, violations: Violations) -> Self {
        Self::InvalidInput(Box::new(InvalidInput { operation, violations }))
    }

    /// The variant by the code; without a usable code by the status.
    pub(crate) fn from_response(response: ErrorResponse, context: Context) -> Self {
        let variant = match (response.code.as_deref(), response.status.as_u16()) {
            (Some("ValidationException"), _) | (None, 400) => Self::ValidationException,
            (Some("ServiceQuotaExceededException"), _) | (None, 402) => Self::ServiceQuotaExceededException,
            (Some("AccessDeniedException"), _) | (None, 403) => Self::AccessDeniedException,
            (Some("ResourceNotFoundException"), _) | (None, 404) => Self::ResourceNotFoundException,
            (Some("NotSupportedOperationException"), _) | (None, 405) => Self::NotSupportedOperationException,
            (Some("RequestTimeoutException"), _) | (None, 408) => Self::RequestTimeoutException,
            (Some("ConflictException"), _) | (None, 409) => Self::ConflictException,
            (Some("RangeNotSatisfiableException"), _) | (None, 416) => Self::RangeNotSatisfiableException,
            (Some("ThrottlingException"), _) | (None, 429) => Self::ThrottlingException,
            (Some("InternalServerException"), _) | (None, 500) => Self::InternalServerException,
            _ => Self::Service,
        };
        variant(Box::new(ServiceError { response, context }))
    }

    /// `variant` is one of those that hold a [`CallFailure`].
    pub(crate) fn from_failure(
        variant: fn(Box<CallFailure>) -> Self,
        what: String,
        request_id: Option<String>,
        source: Option<BoxError>,
        context: Context,
    ) -> Self {
        variant(Box::new(CallFailure { what, request_id, context, source }))
    }

    /// The pages of a list lead back to one that was seen.
    pub(crate) fn endless_list(operation: &'static str, subject: Box<str>) -> Self {
        let what = "the service gave a page token again that led to an earlier page: the list would never end";
        let context = Context {
            operation,
            subject,
            attempts: 1,
            client_token: None,
            may_have_been_applied: false,
            retryable: false,
            throttling: false,
            outage: false,
            stop_reason: None,
        };
        Self::from_failure(Self::UndecodableResponse, what.to_owned(), None, None, context)
    }
}

#[cfg(test)]
mod tests;
