//! The one place where wall-clock time comes in.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::SharedTimeSource;

/// A machine that was never set may be decades behind, and still wants to work.
const MOST_OFF: Duration = Duration::from_hours(100 * 365 * 24);

/// Corrections that differ by less are of the same clock: a `Date` has no fractions of a second.
const SAME_MILLIS: u64 = 60_000;

/// What is added to the machine's clock, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockOffset(i64);

#[cfg(test)]
impl ClockOffset {
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }
}

/// The clock that requests are signed by: the machine's, corrected by the service's.
#[derive(Debug)]
pub(crate) struct Clock {
    source: SharedTimeSource,
    offset_millis: AtomicI64,
    corrects: bool,
}

impl Clock {
    pub(crate) fn new(source: SharedTimeSource, corrects: bool) -> Self {
        Self { source, offset_millis: AtomicI64::new(0), corrects }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.now_by(None)
    }

    /// The time by an offset that is on trial, or else by the clock's own.
    pub(crate) fn now_by(&self, trial: Option<ClockOffset>) -> SystemTime {
        let now = self.source.now();
        let offset = trial.map_or_else(|| self.offset_millis.load(Ordering::Relaxed), |ClockOffset(millis)| millis);
        let distance = Duration::from_millis(offset.unsigned_abs());
        let shifted = if offset < 0 { now.checked_sub(distance) } else { now.checked_add(distance) };
        shifted.unwrap_or(now)
    }

    /// The offset that makes this clock show the service's time; `None` if it is not to be corrected, or for a time that
    /// is a century off and no clock's.
    pub(crate) fn offset_to(&self, service: SystemTime) -> Option<ClockOffset> {
        let offset = signed_millis(self.source.now(), service);
        let is_plausible = offset.unsigned_abs() < MOST_OFF.as_millis().try_into().unwrap_or(u64::MAX);
        (self.corrects && is_plausible).then_some(ClockOffset(offset))
    }

    /// Corrects the clock by an offset with which the service has accepted a request.
    pub(crate) fn correct(&self, ClockOffset(millis): ClockOffset) {
        let before = self.offset_millis.swap(millis, Ordering::Relaxed);
        if before.abs_diff(millis) > SAME_MILLIS {
            tracing::warn!(
                offset_millis = millis,
                "this machine's clock is wrong, requests are signed by the service's clock"
            );
        }
    }
}

fn signed_millis(from: SystemTime, to: SystemTime) -> i64 {
    let millis = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(ahead) => millis(ahead),
        Err(behind) => -millis(behind.duration()),
    }
}
