//! Signature Version 4. Only this module makes a [`SignedRequest`], and only that can be sent.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use url::Url;

use crate::credentials::SigningIdentity;
use crate::error::BoxError;

/// The end of the year 9999, since 1970.
const LAST_DATE: Duration = Duration::from_secs(253_402_300_799);

const SIGNING_NAME: &str = "omics";

/// A request that knows where it goes, and is not signed yet.
pub(crate) struct UnsignedRequest {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Bytes,
}

/// A request that may be sent: once, and soon.
pub(crate) struct SignedRequest {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

impl SignedRequest {
    pub(crate) fn into_parts(self) -> (Method, Url, HeaderMap, Bytes) {
        (self.method, self.url, self.headers, self.body)
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// What must not come back in an answer: signature and session token.
    pub(crate) fn secrets(&self) -> Secrets {
        let header = |name: &str| self.headers.get(name).cloned();
        Secrets { authorization: header("authorization"), session_token: header("x-amz-security-token") }
    }
}

/// What a request is signed with, as far as it goes over the wire.
#[derive(Default)]
pub(crate) struct Secrets {
    authorization: Option<HeaderValue>,
    session_token: Option<HeaderValue>,
}

impl Secrets {
    /// Blanks them out of a text that came back.
    pub(crate) fn blank(&self, text: &str) -> String {
        let authorization = self.authorization.as_ref().and_then(|value| value.to_str().ok());
        let signature = authorization.and_then(|value| value.rsplit_once("Signature=")).map(|(_, signature)| signature);
        let session_token = self.session_token.as_ref().and_then(|value| value.to_str().ok());
        let known = [signature, session_token].into_iter().flatten().filter(|secret| !secret.is_empty());
        known.fold(text.to_owned(), |text, secret| text.replace(secret, "(redacted)"))
    }
}

impl fmt::Debug for SignedRequest {
    /// Headers and body are left out: signature, session token and client token are in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest")
            .field("method", &self.method)
            .field("path", &self.url.path())
            .finish_non_exhaustive()
    }
}

/// Signs the host, the content type, the time, the session token and the body. `unsigned` headers go along.
pub(crate) fn signed(
    request: &UnsignedRequest,
    unsigned: HeaderMap,
    identity: &SigningIdentity,
    region: &str,
    time: SystemTime,
) -> Result<SignedRequest, BoxError> {
    // The signer has no error for it.
    if time.duration_since(UNIX_EPOCH).map_or(true, |since| since > LAST_DATE) {
        return Err("a clock that is before 1970 or after 9999".into());
    }
    let params = v4::SigningParams::builder()
        .identity(&identity.identity)
        .region(region)
        .name(SIGNING_NAME)
        .time(time)
        .settings(SigningSettings::default())
        .build()?
        .into();
    let host = host_header(&request.url);
    let content_type = (!request.body.is_empty()).then_some((CONTENT_TYPE.as_str(), "application/json"));
    let signed_headers = [(HOST.as_str(), host.as_str())].into_iter().chain(content_type);
    let body = SignableBody::Bytes(&request.body);
    let signable = SignableRequest::new(request.method.as_str(), request.url.as_str(), signed_headers, body)?;
    let (instructions, _signature) = sign(signable, &params)?.into_parts();

    let mut headers = unsigned;
    headers.insert(HOST, HeaderValue::from_str(&host)?);
    if let Some((_, value)) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
    }
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value())?;
        // Nothing that a signature is made of is ever printed.
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(SignedRequest { method: request.method.clone(), url: request.url.clone(), headers, body: request.body.clone() })
}

/// The `Host` header: the port only if it is not the scheme's own.
fn host_header(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
