//! When a failed attempt is followed by another, and how long after. Pure: it is told what failed, what time is left,
//! and a random number; the loop in `client` does the rest.

mod quota;

use std::time::{Duration, SystemTime};

pub(crate) use quota::{Permit, Quota};

use crate::clock::ClockOffset;
use crate::error::{ErrorAnswer, StopReason};
use crate::wire::RawResponse;

/// A wait longer than this that a service asks for is the caller's business.
const LONGEST_SERVER_DELAY: Duration = Duration::from_mins(5);
/// A wait that a service asks for is never reported as longer than this, so that it can be added to any time.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);
/// How much later than its own backoff the client lets `x-amz-retry-after` make it.
const SERVER_DELAY_WINDOW: Duration = Duration::from_secs(5);
/// A clock that is further off than this is corrected.
const TOLERATED_SKEW: Duration = Duration::from_mins(4);

/// How often one call tries another clock: once by a `Date` that may be wrong, and once by the next.
const MOST_CLOCK_CORRECTIONS: u32 = 2;

const THROTTLING_CODES: &[&str] = &[
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
const TRANSIENT_CODES: &[&str] = &[
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

/// What a failure means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Another attempt would fail alike.
    Final,
    /// The service or the network failed.
    Transient,
    /// The service found the caller too fast.
    Throttling,
    /// A connection from an earlier request was closed before the response: another connection is likely to work.
    StaleConnection,
    /// The clock here may be off: the next attempt is signed with this offset.
    ClockSkew(ClockOffset),
    /// The credentials have expired before their time; others have to be fetched.
    ExpiredCredentials,
}

impl Class {
    pub(crate) fn is_retryable(self) -> bool {
        matches!(self, Self::Transient | Self::Throttling | Self::StaleConnection)
    }
}

/// What an error answer means. `skew` corrects the clock that the request was signed by, if the date of the answer
/// contradicts it.
pub(crate) fn classify(answer: &ErrorAnswer, skew: Option<ClockOffset>) -> Class {
    let code = answer.code.as_deref().unwrap_or_default();
    let status = answer.status.as_u16();
    if status == 429 || THROTTLING_CODES.contains(&code) {
        Class::Throttling
    } else if EXPIRED_CODES.contains(&code) {
        Class::ExpiredCredentials
    } else if let Some(offset) = skew.filter(|_| SIGNATURE_CODES.contains(&code)) {
        Class::ClockSkew(offset)
    } else if matches!(status, 408 | 500 | 502 | 503 | 504) || TRANSIENT_CODES.contains(&code) {
        Class::Transient
    } else {
        Class::Final
    }
}

/// Whether an error answer leaves open what the service did: it, or a gateway before it, gave up in the middle.
pub(crate) fn may_have_been_applied(answer: &ErrorAnswer, class: Class) -> bool {
    let given_up = answer.status.is_server_error()
        // 499 is a gateway's word for a caller that it believes gone.
        || matches!(answer.status.as_u16(), 408 | 499)
        || answer.code.as_deref().is_some_and(|code| TRANSIENT_CODES.contains(&code) || code == "RequestAbortedException");
    given_up && class != Class::Throttling
}

/// How far the service's clock is from the one that the request was signed by, when that is too far. An `Age` header
/// means that a cache answered with a date of old.
pub(crate) fn clock_skew(raw: &RawResponse, signed_by: SystemTime) -> Option<SystemTime> {
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
    /// `Retry-After`: as it is.
    Order(Duration),
}

impl ServerDelay {
    pub(crate) fn duration(self) -> Duration {
        match self {
            Self::Hint(delay) | Self::Order(delay) => delay,
        }
    }
}

/// Reads `x-amz-retry-after` (milliseconds) before `Retry-After` (seconds, or a date), up to 24 hours.
pub(crate) fn server_delay(raw: &RawResponse, now: SystemTime) -> Option<ServerDelay> {
    let millis = raw.header("x-amz-retry-after").and_then(|text| number(text, Duration::from_millis));
    if let Some(delay) = millis {
        return Some(ServerDelay::Hint(delay));
    }
    let text = raw.header("retry-after")?;
    let delay = number(text, Duration::from_secs).or_else(|| until(text, raw, now))?;
    Some(ServerDelay::Order(delay))
}

/// A number of any size.
fn number(text: &str, unit: fn(u64) -> Duration) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| unit(text.parse().unwrap_or(u64::MAX)).min(LONGEST_RETRY_AFTER))
}

/// How long it is until a date. It may be written by another clock than the one here: by that of `Date`, unless that is
/// wrong. A wrong clock can only make a wait too long or end it before it begins.
fn until(date: &str, raw: &RawResponse, now: SystemTime) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    let written = raw.header("date").and_then(|text| httpdate::parse_http_date(text).ok());
    let waits = [written, Some(now)].into_iter().flatten().filter_map(|clock| date.duration_since(clock).ok());
    Some(waits.min().unwrap_or_default().min(LONGEST_RETRY_AFTER))
}

/// How often and how fast a client tries again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) backoff: Duration,
    pub(crate) throttling_backoff: Duration,
    pub(crate) max_backoff: Duration,
}

impl Default for RetryPolicy {
    /// What the AWS SDKs agreed on.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff: Duration::from_millis(50),
            throttling_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(20),
        }
    }
}

impl RetryPolicy {
    /// Full jitter: anything from nothing to the exponential backoff after `retries` earlier retries.
    fn delay(&self, class: Class, retries: u32, server: Option<ServerDelay>, jitter: f64) -> Duration {
        let base = if class == Class::Throttling { self.throttling_backoff } else { self.backoff };
        let own = base.saturating_mul(2_u32.saturating_pow(retries)).min(self.max_backoff);
        let own = Duration::try_from_secs_f64(own.as_secs_f64() * jitter).unwrap_or(own);
        match server {
            None => own,
            Some(ServerDelay::Hint(hint)) => hint.clamp(own, own.saturating_add(SERVER_DELAY_WINDOW)),
            Some(ServerDelay::Order(order)) => order.max(own),
        }
    }
}

/// What comes after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Again {
        after: Duration,
    },
    /// With the reason if another attempt could have helped.
    Stop(Option<StopReason>),
}

/// The retries of one call.
#[derive(Debug)]
pub(crate) struct Retry {
    policy: RetryPolicy,
    quota: Quota,
    attempts: u32,
    retries: u32,
    permit: Option<Permit>,
    reconnected: bool,
    clock_corrections: u32,
    credentials_renewals: u32,
}

impl Retry {
    pub(crate) fn new(policy: RetryPolicy, quota: Quota) -> Self {
        Self {
            policy,
            quota,
            attempts: 0,
            retries: 0,
            permit: None,
            reconnected: false,
            clock_corrections: 0,
            credentials_renewals: 0,
        }
    }

    /// Counts an attempt; the first is 1.
    pub(crate) fn next_attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// A call that succeeds gets back what its last retry cost; one that needed none puts a token in.
    pub(crate) fn succeeded(&mut self) {
        match self.permit.take() {
            Some(permit) => drop(permit),
            None => self.quota.add(1),
        }
    }

    /// `jitter` is 0 to 1; `time_left` is what the operation time-out leaves.
    pub(crate) fn failed(
        &mut self,
        class: Class,
        server: Option<ServerDelay>,
        jitter: f64,
        time_left: Option<Duration>,
    ) -> Decision {
        // An earlier retry did not help: its tokens are spent.
        if let Some(permit) = self.permit.take() {
            permit.spend();
        }
        match class {
            Class::Final => Decision::Stop(None),
            Class::ClockSkew(_) => Self::corrected(&mut self.clock_corrections, MOST_CLOCK_CORRECTIONS),
            Class::ExpiredCredentials => Self::corrected(&mut self.credentials_renewals, 1),
            Class::StaleConnection if !self.reconnected => self.reconnect(time_left),
            Class::Transient | Class::Throttling | Class::StaleConnection => {
                self.backed_off(class, server, jitter, time_left)
            }
        }
    }

    /// Something here was wrong and has been fixed: at once, for free and beyond the limit of attempts.
    fn corrected(done: &mut u32, most: u32) -> Decision {
        if *done == most {
            return Decision::Stop(None);
        }
        *done += 1;
        Decision::Again { after: Duration::ZERO }
    }

    /// On a new connection, at once and for free, but once a call, and as one of its attempts.
    fn reconnect(&mut self, time_left: Option<Duration>) -> Decision {
        if !self.has_attempts_left() {
            return Decision::Stop(Some(StopReason::AttemptsExhausted));
        }
        if time_left.is_some_and(|left| left.is_zero()) {
            return Decision::Stop(Some(StopReason::NoTimeLeft));
        }
        self.reconnected = true;
        Decision::Again { after: Duration::ZERO }
    }

    fn has_attempts_left(&self) -> bool {
        1 + self.retries + u32::from(self.reconnected) < self.policy.max_attempts
    }

    fn backed_off(
        &mut self,
        class: Class,
        server: Option<ServerDelay>,
        jitter: f64,
        time_left: Option<Duration>,
    ) -> Decision {
        if !self.has_attempts_left() {
            return Decision::Stop(Some(StopReason::AttemptsExhausted));
        }
        let after = self.policy.delay(class, self.retries, server, jitter);
        let ordered = matches!(server, Some(ServerDelay::Order(order)) if order > LONGEST_SERVER_DELAY);
        if ordered {
            return Decision::Stop(Some(StopReason::DelayTooLong));
        }
        if time_left.is_some_and(|left| after >= left) {
            return Decision::Stop(Some(StopReason::NoTimeLeft));
        }
        match self.quota.acquire(class) {
            None => Decision::Stop(Some(StopReason::QuotaExhausted)),
            Some(permit) => {
                self.permit = Some(permit);
                self.retries += 1;
                Decision::Again { after }
            }
        }
    }
}

#[cfg(test)]
mod tests;
