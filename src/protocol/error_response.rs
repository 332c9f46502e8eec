//! An error response: its code and message, and what its headers ask for.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Deserialize;

use super::json;
use super::response::Response;
use super::sigv4::Secrets;

/// How much of an answer that says nothing usable is kept, in bytes.
const EXCERPT_BYTES: usize = 200;
/// A wait that a service asks for is never reported as longer than this, so that it can be added to any time.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);
/// A clock that is further off than this is corrected.
const TOLERATED_SKEW: Duration = Duration::from_mins(4);

pub(crate) const THROTTLING_CODES: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];
pub(crate) const TRANSIENT_CODES: &[&str] = &[
    "InternalError",
    "InternalFailure",
    "InternalServerException",
    "RangeNotSatisfiableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
];
pub(crate) const EXPIRED_CODES: &[&str] = &["ExpiredToken", "ExpiredTokenException"];
/// A signature that was refused: by a clock that is off, if the answer's date says so.
pub(crate) const SIGNATURE_CODES: &[&str] = &[
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// What an error answer says, as far as it can be read.
#[derive(Clone, Debug)]
pub(crate) struct ErrorResponse {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) excerpt: Option<String>,
}

impl ErrorResponse {
    /// Reads the code from the header before the body, whatever the body is. A gateway may show the request that it did
    /// not like: its secrets are blanked out.
    pub(crate) fn read(raw: &Response, now: SystemTime, secrets: &Secrets) -> Self {
        let body = ErrorBody::read(&raw.body);
        let header = raw.header("x-amzn-errortype").and_then(clean_code);
        let code = header.or_else(|| body.code());
        let message = body.message();
        let excerpt =
            if message.is_none() { excerpt(&secrets.redact(&String::from_utf8_lossy(&raw.body))) } else { None };
        Self {
            status: raw.status,
            code: code.map(str::to_owned),
            message: message.map(|message| secrets.redact(without_echo(message))),
            request_id: raw.request_id().map(|id| secrets.redact(id)),
            retry_after: server_delay(raw, now).map(ServerDelay::duration),
            excerpt,
        }
    }
}

/// The fields of an error response that say something.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(with = "json::field")]
    code: Option<String>,
    #[serde(rename = "__type", with = "json::field")]
    type_: Option<String>,
    #[serde(with = "json::field")]
    message: Option<String>,
    #[serde(rename = "Message", with = "json::field")]
    message_capitalized: Option<String>,
    #[serde(rename = "errorMessage", with = "json::field")]
    error_message: Option<String>,
}

impl ErrorBody {
    /// The fields of a JSON object; none of anything else.
    fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let fields = json::read_struct(&mut deserializer).ok().flatten();
        fields.filter(|_| deserializer.end().is_ok()).unwrap_or_default()
    }

    fn code(&self) -> Option<&str> {
        [&self.code, &self.type_].into_iter().flatten().find_map(|code| clean_code(code))
    }

    fn message(&self) -> Option<&str> {
        [&self.message, &self.message_capitalized, &self.error_message].into_iter().flatten().map(String::as_str).next()
    }
}

/// `ns#Code:uri` to `Code`.
fn clean_code(raw: &str) -> Option<&str> {
    let code = raw.split_once(':').map_or(raw, |(code, _)| code);
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code).trim();
    // What is no name at all may be an attempt on the log.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (!code.is_empty() && code.len() <= 128 && code.bytes().all(is_name)).then_some(code)
}

/// AWS explains a refused signature by echoing signed headers, the session token among them: cut that off.
fn without_echo(message: &str) -> &str {
    let cut = ["Authorization=", "The Canonical String"].iter().filter_map(|echo| message.find(echo)).min();
    cut.map_or(message, |at| message[..at].trim_end())
}

fn excerpt(body: &str) -> Option<String> {
    let text =
        without_echo(&body[..body.floor_char_boundary(EXCERPT_BYTES)]).split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// How far the service's clock is from the one that the request was signed by, when that is too far. An `Age` header
/// means that a cache answered with a date of old.
pub(crate) fn clock_skew(raw: &Response, signed_by: SystemTime) -> Option<SystemTime> {
    if raw.headers.contains_key("age") {
        return None;
    }
    let service = httpdate::parse_http_date(raw.header("date")?).ok()?;
    let off = service.duration_since(signed_by).or_else(|_| signed_by.duration_since(service)).ok()?;
    (off > TOLERATED_SKEW).then_some(service)
}

/// A wait that the answer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerDelay {
    /// `x-amz-retry-after`: within five seconds of the client's own backoff.
    Hint(Duration),
    /// `Retry-After`: at least as long.
    Exact(Duration),
}

impl ServerDelay {
    pub(crate) fn duration(self) -> Duration {
        match self {
            Self::Hint(delay) | Self::Exact(delay) => delay,
        }
    }
}

/// Reads `x-amz-retry-after` (milliseconds) before `Retry-After` (seconds, or a date), up to 24 hours.
pub(crate) fn server_delay(raw: &Response, now: SystemTime) -> Option<ServerDelay> {
    let millis = raw.header("x-amz-retry-after").and_then(|text| number(text, Duration::from_millis));
    if let Some(delay) = millis {
        return Some(ServerDelay::Hint(delay));
    }
    let text = raw.header("retry-after")?;
    let delay = number(text, Duration::from_secs).or_else(|| until(text, raw, now))?;
    Some(ServerDelay::Exact(delay))
}

/// A number of any size.
fn number(text: &str, unit: fn(u64) -> Duration) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| unit(text.parse().unwrap_or(u64::MAX)).min(MAX_RETRY_AFTER))
}

/// How long it is until a date. It may be written by another clock than the one here: by that of `Date`, unless that is
/// wrong. A wrong clock can only make a wait too long or end it before it begins.
fn until(date: &str, raw: &Response, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    let written = raw.header("date").and_then(|text| httpdate::parse_http_date(text).ok());
    let waits = [written, Some(now)].into_iter().flatten().filter_map(|clock| date.duration_since(clock).ok());
    Some(waits.min().unwrap_or_default().min(MAX_RETRY_AFTER))
}
