//! The clock that requests are signed with.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::SharedTimeSource;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::model::time::from_system_time;

/// The largest offset that is corrected. The clock of a machine that was never set may be decades behind.
const MAX_OFFSET: Duration = Duration::from_hours(100 * 365 * 24);

/// Times that differ by less are equal, as a `Date` has no fractions of a second.
const TOLERANCE_MILLIS: u64 = 60_000;

/// The time of the service minus the local time, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockOffset(i64);

#[cfg(test)]
impl ClockOffset {
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }
}

/// The local clock, corrected by the service's.
#[derive(Debug)]
pub(crate) struct Clock {
    source: SharedTimeSource,
    offset_millis: AtomicI64,
    corrects: bool,
    /// When the service last accepted a request that was signed with this clock, by both clocks.
    confirmed: Mutex<Option<(Instant, SystemTime)>>,
}

impl Clock {
    pub(crate) fn new(source: SharedTimeSource, corrects: bool) -> Self {
        Self { source, offset_millis: AtomicI64::new(0), corrects, confirmed: Mutex::new(None) }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.now_by(None)
    }

    /// The time with an offset that is not confirmed yet, or else with the confirmed one.
    pub(crate) fn now_by(&self, unconfirmed: Option<ClockOffset>) -> SystemTime {
        let now = self.source.now();
        let offset =
            unconfirmed.map_or_else(|| self.offset_millis.load(Ordering::Relaxed), |ClockOffset(millis)| millis);
        let distance = Duration::from_millis(offset.unsigned_abs());
        let shifted = if offset < 0 { now.checked_sub(distance) } else { now.checked_add(distance) };
        shifted.unwrap_or(now)
    }

    /// The offset to the service's time; `None` if the clock is not to be corrected, or if the offset is implausible.
    pub(crate) fn offset_to(&self, service: SystemTime) -> Option<ClockOffset> {
        let offset = signed_millis(self.source.now(), service);
        let is_plausible = offset.unsigned_abs() < MAX_OFFSET.as_millis().try_into().unwrap_or(u64::MAX);
        (self.corrects && is_plausible).then_some(ClockOffset(offset))
    }

    /// Notes that the service has accepted a request that was signed with a time, and when that was.
    pub(crate) fn confirm(&self, instant: Instant, signed_at: SystemTime) {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Some((instant, signed_at));
    }

    /// The time at an instant in the past. `None` unless the clock is confirmed.
    pub(crate) fn time_of(&self, instant: Instant) -> Option<OffsetDateTime> {
        let time = self.is_confirmed().then(|| self.now().checked_sub(instant.elapsed())).flatten();
        time.map(from_system_time)
    }

    /// Whether the service has accepted the time of this clock, and the clock was not set since then.
    fn is_confirmed(&self) -> bool {
        let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        confirmed.is_some_and(|(instant, time)| {
            let expected = time.checked_add(instant.elapsed()).unwrap_or(time);
            signed_millis(self.now(), expected).unsigned_abs() < TOLERANCE_MILLIS
        })
    }

    /// Corrects the clock by an offset: the service has accepted a request that was signed with it.
    pub(crate) fn correct(&self, ClockOffset(millis): ClockOffset) {
        let before = self.offset_millis.swap(millis, Ordering::Relaxed);
        if before.abs_diff(millis) > TOLERANCE_MILLIS {
            tracing::warn!(
                offset_millis = millis,
                "the local clock is wrong, requests are signed with the time of the service"
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use aws_smithy_async::time::TimeSource;

    use super::*;

    /// A clock that can be set.
    #[derive(Clone, Debug)]
    struct LocalClock(Arc<Mutex<SystemTime>>);

    impl TimeSource for LocalClock {
        fn now(&self) -> SystemTime {
            *self.0.lock().unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_is_confirmed_until_it_is_set() {
        let local = LocalClock(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH)));
        let clock = Clock::new(SharedTimeSource::new(local.clone()), true);
        assert!(!clock.is_confirmed());
        let sent = Instant::now();
        let signed_at = clock.now();
        clock.confirm(sent, signed_at);
        assert!(clock.is_confirmed());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!(!clock.is_confirmed(), "it stands still");
        *local.0.lock().unwrap() += Duration::from_hours(1);
        assert!(clock.is_confirmed());
        *local.0.lock().unwrap() += Duration::from_hours(1);
        assert!(!clock.is_confirmed());
        // The response of a request from before the clock was set.
        clock.confirm(sent, signed_at);
        assert!(!clock.is_confirmed());
    }
}
