//! The one place where wall-clock time comes in.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_async::time::SharedTimeSource;

/// A machine that was never set may be decades behind, and still wants to work.
const MOST_OFF: Duration = Duration::from_hours(100 * 365 * 24);

/// The clock that requests are signed by: the machine's, put right by what the service's answers say.
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
        let now = self.source.now();
        let offset = self.offset_millis.load(Ordering::Relaxed);
        let distance = Duration::from_millis(offset.unsigned_abs());
        let shifted = if offset < 0 { now.checked_sub(distance) } else { now.checked_add(distance) };
        shifted.unwrap_or(now)
    }

    /// Takes over the service's time; says whether it did. A time that is years off is nobody's clock.
    pub(crate) fn correct(&self, service: SystemTime) -> bool {
        let offset = signed_millis(self.source.now(), service);
        let plausible = offset.unsigned_abs() < MOST_OFF.as_millis().try_into().unwrap_or(u64::MAX);
        if self.corrects && plausible {
            self.offset_millis.store(offset, Ordering::Relaxed);
            tracing::warn!(offset_millis = offset, "this machine's clock is off, requests are signed by the service's");
        }
        self.corrects && plausible
    }
}

fn signed_millis(from: SystemTime, to: SystemTime) -> i64 {
    let millis = |distance: Duration| i64::try_from(distance.as_millis()).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(ahead) => millis(ahead),
        Err(behind) => -millis(behind.duration()),
    }
}
