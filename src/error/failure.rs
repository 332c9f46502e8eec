//! What every failed call knows of itself, and failures without an error response.

use std::fmt;

use super::readable_debug;
use crate::model::BoxError;
use crate::model::ClientToken;
use crate::model::validation::Violations;

/// What is known of a failed call, apart from the cause.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Context {
    pub(crate) operation: &'static str,
    /// The store, and the job or read set in it: `store 1234567890, job 5555555555`. Empty if it is not known.
    pub(crate) subject: Box<str>,
    pub(crate) attempts: u32,
    pub(crate) client_token: Option<ClientToken>,
    pub(crate) may_have_been_applied: bool,
    pub(crate) retryable: bool,
    pub(crate) throttling: bool,
    /// Whether waits, watches and bulk runs retry after it for as long as it lasts.
    pub(crate) outage: bool,
    pub(crate) stop_reason: Option<StopReason>,
}

impl Context {
    /// The context of an error that follows from responses that were read.
    pub(crate) fn of_responses(operation: &'static str, subject: Box<str>) -> Self {
        Self {
            operation,
            subject,
            attempts: 1,
            client_token: None,
            may_have_been_applied: false,
            retryable: false,
            throttling: false,
            outage: false,
            stop_reason: None,
        }
    }

    /// `GetReadSetExportJob (store 1234567890, job 5555555555): `
    pub(super) fn fmt_head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operation)?;
        if !self.subject.is_empty() {
            write!(f, " ({})", self.subject)?;
        }
        f.write_str(": ")
    }

    pub(super) fn fmt_tail(&self, f: &mut fmt::Formatter<'_>, request_id: Option<&str>) -> fmt::Result {
        f.write_str(&self.tail(request_id))
    }

    /// ` [request 4f6c…, 3 attempts]`
    pub(super) fn tail(&self, request_id: Option<&str>) -> String {
        let request = request_id.map_or_else(String::new, |id| format!("request {id}, "));
        let plural = if self.attempts == 1 { "" } else { "s" };
        let stopped = self.stop_reason.map_or_else(String::new, |reason| format!(", {reason}"));
        let applied = if self.may_have_been_applied { ", may have been applied" } else { "" };
        format!(" [{request}{} attempt{plural}{stopped}{applied}]", self.attempts)
    }
}

/// Why a failure was not retried although a retry could have helped.
///
/// [`Error::is_retryable`](crate::Error::is_retryable) has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// Every attempt that the retry policy allows was made.
    AttemptsExhausted,
    /// The retry quota of the client was empty: too many of its calls fail at present.
    QuotaExhausted,
    /// The backoff before the next attempt did not fit into the operation timeout.
    NoTimeLeft,
    /// The service asked for a wait of more than five minutes, which [`retry_after`](crate::Error::retry_after) returns.
    DelayTooLong,
    /// The service may have done its work, and a retry could do it a second time.
    MayHaveBeenApplied,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AttemptsExhausted => "no attempts left",
            Self::QuotaExhausted => "retry quota exhausted",
            Self::NoTimeLeft => "no time left for another attempt",
            Self::DelayTooLong => "the service asks for a longer wait",
            Self::MayHaveBeenApplied => "a retry could do its work twice",
        })
    }
}

/// A call that failed without an error response of the service.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{Fault, LocalService};
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # local.queue_fault("GetReadSetMetadata", Fault::HangBefore);
/// use std::time::Duration;
///
/// let call = client
///     .get_read_set_metadata()
///     .sequence_store_id("1234567890")
///     .id("5555555555");
/// match call.operation_timeout(Duration::from_millis(20)).send().await {
///     // The message names the timeout that has passed.
///     Err(healthomics::Error::Timeout(failure)) => println!("{failure}"),
///     other => panic!("{other:?}"),
/// }
/// # Ok(()) }
/// ```
pub struct CallFailure {
    pub(super) message: String,
    pub(super) request_id: Option<String>,
    pub(super) context: Context,
    pub(super) source: Option<BoxError>,
}

readable_debug!(CallFailure);

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.context.fmt_head(f)?;
        f.write_str(&self.message)?;
        self.context.fmt_tail(f, self.request_id.as_deref())
    }
}

impl std::error::Error for CallFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// A request that the service would reject. Nothing was sent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("7");
/// match call.send().await {
///     Err(healthomics::Error::InvalidInput(error)) => {
///         assert_eq!(error.violations().len(), 1);
///     }
///     other => panic!("{other:?}"),
/// }
/// assert!(local.requests().is_empty());
/// # Ok(()) }
/// ```
pub struct InvalidInput {
    pub(super) operation: &'static str,
    pub(super) violations: Violations,
}

impl InvalidInput {
    /// Everything that is wrong with the request, each with the path of its field.
    pub fn violations(&self) -> &Violations {
        &self.violations
    }
}

readable_debug!(InvalidInput);

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: invalid input, nothing was sent: {}", self.operation, self.violations)
    }
}

impl std::error::Error for InvalidInput {}
