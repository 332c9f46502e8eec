//! Requests to the local service, and their signatures.

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use time::OffsetDateTime;
use url::Url;

use super::{Message, now};
use crate::local::LocalService;
use crate::local::fuzzing::{self, Handled};
use crate::operation::fuzzing::OPERATIONS;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::request::{HostPrefix, Request};
use crate::protocol::response::Response;
use crate::protocol::sigv4::{SigningIdentity, sign as sign_request};

/// Requests to the local service: `METHOD URI`, lines of headers, an empty line, the body.
pub fn local_request(data: &[u8]) {
    let Message { start, headers, body } = Message::read(data);
    let mut words = start.splitn(2, |byte| *byte == b' ');
    let (method, uri) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Some(parts) = parts(method, uri, headers) else { return };
    let body = Bytes::copy_from_slice(body);
    let Some(Handled { operation, id, status, body: response }) = fuzzing::request(&parts, &body) else { return };
    let request_size = data.len();
    let response_size = response.len();
    // A violation names its field and its constraint, and every item may have one.
    assert!(response_size <= 4_000 + 200 * request_size, "the response to {request_size} bytes has {response_size}");
    if status == 200 {
        let response = Response { status: StatusCode::OK, headers: HeaderMap::new(), body: response };
        let decode = OPERATIONS.iter().find(|(name, _)| *name == operation).map(|(_, decode)| decode);
        assert!(decode.is_some_and(|decode| decode(&response, &id)), "the client can read every response: {operation}");
    }
}

fn parts(method: &[u8], uri: &[u8], headers: HeaderMap) -> Option<Parts> {
    let mut parts = http::Request::builder().method(method).uri(uri).body(()).ok()?.into_parts().0;
    parts.headers = headers;
    Some(parts)
}

/// Signatures: `METHOD URI`, lines of headers, an empty line, the body. The input itself is not signed. The same
/// request as signed by the client is, unless it is changed.
pub fn local_signature(data: &[u8]) {
    let Message { start, headers, body } = Message::read(data);
    let mut words = start.splitn(2, |byte| *byte == b' ');
    let (method, uri) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let at = OffsetDateTime::from(now());
    if let Some(parts) = parts(method, uri, headers) {
        assert!(
            !fuzzing::is_signed(&parts, body, fuzzing::credentials(None), at),
            "it can't be signed without the secret"
        );
        assert!(
            !fuzzing::is_signed(&parts, body, fuzzing::credentials(Some("session")), at),
            "it can't be signed without the secret"
        );
    }

    let text = String::from_utf8_lossy(uri);
    let (segment, value) = text.split_once('?').unwrap_or((&text, "value"));
    // The client accepts only digits there, and a URL has no segment of dots.
    if segment.is_empty() || matches!(segment, "." | "..") {
        return;
    }
    for session in [None, Some("session")] {
        let (path, body) = (["sequencestore", segment, "exportjobs"], Bytes::copy_from_slice(body));
        let request = Request::post(HostPrefix::ControlStorage, &path, body).with_query("nextToken", Some(value));
        let Some((mut parts, body)) = sign(request, session) else { return };
        let credentials = fuzzing::credentials(session);
        assert!(fuzzing::is_signed(&parts, &body, credentials.clone(), at), "{} {body:?}", parts.uri);
        let longer = [&*body, b" "].concat();
        assert!(!fuzzing::is_signed(&parts, &longer, credentials.clone(), at), "{}", parts.uri);
        parts.method = http::Method::PUT;
        assert!(!fuzzing::is_signed(&parts, &body, credentials, at), "{}", parts.uri);
    }
}

fn sign(request: Request, session: Option<&str>) -> Option<(Parts, Bytes)> {
    let endpoint = Endpoint::new(&Url::parse("http://127.0.0.1:9000").ok()?, false)?;
    let identity = SigningIdentity::new(fuzzing::credentials(session));
    let request = endpoint.unsigned(request).ok()?;
    let signed = sign_request(&request, HeaderMap::new(), &identity, LocalService::REGION, now()).ok()?;
    let (head, body) = signed.into_http().into_parts();
    let uri = head.uri.path_and_query()?.as_str().as_bytes();
    Some((parts(head.method.as_str().as_bytes(), uri, head.headers)?, body))
}
