//! A request without its endpoint.

use bytes::Bytes;
use http::{HeaderValue, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that are encoded in a path or a query, by the rules of `SigV4`.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What is put before the host name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HostPrefix {
    /// Every operation but those that read and upload data.
    ControlStorage,
}

impl HostPrefix {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ControlStorage => "control-storage-",
        }
    }
}

/// One request of an operation: the same bytes on every attempt.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) host_prefix: HostPrefix,
    /// Encoded, with a leading slash.
    pub(crate) path: String,
    /// Encoded, without the question mark; empty if there is none.
    pub(crate) query: String,
    /// The `Content-Type` of the body; `None` without a body.
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

impl Request {
    pub(crate) fn get(host_prefix: HostPrefix, segments: &[&str]) -> Self {
        Self::new(Method::GET, host_prefix, segments)
    }

    /// A request with a JSON document as its body.
    pub(crate) fn post(host_prefix: HostPrefix, segments: &[&str], body: impl Into<Bytes>) -> Self {
        let content_type = Some(HeaderValue::from_static("application/json"));
        Self { content_type, body: body.into(), ..Self::new(Method::POST, host_prefix, segments) }
    }

    /// A request without a body.
    fn new(method: Method, host_prefix: HostPrefix, segments: &[&str]) -> Self {
        let path = encode_path(segments);
        Self { method, host_prefix, path, query: String::new(), content_type: None, body: Bytes::new() }
    }

    /// Adds the fields of a list that travel in the query.
    pub(crate) fn with_page(self, max_results: Option<i32>, next_token: Option<&str>) -> Self {
        let max_results = max_results.map(|number| number.to_string());
        self.with_query("maxResults", max_results.as_deref()).with_query("nextToken", next_token)
    }

    /// Adds a field that travels in the query, if it is given.
    pub(crate) fn with_query(mut self, name: &str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            if !self.query.is_empty() {
                self.query.push('&');
            }
            self.query.push_str(name);
            self.query.push('=');
            self.query.extend(utf8_percent_encode(value, RESERVED));
        }
        self
    }
}

fn encode_path(segments: &[&str]) -> String {
    // Most paths fit into it.
    let mut path = String::with_capacity(64);
    for segment in segments {
        path.push('/');
        path.extend(utf8_percent_encode(segment, RESERVED));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_segments_are_encoded() {
        assert_eq!(encode_path(&["sequencestore", "1234567890", "exportjob"]), "/sequencestore/1234567890/exportjob");
        assert_eq!(encode_path(&["tags", "arn:aws:omics:x/y z%ü~"]), "/tags/arn%3Aaws%3Aomics%3Ax%2Fy%20z%25%C3%BC~");
        assert_eq!(encode_path(&["..", ""]), "/../");
    }

    #[test]
    fn query_members_are_encoded_and_absent_ones_left_out() {
        let request = || Request::post(HostPrefix::ControlStorage, &[], Bytes::new());
        assert_eq!(request().with_query("a", None).query, "");
        let both = request().with_query("a", Some("x y+z/=&?#%ü*'~")).with_query("b", None).with_query("c", Some("1"));
        assert_eq!(both.query, "a=x%20y%2Bz%2F%3D%26%3F%23%25%C3%BC%2A%27~&c=1");
    }
}
