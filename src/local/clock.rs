//! The clock of the service.

use time::OffsetDateTime;
use tokio::time::Instant;

/// A larger offset would leave the years that a timestamp can have.
const MAX_OFFSET_SECONDS: i64 = 1_000 * 365 * 24 * 60 * 60;

/// The time of a request on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTime {
    /// The time on the service's clock, which is in timestamps and checked against signatures.
    pub(crate) wall_clock: OffsetDateTime,
    /// The time on tokio's clock, which moves jobs forward and limits request rates.
    pub(crate) instant: Instant,
}

/// The clock of the service: a source of time and an offset.
#[derive(Default)]
pub(crate) struct Clock {
    source: TimeSource,
    offset_seconds: i64,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum TimeSource {
    #[default]
    System,
    /// This time at first, and from then on tokio's clock, which may be paused.
    Tokio { first: OffsetDateTime, started: Instant },
}

impl TimeSource {
    pub(crate) fn tokio(first: OffsetDateTime) -> Self {
        Self::Tokio { first, started: Instant::now() }
    }

    pub(crate) fn now(self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Tokio { first, started } => {
                let elapsed = time::Duration::try_from(started.elapsed()).unwrap_or(time::Duration::MAX);
                first.saturating_add(elapsed)
            }
        }
    }
}

impl Clock {
    pub(crate) fn new(source: TimeSource) -> Self {
        Self { source, offset_seconds: 0 }
    }

    /// The time of callers, who do not have the offset.
    pub(crate) fn source(&self) -> TimeSource {
        self.source
    }

    pub(crate) fn set_offset(&mut self, seconds: i64) {
        self.offset_seconds = seconds.clamp(-MAX_OFFSET_SECONDS, MAX_OFFSET_SECONDS);
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.source.now().saturating_add(time::Duration::seconds(self.offset_seconds))
    }

    pub(crate) fn request_time(&self) -> RequestTime {
        RequestTime { wall_clock: self.now(), instant: Instant::now() }
    }
}
