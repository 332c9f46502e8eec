//! When the next group may be started. Pure: events and times go in, a decision comes out.

use std::time::Duration;

use tokio::time::Instant;

use crate::Error;
use crate::job::schedule::{MAX_SERVER_DELAY, exponential_backoff};

/// The most start requests in flight: enough to use the whole request rate with a slow service.
pub(super) const MAX_STARTS_IN_FLIGHT: usize = 4;
/// How many starts of one group may end without a usable response, apart from outages, before the group is given up.
const MAX_INDETERMINATE_STARTS: u32 = 3;
/// The limit of the backoff after the first of several consecutive failures, before it doubles with each failure.
pub(super) const INITIAL_BACKOFF: Duration = Duration::from_secs(1);
/// The longest backoff, unless the service requests a longer one.
pub(super) const MAX_BACKOFF: Duration = Duration::from_secs(30);
/// The backoff while the quota of running jobs is full. The end of a job ends it earlier.
const QUOTA_BACKOFF: Duration = Duration::from_secs(10);
/// Errors about the caller's credentials that may have another status than 401 or 403.
const CREDENTIAL_CODES: &[&str] = &["ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "RequestExpired"];

/// Decides when the next group may be started.
#[derive(Debug)]
pub(super) struct StartGate {
    max_running_jobs: usize,
    /// Whether a start was accepted, so that the store exists and the caller has the rights.
    has_accepted: bool,
    /// Whether every further start would be refused.
    stopped: bool,
    consecutive_failures: u32,
    /// No start before this time, as starts fail.
    backoff_until: Option<Instant>,
    /// No start before this time unless a job ends, as the quota of running jobs is full.
    quota_full_until: Option<Instant>,
}

/// What the gate learns.
#[derive(Clone, Copy, Debug)]
pub(super) enum StartEvent {
    /// The service accepted a start.
    Accepted,
    /// A start failed.
    Failed(StartFailure),
    /// A job has ended, which frees a part of the quota of running jobs.
    JobEnded,
}

/// Why a start failed, as far as it matters for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartFailure {
    /// The quota of running jobs is full. The start is to be sent again.
    QuotaFull { retry_after: Duration },
    /// The start was throttled, failed in an outage, or had no usable response. It is to be sent again.
    Unavailable { retry_after: Duration },
    /// The start of this group is refused for good.
    Refused,
    /// Every start would be refused: no rights, no credentials, no such store.
    AllRefused,
}

/// Whether the next group may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Now.
    Start,
    /// At this time, unless an event changes the decision.
    WaitUntil(Instant),
    /// Not before a start or a job ends.
    WaitForEvent,
    /// Never.
    Stop,
}

impl StartFailure {
    /// `indeterminate_starts` is how many starts of the group may have been applied although they failed, this one
    /// included. `has_accepted` is whether any start of the run was accepted.
    pub(super) fn of(error: &Error, indeterminate_starts: u32, has_accepted: bool) -> Self {
        let retry_after = error.retry_after().unwrap_or_default().min(MAX_SERVER_DELAY);
        if matches!(error, Error::ServiceQuotaExceededException(_)) {
            return Self::QuotaFull { retry_after };
        }
        let is_retried = error.may_have_been_applied() && indeterminate_starts < MAX_INDETERMINATE_STARTS;
        if error.is_outage() || is_retried {
            return Self::Unavailable { retry_after };
        }
        let store_is_missing = error.status() == Some(404) && !has_accepted;
        let caller_is_refused = matches!(error.status(), Some(401 | 403))
            || error.code().is_some_and(|code| CREDENTIAL_CODES.contains(&code))
            || error.concerns_every_call();
        if store_is_missing || caller_is_refused { Self::AllRefused } else { Self::Refused }
    }
}

impl StartGate {
    pub(super) fn new(max_running_jobs: usize) -> Self {
        Self {
            max_running_jobs,
            has_accepted: false,
            stopped: false,
            consecutive_failures: 0,
            backoff_until: None,
            quota_full_until: None,
        }
    }

    pub(super) fn has_accepted(&self) -> bool {
        self.has_accepted
    }

    /// `jitter` is 0 to 1.
    pub(super) fn observe(&mut self, event: StartEvent, now: Instant, jitter: f64) {
        match event {
            StartEvent::Accepted => {
                self.has_accepted = true;
                self.consecutive_failures = 0;
            }
            StartEvent::Failed(StartFailure::QuotaFull { retry_after }) => {
                self.quota_full_until = Some(now + retry_after.max(QUOTA_BACKOFF));
            }
            StartEvent::Failed(StartFailure::Unavailable { retry_after }) => {
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                let backoff = exponential_backoff(INITIAL_BACKOFF, self.consecutive_failures, MAX_BACKOFF, jitter);
                self.backoff_until = Some(now + retry_after.max(backoff));
            }
            StartEvent::Failed(StartFailure::Refused) => {}
            StartEvent::Failed(StartFailure::AllRefused) => self.stopped = true,
            StartEvent::JobEnded => self.quota_full_until = None,
        }
    }

    /// `running_jobs` is how many jobs of the run use the quota of running jobs.
    pub(super) fn decide(&self, now: Instant, starts_in_flight: usize, running_jobs: usize) -> Decision {
        if self.stopped {
            return Decision::Stop;
        }
        // Before the first start is accepted, rights or the store may be missing: one request is enough to learn it.
        let max_in_flight = if self.has_accepted { MAX_STARTS_IN_FLIGHT } else { 1 };
        if starts_in_flight >= max_in_flight || running_jobs + starts_in_flight >= self.max_running_jobs {
            return Decision::WaitForEvent;
        }
        match self.backoff_until.max(self.quota_full_until) {
            Some(until) if now < until => Decision::WaitUntil(until),
            _ => Decision::Start,
        }
    }
}

#[cfg(test)]
mod tests;
