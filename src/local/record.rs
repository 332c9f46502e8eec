//! What arrived, for tests to look at.

use std::collections::VecDeque;
use std::fmt;
use std::time::Instant;

use bytes::Bytes;

/// How many requests are remembered at most.
pub(crate) const MOST_REQUESTS: usize = 100_000;
/// How many bytes of requests are remembered at most.
pub(crate) const MOST_BYTES: usize = 256 << 20;

/// A request that arrived at the local service.
///
/// `Debug` shows neither what it is signed with nor the body, which may hold a client token: look at the members.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client_builder().app_name("sequencer-upload").build()?;
/// # let store = local.create_sequence_store();
/// client.list_read_sets().sequence_store_id(&store).max_results(10).send().await?;
///
/// let request = &local.requests()[0];
/// assert_eq!((request.operation, request.status), (Some("ListReadSets"), Some(200)));
/// assert_eq!(request.query.as_deref(), Some("maxResults=10"));
/// assert!(request.header("User-Agent").unwrap().contains("sequencer-upload"));
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone)]
pub struct ReceivedRequest {
    /// The operation it is for, whether or not the local service implements it, or `None` if there is no such operation.
    pub operation: Option<&'static str>,
    /// The HTTP method.
    pub method: String,
    /// The path as it came, percent-encoded.
    pub path: String,
    /// The query as it came, without the `?`.
    pub query: Option<String>,
    /// Names in lower case, and values. What is no UTF-8 in a value is replaced.
    pub headers: Vec<(String, String)>,
    /// The body. Empty if it was refused for its size or never came whole.
    pub body: Bytes,
    /// When it arrived, by the clock of tokio.
    pub received_at: Instant,
    /// Whether the service did what the request asked for.
    pub applied: bool,
    /// The status that was answered, or `None` if nothing was (yet).
    pub status: Option<u16>,
}

impl ReceivedRequest {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn size(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
        let text = self.method.len() + self.path.len() + self.query.as_ref().map_or(0, String::len);
        size_of::<Self>() + text + headers + self.body.len()
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): &(String, String)| {
            let is_secret = matches!(name.as_str(), "authorization" | "x-amz-security-token");
            (name.clone(), if is_secret { "(redacted)".to_owned() } else { value.clone() })
        };
        f.debug_struct("ReceivedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &self.query)
            .field("headers", &self.headers.iter().map(shown).collect::<Vec<_>>())
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("received_at", &self.received_at)
            .field("applied", &self.applied)
            .field("status", &self.status)
            .finish()
    }
}

/// The last requests. The oldest go first when there are too many.
#[derive(Default)]
pub(crate) struct Record {
    requests: VecDeque<ReceivedRequest>,
    bytes: usize,
    /// The number of the first of `requests`.
    first: u64,
}

impl Record {
    /// Remembers a request and gives it a number.
    pub(crate) fn push(&mut self, request: ReceivedRequest) -> u64 {
        let number = self.first + self.requests.len() as u64;
        self.bytes += request.size();
        self.requests.push_back(request);
        while self.requests.len() > MOST_REQUESTS || self.bytes > MOST_BYTES {
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

    pub(crate) fn all(&self) -> Vec<ReceivedRequest> {
        self.requests.iter().cloned().collect()
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
    fn it_is_bounded_in_number() {
        let mut record = Record::default();
        for number in 0..=MOST_REQUESTS as u64 {
            assert_eq!(record.push(request(Bytes::new())), number);
        }
        assert_eq!(record.all().len(), MOST_REQUESTS);
        assert!(record.get_mut(0).is_none());
        assert!(record.get_mut(1).is_some());
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let mut record = Record::default();
        let body = Bytes::from(vec![0; 1 << 20]);
        for _ in 0..300 {
            record.push(request(body.clone()));
        }
        assert_eq!(record.all().len(), 255);
        record.clear();
        assert_eq!(record.bytes, 0);
        assert!(record.get_mut(299).is_none());
        assert_eq!(record.push(request(Bytes::new())), 300);
    }
}
