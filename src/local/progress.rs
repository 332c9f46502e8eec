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
/// // The first look finds the job ended.
/// assert!(client.job(&started).get().await?.status.is_terminal());
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Looking at it: the n-th Get of a job finds it ended. A job that nobody asks about never ends.
    Polls(u32),
    /// Time, on the clock of tokio: a job takes this long. Works with a paused clock.
    Time(Duration),
}

impl Default for Pace {
    fn default() -> Self {
        Self::Polls(3)
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
    /// The phase after `done` of `whole`.
    pub(crate) fn of(done: u128, whole: u128, items: usize) -> Self {
        if done >= whole {
            Self::Ended
        } else if done == 0 {
            Self::Submitted
        } else {
            // done < whole, so this is less than `items`.
            let settled = (items as u128).saturating_mul(done) / whole;
            Self::Running { settled: usize::try_from(settled).unwrap_or(items) }
        }
    }

    pub(crate) fn settled(self, items: usize) -> usize {
        match self {
            Self::Submitted => 0,
            Self::Running { settled } => settled,
            Self::Ended => items,
        }
    }

    /// The status of item number `index`, which fails in the end or does not.
    pub(crate) fn item_status(self, index: usize, fails: bool) -> ItemStatus {
        match self {
            Self::Submitted => ItemStatus::NotStarted,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_follow_progress() {
        for (done, whole, items, expected) in [
            (0, 3, 4, Phase::Submitted),
            (1, 3, 4, Phase::Running { settled: 1 }),
            (2, 3, 4, Phase::Running { settled: 2 }),
            (3, 3, 4, Phase::Ended),
            (9, 3, 4, Phase::Ended),
            (0, 0, 4, Phase::Ended),
            (1, 3, 1, Phase::Running { settled: 0 }),
            (2, 3, 1, Phase::Running { settled: 0 }),
            (u128::from(u64::MAX) - 1, u128::from(u64::MAX), 100, Phase::Running { settled: 99 }),
        ] {
            assert_eq!(Phase::of(done, whole, items), expected, "{done}/{whole} of {items}");
        }
    }

    #[test]
    fn progress_never_goes_back() {
        for items in 1..=20 {
            let settled: Vec<_> = (0..=50).map(|done| Phase::of(done, 50, items).settled(items)).collect();
            assert!(settled.is_sorted(), "{settled:?}");
            assert_eq!(settled.last(), Some(&items));
        }
    }

    #[test]
    fn items_settle_in_order() {
        let phase = Phase::of(1, 2, 4);
        let statuses: Vec<_> = (0..4).map(|index| phase.item_status(index, index == 1)).collect();
        assert_eq!(
            statuses,
            [ItemStatus::Finished, ItemStatus::Failed, ItemStatus::InProgress, ItemStatus::NotStarted]
        );
        assert_eq!(Phase::Submitted.item_status(0, true), ItemStatus::NotStarted);
        assert_eq!(Phase::Ended.item_status(0, true), ItemStatus::Failed);
        assert_eq!(Phase::Ended.item_status(0, false), ItemStatus::Finished);
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
