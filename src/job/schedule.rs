//! When to look at a job again. Pure: it is told what was seen and how long it has been, and says what comes next.

use std::time::Duration;

/// The longest that a service is believed when it asks for a wait.
pub(crate) const MAX_SERVER_DELAY: Duration = Duration::from_mins(15);

/// What the last look may take at least.
pub(super) const MIN_LAST_POLL: Duration = Duration::from_secs(1);
/// How long it rests at most after polls in vain, unless polls are further apart anyway.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// How long a job that was started may be unknown to the service: its reads may be behind its writes.
const NOT_FOUND_TOLERANCE: Duration = Duration::from_mins(1);

/// How often a job is looked at, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Schedule {
    /// The time between the first look and the second.
    pub(super) first: Duration,
    /// The longest time between two polls.
    pub(super) longest: Duration,
    /// When to give up; `None` is never.
    pub(super) timeout: Option<Duration>,
    /// How long responses that there is no such job are tolerated; `None` is a minute for jobs that are known to exist.
    pub(super) not_found_tolerance: Option<Duration>,
}

impl Default for Schedule {
    /// Fast at first; then at a sixth of the request quota of an account for one job.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(30),
            timeout: Some(Duration::from_hours(24)),
            not_found_tolerance: None,
        }
    }
}

/// What a look at the job showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It has not ended, as far as anybody knows.
    Running,
    /// It has ended.
    Ended,
    /// It could not be seen, which may pass; perhaps the service said when.
    Unavailable { retry_after: Option<Duration> },
    /// The service does not know it, which is tolerated for so long yet.
    NotFound { tolerated: Duration },
    /// It can't be seen, and that will not change.
    Refused,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Look again after so long.
    PollAgain { after: Duration },
    /// The end: the job's, or of what can be learned of it.
    Stop,
    /// Time is up.
    Timeout,
}

impl Schedule {
    /// The default one, with another time between the first polls if there is one.
    pub(super) fn starting_with(first: Option<Duration>) -> Self {
        let default = Self::default();
        Self { first: first.unwrap_or(default.first).min(default.longest), ..default }
    }

    /// After the look number `polls` (from 1), `elapsed` since the wait began; `jitter` is 0 to 1.
    pub(super) fn next(&self, seen: Seen, polls: u32, elapsed: Duration, jitter: f64) -> Step {
        let asked = match seen {
            Seen::Ended | Seen::Refused | Seen::NotFound { tolerated: Duration::ZERO } => return Step::Stop,
            Seen::Running | Seen::NotFound { .. } => Duration::ZERO,
            Seen::Unavailable { retry_after } => retry_after.unwrap_or_default().min(MAX_SERVER_DELAY),
        };
        let mut after = self.interval(polls, jitter).max(asked);
        if let Seen::NotFound { tolerated } = seen {
            // One last poll when the tolerance ends.
            after = after.min(tolerated);
        }
        match self.timeout.map(|timeout| timeout.saturating_sub(elapsed)) {
            Some(Duration::ZERO) => Step::Timeout,
            // One last look when time is up.
            Some(left) => Step::PollAgain { after: after.min(left) },
            None => Step::PollAgain { after },
        }
    }

    /// For how long yet it is tolerated that the service does not know a job, `elapsed` since it first said so.
    pub(super) fn tolerated(&self, known_to_exist: bool, elapsed: Duration) -> Duration {
        let default = if known_to_exist { NOT_FOUND_TOLERANCE } else { Duration::ZERO };
        self.not_found_tolerance.unwrap_or(default).saturating_sub(elapsed)
    }

    /// Grows by half with each look, up to the longest; then down to four fifths of that, so that jobs that were
    /// started together are not looked at together for ever.
    pub(super) fn interval(&self, polls: u32, jitter: f64) -> Duration {
        let growth = 1.5_f64.powi(i32::try_from(polls.saturating_sub(1)).unwrap_or(i32::MAX));
        let seconds = (self.first.as_secs_f64() * growth).min(self.longest.as_secs_f64());
        Duration::try_from_secs_f64(seconds * (1.0 - 0.2 * jitter)).unwrap_or(self.longest)
    }

    /// After so many rounds in vain: anywhere up to a time that doubles, as many workers may share one account.
    pub(super) fn backoff(&self, consecutive_failures: u32, jitter: f64) -> Duration {
        exponential_backoff(self.longest, consecutive_failures, MAX_BACKOFF.max(self.longest), jitter)
    }
}

/// Exponential backoff with full jitter: a random share of a limit that doubles with each failure. `jitter` is 0 to 1.
pub(crate) fn exponential_backoff(initial: Duration, failures: u32, max: Duration, jitter: f64) -> Duration {
    let limit = initial.saturating_mul(2_u32.saturating_pow(failures)).min(max);
    Duration::try_from_secs_f64(limit.as_secs_f64() * jitter).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RUNNING: Seen = Seen::Running;

    fn again(millis: u64) -> Step {
        Step::PollAgain { after: Duration::from_millis(millis) }
    }

    fn unavailable(seconds: Option<u64>) -> Seen {
        Seen::Unavailable { retry_after: seconds.map(Duration::from_secs) }
    }

    fn not_found(seconds: u64) -> Seen {
        Seen::NotFound { tolerated: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_comes_next() {
        let schedule = Schedule { timeout: Some(100 * SECOND), ..Schedule::default() };
        for (seen, polls, elapsed, jitter, expected) in [
            (RUNNING, 1, 0, 0.0, again(1_000)),
            (RUNNING, 1, 0, 1.0, again(800)),
            (RUNNING, 2, 1, 0.0, again(1_500)),
            (RUNNING, 3, 3, 0.0, again(2_250)),
            (RUNNING, 9, 50, 0.0, again(25_628)),
            (RUNNING, 10, 50, 0.0, again(30_000)),
            (RUNNING, 10, 50, 0.5, again(27_000)),
            (RUNNING, u32::MAX, 50, 0.0, again(30_000)),
            (RUNNING, 10, 90, 0.0, again(10_000)),
            (RUNNING, 10, 100, 0.0, Step::Timeout),
            (RUNNING, 10, 1_000, 0.0, Step::Timeout),
            (unavailable(None), 1, 0, 0.0, again(1_000)),
            (unavailable(Some(7)), 1, 0, 0.0, again(7_000)),
            (unavailable(Some(7)), 10, 0, 0.0, again(30_000)),
            (unavailable(Some(600)), 1, 40, 0.0, again(60_000)),
            (unavailable(Some(600)), 1, 100, 0.0, Step::Timeout),
            (unavailable(Some(u64::MAX)), 1, 40, 0.0, again(60_000)),
            (not_found(60), 1, 0, 0.0, again(1_000)),
            (not_found(11), 10, 49, 0.0, again(11_000)),
            (not_found(60), 10, 90, 0.0, again(10_000)),
            (not_found(60), 10, 100, 0.0, Step::Timeout),
            (not_found(0), 1, 0, 0.0, Step::Stop),
            (Seen::Ended, 1, 0, 0.0, Step::Stop),
            (Seen::Ended, 9, 1_000, 0.0, Step::Stop),
            (Seen::Refused, 1, 0, 0.0, Step::Stop),
        ] {
            let next = schedule.next(seen, polls, elapsed * SECOND, jitter);
            let close = match (next, expected) {
                (Step::PollAgain { after: next }, Step::PollAgain { after: expected }) => {
                    next.abs_diff(expected) < Duration::from_millis(2)
                }
                (next, expected) => next == expected,
            };
            assert!(close, "{seen:?} {polls} {elapsed} {jitter}: {next:?} is not {expected:?}");
        }
    }

    #[test]
    fn without_a_limit_time_is_never_up() {
        let schedule = Schedule { timeout: None, ..Schedule::default() };
        assert_eq!(schedule.next(RUNNING, 50, Duration::MAX, 0.0), again(30_000));
    }

    #[test]
    fn an_hour_takes_a_hundred_and_thirty_polls() {
        let schedule = Schedule::default();
        let (mut polls, mut elapsed) = (0, Duration::ZERO);
        while elapsed < Duration::from_hours(1) {
            polls += 1;
            let Step::PollAgain { after } = schedule.next(RUNNING, polls, elapsed, 0.0) else { panic!("not up") };
            elapsed += after;
        }
        assert!((120..=140).contains(&polls), "{polls}");
    }

    #[test]
    fn jobs_that_exist_may_be_unknown_for_a_minute() {
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
        let (first, longest, most) = (Duration::MAX, Duration::MAX, Some(Duration::MAX));
        let schedule = Schedule { first, longest, timeout: most, not_found_tolerance: most };
        for polls in [0, 1, u32::MAX] {
            assert!(matches!(schedule.next(RUNNING, polls, Duration::ZERO, 0.0), Step::PollAgain { .. }));
        }
    }
}
