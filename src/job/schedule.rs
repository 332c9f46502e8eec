//! When to poll a job again: pure functions of what the last poll returned and how long the wait has taken.

use std::time::Duration;

/// The longest time to wait for that a service may request by `Retry-After`.
pub(crate) const MAX_SERVER_DELAY: Duration = Duration::from_mins(15);

/// How long the poll at the timeout may take.
pub(super) const MIN_LAST_POLL: Duration = Duration::from_secs(1);
/// The longest backoff after failures, unless polls are further apart anyway.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// How long the service may not find a job that was started: its reads may be behind its writes.
const NOT_FOUND_TOLERANCE: Duration = Duration::from_mins(1);

/// How often a job is polled, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Schedule {
    /// The time between the first poll and the second.
    pub(super) first_interval: Duration,
    /// The longest time between two polls.
    pub(super) max_interval: Duration,
    /// When the wait ends; `None` is without limit.
    pub(super) timeout: Option<Duration>,
    /// How long responses are tolerated that the job does not exist; `None` is a minute for jobs that are known to
    /// exist.
    pub(super) not_found_tolerance: Option<Duration>,
}

impl Default for Schedule {
    /// Fast at first, so that short jobs are not waited for too long; then at a rate that leaves most of an account's
    /// five requests a second to others.
    fn default() -> Self {
        Self {
            first_interval: Duration::from_secs(1),
            max_interval: Duration::from_secs(30),
            timeout: Some(Duration::from_hours(24)),
            not_found_tolerance: None,
        }
    }
}

/// The result of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PollResult {
    /// The job has not ended.
    Running,
    /// The job has ended.
    Ended,
    /// The poll failed, and a later one may succeed. The service may have requested a delay.
    Unavailable { retry_after: Option<Duration> },
    /// The service does not find the job, which is tolerated for this long from now on.
    NotFound { tolerated: Duration },
    /// The poll failed, and later ones would fail alike.
    PermanentError,
}

/// What follows a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Another poll after this time.
    PollAgain { after: Duration },
    /// The end of the wait: the job has ended, or can't be polled.
    Stop,
    /// The end of the wait: its timeout has passed.
    Timeout,
}

impl Schedule {
    /// The default schedule, with another time between the first polls if one is given.
    pub(super) fn starting_with(first_interval: Option<Duration>) -> Self {
        let default = Self::default();
        let first_interval = first_interval.unwrap_or(default.first_interval).min(default.max_interval);
        Self { first_interval, ..default }
    }

    /// The schedule of a bulk run, which follows its jobs without a limit of time.
    pub(crate) fn without_timeout(
        first_interval: Duration,
        max_interval: Duration,
        not_found_tolerance: Option<Duration>,
    ) -> Self {
        let first_interval = first_interval.min(max_interval);
        Self { first_interval, max_interval, timeout: None, not_found_tolerance }
    }

    /// What follows the poll with the number `polls` (from 1), `elapsed` since the wait began; `jitter` is 0 to 1.
    pub(super) fn next(&self, result: PollResult, polls: u32, elapsed: Duration, jitter: f64) -> NextStep {
        let server_delay = match result {
            PollResult::Ended | PollResult::PermanentError | PollResult::NotFound { tolerated: Duration::ZERO } => {
                return NextStep::Stop;
            }
            PollResult::Running | PollResult::NotFound { .. } => Duration::ZERO,
            PollResult::Unavailable { retry_after } => retry_after.unwrap_or_default().min(MAX_SERVER_DELAY),
        };
        let mut after = self.interval(polls, jitter).max(server_delay);
        if let PollResult::NotFound { tolerated } = result {
            // The last poll is made when the tolerance ends.
            after = after.min(tolerated);
        }
        match self.timeout.map(|timeout| timeout.saturating_sub(elapsed)) {
            Some(Duration::ZERO) => NextStep::Timeout,
            // The last poll is made at the timeout.
            Some(time_left) => NextStep::PollAgain { after: after.min(time_left) },
            None => NextStep::PollAgain { after },
        }
    }

    /// For how long from now on it is tolerated that the service does not find a job, `elapsed` since the first of
    /// consecutive such responses.
    pub(super) fn tolerated(&self, known_to_exist: bool, elapsed: Duration) -> Duration {
        let default = if known_to_exist { NOT_FOUND_TOLERANCE } else { Duration::ZERO };
        self.not_found_tolerance.unwrap_or(default).saturating_sub(elapsed)
    }

    /// The time until the next poll. It grows by half with each poll, up to the longest interval. Up to a fifth of it
    /// is taken off at random, so that jobs that were started together are not polled together all the time.
    pub(crate) fn interval(&self, polls: u32, jitter: f64) -> Duration {
        let growth = 1.5_f64.powi(i32::try_from(polls.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = (self.first_interval.as_secs_f64() * growth).min(self.max_interval.as_secs_f64());
        Duration::try_from_secs_f64(seconds * (1.0 - 0.2 * jitter)).unwrap_or(self.max_interval)
    }

    /// The time until the next poll after this many consecutive failures.
    pub(super) fn backoff(&self, consecutive_failures: u32, jitter: f64) -> Duration {
        exponential_backoff(self.max_interval, consecutive_failures, MAX_BACKOFF.max(self.max_interval), jitter)
    }
}

/// Exponential backoff with full jitter: a random share of a limit that doubles with each failure, as many clients may
/// share one account. `jitter` is 0 to 1.
pub(crate) fn exponential_backoff(initial: Duration, failures: u32, max: Duration, jitter: f64) -> Duration {
    let limit = initial.saturating_mul(2_u32.saturating_pow(failures)).min(max);
    Duration::try_from_secs_f64(limit.as_secs_f64() * jitter).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RUNNING: PollResult = PollResult::Running;

    fn again(millis: u64) -> NextStep {
        NextStep::PollAgain { after: Duration::from_millis(millis) }
    }

    fn unavailable(seconds: Option<u64>) -> PollResult {
        PollResult::Unavailable { retry_after: seconds.map(Duration::from_secs) }
    }

    fn not_found(seconds: u64) -> PollResult {
        PollResult::NotFound { tolerated: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_next_step_depends_on_the_result_and_the_time() {
        let schedule = Schedule { timeout: Some(100 * SECOND), ..Schedule::default() };
        for (result, polls, elapsed, jitter, expected) in [
            (RUNNING, 1, 0, 0.0, again(1_000)),
            (RUNNING, 1, 0, 1.0, again(800)),
            (RUNNING, 2, 1, 0.0, again(1_500)),
            (RUNNING, 3, 3, 0.0, again(2_250)),
            (RUNNING, 9, 50, 0.0, again(25_628)),
            (RUNNING, 10, 50, 0.0, again(30_000)),
            (RUNNING, 10, 50, 0.5, again(27_000)),
            (RUNNING, u32::MAX, 50, 0.0, again(30_000)),
            (RUNNING, 10, 90, 0.0, again(10_000)),
            (RUNNING, 10, 100, 0.0, NextStep::Timeout),
            (RUNNING, 10, 1_000, 0.0, NextStep::Timeout),
            (unavailable(None), 1, 0, 0.0, again(1_000)),
            (unavailable(Some(7)), 1, 0, 0.0, again(7_000)),
            (unavailable(Some(7)), 10, 0, 0.0, again(30_000)),
            (unavailable(Some(600)), 1, 40, 0.0, again(60_000)),
            (unavailable(Some(600)), 1, 100, 0.0, NextStep::Timeout),
            (unavailable(Some(u64::MAX)), 1, 40, 0.0, again(60_000)),
            (not_found(60), 1, 0, 0.0, again(1_000)),
            (not_found(11), 10, 49, 0.0, again(11_000)),
            (not_found(60), 10, 90, 0.0, again(10_000)),
            (not_found(60), 10, 100, 0.0, NextStep::Timeout),
            (not_found(0), 1, 0, 0.0, NextStep::Stop),
            (PollResult::Ended, 1, 0, 0.0, NextStep::Stop),
            (PollResult::Ended, 9, 1_000, 0.0, NextStep::Stop),
            (PollResult::PermanentError, 1, 0, 0.0, NextStep::Stop),
        ] {
            let next = schedule.next(result, polls, elapsed * SECOND, jitter);
            let close = match (next, expected) {
                (NextStep::PollAgain { after: next }, NextStep::PollAgain { after: expected }) => {
                    next.abs_diff(expected) < Duration::from_millis(2)
                }
                (next, expected) => next == expected,
            };
            assert!(close, "{result:?} {polls} {elapsed} {jitter}: {next:?} is not {expected:?}");
        }
    }

    #[test]
    fn without_a_timeout_polls_go_on() {
        let schedule = Schedule { timeout: None, ..Schedule::default() };
        assert_eq!(schedule.next(RUNNING, 50, Duration::MAX, 0.0), again(30_000));
    }

    #[test]
    fn an_hour_takes_about_130_polls() {
        let schedule = Schedule::default();
        let (mut polls, mut elapsed) = (0, Duration::ZERO);
        while elapsed < Duration::from_hours(1) {
            polls += 1;
            let NextStep::PollAgain { after } = schedule.next(RUNNING, polls, elapsed, 0.0) else {
                panic!("no timeout yet")
            };
            elapsed += after;
        }
        assert!((120..=140).contains(&polls), "{polls}");
    }

    #[test]
    fn not_found_is_tolerated_for_a_minute_for_jobs_that_exist() {
        let default = Schedule::default();
        let set = Schedule { not_found_tolerance: Some(5 * SECOND), ..default };
        for (schedule, known_to_exist, elapsed, tolerated) in [
            (default, true, 0, 60),
            (default, true, 59, 1),
            (default, true, 61, 0),
            (default, false, 0, 0),
            (set, true, 0, 5),
            (set, false, 0, 5),
            (set, false, 6, 0),
        ] {
            assert_eq!(schedule.tolerated(known_to_exist, elapsed * SECOND), tolerated * SECOND);
        }
    }

    #[test]
    fn extreme_settings_overflow_nothing() {
        let schedule = Schedule {
            first_interval: Duration::MAX,
            max_interval: Duration::MAX,
            timeout: Some(Duration::MAX),
            not_found_tolerance: Some(Duration::MAX),
        };
        for polls in [0, 1, u32::MAX] {
            assert!(matches!(schedule.next(RUNNING, polls, Duration::ZERO, 0.0), NextStep::PollAgain { .. }));
        }
    }
}
