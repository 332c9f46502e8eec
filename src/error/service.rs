//! Error responses of the service, and of anything between it and the client.

use std::fmt;
use std::time::Duration;

use super::readable_debug;
use crate::error::Context;
use crate::model::text::OneLine;
use crate::protocol::error_response::{EXPIRED_CODES, ErrorResponse, SIGNATURE_CODES};

/// An error response of the service, or of a proxy or gateway between it and the client.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{Fault, LocalService};
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # local.queue_fault("GetReadSetMetadata", Fault::response(403, "<html>blocked by the proxy</html>"));
/// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
/// match call.send().await {
///     Err(healthomics::Error::AccessDeniedException(error)) => {
///         // Without a message, the response is not of the service.
///         assert_eq!((error.status(), error.code(), error.message()), (403, None, None));
///         assert_eq!(error.body_excerpt(), Some("<html>blocked by the proxy</html>"));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok(()) }
/// ```
pub struct ServiceError {
    pub(super) response: ErrorResponse,
    pub(super) context: Context,
}

impl ServiceError {
    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status.as_u16()
    }

    /// Returns the error code, such as `ThrottlingException`, without namespace and link; `None` if the response has none.
    pub fn code(&self) -> Option<&str> {
        self.response.code.as_deref()
    }

    /// Returns the message; `None` if the response has none.
    pub fn message(&self) -> Option<&str> {
        self.response.message.as_deref()
    }

    /// Returns the request id, which AWS support asks for; `None` if the response has none.
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id.as_deref()
    }

    /// Returns how long the service asks to wait before the next request, at most 24 hours; `None` if it does not ask.
    pub fn retry_after(&self) -> Option<Duration> {
        self.response.retry_after
    }

    /// Returns the first 200 bytes of a response without a message, such as the page of a proxy; `None` with a message.
    pub fn body_excerpt(&self) -> Option<&str> {
        self.response.excerpt.as_deref()
    }
}

readable_debug!(ServiceError);

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.response.status;
        let next_step = self.next_step();
        self.context.fmt_head(f)?;
        match &self.response.code {
            Some(code) => write!(f, "{code} ({})", status.as_u16())?,
            // 304 is no redirect.
            None if matches!(status.as_u16(), 301..=303 | 307 | 308) => {
                write!(f, "HTTP {status}, redirects are not followed")?;
            }
            None => write!(f, "HTTP {status} without an error code")?,
        }
        match (&self.response.message, &self.response.excerpt) {
            (Some(message), _) if next_step.is_some() => write!(f, ": {}", OneLine(message.trim_end_matches('.')))?,
            (Some(message), _) => write!(f, ": {}", OneLine(message))?,
            (None, Some(excerpt)) => write!(f, ": {excerpt:?}")?,
            (None, None) => {}
        }
        if let Some(step) = next_step {
            write!(f, "; {step}")?;
        }
        self.context.fmt_tail(f, self.request_id())
    }
}

impl ServiceError {
    /// What the caller can do, where it does not depend on the caller.
    fn next_step(&self) -> Option<String> {
        let operation = self.context.operation;
        let code = self.code().unwrap_or_default();
        if code.is_empty() && self.request_id().is_none() {
            let is_rejection = matches!(self.status(), 401..=404 | 407);
            return is_rejection.then(|| "check the proxy and the endpoint URL".to_owned());
        }
        if EXPIRED_CODES.contains(&code) {
            return Some("renew the credentials, they have expired".to_owned());
        }
        if SIGNATURE_CODES.contains(&code) || UNKNOWN_CALLER_CODES.contains(&code) {
            return Some("check access key, secret and session token, and the clock of this machine".to_owned());
        }
        let step = match (code, self.status()) {
            ("OptInRequired", _) => "the account must be subscribed to the service in this region".to_owned(),
            ("UnknownOperationException", _) => "check the endpoint URL".to_owned(),
            (_, 401) => "check the credentials of the caller".to_owned(),
            ("ServiceQuotaExceededException", _) | (_, 402) => match running_jobs_quota(operation) {
                Some((kind, quota)) => {
                    format!("wait for running {kind} jobs to end, or request a higher quota {quota}")
                }
                None => "request a higher quota".to_owned(),
            },
            ("AccessDeniedException", _) | (_, 403) => {
                let has_role = matches!(operation, "StartReadSetExportJob" | "StartReadSetImportJob");
                let pass_role = if has_role { " and iam:PassRole for the role of the job" } else { "" };
                format!("the IAM policy of the caller must allow omics:{operation}{pass_role}")
            }
            ("ResourceNotFoundException", _) | (_, 404) => {
                "check the id, and region and account of the client".to_owned()
            }
            _ => return None,
        };
        Some(step)
    }
}

/// Codes for a caller that the service does not know.
const UNKNOWN_CALLER_CODES: &[&str] = &[
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// The kind of jobs that an operation starts, and the code of the quota of running jobs of that kind.
fn running_jobs_quota(operation: &str) -> Option<(&'static str, &'static str)> {
    match operation {
        "StartReadSetImportJob" => Some(("import", "L-F57A8D18")),
        "StartReadSetExportJob" => Some(("export", "L-473E274D")),
        "StartReadSetActivationJob" => Some(("activation", "L-911E26A1")),
        _ => None,
    }
}

impl std::error::Error for ServiceError {}
