//! Checks of AWS Signature Version 4 over the request as it was received.
//!
//! The canonical request is built here from the raw parts, not by the code that signs for the client, so that an error of
//! one is found by the other.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use http::HeaderMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};
use time::{Date, Month, OffsetDateTime, Time};

use super::service_error::ServiceError;
use crate::model::time::from_system_time;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "omics";
const TERMINATOR: &str = "aws4_request";
const AMZ_DATE: &str = "x-amz-date";
const SECURITY_TOKEN: &str = "x-amz-security-token";
const AUTHORIZATION: &str = "authorization";
const CONTENT_SHA256: &str = "x-amz-content-sha256";
const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// Everything but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request as it was received.
pub(crate) struct RawRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// The credentials that the service accepts, by access key id.
#[derive(Default)]
pub(crate) struct AcceptedCredentials(HashMap<String, Accepted>);

struct Accepted {
    credentials: Credentials,
    /// From this time on they are refused; `None` for no limit.
    expiration: Option<OffsetDateTime>,
}

impl AcceptedCredentials {
    pub(crate) fn accept(&mut self, credentials: Credentials) {
        let expiration = credentials.expiry().map(from_system_time);
        self.0.insert(credentials.access_key_id().to_owned(), Accepted { credentials, expiration });
    }

    /// Lets credentials expire at a time; returns whether they were accepted before.
    pub(crate) fn expire_at(&mut self, access_key_id: &str, time: OffsetDateTime) -> bool {
        let accepted = self.0.get_mut(access_key_id);
        accepted.map(|key| key.expiration = Some(time)).is_some()
    }

    /// Refuses a request that is not signed with accepted credentials, for this region and about this time.
    pub(crate) fn verify(
        &self,
        request: &RawRequest<'_>,
        region: &str,
        now: OffsetDateTime,
    ) -> Result<(), ServiceError> {
        for name in [AUTHORIZATION, AMZ_DATE, SECURITY_TOKEN, CONTENT_SHA256] {
            if request.headers.get_all(name).iter().nth(1).is_some() {
                return Err(incomplete(format!("The header '{name}' must not be given more than once.")));
            }
        }
        let header = header_text(request.headers, AUTHORIZATION).ok_or_else(|| {
            ServiceError::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        })?;
        let authorization = Authorization::parse(&header, request.headers)?;
        let key = self.0.get(authorization.access_key_id).ok_or_else(unrecognized)?;
        if key.expiration.is_some_and(|expiration| expiration <= now) {
            return Err(ServiceError::new(
                403,
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ));
        }
        if header_text(request.headers, SECURITY_TOKEN).as_deref() != key.credentials.session_token() {
            return Err(unrecognized());
        }
        authorization.check_scope(region)?;
        authorization.check_age(now)?;
        if let Some(name) = authorization.missing_header(request.headers) {
            return Err(invalid(format!("The header '{name}' is signed, but the request does not have it.")));
        }
        let checksum = header_text(request.headers, CONTENT_SHA256);
        if checksum.is_some_and(|checksum| checksum != sha256_hex(request.body)) {
            return Err(invalid("The provided 'x-amz-content-sha256' header does not match what was computed."));
        }
        let token_signed = key.credentials.session_token().is_none() || authorization.signs(SECURITY_TOKEN);
        let expected = authorization.expected_signature(request, key.credentials.secret_access_key());
        if !token_signed || expected != authorization.signature {
            return Err(invalid(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.",
            ));
        }
        Ok(())
    }
}

/// The parts of the `Authorization` header, and the time of the request.
struct Authorization<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    amz_date: String,
    time: OffsetDateTime,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str, headers: &HeaderMap) -> Result<Self, ServiceError> {
        let (algorithm, parameters) = header.trim().split_once(' ').unwrap_or((header, ""));
        if algorithm != ALGORITHM {
            return Err(incomplete(format!("Unsupported AWS 'algorithm': '{algorithm}'.")));
        }
        let parameter = |name: &str| {
            let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(key, value)| *key == name && !value.is_empty()).map(|(_, value)| value)
        };
        let credential = parameter("Credential");
        let signed_headers = parameter("SignedHeaders");
        let signature = parameter("Signature");
        let amz_date = header_text(headers, AMZ_DATE);
        let (Some(credential), Some(signed_headers), Some(signature), Some(amz_date)) =
            (credential, signed_headers, signature, &amz_date)
        else {
            let missing = [
                (credential.is_none(), "Authorization header requires 'Credential' parameter."),
                (signature.is_none(), "Authorization header requires 'Signature' parameter."),
                (signed_headers.is_none(), "Authorization header requires 'SignedHeaders' parameter."),
                (amz_date.is_none(), "Authorization header requires existence of an 'X-Amz-Date' header."),
            ];
            let missing: Vec<_> = missing.iter().filter(|(is_missing, _)| *is_missing).map(|(_, text)| *text).collect();
            return Err(incomplete(missing.join(" ")));
        };
        if !signed_headers.split(';').any(|name| name == "host") {
            return Err(incomplete("'Host' must be a 'SignedHeader' in the AWS Authorization header."));
        }
        // As every signer writes them. The values of a repeated name would be hashed repeatedly.
        if !signed_headers.split(';').is_sorted_by(|one, next| one < next) {
            return Err(incomplete("'SignedHeaders' must be in alphabetical order, each once."));
        }
        let scope: Vec<_> = credential.split('/').collect();
        let [access_key_id, date, region, service, terminator] = scope[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got \
                 '{credential}'."
            )));
        };
        let time = parse_amz_date(amz_date)
            .ok_or_else(|| incomplete(format!("Date must be in ISO-8601 'basic format'. Got '{amz_date}'.")))?;
        let amz_date = amz_date.clone();
        Ok(Self { access_key_id, date, region, service, terminator, signed_headers, signature, amz_date, time })
    }

    fn signs(&self, header: &str) -> bool {
        self.signed_headers.split(';').any(|name| name == header)
    }

    /// The first header that is signed but missing.
    fn missing_header(&self, headers: &HeaderMap) -> Option<&'a str> {
        self.signed_headers.split(';').find(|name| !headers.contains_key(*name))
    }

    fn check_scope(&self, region: &str) -> Result<(), ServiceError> {
        if self.region != region {
            return Err(invalid("Credential should be scoped to a valid region."));
        }
        if self.service != SERVICE {
            return Err(invalid(format!("Credential should be scoped to correct service: '{SERVICE}'.")));
        }
        if self.terminator != TERMINATOR {
            return Err(invalid(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'.",
                self.terminator
            )));
        }
        if !self.amz_date.starts_with(self.date) || self.date.len() != 8 {
            return Err(invalid(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != \
                 '{:.8}', from '{}'.",
                self.date, self.amz_date, self.amz_date
            )));
        }
        Ok(())
    }

    fn check_age(&self, now: OffsetDateTime) -> Result<(), ServiceError> {
        let signed = &self.amz_date;
        let clock = format_amz_date(now);
        if self.time < now - MAX_CLOCK_SKEW {
            let limit = format_amz_date(now - MAX_CLOCK_SKEW);
            return Err(invalid(format!("Signature expired: {signed} is now earlier than {limit} ({clock} - 5 min.)")));
        }
        if self.time > now + MAX_CLOCK_SKEW {
            let limit = format_amz_date(now + MAX_CLOCK_SKEW);
            return Err(invalid(format!(
                "Signature not yet current: {signed} is still later than {limit} ({clock} + 5 min.)"
            )));
        }
        Ok(())
    }

    fn expected_signature(&self, request: &RawRequest<'_>, secret: &str) -> String {
        let canonical = canonical_request(request, self.signed_headers);
        let scope = [self.date, self.region, self.service, self.terminator].join("/");
        let to_sign = [ALGORITHM, &self.amz_date, &scope, &sha256_hex(&canonical)].join("\n");
        let key = generate_signing_key(secret, SystemTime::from(self.time), self.region, self.service);
        calculate_signature(key, to_sign.as_bytes())
    }
}

fn canonical_request(request: &RawRequest<'_>, signed_headers: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let query = canonical_query(request.query.unwrap_or(""));
    for line in [request.method, &canonical_path(request.path), &query] {
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
    for name in signed_headers.split(';') {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        for (index, value) in request.headers.get_all(name).iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            push_collapsed(&mut out, value.as_bytes());
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(sha256_hex(request.body).as_bytes());
    out
}

/// The raw path without `.`, `..` and empty segments, each segment encoded once more.
fn canonical_path(raw: &str) -> String {
    let mut segments = Vec::new();
    for segment in raw.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            other => segments.push(encode(other.as_bytes())),
        }
    }
    let is_folder = matches!(raw.rsplit('/').next(), Some("" | "." | ".."));
    let end = if is_folder && !segments.is_empty() { "/" } else { "" };
    format!("/{}{end}", segments.join("/"))
}

/// Names and values, decoded and encoded again, in the order of the encoded text.
fn canonical_query(raw: &str) -> String {
    let encode_again = |text: &str| encode(&percent_decode_str(text).collect::<Vec<_>>());
    let mut pairs: Vec<_> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode_again(name), encode_again(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, ENCODED).to_string()
}

/// Appends a header value, trimmed and with each sequence of spaces replaced by one.
fn push_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let mut last = b' ';
    for &byte in value.trim_ascii() {
        if byte != b' ' || last != b' ' {
            out.push(byte);
        }
        last = byte;
    }
}

pub(crate) fn sha256_hex(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned())
}

/// Formats a time as in `20150830T123600Z`.
fn format_amz_date(time: OffsetDateTime) -> String {
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

fn parse_amz_date(text: &str) -> Option<OffsetDateTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 6 || !(date.bytes().chain(time.bytes())).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |text: &str| text.parse::<u8>().ok();
    let month = Month::try_from(part(&date[4..6])?).ok()?;
    let date = Date::from_calendar_date(date[..4].parse().ok()?, month, part(&date[6..])?).ok()?;
    let time = Time::from_hms(part(&time[..2])?, part(&time[2..4])?, part(&time[4..])?).ok()?;
    Some(date.with_time(time).assume_utc())
}

fn unrecognized() -> ServiceError {
    ServiceError::new(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
}

fn incomplete(message: impl Into<String>) -> ServiceError {
    ServiceError::new(403, "IncompleteSignatureException", message)
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new(403, "InvalidSignatureException", message)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn paths_are_normalised_and_encoded_once_more() {
        for (raw, canonical) in [
            ("/", "/"),
            ("", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/a//b/./c/../d", "/a/b/d"),
            ("/a%20b/%2F", "/a%2520b/%252F"),
            ("/..", "/"),
            ("/tags/arn:aws:x", "/tags/arn%3Aaws%3Ax"),
        ] {
            assert_eq!(canonical_path(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_once() {
        for (raw, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a", "a="),
            ("a=b=c", "a=b%3Dc"),
            ("nextToken=a%2Fb%20c&maxResults=5", "maxResults=5&nextToken=a%2Fb%20c"),
            ("a=2&a=10", "a=10&a=2"),
        ] {
            assert_eq!(canonical_query(raw), canonical, "{raw}");
        }
    }

    #[test]
    fn spaces_in_headers_collapse() {
        let mut out = Vec::new();
        push_collapsed(&mut out, b"  a   b c  ");
        assert_eq!(out, b"a b c");
    }

    #[test]
    fn dates_are_read_and_written() {
        let time = datetime!(2015-08-30 12:36:00 UTC);
        assert_eq!(parse_amz_date("20150830T123600Z"), Some(time));
        assert_eq!(format_amz_date(time), "20150830T123600Z");
        for bad in ["", "20150830", "20151330T123600Z", "20150830T123600", "2015é30T123600Z", "+0150830T123600Z"] {
            assert_eq!(parse_amz_date(bad), None, "{bad}");
        }
    }
}
