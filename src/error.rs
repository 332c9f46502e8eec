//! One error type for everything that can fail.
//!
//! `Display` is one line: operation, subject, code, message, request id, attempts, and the next step where there is one.
//! Causes are behind [`source`](std::error::Error::source); [`Error::report`] and `Debug` print both. Programs branch on the
//! accessors, which every variant has. [`what_happens_when`] lists how a call ends for each fault.

mod configuration;
mod failure;
mod report;
mod service;
mod summary;
#[doc = include_str!("error/what_happens_when.md")]
pub mod what_happens_when {}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use configuration::ConfigurationError;
pub(crate) use failure::Context;
pub use failure::{CallFailure, InvalidInput, StopReason};
pub(crate) use report::{Report, readable_debug};
pub use service::ServiceError;
pub use summary::ErrorSummary;

pub use crate::model::InvalidValue;
pub use crate::model::UnknownValue;
use crate::model::text::OneLine;
pub use crate::model::validation::{Violation, Violations};
use crate::model::{BoxError, ClientToken};
use crate::protocol::error_response::ErrorResponse;
use crate::protocol::operation::Subject;

/// Why a call failed.
///
/// There is a variant for each error of the service's model, under the service's own name; one for any other error
/// response; and one for each phase of a call that can fail in the client. It is cheap to clone, and two words in size.
///
/// The [guide](crate::guide::errors) says what to do about each.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.get_read_set_metadata().sequence_store_id(&store).id("5555555555");
/// match call.send().await {
///     Ok(read_set) => println!("{} is {}", read_set.id, read_set.status),
///     Err(healthomics::Error::ResourceNotFoundException(error)) => {
///         println!("{:?}", error.message());
///     }
///     Err(error) if error.is_retryable() => println!("later: {error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 400: the service rejects the input. The message names the field. As the client checks the model's constraints
    /// before it sends, the cause is usually something else: a role that can't be assumed, a bucket in another region.
    #[error(transparent)]
    ValidationException(Arc<ServiceError>),
    /// 402: a quota of the account is reached, such as the number of running jobs. Wait for jobs to end, or request a
    /// higher quota.
    #[error(transparent)]
    ServiceQuotaExceededException(Arc<ServiceError>),
    /// 403: the caller is not allowed to do this. Check the IAM policy of the caller, and `iam:PassRole` for the role of the
    /// job.
    #[error(transparent)]
    AccessDeniedException(Arc<ServiceError>),
    /// 404: the store, read set or job is not in this region and account.
    #[error(transparent)]
    ResourceNotFoundException(Arc<ServiceError>),
    /// 405: the operation is not supported for this kind of store.
    #[error(transparent)]
    NotSupportedOperationException(Arc<ServiceError>),
    /// 408: the service timed out. A start may have been applied; send it again with the same client token.
    #[error(transparent)]
    RequestTimeoutException(Arc<ServiceError>),
    /// 409: the resource is in a state that does not allow this.
    #[error(transparent)]
    ConflictException(Arc<ServiceError>),
    /// 416: the file does not have the requested part.
    #[error(transparent)]
    RangeNotSatisfiableException(Arc<ServiceError>),
    /// 429: too many requests. Slow down; the default quota is five requests a second for each operation.
    #[error(transparent)]
    ThrottlingException(Arc<ServiceError>),
    /// 500: the service failed. A start may have been applied; send it again with the same client token.
    #[error(transparent)]
    InternalServerException(Arc<ServiceError>),
    /// Any other error response: common AWS errors such as `ExpiredTokenException`, a redirect, the page of a proxy.
    #[error(transparent)]
    Service(Arc<ServiceError>),
    /// The service would reject the request. Nothing was sent; fix each of the [`violations`](Error::violations).
    #[error(transparent)]
    InvalidInput(Arc<InvalidInput>),
    /// The client's settings can't work. Nothing was sent.
    #[error(transparent)]
    Configuration(Arc<ConfigurationError>),
    /// The credentials provider returned no credentials; its error is the source. It is retryable unless there are none or
    /// the configuration of the provider is wrong.
    #[error(transparent)]
    Credentials(Arc<CallFailure>),
    /// The request could not be signed.
    #[error(transparent)]
    Signing(Arc<CallFailure>),
    /// The network failed: the host name can't be resolved, the connection was refused or reset, or TLS failed.
    #[error(transparent)]
    Transport(Arc<CallFailure>),
    /// One of the timeouts passed.
    #[error(transparent)]
    Timeout(Arc<CallFailure>),
    /// The status is 200 and the response can't be used: not JSON, not of the service, without a required field, or a list
    /// that repeats its page token. The message names the field. A start may have been applied; send it again with the
    /// same client token.
    #[error(transparent)]
    UndecodableResponse(Arc<CallFailure>),
    /// A start may have been applied, and several jobs may be its own: find out which, or stop the others. It occurs only
    /// if client tokens are not [trusted](crate::ClientBuilder::trust_client_token).
    #[error(transparent)]
    AmbiguousStart(Arc<CallFailure>),
}

const _: () = assert!(size_of::<Error>() <= 2 * size_of::<usize>(), "every result holds an error");

/// What a variant holds.
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
            | Self::UndecodableResponse(e)
            | Self::AmbiguousStart(e) => Details::Failure(e),
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

    /// The error response; `None` if there was none.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// let call = client
    ///     .get_read_set_metadata()
    ///     .sequence_store_id("1234567890")
    ///     .id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// if let Some(error) = error.as_service_error() {
    ///     println!("{:?}", error.message());
    /// }
    /// assert_eq!(error.status(), Some(404));
    /// assert_eq!(error.code(), Some("ResourceNotFoundException"));
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

    /// The name of the operation, such as `StartReadSetExportJob`; `None` for errors of the configuration.
    ///
    /// [`as_service_error`](Error::as_service_error) has an example.
    pub fn operation(&self) -> Option<&'static str> {
        match self.details() {
            Details::Input(e) => Some(e.operation),
            _ => self.context().map(|context| context.operation),
        }
    }

    /// The HTTP status of the error response; `None` without one.
    pub fn status(&self) -> Option<u16> {
        self.as_service_error().map(ServiceError::status)
    }

    /// The error code of the service, such as `ThrottlingException`; `None` without an error response or a code in it.
    ///
    /// [`as_service_error`](Error::as_service_error) has an example.
    pub fn code(&self) -> Option<&str> {
        self.as_service_error().and_then(ServiceError::code)
    }

    /// The message of the service; `None` without an error response or a message in it.
    pub fn message(&self) -> Option<&str> {
        self.as_service_error().and_then(ServiceError::message)
    }

    /// The request id, which AWS support asks for; `None` if no response has arrived.
    ///
    /// [`as_service_error`](Error::as_service_error) has an example.
    pub fn request_id(&self) -> Option<&str> {
        match self.details() {
            Details::Service(e) => e.request_id(),
            Details::Failure(e) => e.request_id.as_deref(),
            Details::Input(_) | Details::None => None,
        }
    }

    /// How many attempts were made; 0 if nothing was sent.
    pub fn attempts(&self) -> u32 {
        self.context().map_or(0, |context| context.attempts)
    }

    /// The client token of a start; `None` for other calls. A start that is repeated with it returns the job of the first
    /// one, if there is one, and starts no second job.
    ///
    /// [`may_have_been_applied`](Error::may_have_been_applied) has an example.
    pub fn client_token(&self) -> Option<&ClientToken> {
        self.context().and_then(|context| context.client_token.as_ref())
    }

    /// How long the service asks to wait before the next request (`Retry-After`, `x-amz-retry-after`), at most 24 hours;
    /// `None` if it does not ask.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # let headers = vec![("Retry-After".to_owned(), "90".to_owned())];
    /// # local.queue_fault("GetReadSetMetadata", Fault::Response { status: 503, headers, body: Vec::new() });
    /// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// let pause = error.retry_after().unwrap_or(Duration::from_secs(30));
    /// assert_eq!(pause, Duration::from_secs(90));
    /// # Ok(()) }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.as_service_error().and_then(ServiceError::retry_after)
    }

    /// The violations of an [`Error::InvalidInput`]; `None` for other errors.
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

    /// Why the call was not retried although a retry could have helped; `None` if none could.
    ///
    /// [`is_retryable`](Error::is_retryable) has an example.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.context().and_then(|context| context.stop_reason)
    }

    /// Whether the same call may succeed later: throttling, a failing service, a failing network, a timeout, or a
    /// credentials provider that failed. Missing credentials and a wrong configuration of the provider are not retryable.
    ///
    /// The client has already retried as often as its policy allows. Wait longer, then repeat a start with the
    /// [`client_token`](Error::client_token) of this error. If it is `false`, fix the cause first.
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

    /// Whether every other call of the client would fail for the same reason: there are no credentials and none are to be
    /// expected, or there is no Tokio runtime.
    pub(crate) fn concerns_every_call(&self) -> bool {
        match self {
            Self::Configuration(_) => true,
            Self::Credentials(_) | Self::Signing(_) => !self.is_outage(),
            // Only failures of a provider that never worked are retryable for a single call and not an outage.
            _ => !self.is_outage() && self.is_retryable(),
        }
    }

    /// Whether the service throttled the request, by code or by status 429. Send fewer requests, or request a higher quota.
    ///
    /// [`is_retryable`](Error::is_retryable) has an example.
    pub fn is_throttling(&self) -> bool {
        self.context().is_some_and(|context| context.throttling)
    }

    /// Whether a timeout passed: one of the client ([`Error::Timeout`]) or of the service
    /// ([`Error::RequestTimeoutException`]). Raise the timeout that the message names, or find out what is slow.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_) | Self::RequestTimeoutException(_))
    }

    /// Whether the service may have done its work although the call failed: an attempt may have reached it, and it did not
    /// reject it. Always `false` for calls that only read.
    ///
    /// Repeat the call with the [`client_token`](Error::client_token) of this error instead of making a new one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{Fault, LocalService};
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # let store = local.create_sequence_store();
    /// # local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    /// let call = client
    ///     .start_read_set_activation_job()
    ///     .sequence_store_id(&store)
    ///     .sources(["5555555555"]);
    /// let error = call.clone().send().await.unwrap_err();
    /// if let (true, Some(token)) = (error.may_have_been_applied(), error.client_token()) {
    ///     // Now or in another process: returns the job of the first call.
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
    /// # local.queue_fault("GetReadSetMetadata", Fault::response(200, r#"{"id":"#));
    /// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// // EOF while parsing a value at line 1 column 6
    /// let cause = std::error::Error::source(&error).unwrap();
    /// assert_eq!(error.report().to_string(), format!("{error}: {cause}"));
    /// # Ok(()) }
    /// ```
    pub fn report(&self) -> impl fmt::Display {
        Report(self)
    }

    /// [`report`](Self::report) without request id, attempts and job, which differ between calls that fail with one cause.
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

impl From<ConfigurationError> for Error {
    fn from(error: ConfigurationError) -> Self {
        Self::Configuration(Arc::new(error))
    }
}

impl Error {
    pub(crate) fn invalid_input(operation: &'static str, violations: Violations) -> Self {
        Self::InvalidInput(Arc::new(InvalidInput { operation, violations }))
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
        variant(Arc::new(ServiceError { response, context }))
    }

    /// `variant` is one of those that hold a [`CallFailure`].
    pub(crate) fn from_failure(
        variant: fn(Arc<CallFailure>) -> Self,
        message: String,
        request_id: Option<String>,
        source: Option<BoxError>,
        context: Context,
    ) -> Self {
        variant(Arc::new(CallFailure { message, request_id, context, source }))
    }

    /// The next page of a list is one that was read before.
    pub(crate) fn endless_list(operation: &'static str, subject: Box<str>) -> Self {
        let message = "the service returned a page token again that led to an earlier page: the list would never end";
        let context = Context::of_responses(operation, subject);
        Self::from_failure(Self::UndecodableResponse, message.to_owned(), None, None, context)
    }

    /// A list of jobs has more pages than are read to find the job of a start.
    pub(crate) fn too_many_jobs(operation: &'static str, subject: &Subject<'_>) -> Self {
        let message = "more than 10,000 jobs were created since the start: whether one is its job was not searched for";
        let context = Context::of_responses(operation, subject.to_string().into());
        Self::from_failure(Self::UndecodableResponse, message.to_owned(), None, None, context)
    }

    /// These jobs may be that of a start.
    pub(crate) fn several_jobs(
        operation: &'static str,
        subject: &Subject<'_>,
        client_token: Option<&ClientToken>,
        ids: &[&str],
    ) -> Self {
        let message = format!(
            "an earlier attempt may have started one of the jobs {}, which have the same content: find out which, or stop \
             the others",
            OneLine(&ids.join(", "))
        );
        let context = Context {
            client_token: client_token.cloned(),
            may_have_been_applied: true,
            ..Context::of_responses(operation, subject.to_string().into())
        };
        Self::from_failure(Self::AmbiguousStart, message, None, None, context)
    }
}

readable_debug!(Error);

#[cfg(test)]
mod tests;
