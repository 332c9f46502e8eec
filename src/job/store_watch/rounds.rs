//! When the rounds of a watch are: in each round, all of its jobs are polled.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::Error;
use crate::job::schedule::{MAX_SERVER_DELAY, MIN_LAST_POLL, Schedule};
use crate::job::timer::{Timer, after, deadline_after};

pub(super) struct Rounds {
    schedule: Schedule,
    started: Instant,
    next: Timer,
    count: u32,
    /// Rounds since a job was added: only the first rounds of a job may be close together.
    since_added: u32,
    /// When the last round began.
    last: Option<Instant>,
    /// Consecutive rounds in which a poll or a list has failed.
    consecutive_failures: u32,
    failed: bool,
}

impl Rounds {
    pub(super) fn new(schedule: Schedule) -> Self {
        let now = Instant::now();
        Self {
            schedule,
            started: now,
            next: Timer::at(now),
            count: 0,
            since_added: 0,
            last: None,
            consecutive_failures: 0,
            failed: false,
        }
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Ready when the next round is due.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.next.poll(cx)
    }

    pub(super) fn begin(&mut self) {
        self.last = Some(Instant::now());
        self.count = self.count.saturating_add(1);
        self.since_added = self.since_added.saturating_add(1);
        self.failed = false;
        self.schedule_next(deadline_after(self.schedule.interval(self.since_added, fastrand::f64())));
    }

    /// The next round begins after the first interval.
    pub(super) fn begin_after_first_interval(&mut self) {
        self.schedule_next(deadline_after(self.schedule.first_interval));
    }

    pub(super) fn job_added(&mut self) {
        self.since_added = 0;
    }

    /// For how long from now on it is tolerated that the service does not find a job.
    pub(super) fn tolerated(&self, known_to_exist: bool, since: Instant) -> Duration {
        self.schedule.tolerated(known_to_exist, since.elapsed())
    }

    /// Sets the time of the next round. The last one begins at the timeout and may take [`MIN_LAST_POLL`].
    pub(super) fn schedule_next(&mut self, at: Instant) {
        let end = self.timeout().map(|timeout| match self.last {
            Some(last) if last >= timeout => timeout + MIN_LAST_POLL,
            _ => timeout,
        });
        self.next.reset(end.map_or(at, |end| at.min(end)));
    }

    /// The next round begins after this delay at the latest.
    pub(super) fn begin_within(&mut self, delay: Duration) {
        self.schedule_next(self.next.deadline().min(deadline_after(delay)));
    }

    /// Delays the next round after a failure: by a backoff, or for as long as the service requests.
    pub(super) fn back_off(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.failed, true) {
            self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        }
        let server_delay = error.retry_after().unwrap_or_default().min(MAX_SERVER_DELAY);
        let backoff = self.schedule.backoff(self.consecutive_failures, fastrand::f64());
        self.schedule_next(self.next.deadline().max(deadline_after(backoff.max(server_delay))));
    }

    pub(super) fn reset_backoff(&mut self) {
        self.consecutive_failures = 0;
    }

    /// Whether the last round has ended. `idle` is whether nothing of it is in flight or queued.
    pub(super) fn have_ended(&self, idle: bool) -> bool {
        let Some(timeout) = self.timeout() else { return false };
        let Some(last) = self.last else { return false };
        last >= timeout && (idle || Instant::now() >= timeout + MIN_LAST_POLL)
    }

    /// When the watch ends; `None` is without limit.
    fn timeout(&self) -> Option<Instant> {
        self.schedule.timeout.map(|timeout| after(self.started, timeout))
    }
}
