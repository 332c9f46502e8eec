//! An error as plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// What an [`Error`] says, as plain data: to store, to compare, and to return from a web handler.
///
/// [`Error::summary`] makes it. It is a JSON object with the fields below in camel case; fields that are `None` are
/// left out. What is read back equals what was written. In a unit test it can be made from JSON: only `text` is
/// required, flags that are absent are `false`, and unknown fields are ignored.
///
/// ```
/// use healthomics::error::ErrorSummary;
///
/// let summary: ErrorSummary = serde_json::from_str(
///     r#"{"code":"ThrottlingException","status":429,"text":"too fast","retryable":true}"#,
/// )?;
/// assert_eq!(summary.status, Some(429));
/// assert!(summary.retryable && !summary.may_have_been_applied);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is the result of an accessor of the error")]
pub struct ErrorSummary {
    /// The error code as the service wrote it, `ThrottlingException`: [`Error::code`]. `None` if the service did not
    /// respond, or without a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The HTTP status of the error response: [`Error::status`]. `None` if there was no error response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The request id that AWS support asks for: [`Error::request_id`]. `None` if there was no response, or one without
    /// a request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The error and its causes on one line: [`Error::report`].
    pub text: String,
    /// Whether the same call may succeed later: [`Error::is_retryable`].
    #[serde(default)]
    pub retryable: bool,
    /// Whether the service may have done what was requested: [`Error::may_have_been_applied`].
    #[serde(default)]
    pub may_have_been_applied: bool,
    /// Whether the service refused the call because of its rate: [`Error::is_throttling`].
    #[serde(default)]
    pub throttling: bool,
    /// Whether a timeout passed, of this client or of the service: [`Error::is_timeout`].
    #[serde(default)]
    pub timeout: bool,
}

/// The text.
impl fmt::Display for ErrorSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&Error> for ErrorSummary {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().map(str::to_owned),
            status: error.status(),
            request_id: error.request_id().map(str::to_owned),
            text: error.report().to_string(),
            retryable: error.is_retryable(),
            may_have_been_applied: error.may_have_been_applied(),
            throttling: error.is_throttling(),
            timeout: error.is_timeout(),
        }
    }
}

impl Error {
    /// The error as plain data that can be cloned, compared, and written and read by `serde`.
    ///
    /// ```
    /// use healthomics::error::ErrorSummary;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
    /// let error = call.send().await.unwrap_err();
    /// let summary = error.summary();
    /// assert_eq!(summary.code.as_deref(), Some("ResourceNotFoundException"));
    ///
    /// let stored = serde_json::to_string(&summary)?;
    /// assert_eq!(serde_json::from_str::<ErrorSummary>(&stored)?, summary);
    /// # Ok(()) }
    /// ```
    pub fn summary(&self) -> ErrorSummary {
        self.into()
    }
}
