//! A request and an answer as they travel, before the endpoint and behind the socket. Pure.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What needs no encoding in a path or a query, by the rules of `SigV4`.
pub(crate) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What comes before the host name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HostPrefix {
    /// `control-storage-`: everything but reading and uploading data.
    ControlStorage,
}

/// What is longer is no id that anybody could ask AWS support about, and would fill logs.
const LONGEST_REQUEST_ID: usize = 256;

/// One request of an operation: the same bytes on every attempt.
#[derive(Clone)]
pub(crate) struct WireRequest {
    pub(crate) method: Method,
    pub(crate) host_prefix: HostPrefix,
    /// Encoded, with a leading slash.
    pub(crate) path: String,
    /// Encoded, without the question mark; empty if there is none.
    pub(crate) query: String,
    /// A JSON document, or empty.
    pub(crate) body: Bytes,
}

impl WireRequest {
    pub(crate) fn get(host_prefix: HostPrefix, segments: &[&str]) -> Self {
        Self { method: Method::GET, host_prefix, path: encode_path(segments), query: String::new(), body: Bytes::new() }
    }

    pub(crate) fn post(host_prefix: HostPrefix, segments: &[&str], body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { method: Method::POST, host_prefix, path: encode_path(segments), query: String::new(), body }
    }

    /// Adds the fields of a list that travel in the query.
    pub(crate) fn with_page(self, max_results: Option<i32>, next_token: Option<&str>) -> Self {
        let max_results = max_results.map(|number| number.to_string());
        self.with_query("maxResults", max_results.as_deref()).with_query("nextToken", next_token)
    }

    /// Adds a member that travels in the query, if it is given.
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
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.extend(utf8_percent_encode(segment, RESERVED));
    }
    path
}

/// An answer as it came: nothing of it is believed yet.
#[derive(Clone)]
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl RawResponse {
    /// The text of a header, if there is one and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        let id = self.header("x-amzn-requestid").or_else(|| self.header("x-amz-request-id"));
        id.filter(|id| id.len() <= LONGEST_REQUEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn path_segments_are_encoded() {
        assert_eq!(encode_path(&["sequencestore", "1234567890", "exportjob"]), "/sequencestore/1234567890/exportjob");
        assert_eq!(encode_path(&["tags", "arn:aws:omics:x/y z%ü~"]), "/tags/arn%3Aaws%3Aomics%3Ax%2Fy%20z%25%C3%BC~");
        assert_eq!(encode_path(&["..", ""]), "/../");
    }

    #[test]
    fn a_request_id_is_one_word() {
        for (id, good) in [("4f6c-…", false), ("4f6c-1_=/+", true), ("a\tb", false), ("a b", false)] {
            let raw = RawResponse {
                status: StatusCode::OK,
                headers: HeaderMap::from_iter([(
                    "x-amzn-requestid".parse().unwrap(),
                    HeaderValue::from_str(id).unwrap(),
                )]),
                body: Bytes::new(),
            };
            assert_eq!(raw.request_id().is_some(), good, "{id:?}");
        }
    }

    #[test]
    fn query_members_are_encoded_and_absent_ones_left_out() {
        let request = || WireRequest::post(HostPrefix::ControlStorage, &[], Bytes::new());
        assert_eq!(request().with_query("a", None).query, "");
        let both = request().with_query("a", Some("x y+z/=&?#%ü*'~")).with_query("b", None).with_query("c", Some("1"));
        assert_eq!(both.query, "a=x%20y%2Bz%2F%3D%26%3F%23%25%C3%BC%2A%27~&c=1");
    }
}
