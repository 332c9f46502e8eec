//! The progress of a job, as pure functions of reads and of time.

use std::time::Duration;

use crate::model::{ItemStatus, JobStatus};

/// The phase of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Submitted,
    /// The first `settled` items have settled, and the next one is in progress.
    Running {
        settled: usize,
    },
    Ended,
}

impl Phase {
    /// The phase after `done` of `total`. The job is submitted until `submitted`; its items share the rest evenly.
    fn of(done: u128, submitted: u128, total: u128, items: usize) -> Self {
        if done >= total {
            Self::Ended
        } else if done < submitted {
            Self::Submitted
        } else {
            // done < total, so this is less than `items`.
            let settled = (items as u128).saturating_mul(done - submitted) / (total - submitted);
            Self::Running { settled: usize::try_from(settled).unwrap_or(items) }
        }
    }

    /// The phase of a job after `reads` of the `total` reads that end it.
    pub(crate) fn after_reads(reads: u32, total: u32, items: usize) -> Self {
        // The first read finds a job submitted, if there are enough of them to see it running as well.
        let (done, total) = if total >= 3 { (reads.saturating_sub(1), total - 1) } else { (reads, total) };
        if done == 0 && total > 0 { Self::Submitted } else { Self::of(done.into(), 0, total.into(), items) }
    }

    /// The phase of a job that takes `total`, after `elapsed`.
    pub(crate) fn after_time(elapsed: Duration, total: Duration, items: usize) -> Self {
        Self::of(elapsed.as_nanos(), submitted(total), total.as_nanos(), items)
    }

    /// How long after its start a job that takes `total` leaves this phase; `None` if it has ended.
    pub(crate) fn end(self, total: Duration, items: usize) -> Option<Duration> {
        match self {
            Self::Submitted => Some(from_nanos(submitted(total))),
            Self::Running { settled } => Some(settles(settled + 1, total, items)),
            Self::Ended => None,
        }
    }

    /// How many of the items have settled.
    pub(crate) fn settled(self, items: usize) -> usize {
        match self {
            Self::Submitted => 0,
            Self::Running { settled } => settled,
            Self::Ended => items,
        }
    }

    /// The status of the item at `index`.
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

    /// The status of a job of which `failed` of the `items` fail when they settle.
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

/// How many nanoseconds a job that takes `total` is submitted: the first tenth.
fn submitted(total: Duration) -> u128 {
    total.as_nanos().div_ceil(10)
}

/// How long after the start of a job that takes `total` so many of its items have settled.
fn settles(settled: usize, total: Duration, items: usize) -> Duration {
    let submitted = submitted(total);
    let running = (total.as_nanos() - submitted).saturating_mul(settled as u128);
    from_nanos(submitted + running.div_ceil(items.max(1) as u128))
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
        for (reads, total, items, expected) in [
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
            assert_eq!(Phase::after_reads(reads, total, items), expected, "{reads}/{total} of {items}");
        }
    }

    #[test]
    fn phases_follow_time() {
        let (second, total) = (Duration::from_secs(1), Duration::from_secs(10));
        for (elapsed, items, expected) in [
            (Duration::ZERO, 3, Phase::Submitted),
            (Duration::from_nanos(999_999_999), 3, Phase::Submitted),
            (second, 3, Phase::Running { settled: 0 }),
            (second * 4, 3, Phase::Running { settled: 1 }),
            (second * 7, 3, Phase::Running { settled: 2 }),
            (Duration::from_nanos(9_999_999_999), 3, Phase::Running { settled: 2 }),
            (total, 3, Phase::Ended),
            (Duration::MAX, 3, Phase::Ended),
        ] {
            assert_eq!(Phase::after_time(elapsed, total, items), expected, "{elapsed:?} of {items}");
        }
        assert_eq!(Phase::after_time(Duration::ZERO, Duration::ZERO, 3), Phase::Ended);
    }

    #[test]
    fn a_phase_ends_when_the_next_begins() {
        let nano = Duration::from_nanos(1);
        for total in [nano, 7 * nano, Duration::from_millis(1), Duration::from_hours(6), Duration::MAX] {
            for items in [1, 2, 3, 7, 20, 100] {
                let (mut phase, mut before) = (Phase::after_time(Duration::ZERO, total, items), 0);
                while let Some(end) = phase.end(total, items) {
                    assert_eq!(Phase::after_time(end.saturating_sub(nano), total, items), phase, "{total:?} {items}");
                    phase = Phase::after_time(end, total, items);
                    assert!(phase.settled(items) >= before, "progress goes back");
                    before = phase.settled(items);
                    assert!(end <= total);
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
