//! A response as it is received.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use time::OffsetDateTime;

/// In bytes. Anything longer is not a request id, and would fill logs.
const MAX_REQUEST_ID_LENGTH: usize = 256;

/// A response as it was received; nothing in it is checked yet.
#[derive(Clone)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    /// The text of a header, if there is one and it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The time of the service. With an `Age` header, the date is that of a cached response.
    pub(crate) fn date(&self) -> Option<OffsetDateTime> {
        if self.headers.contains_key("age") {
            return None;
        }
        httpdate::parse_http_date(self.header("date")?).ok().map(OffsetDateTime::from)
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        let id = self.header("x-amzn-requestid").or_else(|| self.header("x-amz-request-id"));
        id.filter(|id| id.len() <= MAX_REQUEST_ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_graphic()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_request_id_is_one_word() {
        for (id, good) in [("4f6c-…", false), ("4f6c-1_=/+", true), ("a\tb", false), ("a b", false)] {
            let response = Response {
                status: StatusCode::OK,
                headers: HeaderMap::from_iter([(
                    "x-amzn-requestid".parse().unwrap(),
                    HeaderValue::from_str(id).unwrap(),
                )]),
                body: Bytes::new(),
            };
            assert_eq!(response.request_id().is_some(), good, "{id:?}");
        }
    }
}
