//! What moves jobs forward.

use std::time::Duration;

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
    /// The job has ended when it is read for the n-th time. A job that is not read never ends.
    ///
    /// A job is read by a Get of it, by a list of jobs that passes it, and by a `GetReadSetMetadata` or `ListReadSets`
    /// that passes one of its read sets. A list passes everything up to the end of its page, also what the status in its
    /// filter excludes. One request reads a job at most once.
    ///
    /// If n is 3 or more, the first read finds the job `SUBMITTED`.
    Polls(u32),
    /// The job takes this long on tokio's clock, which may be paused. It is `SUBMITTED` for the first tenth of this time.
    Time(Duration),
    /// The job has ended when it is read for the n-th time, as in [`Polls`](Self::Polls), but at the latest after this
    /// time on tokio's clock.
    PollsOrTime(u32, Duration),
}

impl Pace {
    /// The pace of these reads and this time; `None` if neither is given.
    ///
    /// ```
    /// use healthomics::local::Pace;
    ///
    /// assert_eq!(Pace::of(Some(3), None), Some(Pace::Polls(3)));
    /// ```
    pub fn of(reads: impl Into<Option<u32>>, time: impl Into<Option<Duration>>) -> Option<Self> {
        match (reads.into(), time.into()) {
            (Some(reads), Some(time)) => Some(Self::PollsOrTime(reads, time)),
            (Some(reads), None) => Some(Self::Polls(reads)),
            (None, Some(time)) => Some(Self::Time(time)),
            (None, None) => None,
        }
    }

    /// How many reads end a job; `None` if reads do not move jobs forward.
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
