//! A point in time to wait for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// No delay is longer (ten years), so that no time overflows.
const MAX_DELAY: Duration = Duration::from_hours(24 * 365 * 10);

/// The point in time that follows another after a delay.
pub(super) fn after(start: Instant, delay: Duration) -> Instant {
    start + delay.min(MAX_DELAY)
}

/// The point in time that follows now after a delay.
pub(crate) fn deadline_after(delay: Duration) -> Instant {
    after(Instant::now(), delay)
}

/// A point in time that can be waited for and moved. Unlike [`Sleep`], it needs a Tokio runtime only once it has to
/// wait, so that the first call reports that there is none.
pub(crate) struct Timer {
    deadline: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    pub(crate) fn at(deadline: Instant) -> Self {
        Self { deadline, sleep: None }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        if let Some(sleep) = &mut self.sleep {
            sleep.as_mut().reset(deadline);
        }
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline;
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        sleep.as_mut().poll(cx)
    }
}
