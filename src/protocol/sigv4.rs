//! Signature Version 4. Only this module makes a [`SignedRequest`], and only that can be sent.
//!
//! The canonical request is written in the one form that this crate sends, in a fraction of the time that `aws-sigv4` takes;
//! a test checks that the signatures of both are equal. All hashes of a signature are those of `hash.rs`.

mod hash;
mod identity;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hash::Hash;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, Method, Uri};
pub(crate) use identity::SigningIdentity;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use time::OffsetDateTime;

use super::request::RESERVED;
use crate::model::BoxError;

/// The end of the year 9999, since 1970.
const LAST_DATE: Duration = Duration::from_secs(253_402_300_799);

const SIGNING_NAME: &str = "omics";

/// The segments of a path, which are encoded already, are encoded a second time.
const PATH: &AsciiSet = &RESERVED.remove(b'/');

static AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
static SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// A request with its URI that is not signed yet.
pub(crate) struct UnsignedRequest {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The `Host` header.
    pub(crate) host: HeaderValue,
    /// The `Content-Type` header of a request that has a body.
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

/// A signed request, which can be sent once, within minutes.
pub(crate) struct SignedRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl SignedRequest {
    pub(crate) fn into_http(self) -> http::Request<Bytes> {
        let mut request = http::Request::new(self.body);
        *request.uri_mut() = self.uri;
        *request.method_mut() = self.method;
        *request.headers_mut() = self.headers;
        request
    }

    /// What must not appear in an error: signature and session token, which a response may repeat.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets {
            authorization: self.headers.get(AUTHORIZATION).cloned(),
            session_token: self.headers.get(&SECURITY_TOKEN).cloned(),
        }
    }
}

/// What a request is signed with, as far as it is sent.
#[derive(Default)]
pub(crate) struct Secrets {
    authorization: Option<HeaderValue>,
    session_token: Option<HeaderValue>,
}

impl Secrets {
    /// Replaces them in a text of a response.
    pub(crate) fn redact(&self, text: &str) -> String {
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
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}

/// Signs host, content type, time, session token and body. The `unsigned` headers are sent, too.
pub(crate) fn sign(
    request: &UnsignedRequest,
    unsigned: HeaderMap,
    identity: &SigningIdentity,
    region: &str,
    time: SystemTime,
) -> Result<SignedRequest, BoxError> {
    let date = amz_date(time)?;
    let day = date.get(..8).unwrap_or_default();
    let scope = [day, region, SIGNING_NAME, "aws4_request"].join("/");
    let credentials = &identity.credentials;

    let mut headers = unsigned;
    headers.insert(HOST, request.host.clone());
    headers.insert(&AMZ_DATE, sensitive(&date)?);
    if let Some(content_type) = &request.content_type {
        headers.insert(CONTENT_TYPE, content_type.clone());
    }
    if let Some(token) = credentials.session_token() {
        headers.insert(&SECURITY_TOKEN, sensitive(token)?);
    }

    let (canonical, names) = canonical_request(request, &headers)?;
    let mut to_sign = ["AWS4-HMAC-SHA256", &date, &scope, ""].join("\n");
    push_hex(&mut to_sign, &hash::sha256(canonical.as_bytes())?)?;

    let mut authorization = String::with_capacity(256);
    authorization.extend(["AWS4-HMAC-SHA256 Credential=", credentials.access_key_id(), "/", &scope]);
    authorization.extend([", SignedHeaders=", &names, ", Signature="]);
    push_hex(&mut authorization, &identity.sign(&scope, &to_sign)?)?;
    headers.insert(AUTHORIZATION, sensitive(&authorization)?);
    Ok(SignedRequest { method: request.method.clone(), uri: request.uri.clone(), headers, body: request.body.clone() })
}

/// Adds a hash in hexadecimal digits.
fn push_hex(text: &mut String, hash: &Hash) -> Result<(), BoxError> {
    let mut digits = [0; 64];
    hex::encode_to_slice(hash, &mut digits)?;
    text.push_str(str::from_utf8(&digits)?);
    Ok(())
}

/// A header value that `Debug` does not print.
fn sensitive(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `20150830T123600Z`.
fn amz_date(time: SystemTime) -> Result<String, BoxError> {
    if time.duration_since(UNIX_EPOCH).map_or(true, |since| since > LAST_DATE) {
        return Err("the clock is before 1970 or after 9999".into());
    }
    let time = OffsetDateTime::from(time);
    let (year, month, day) = time.to_calendar_date();
    let (hour, minute, second) = time.to_hms();
    Ok(format!("{year:04}{:02}{day:02}T{hour:02}{minute:02}{second:02}Z", u8::from(month)))
}

/// The canonical request, and the names of the signed headers.
fn canonical_request(request: &UnsignedRequest, headers: &HeaderMap) -> Result<(String, String), BoxError> {
    // In the order of their names.
    let signed =
        [&CONTENT_TYPE, &HOST, &AMZ_DATE, &SECURITY_TOKEN].map(|name| Some((name.as_str(), headers.get(name)?)));
    let mut names = String::with_capacity(64);
    let mut text = String::with_capacity(1_024);
    text.extend([request.method.as_str(), "\n"]);
    push_path(&mut text, request.uri.path());
    text.push('\n');
    push_query(&mut text, request.uri.query().unwrap_or_default());
    text.push('\n');
    for (name, value) in signed.into_iter().flatten() {
        let separator = if names.is_empty() { "" } else { ";" };
        names.extend([separator, name]);
        text.extend([name, ":", value.to_str()?, "\n"]);
    }
    text.extend(["\n", &names, "\n"]);
    push_hex(&mut text, &hash::sha256(&request.body)?)?;
    Ok((text, names))
}

/// Adds a path without empty segments. A URL has no `.` and `..` segments.
fn push_path(text: &mut String, path: &str) {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    if segments.peek().is_none() {
        text.push('/');
        return;
    }
    for segment in segments {
        text.push('/');
        text.extend(utf8_percent_encode(segment, PATH));
    }
    if path.ends_with('/') {
        text.push('/');
    }
}

/// Adds the fields of a query in the order of their names. Names and values are encoded already.
fn push_query(text: &mut String, query: &str) {
    let mut fields: Vec<_> = query.split('&').collect();
    fields.sort_unstable_by_key(|field| field.split_once('='));
    for (index, field) in fields.into_iter().enumerate() {
        text.extend([if index == 0 { "" } else { "&" }, field]);
    }
}

#[cfg(test)]
mod tests;
