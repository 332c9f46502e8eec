//! Fault injection.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use serde_json::Value;

use super::merge_patch::merge;
use super::response::{BodyMode, Delivery, Response};
use super::service_error::ServiceError;

/// A failure of one request.
///
/// "Before" means that the service does not do what the request asks for, "after" that it does, but the caller does not
/// get the response.
///
/// ```
/// use healthomics::local::{Fault, LocalService};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// // The response to the first attempt is lost; the second one finds the job that the first
/// // has started.
/// local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
/// let call = client
///     .start_read_set_activation_job()
///     .sequence_store_id(&store)
///     .sources(["5555555555"]);
/// call.send().await?;
/// assert_eq!(local.requests().len(), 2);
/// assert_eq!(local.jobs().len(), 1);
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is refused with this error, in the format of the service. Nothing is done.
    Error {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The error code, such as `InternalServerException`.
        code: String,
        /// The message in the body.
        message: String,
    },
    /// The response is exactly this one, such as the HTML page of a gateway. Nothing is done.
    Response {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The names and values of the headers. `Date` is added if it is not among them.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The work is done, and the response is exactly this one.
    ResponseAfter {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The names and values of the headers. `Date` is added if it is not among them.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The connection is refused: the request is not sent, and is not among the
    /// [received requests](super::LocalService::requests). Only for a service [in
    /// process](super::LocalService::in_process), as a socket can't refuse the connection for one operation.
    ConnectionRefused,
    /// The connection is reset. Nothing is done.
    ResetBefore,
    /// The work is done, then the connection is reset.
    ResetAfter,
    /// The work is done at once, and the response is sent after this time.
    Delay(Duration),
    /// There is never a response. Nothing is done.
    HangBefore,
    /// The work is done, and there is never a response.
    HangAfter,
    /// The work is done; the connection closes in the middle of the body of the response.
    TruncatedBody,
    /// The work is done; the body of the response is sent byte by byte, with this pause before each.
    SlowBody(Duration),
    /// The work is done; the body of the response starts with so many bytes of white space.
    LargeBody(u64),
    /// The work is done; the response has the status 200 and a body that is not JSON.
    MalformedBody,
    /// The work is done; the response has the status 200, no body and no request id, like that of a proxy.
    EmptyBody,
    /// The work is done; this JSON text is applied to the body of the response as a merge patch (RFC 7386). It can add
    /// unknown (newer) fields and values, and remove fields by null.
    Merge(String),
    /// The request is handled without a failure, but the `Date` header of the response is ahead of the service's clock by
    /// so many seconds, or behind it if the number is negative.
    DateOffset(i64),
}

impl Fault {
    /// A [`Fault::Error`].
    ///
    /// ```
    /// use healthomics::local::Fault;
    ///
    /// let fault = Fault::error(429, "ThrottlingException", "Rate exceeded");
    /// assert!(matches!(fault, Fault::Error { status: 429, .. }));
    /// ```
    pub fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Error { status, code: code.into(), message: message.into() }
    }

    /// A [`Fault::Response`] without headers.
    ///
    /// ```
    /// use healthomics::local::Fault;
    ///
    /// # use healthomics::local::LocalService;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # let store = local.create_sequence_store();
    /// local.queue_fault("ListReadSets", Fault::response(502, "<html>Bad gateway</html>"));
    /// let error = client.list_read_sets().sequence_store_id(&store).send().await.unwrap_err();
    /// assert_eq!(error.status(), Some(502));
    /// assert_eq!(error.code(), None);
    /// # Ok(()) }
    /// ```
    pub fn response(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Response { status, headers: Vec::new(), body: body.into() }
    }

    /// A [`Fault::ResponseAfter`] without headers.
    pub fn response_after(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::ResponseAfter { status, headers: Vec::new(), body: body.into() }
    }

    /// A [`Fault::Merge`].
    ///
    /// ```
    /// use healthomics::local::Fault;
    ///
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let id = local.seed_read_set(&store, SeedReadSet::active("BAM".into()).name("HG00096"));
    /// // An unknown (newer) status, and no name.
    /// let patch = r#"{ "status": "FROZEN", "name": null }"#;
    /// local.queue_fault("GetReadSetMetadata", Fault::merge(patch));
    /// let call = client.get_read_set_metadata().sequence_store_id(&store).id(&id);
    /// let read_set = call.send().await?;
    /// assert_eq!(read_set.status.as_str(), "FROZEN");
    /// assert_eq!(read_set.name, None);
    /// # Ok(()) }
    /// ```
    pub fn merge(patch: impl Into<String>) -> Self {
        Self::Merge(patch.into())
    }

    /// Why the fault can't be injected; `None` if it can.
    pub(crate) fn invalid_reason(&self) -> Option<String> {
        match self {
            Self::Error { status, code, .. } => invalid_status(*status).or_else(|| invalid_code(code)),
            Self::Response { status, headers, .. } | Self::ResponseAfter { status, headers, .. } => {
                invalid_status(*status).or_else(|| invalid_headers(headers))
            }
            Self::Merge(patch) => {
                serde_json::from_str::<Value>(patch).err().map(|error| format!("the merge patch is not JSON: {error}"))
            }
            _ => None,
        }
    }
}

fn invalid_status(status: u16) -> Option<String> {
    let is_valid = (200..=599).contains(&status);
    (!is_valid).then(|| format!("{status} is not the status of a response"))
}

fn invalid_code(code: &str) -> Option<String> {
    HeaderValue::from_str(code).is_err().then(|| format!("{code:?} is not an error code"))
}

fn invalid_headers(headers: &[(String, String)]) -> Option<String> {
    let (name, value) = headers.iter().find(|(name, value)| header(name, value).is_none())?;
    Some(format!("{name:?}: {value:?} is not a header that can be sent"))
}

/// A header that can be sent. The server itself writes the length of the body.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok().filter(|name| *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING)?;
    Some((name, HeaderValue::try_from(value).ok()?))
}

/// Handles a request with a fault; returns what is sent, and whether the work was done.
pub(crate) fn inject(fault: Option<Fault>, work: impl FnOnce() -> Result<Value, ServiceError>) -> (Delivery, bool) {
    let before = |response| (Delivery::from(response), false);
    match fault {
        Some(Fault::Error { status, code, message }) => return before(Response::error(status, &code, &message)),
        Some(Fault::Response { status, headers, body }) => return before(raw_response(status, &headers, body)),
        Some(Fault::ConnectionRefused) => return (Delivery::RefuseConnection, false),
        Some(Fault::ResetBefore) => return (Delivery::Reset, false),
        Some(Fault::HangBefore) => return (Delivery::Hang, false),
        _ => {}
    }
    let (mut response, applied) = match work() {
        Ok(body) => (Response::ok(&body), true),
        Err(error) => (error.into(), false),
    };
    let mut delay = Duration::ZERO;
    match fault {
        Some(Fault::ResponseAfter { status, headers, body }) => response = raw_response(status, &headers, body),
        Some(Fault::ResetAfter) => return (Delivery::Reset, applied),
        Some(Fault::HangAfter) => return (Delivery::Hang, applied),
        Some(Fault::Delay(duration)) => delay = duration,
        Some(Fault::TruncatedBody) => response.body_mode = BodyMode::Truncated,
        Some(Fault::SlowBody(pause)) => response.body_mode = BodyMode::Slow(pause),
        Some(Fault::LargeBody(padding)) => response.body_mode = BodyMode::Padded(padding),
        Some(Fault::MalformedBody) => response = malformed_response(),
        Some(Fault::EmptyBody) => response = Response::raw(200, Vec::new(), Bytes::new()),
        Some(Fault::Merge(patch)) => merge_into(&mut response, &patch),
        Some(Fault::DateOffset(seconds)) => response.date_offset = seconds,
        _ => {}
    }
    (Delivery::Respond { response, delay }, applied)
}

fn raw_response(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Response {
    Response::raw(status, headers.iter().filter_map(|(name, value)| header(name, value)).collect(), body)
}

/// A 200 whose content type is JSON and whose body is not.
fn malformed_response() -> Response {
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Response::raw(200, headers, Bytes::from_static(b"<html>this is not JSON</html>"))
}

/// Applies a merge patch to the body of a response.
fn merge_into(response: &mut Response, patch: &str) {
    let body: &[u8] = if response.body.is_empty() { b"{}" } else { &response.body };
    if let (Ok(mut body), Ok(patch)) = (serde_json::from_slice(body), serde_json::from_str(patch)) {
        merge(&mut body, patch);
        response.body = body.to_string().into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_faults_are_found() {
        assert!(Fault::error(99, "X", "").invalid_reason().is_some());
        assert!(Fault::error(500, "X\n", "").invalid_reason().is_some());
        assert!(Fault::merge("{").invalid_reason().is_some());
        for name in ["a b", "Content-Length"] {
            let headers = vec![(name.to_owned(), "1".to_owned())];
            assert!(Fault::Response { status: 200, headers, body: Vec::new() }.invalid_reason().is_some(), "{name}");
        }
        assert!(Fault::merge("{}").invalid_reason().is_none());
    }
}
