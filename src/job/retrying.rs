//! Failures in a row of something that is retried, and who is notified of them.

use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, Sleep};

use crate::model::text::OneLine;
use crate::model::time::to_iso8601;
use crate::{Client, Error};

/// Progress is reported at least this often.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// What is being retried at present: since when it fails, and why.
///
/// It is in the progress of waits, watches and bulk runs from the first failure on, until the jobs are seen again.
///
/// ```
/// # use healthomics::local::{Fault, LocalService};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # let store = local.create_sequence_store();
/// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
/// # local.queue_fault("GetReadSetActivationJob", Fault::error(503, "ServiceUnavailable", "try later"));
/// # let wait = client.job(&started).wait();
/// let wait = wait.on_progress(|progress| {
///     if let Some(retrying) = &progress.retrying {
///         // retrying since 2026-11-28T06:00:00Z: GetReadSetActivationJob: ServiceUnavailable (503): try later …
///         println!("{retrying}");
/// #       assert!(retrying.error.contains("): ServiceUnavailable (503): try later"));
///     }
/// });
/// let outcome = wait.await?;
/// # assert!(!outcome.is_completed());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Retrying {
    /// When the first of these failures in a row was, by the client's clock.
    pub since: OffsetDateTime,
    /// The last of these failures with its causes, on one line.
    pub error: String,
}

/// `retrying since 2026-11-28T06:00:00Z: GetReadSetImportJob: connection refused [3 attempts]`
impl fmt::Display for Retrying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retrying since {}: {}", to_iso8601(self.since), self.error)
    }
}

/// The failures in a row of something that is retried.
#[derive(Debug, Default)]
pub(crate) struct Failures(Option<Box<(Retrying, Cause)>>);

/// What two failures have in common that count as the same: requests and attempts differ each time.
type Cause = (Discriminant<Error>, Option<u16>, Option<String>);

impl Failures {
    /// Notes a failure. `true` if it is the first one in a row, or has another cause than the one before.
    pub(crate) fn add(&mut self, client: &Client, error: &Error) -> bool {
        let cause = (discriminant(error), error.status(), error.code().map(str::to_owned));
        let text = OneLine(&error.report().to_string()).to_string();
        if let Some(current) = &mut self.0 {
            let changed = current.1 != cause;
            current.0.error = text;
            current.1 = cause;
            changed
        } else {
            self.0 = Some(Box::new((Retrying { since: client.now(), error: text }, cause)));
            true
        }
    }

    /// Forgets the failures. `true` if there were any.
    pub(crate) fn clear(&mut self) -> bool {
        self.0.take().is_some()
    }

    pub(crate) fn retrying(&self) -> Option<&Retrying> {
        self.0.as_ref().map(|current| &current.0)
    }
}

impl Retrying {
    /// Of several failures in a row, those that began first.
    pub(crate) fn oldest<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        all.into_iter().min_by_key(|retrying| retrying.since).cloned()
    }
}

pub(crate) type OnProgress<P> = Box<dyn FnMut(&P) + Send>;

/// ProgressReporter progress to a callback: when something has changed, and every 30 seconds if nothing does.
pub(crate) struct ProgressReporter<P> {
    on_progress: Option<OnProgress<P>>,
    /// Set by the first report.
    heartbeat: Option<Pin<Box<Sleep>>>,
}

impl<P> ProgressReporter<P> {
    pub(crate) fn new(on_progress: Option<OnProgress<P>>) -> Self {
        Self { on_progress, heartbeat: None }
    }

    pub(crate) fn report(&mut self, progress: impl FnOnce() -> P) {
        let Some(on_progress) = &mut self.on_progress else { return };
        on_progress(&progress());
        let next = Instant::now() + HEARTBEAT;
        match &mut self.heartbeat {
            Some(heartbeat) => heartbeat.as_mut().reset(next),
            None => self.heartbeat = Some(Box::pin(tokio::time::sleep_until(next))),
        }
    }

    /// Ready when there was no report for a while.
    pub(crate) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.heartbeat {
            Some(heartbeat) => heartbeat.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}
