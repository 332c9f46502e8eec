//! The states of one job until its end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::Instant;

use super::handle::Job;
use super::kind::{JobKind, JobState as _, Scheduling};
use super::progress::Progress;
use super::reporter::{OnProgress, ProgressReporter};
use super::retrying::Failures;
use super::schedule::{MIN_LAST_POLL, NextStep, PollResult, Schedule};
use super::timer::{Timer, deadline_after};
use super::wait_error::WaitError;
use crate::{CallFuture, Error};

/// The states of a job, one for each successful poll. It ends after the final state or an error.
///
/// It is a [`Stream`], and its own [`next`](Self::next) needs no crate for streams.
///
/// # Cancel safety
///
/// [`next`](Self::next) is cancel safe: if its future is dropped, in a branch of `tokio::select!` for example, no state
/// is lost and no request is sent twice. A call in flight stays here, and the following `next` continues with it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
/// # let (_sender, mut shutdown) = tokio::sync::oneshot::channel::<()>();
/// let mut states = client.job(&started).wait().states();
/// loop {
///     tokio::select! {
///         state = states.next() => match state {
///             Some(state) => println!("{}", state?.status),
///             None => break,
///         },
///         _ = &mut shutdown => break, // the job continues
///     }
/// }
/// # Ok(()) }
/// ```
#[must_use = "the job is not polled until next() is called"]
pub struct States<K: JobKind> {
    job: Job<K>,
    schedule: Schedule,
    reporter: ProgressReporter<Progress>,
    /// Set by the first call of `next`.
    started: Option<Instant>,
    polls: u32,
    last: Option<K::State>,
    failures: Failures,
    /// When the first of consecutive responses came that the job does not exist.
    not_found_since: Option<Instant>,
    phase: Phase<K>,
}

enum Phase<K: JobKind> {
    Next,
    Polling(CallFuture<K::State>),
    Sleeping(Timer),
    Ended,
}

impl<K: JobKind> States<K> {
    pub(super) fn new(job: Job<K>, schedule: Schedule, on_progress: Option<OnProgress<Progress>>) -> Self {
        Self {
            job,
            schedule,
            reporter: ProgressReporter::new(on_progress),
            started: None,
            polls: 0,
            last: None,
            failures: Failures::default(),
            not_found_since: None,
            phase: Phase::Next,
        }
    }

    /// Waits for the next state. `None` after the final state and after an error.
    ///
    /// # Errors
    ///
    /// [`WaitError`], if the wait has ended before the job.
    pub async fn next(&mut self) -> Option<Result<K::State, WaitError<K>>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// How far the job is by the last successful poll, and what is retried at present.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// # let started = call.send().await?;
    /// let mut states = client.job(&started).wait().states();
    /// assert_eq!(states.progress().status, None);
    /// if let Some(state) = states.next().await {
    ///     state?;
    ///     println!("{}", states.progress()); // SUBMITTED, 0 of 1 items settled, 0 failed
    /// #   assert_eq!(states.progress().total, 1);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn progress(&self) -> Progress {
        Progress::of(self.last.as_ref(), self.elapsed(), self.failures.retrying().cloned())
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<K::State, WaitError<K>>>> {
        loop {
            match &mut self.phase {
                Phase::Ended => return Poll::Ready(None),
                Phase::Next => self.phase = Phase::Polling(self.start_poll()),
                Phase::Sleeping(timer) => match timer.poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(()) => self.phase = Phase::Next,
                },
                Phase::Polling(call) => match call.as_mut().poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(response) => {
                        if let Some(item) = self.poll_ended(response) {
                            return Poll::Ready(Some(item));
                        }
                    }
                },
            }
        }
        while self.reporter.poll_overdue(cx).is_ready() {
            self.report();
        }
        Poll::Pending
    }

    fn elapsed(&self) -> Duration {
        self.started.map(|started| started.elapsed()).unwrap_or_default()
    }

    fn report(&mut self) {
        let last = self.last.as_ref();
        let elapsed = self.elapsed();
        let failures = &self.failures;
        self.reporter.report(|| Progress::of(last, elapsed, failures.retrying().cloned()));
    }

    /// Starts a poll that takes no longer than the wait has time left.
    fn start_poll(&mut self) -> CallFuture<K::State> {
        if self.started.is_none() {
            self.started = Some(Instant::now());
            self.report();
        }
        let time_left = self.schedule.timeout.map(|timeout| timeout.saturating_sub(self.elapsed()));
        // The last poll is made at the timeout.
        let time_left = time_left.map(|time_left| time_left.max(MIN_LAST_POLL));
        self.job.get_with(Scheduling::RateLimited { time_left })
    }

    /// Handles the response of a poll. Returns what `next` returns, or `None` if there will be another poll before.
    fn poll_ended(&mut self, response: Result<K::State, Error>) -> Option<Result<K::State, WaitError<K>>> {
        self.polls = self.polls.saturating_add(1);
        let elapsed = self.elapsed();
        let result = self.classify(response.as_ref());
        let step = self.schedule.next(result, self.polls, elapsed, fastrand::f64());
        self.phase = match step {
            NextStep::PollAgain { after } => Phase::Sleeping(Timer::at(deadline_after(after))),
            NextStep::Stop | NextStep::Timeout => Phase::Ended,
        };
        match (response, step) {
            (Ok(state), step) => {
                if self.failures.clear() {
                    tracing::info!(job = %self.job, "the job is seen again");
                }
                self.last = Some(state.clone());
                self.report();
                Some(if step == NextStep::Timeout { Err(self.timed_out(elapsed, None)) } else { Ok(state) })
            }
            (Err(error), NextStep::Timeout) => Some(Err(self.timed_out(elapsed, Some(error)))),
            (Err(error), NextStep::Stop) => {
                let not_found_for = self.not_found_since.map(|since| since.elapsed());
                Some(Err(WaitError::of(&self.job, self.last.clone(), error, not_found_for)))
            }
            (Err(error), NextStep::PollAgain { after }) => {
                if self.failures.add(self.job.client(), &error) {
                    let error = error.report();
                    tracing::warn!(job = %self.job, %error, delay = ?after, "the job can't be seen at present, retrying");
                }
                self.report();
                None
            }
        }
    }

    fn classify(&mut self, response: Result<&K::State, &Error>) -> PollResult {
        match response {
            Ok(state) => {
                self.not_found_since = None;
                if state.status().is_terminal() { PollResult::Ended } else { PollResult::Running }
            }
            Err(Error::ResourceNotFoundException(_)) => {
                let known_to_exist = self.job.is_known_to_exist() || self.last.is_some();
                let since = self.not_found_since.get_or_insert_with(Instant::now);
                PollResult::NotFound { tolerated: self.schedule.tolerated(known_to_exist, since.elapsed()) }
            }
            Err(error) if error.is_outage() => PollResult::Unavailable { retry_after: error.retry_after() },
            Err(_) => PollResult::PermanentError,
        }
    }

    fn timed_out(&self, elapsed: Duration, error: Option<Error>) -> WaitError<K> {
        WaitError::Timeout {
            job: self.job.to_string(),
            polls: self.polls,
            elapsed,
            last: self.last.clone().map(Box::new),
            error,
        }
    }
}

impl<K: JobKind> Stream for States<K> {
    type Item = Result<K::State, WaitError<K>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}

impl<K: JobKind> fmt::Debug for States<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States").field("job", &self.job).field("polls", &self.polls).finish_non_exhaustive()
    }
}
