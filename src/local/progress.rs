//! How far a job has come, as a pure function.

use std::time::Duration;

use crate::model::{ItemStatus, JobStatus};

/// What moves jobs forward.
///
/// ```
/// use healthomics::local::{LocalService, Pace};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let local = LocalService::builder().pace(Pace::Polls(1)).start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
/// // The first read finds the job ended.
/// assert!(client.job(&started).get().await?.status.is_terminal());
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Reads: the n-th read finds the job ended. A job that nobody reads never ends.
    ///
    /// A read of a job is a Get of it, a list of jobs that comes across it, and a `GetReadSetMetadata` or a
    /// `ListReadSets` that comes across one of its read sets. A list comes across everything up to the end of its page,
    /// whether or not the status in its filter lets it through. One request is one read of a job at most.
    ///
    /// With at least three reads, the first finds the job `SUBMITTED`.
    Polls(u32),
    /// Time, on the clock of tokio: a job takes this long, and is `SUBMITTED` for the first tenth of it. Works with a
    /// paused clock.
    Time(Duration),
    /// Reads as in [`Polls`](Self::Polls), but a job that has not ended by then ends after this time on the clock of
    /// tokio.
    PollsOrTime(u32, Duration),
}

impl Pace {
    /// How many reads end a job, if reads do.
    pub(crate) fn reads(self) -> Option<u32> {
        match self {
            Self::Polls(reads) | Self::PollsOrTime(reads, _) => Some(reads),
            Self::Time(_) => None,
        }
    }
}

impl Default for Pace {
    /// `PollsOrTime(3, 1 s)`: the third read of a job finds it ended, and a job that is not read ends after a second.
    fn default() -> Self {
        Self::PollsOrTime(3, Duration::from_secs(1))
    }
}

/// How far a job of some items has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Submitted,
    /// So many items are settled, and the next one is at work.
    Running {
        settled: usize,
    },
    Ended,
}

impl Phase {
    /// The phase after `done` of `whole`. The job is submitted until `submitted`, and its items share the rest evenly.
    fn of(done: u128, submitted: u128, whole: u128, items: usize) -> Self {
        if done >= whole {
            Self::Ended
        } else if done < submitted {
            Self::Submitted
        } else {
            // done < whole, so this is less than `items`.
            let settled = (items as u128).saturating_mul(done - submitted) / (whole - submitted);
            Self::Running { settled: usize::try_from(settled).unwrap_or(items) }
        }
    }

    /// The phase after so many reads of those that end a job.
    pub(crate) fn after_reads(reads: u32, whole: u32, items: usize) -> Self {
        // The first read finds a job submitted, if there are enough of them to see it running as well.
        let (done, whole) = if whole >= 3 { (reads.saturating_sub(1), whole - 1) } else { (reads, whole) };
        if done == 0 && whole > 0 { Self::Submitted } else { Self::of(done.into(), 0, whole.into(), items) }
    }

    /// The phase of a job that takes `whole`, after `elapsed`.
    pub(crate) fn after_time(elapsed: Duration, whole: Duration, items: usize) -> Self {
        Self::of(elapsed.as_nanos(), submitted(whole), whole.as_nanos(), items)
    }

    /// How long after its start a job that takes `whole` leaves this phase; `None` if it has ended.
    pub(crate) fn end(self, whole: Duration, items: usize) -> Option<Duration> {
        match self {
            Self::Submitted => Some(from_nanos(submitted(whole))),
            Self::Running { settled } => Some(settles(settled + 1, whole, items)),
            Self::Ended => None,
        }
    }

    pub(crate) fn settled(self, items: usize) -> usize {
        match self {
            Self::Submitted => 0,
            Self::Running { settled } => settled,
            Self::Ended => items,
        }
    }

    /// The status of item number `index`, which fails in the end or does not, and may need no work at all.
    pub(crate) fn item_status(self, index: usize, fails: bool, needs_no_work: bool) -> ItemStatus {
        match self {
            Self::Submitted => ItemStatus::NotStarted,
            Self::Running { .. } if needs_no_work => ItemStatus::Finished,
            Self::Running { settled } if index == settled => ItemStatus::InProgress,
            Self::Running { settled } if index > settled => ItemStatus::NotStarted,
            _ if fails => ItemStatus::Failed,
            _ => ItemStatus::Finished,
        }
    }

    /// The status of a job of which `failed` out of `items` fail in the end.
    pub(crate) fn job_status(self, failed: usize, items: usize) -> JobStatus {
        match self {
            Self::Submitted => JobStatus::Submitted,
            Self::Running { .. } => JobStatus::InProgress,
            Self::Ended if failed == 0 => JobStatus::Completed,
            Self::Ended if failed < items => JobStatus::CompletedWithFailures,
            Self::Ended => JobStatus::Failed,
        }
    }
}

/// Nanoseconds that a job which takes `whole` is submitted: the first tenth.
fn submitted(whole: Duration) -> u128 {
    whole.as_nanos().div_ceil(10)
}

/// How long after the start of a job so many of its items are settled.
fn settles(settled: usize, whole: Duration, items: usize) -> Duration {
    let submitted = submitted(whole);
    let working = (whole.as_nanos() - submitted).saturating_mul(settled as u128);
    from_nanos(submitted + working.div_ceil(items.max(1) as u128))
}

fn from_nanos(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    let seconds = u64::try_from(nanos / SECOND).unwrap_or(u64::MAX);
    // The remainder is less than a second.
    Duration::new(seconds, u32::try_from(nanos % SECOND).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_reads() {
        for (reads, whole, items, expected) in [
            (0, 3, 4, Phase::Submitted),
            (1, 3, 4, Phase::Submitted),
            (2, 3, 4, Phase::Running { settled: 2 }),
            (3, 3, 4, Phase::Ended),
            (9, 3, 4, Phase::Ended),
            (2, 3, 1, Phase::Running { settled: 0 }),
            (1, 4, 3, Phase::Submitted),
            (2, 4, 3, Phase::Running { settled: 1 }),
            (3, 4, 3, Phase::Running { settled: 2 }),
            (0, 2, 4, Phase::Submitted),
            (1, 2, 4, Phase::Running { settled: 2 }),
            (2, 2, 4, Phase::Ended),
            (0, 1, 4, Phase::Submitted),
            (1, 1, 4, Phase::Ended),
            (0, 0, 4, Phase::Ended),
            (u32::MAX - 1, u32::MAX, 100, Phase::Running { settled: 99 }),
        ] {
            assert_eq!(Phase::after_reads(reads, whole, items), expected, "{reads}/{whole} of {items}");
        }
    }

    #[test]
    fn phases_follow_time() {
        let (second, whole) = (Duration::from_secs(1), Duration::from_secs(10));
        for (elapsed, items, expected) in [
            (Duration::ZERO, 3, Phase::Submitted),
            (Duration::from_nanos(999_999_999), 3, Phase::Submitted),
            (second, 3, Phase::Running { settled: 0 }),
            (second * 4, 3, Phase::Running { settled: 1 }),
            (second * 7, 3, Phase::Running { settled: 2 }),
            (Duration::from_nanos(9_999_999_999), 3, Phase::Running { settled: 2 }),
            (whole, 3, Phase::Ended),
            (Duration::MAX, 3, Phase::Ended),
        ] {
            assert_eq!(Phase::after_time(elapsed, whole, items), expected, "{elapsed:?} of {items}");
        }
        assert_eq!(Phase::after_time(Duration::ZERO, Duration::ZERO, 3), Phase::Ended);
    }

    #[test]
    fn a_phase_ends_when_the_next_begins() {
        let nano = Duration::from_nanos(1);
        for whole in [nano, 7 * nano, Duration::from_millis(1), Duration::from_hours(6), Duration::MAX] {
            for items in [1, 2, 3, 7, 20, 100] {
                let (mut phase, mut before) = (Phase::after_time(Duration::ZERO, whole, items), 0);
                while let Some(end) = phase.end(whole, items) {
                    assert_eq!(Phase::after_time(end.saturating_sub(nano), whole, items), phase, "{whole:?} {items}");
                    phase = Phase::after_time(end, whole, items);
                    assert!(phase.settled(items) >= before, "progress goes back");
                    before = phase.settled(items);
                    assert!(end <= whole);
                }
                assert_eq!((phase, before), (Phase::Ended, items));
            }
        }
    }

    #[test]
    fn items_settle_in_order() {
        let phase = Phase::Running { settled: 2 };
        let statuses: Vec<_> = (0..4).map(|index| phase.item_status(index, index == 1, false)).collect();
        assert_eq!(
            statuses,
            [ItemStatus::Finished, ItemStatus::Failed, ItemStatus::InProgress, ItemStatus::NotStarted]
        );
        assert_eq!(phase.item_status(3, false, true), ItemStatus::Finished);
        assert_eq!(Phase::Submitted.item_status(0, true, false), ItemStatus::NotStarted);
        assert_eq!(Phase::Submitted.item_status(0, false, true), ItemStatus::NotStarted);
        assert_eq!(Phase::Ended.item_status(0, true, false), ItemStatus::Failed);
        assert_eq!(Phase::Ended.item_status(0, false, false), ItemStatus::Finished);
    }

    #[test]
    fn a_job_ends_as_its_items_did() {
        assert_eq!(Phase::Submitted.job_status(2, 2), JobStatus::Submitted);
        assert_eq!(Phase::Running { settled: 1 }.job_status(2, 2), JobStatus::InProgress);
        assert_eq!(Phase::Ended.job_status(0, 2), JobStatus::Completed);
        assert_eq!(Phase::Ended.job_status(1, 2), JobStatus::CompletedWithFailures);
        assert_eq!(Phase::Ended.job_status(2, 2), JobStatus::Failed);
    }
}
