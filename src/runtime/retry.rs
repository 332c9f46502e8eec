//! Whether a failed attempt is retried, and after which backoff. Pure: the failure, the time left and a random number are
//! its input, and the loop in [`call`](super::call) does the rest.

mod quota;

use std::time::Duration;

pub(crate) use quota::{Permit, Quota};

use super::clock::ClockOffset;
use crate::error::StopReason;
use crate::protocol::error_response::{
    EXPIRED_CODES, ErrorResponse, SIGNATURE_CODES, ServerDelay, THROTTLING_CODES, TRANSIENT_CODES,
};

/// The longest delay asked for by the service that the client waits for.
const MAX_SERVER_DELAY: Duration = Duration::from_mins(5);
/// By how much `x-amz-retry-after` may extend the client's own backoff.
const SERVER_DELAY_WINDOW: Duration = Duration::from_secs(5);

/// How often one call corrects the clock: by a `Date` that may be wrong, and by the next one.
const MAX_CLOCK_CORRECTIONS: u32 = 2;

/// What a failure means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A retry would fail, too.
    Final,
    /// The service or the network failed.
    Transient,
    /// The caller sends requests too fast.
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

/// What an error response means. `skew` corrects the clock that the request was signed by, if the date of the response
/// contradicts it.
pub(crate) fn classify(error: &ErrorResponse, skew: Option<ClockOffset>) -> Class {
    let code = error.code.as_deref().unwrap_or_default();
    let status = error.status.as_u16();
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

/// Whether the service may have done its work before an error response: it, or a gateway before it, gave up.
pub(crate) fn may_have_been_applied(error: &ErrorResponse, class: Class) -> bool {
    let given_up = error.status.is_server_error()
        // 499 is what a gateway responds when it takes the caller for gone.
        || matches!(error.status.as_u16(), 408 | 499)
        || error.code.as_deref().is_some_and(|code| TRANSIENT_CODES.contains(&code) || code == "RequestAbortedException");
    given_up && class != Class::Throttling
}

/// How often and how fast a client retries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RetryPolicy {
    pub(crate) max_attempts: u32,
    pub(crate) backoff: Duration,
    pub(crate) throttling_backoff: Duration,
    pub(crate) max_backoff: Duration,
}

impl Default for RetryPolicy {
    /// The defaults of the AWS SDKs.
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
    /// The exponential backoff after `retries` earlier retries, with full jitter.
    fn delay(&self, class: Class, retries: u32, server: Option<ServerDelay>, jitter: f64) -> Duration {
        let base = if class == Class::Throttling { self.throttling_backoff } else { self.backoff };
        let own = base.saturating_mul(2_u32.saturating_pow(retries)).min(self.max_backoff);
        let own = Duration::try_from_secs_f64(own.as_secs_f64() * jitter).unwrap_or(own);
        match server {
            None => own,
            Some(ServerDelay::Hint(hint)) => hint.clamp(own, own.saturating_add(SERVER_DELAY_WINDOW)),
            Some(ServerDelay::Exact(delay)) => delay.max(own),
        }
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Retry {
        after: Duration,
    },
    /// With the reason if a retry could have helped.
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

    /// Returns the tokens of the last retry to the quota, or adds one token if there was no retry.
    pub(crate) fn succeeded(&mut self) {
        match self.permit.take() {
            Some(permit) => drop(permit),
            None => self.quota.add(1),
        }
    }

    /// `jitter` is 0 to 1; `time_left` is what is left of the operation timeout.
    pub(crate) fn failed(
        &mut self,
        class: Class,
        server: Option<ServerDelay>,
        jitter: f64,
        time_left: Option<Duration>,
    ) -> Decision {
        // The last retry did not help: its tokens are spent.
        if let Some(permit) = self.permit.take() {
            permit.spend();
        }
        match class {
            Class::Final => Decision::Stop(None),
            Class::ClockSkew(_) => Self::corrected(&mut self.clock_corrections, MAX_CLOCK_CORRECTIONS),
            Class::ExpiredCredentials => Self::corrected(&mut self.credentials_renewals, 1),
            Class::StaleConnection if !self.reconnected => self.reconnect(time_left),
            Class::Transient | Class::Throttling | Class::StaleConnection => {
                self.backed_off(class, server, jitter, time_left)
            }
        }
    }

    /// Clock or credentials were corrected: a retry at once, without cost and beyond the limit of attempts.
    fn corrected(count: &mut u32, max: u32) -> Decision {
        if *count == max {
            return Decision::Stop(None);
        }
        *count += 1;
        Decision::Retry { after: Duration::ZERO }
    }

    /// A retry on a new connection: at once and without cost, but once a call, and as one of its attempts.
    fn reconnect(&mut self, time_left: Option<Duration>) -> Decision {
        if !self.has_attempts_left() {
            return Decision::Stop(Some(StopReason::AttemptsExhausted));
        }
        if time_left.is_some_and(|left| left.is_zero()) {
            return Decision::Stop(Some(StopReason::NoTimeLeft));
        }
        self.reconnected = true;
        Decision::Retry { after: Duration::ZERO }
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
        if matches!(server, Some(ServerDelay::Exact(delay)) if delay > MAX_SERVER_DELAY) {
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
                Decision::Retry { after }
            }
        }
    }
}

#[cfg(test)]
mod tests;
