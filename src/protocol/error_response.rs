//! Error responses: code and message, and the delay that their headers ask for.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::json::field::{Field as _, Place};
use super::json::json_struct;
use super::response::Response;
use super::sigv4::Secrets;

/// How much of an error response without a message is kept, in bytes.
const EXCERPT_BYTES: usize = 200;
/// The longest delay that is reported, so that a caller can add it to any time.
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
/// Codes for a rejected signature. The clock may be off, if the date of the response says so.
pub(crate) const SIGNATURE_CODES: &[&str] = &[
    "AuthFailure",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestInTheFuture",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
];

/// An error response, as far as it can be read.
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
    /// Prefers the code of the header to that of the body. The secrets of the request are redacted, as a gateway may
    /// repeat the request in its response.
    pub(crate) fn read(response: &Response, now: SystemTime, secrets: &Secrets) -> Self {
        let body = ErrorBody::of(&response.body);
        let header = response.header("x-amzn-errortype").and_then(clean_code);
        let code = header.or_else(|| body.code());
        let message = body.message();
        let excerpt =
            if message.is_none() { excerpt(&secrets.redact(&String::from_utf8_lossy(&response.body))) } else { None };
        Self {
            status: response.status,
            code: code.map(str::to_owned),
            message: message.map(|message| secrets.redact(without_echo(message))),
            request_id: response.request_id().map(|id| secrets.redact(id)),
            retry_after: server_delay(response, now).map(ServerDelay::duration),
            excerpt,
        }
    }
}

json_struct! {
    /// The fields that an error response may have.
    #[derive(Default, Serialize, Deserialize)]
    struct ErrorBody {
        code: Option<String>,
        #[serde(rename = "__type")]
        type_: Option<String>,
        message: Option<String>,
        #[serde(rename = "Message")]
        message_capitalized: Option<String>,
        error_message: Option<String>,
    }
}

impl ErrorBody {
    /// Reads the fields of a JSON object. Any other body has none.
    fn of(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let fields = Self::read(&mut deserializer, Place::Field).ok().flatten();
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
    // Anything else than a name could forge lines of a log.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (!code.is_empty() && code.len() <= 128 && code.bytes().all(is_name)).then_some(code)
}

/// AWS explains a rejected signature by repeating the signed headers, including the session token. They are cut off.
fn without_echo(message: &str) -> &str {
    let cut = ["Authorization=", "The Canonical String"].iter().filter_map(|echo| message.find(echo)).min();
    cut.map_or(message, |at| message[..at].trim_end())
}

fn excerpt(body: &str) -> Option<String> {
    let text =
        without_echo(&body[..body.floor_char_boundary(EXCERPT_BYTES)]).split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// The time of the service, if it is too far from the time that the request was signed with.
pub(crate) fn clock_skew(response: &Response, signed_at: SystemTime) -> Option<SystemTime> {
    let service = SystemTime::from(response.date()?);
    let skew = service.duration_since(signed_at).or_else(|_| signed_at.duration_since(service)).ok()?;
    (skew > TOLERATED_SKEW).then_some(service)
}

/// A delay that the response asks for.
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
pub(crate) fn server_delay(response: &Response, now: SystemTime) -> Option<ServerDelay> {
    let millis = response.header("x-amz-retry-after").and_then(|text| number(text, Duration::from_millis));
    if let Some(delay) = millis {
        return Some(ServerDelay::Hint(delay));
    }
    let text = response.header("retry-after")?;
    let delay = number(text, Duration::from_secs).or_else(|| until(text, response, now))?;
    Some(ServerDelay::Exact(delay))
}

/// A number of any size.
fn number(text: &str, unit: fn(u64) -> Duration) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| unit(text.parse().unwrap_or(u64::MAX)).min(MAX_RETRY_AFTER))
}

/// The time until a date. The date is by the clock of the service, as in the `Date` header, which may be wrong. The
/// shorter of the times by `Date` and by the local clock is used.
fn until(date: &str, response: &Response, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    let service = response.header("date").and_then(|text| httpdate::parse_http_date(text).ok());
    let waits = [service, Some(now)].into_iter().flatten().filter_map(|clock| date.duration_since(clock).ok());
    Some(waits.min().unwrap_or_default().min(MAX_RETRY_AFTER))
}
