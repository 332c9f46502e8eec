//! The requests that the service has received.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use bytes::Bytes;

/// How many requests are kept at most.
const MAX_REQUESTS: usize = 100_000;
/// How many bytes of requests are kept at most.
const MAX_BYTES: usize = 256 << 20;

/// A request that a local service has received.
///
/// `Debug` shows neither the signature, nor the session token, nor the body, which may contain a client token. The
/// fields have them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client_builder().app_name("sequencer-upload").build()?;
/// # let store = local.create_sequence_store();
/// client.list_read_sets().sequence_store_id(&store).max_results(10).send().await?;
///
/// let request = &local.requests()[0];
/// assert_eq!(request.operation, Some("ListReadSets"));
/// assert_eq!(request.status, Some(200));
/// assert_eq!(request.query.as_deref(), Some("maxResults=10"));
/// assert!(request.header("User-Agent").unwrap().contains("sequencer-upload"));
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone)]
pub struct ReceivedRequest {
    /// The name of the operation, whether or not the local service implements it; `None` if there is no such operation.
    pub operation: Option<&'static str>,
    /// The HTTP method.
    pub method: String,
    /// The path as it was received, percent-encoded.
    pub path: String,
    /// The query as it was received, without the `?`; `None` if there was no `?`.
    pub query: Option<String>,
    /// The names, in lower case, and values of the headers. What is not UTF-8 in a value is replaced by U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body; empty if it was too large or did not arrive completely.
    pub body: Bytes,
    /// When the request was received, on tokio's clock.
    pub received_at: Instant,
    /// Whether the service did what the request asks for, even if there was no response.
    pub applied: bool,
    /// The HTTP status of the response; `None` if there is none (yet).
    pub status: Option<u16>,
}

impl ReceivedRequest {
    /// The first value of a header; the name may be in upper or lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The headers, with the signature and the session token redacted.
    pub(crate) fn headers_without_secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| {
            let is_secret = matches!(name.as_str(), "authorization" | "x-amz-security-token");
            (name.as_str(), if is_secret { "(redacted)" } else { value.as_str() })
        })
    }

    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
        let text = self.method.len() + self.path.len() + self.query.as_ref().map_or(0, String::len);
        size_of::<Self>() + text + headers + self.body.len()
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("headers", &self.headers_without_secrets().collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("received_at", &self.received_at)
            .field("applied", &self.applied)
            .field("status", &self.status)
            .finish()
    }
}

/// The last requests. The oldest are removed if there are too many.
#[derive(Default)]
pub(crate) struct RequestLog {
    requests: VecDeque<ReceivedRequest>,
    bytes: usize,
    /// The number of the first of `requests`.
    first: u64,
}

impl RequestLog {
    /// Adds a request and returns its number.
    pub(crate) fn push(&mut self, request: ReceivedRequest) -> u64 {
        let number = self.first + self.requests.len() as u64;
        self.bytes += request.size();
        self.requests.push_back(request);
        while self.requests.len() > MAX_REQUESTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.requests.pop_front() else { break };
            self.bytes -= oldest.size();
            self.first += 1;
        }
        number
    }

    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut ReceivedRequest> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.requests.get_mut(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &ReceivedRequest> {
        self.requests.iter()
    }

    pub(crate) fn clear(&mut self) {
        self.first += self.requests.len() as u64;
        self.requests.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: Bytes) -> ReceivedRequest {
        ReceivedRequest {
            operation: None,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: None,
            headers: Vec::new(),
            body,
            received_at: Instant::now(),
            applied: false,
            status: None,
        }
    }

    #[test]
    fn the_number_of_requests_is_limited() {
        let mut log = RequestLog::default();
        for number in 0..=MAX_REQUESTS as u64 {
            assert_eq!(log.push(request(Bytes::new())), number);
        }
        assert_eq!(log.iter().count(), MAX_REQUESTS);
        assert!(log.get_mut(0).is_none());
        assert!(log.get_mut(1).is_some());
    }

    #[test]
    fn the_bytes_of_requests_are_limited() {
        let mut log = RequestLog::default();
        let body = Bytes::from(vec![0; 1 << 20]);
        for _ in 0..300 {
            log.push(request(body.clone()));
        }
        assert_eq!(log.iter().count(), 255);
        log.clear();
        assert_eq!(log.bytes, 0);
        assert!(log.get_mut(299).is_none());
        assert_eq!(log.push(request(Bytes::new())), 300);
    }
}
