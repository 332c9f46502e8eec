//! Why a wait ended before its job.

use std::fmt;
use std::time::Duration;

use super::handle::Job;
use super::kind::{JobKind, JobState as _};
use super::progress::Progress;
use crate::Error;
use crate::error::Report;
use crate::model::text::OneLine;

/// Why a wait or a watch ended before the job.
///
/// That a job failed is not an error of the wait but an [`Outcome`](super::Outcome).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
/// use std::time::Duration;
///
/// let wait = client.job(&started).wait().timeout(Duration::ZERO);
/// match wait.await {
///     Ok(outcome) => println!("{} items failed", outcome.failed_items().count()),
///     // The job continues: wait again.
///     Err(error) if error.is_timeout() => println!("{error}"),
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub enum WaitError<K: JobKind> {
    /// The [timeout](super::Wait::timeout) of the wait has passed. The job continues: wait again.
    #[non_exhaustive]
    Timeout {
        /// The kind and id of the job: `import job 1234567890`.
        job: String,
        /// How many polls were made; in a watch, how many rounds of polls.
        polls: u32,
        /// How long the wait took.
        elapsed: Duration,
        /// The state of the job by the last successful poll; `None` if there was none.
        last: Option<Box<K::State>>,
        /// Why the last poll failed; `None` if it succeeded.
        error: Option<Error>,
    },
    /// The service does not find the job (404): the ids, the region or the account are wrong, or the service has
    /// removed the job.
    #[non_exhaustive]
    NotFound {
        /// The kind and id of the job: `import job 1234567890`.
        job: String,
        /// For how long the service has not found the job: at least the
        /// [`not_found_tolerance`](super::Wait::not_found_tolerance).
        not_found_for: Duration,
        /// The state of the job by the last successful poll; `None` if there was none.
        last: Option<Box<K::State>>,
        /// The last response.
        error: Error,
    },
    /// A poll failed with a permanent error: access is denied, or there are no credentials.
    #[non_exhaustive]
    Call {
        /// The kind and id of the job: `import job 1234567890`.
        job: String,
        /// The state of the job by the last successful poll; `None` if there was none.
        last: Option<Box<K::State>>,
        /// Why the last poll failed. In a watch it may be the error of a list.
        error: Error,
    },
}

impl<K: JobKind> WaitError<K> {
    /// The error of a job that is not polled any more.
    pub(super) fn of(job: &Job<K>, last: Option<K::State>, error: Error, not_found_for: Option<Duration>) -> Self {
        let job = job.to_string();
        let last = last.map(Box::new);
        match not_found_for {
            Some(not_found_for) if matches!(error, Error::ResourceNotFoundException(_)) => {
                Self::NotFound { job, not_found_for, last, error }
            }
            _ => Self::Call { job, last, error },
        }
    }

    /// The state of the job by the last successful poll; `None` if there was none.
    pub fn last(&self) -> Option<&K::State> {
        match self {
            Self::Timeout { last, .. } | Self::NotFound { last, .. } | Self::Call { last, .. } => last.as_deref(),
        }
    }

    /// Why the last poll of the job failed; `None` if it succeeded.
    pub fn call_error(&self) -> Option<&Error> {
        match self {
            Self::Timeout { error, .. } => error.as_ref(),
            Self::NotFound { error, .. } | Self::Call { error, .. } => Some(error),
        }
    }

    /// Whether the timeout of the wait has passed, so that waiting again makes sense.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// Whether the service does not find the job.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let error = client.export_job(&store, "9999999999").wait().await.unwrap_err();
    /// assert!(error.is_not_found());
    /// # Ok(()) }
    /// ```
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}

/// `import job 1234567890 has not ended after 24h, last seen IN_PROGRESS with 3 of 5 items settled [120 polls]`
impl<K: JobKind> fmt::Display for WaitError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { job, elapsed, .. } => write!(f, "{} has not ended after {elapsed:.0?}", OneLine(job))?,
            Self::NotFound { job, not_found_for, .. } if *not_found_for < Duration::from_secs(1) => {
                write!(f, "{} was not found", OneLine(job))?;
            }
            Self::NotFound { job, not_found_for, .. } => {
                write!(f, "{} was not found for {not_found_for:.0?}", OneLine(job))?;
            }
            Self::Call { job, .. } => write!(f, "{} can't be followed any more", OneLine(job))?,
        }
        match self.last() {
            Some(state) => {
                let Progress { settled, total, .. } = Progress::of(Some(state), Duration::ZERO, None);
                let status = OneLine(state.status().as_str());
                write!(f, ", last seen {status} with {settled} of {total} items settled")?;
            }
            None => f.write_str(", never seen")?,
        }
        if let Some(error) = self.call_error() {
            write!(f, ": {error}")?;
        }
        if let Self::Timeout { polls, .. } = self {
            write!(f, " [{polls} poll{}]", if *polls == 1 { "" } else { "s" })?;
        }
        Ok(())
    }
}

/// The message and its causes on one line, as `main` prints an error that it returns by `Debug`.
impl<K: JobKind> fmt::Debug for WaitError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Report(self), f)
    }
}

impl<K: JobKind> std::error::Error for WaitError<K> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The text has the error itself already, and `call_error` returns it.
        self.call_error().and_then(std::error::Error::source)
    }
}
