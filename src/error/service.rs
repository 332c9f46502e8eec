//! What the service says when it refuses or fails.

use std::fmt;
use std::time::Duration;

use super::readable_debug;
use crate::error::Context;
use crate::model::text::OneLine;
use crate::protocol::error_response::{EXPIRED_CODES, ErrorResponse, SIGNATURE_CODES};

/// An error answer of the service, or of something between here and it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{Fault, LocalService};
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # local.queue_fault("GetReadSetMetadata", Fault::answer(403, "<html>blocked by the proxy</html>"));
/// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
/// match call.send().await {
///     // Without a message, the response is not of the service.
///     Err(healthomics::Error::AccessDeniedException(error)) if error.message().is_none() => {
///         assert_eq!((error.status(), error.code()), (403, None));
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
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.response.status.as_u16()
    }

    /// The error code as the service wrote it, without name space and link; `None` if it wrote none.
    pub fn code(&self) -> Option<&str> {
        self.response.code.as_deref()
    }

    /// The message of the service, if it wrote one.
    pub fn message(&self) -> Option<&str> {
        self.response.message.as_deref()
    }

    /// The request id, which AWS support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id.as_deref()
    }

    /// How long the service asked to wait before the next request, at most 24 hours; `None` if it did not ask.
    pub fn retry_after(&self) -> Option<Duration> {
        self.response.retry_after
    }

    /// The first 200 bytes of an answer that had no message: what a proxy said, say.
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
            // 304 is in the same class, and leads nowhere.
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
    /// What to do about it, where that is the same for every caller.
    fn next_step(&self) -> Option<String> {
        let operation = self.context.operation;
        let code = self.code().unwrap_or_default();
        if code.is_empty() && self.request_id().is_none() {
            let is_refusal = matches!(self.status(), 401..=404 | 407);
            return is_refusal.then(|| "check the proxy and the endpoint URL".to_owned());
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

/// The service does not know who the caller is.
const UNKNOWN_CALLER_CODES: &[&str] = &[
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// The kind of jobs that an operation starts, and the code of the quota for how many of them run at once.
fn running_jobs_quota(operation: &str) -> Option<(&'static str, &'static str)> {
    match operation {
        "StartReadSetImportJob" => Some(("import", "L-F57A8D18")),
        "StartReadSetExportJob" => Some(("export", "L-473E274D")),
        "StartReadSetActivationJob" => Some(("activation", "L-911E26A1")),
        _ => None,
    }
}

impl std::error::Error for ServiceError {}
