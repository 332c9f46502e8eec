//! Waiting: polls a job until it has ended, through outages.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, Sleep};

use super::schedule::{MIN_LAST_POLL, Schedule, Seen, Step};
use super::{Failures, Job, JobKind, JobState, OnProgress, Outcome, Progress, ProgressReporter, Scheduling};
use crate::model::text::OneLine;
use crate::{CallFuture, Error};

/// A wait that is being set up: await it, or take its [`states`](Self::states) one by one.
///
/// It polls at once, a second later, and then less and less often, down to every 30 seconds. Throttling, a failing
/// service, a failing network and timeouts are retried until they are over, and so is a credentials provider that fails
/// after it has worked: progress says [since when and why](Progress::retrying). What can't get better ends the wait. It
/// leaves nothing behind when it is dropped: wait again, in another process if need be.
///
/// Credentials that the service calls expired are retried if credentials of the same provider have worked before and have
/// an expiry, as the provider is expected to renew them. Before a provider has ever worked, its failure is final after the
/// attempts of one call.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
/// use std::time::Duration;
///
/// let wait = client.job(&started).wait().timeout(Duration::from_secs(6 * 3600));
/// let outcome = wait.on_progress(|progress| println!("{:.0} %", progress.fraction() * 100.0)).await?;
/// println!("{} items failed", outcome.failed_items().count());
/// # Ok(()) }
/// ```
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<K: JobKind> {
    job: Job<K>,
    schedule: Schedule,
    on_progress: Option<OnProgress<Progress>>,
}

impl<K: JobKind> Wait<K> {
    pub(super) fn new(job: Job<K>) -> Self {
        let schedule = Schedule::starting_with(job.client.initial_poll_interval());
        Self { job, schedule, on_progress: None }
    }

    /// When to give up: after 24 hours by default, `None` is never. The error then has the last state that was seen, and
    /// the job goes on.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.schedule.timeout = limit.into();
        self
    }

    /// The longest time between two polls: 30 seconds by default. An account may make five requests a second for all of
    /// its jobs together.
    pub fn poll_every(mut self, longest: Duration) -> Self {
        self.schedule.longest = longest;
        self.schedule.first = self.schedule.first.min(longest);
        self
    }

    /// How long responses that there is no such job (404) are tolerated, from the first of them in a row; zero is not at
    /// all. By default it is a minute for a job that is known to exist, by the output of its start, an event or an earlier
    /// poll of this wait, as the service's reads may be behind its writes. A job made of ids that was never seen fails at
    /// once by default.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
    /// # let stored_id = started.id.to_string();
    /// use std::time::Duration;
    ///
    /// // An id that was stored a moment ago, by another process say.
    /// let wait = client.activation_job(&store, stored_id).wait().not_found_tolerance(Duration::from_secs(60));
    /// let outcome = wait.await?;
    /// # assert!(!outcome.is_completed());
    /// # Ok(()) }
    /// ```
    pub fn not_found_tolerance(mut self, time: Duration) -> Self {
        self.schedule.not_found_tolerance = Some(time);
        self
    }

    /// Is called when the wait begins, after each poll that does not end it with an error, and every 30 seconds if nothing
    /// else happens.
    ///
    /// [`Progress`] has an example.
    pub fn on_progress(mut self, tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(tell));
        self
    }

    /// Every state that is seen, the final one last.
    pub fn states(self) -> States<K> {
        States {
            job: self.job,
            schedule: self.schedule,
            reporter: ProgressReporter::new(self.on_progress),
            started: None,
            polls: 0,
            last: None,
            failures: Failures::default(),
            not_found_since: None,
            phase: Phase::Next,
        }
    }
}

impl<K: JobKind> fmt::Debug for Wait<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("job", &self.job).field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// Waits for the outcome.
impl<K: JobKind> IntoFuture for Wait<K> {
    type Output = Result<Outcome<K>, WaitError<K>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let mut states = self.states();
        Box::pin(async move {
            while let Some(state) = states.next().await {
                if let Ok(outcome) = Outcome::of(state?) {
                    return Ok(outcome);
                }
            }
            unreachable!("the last state is an outcome, or there was an error")
        })
    }
}

/// The states of a job, one for each look at it; ends after the final one or an error.
///
/// Dropping a future of [`next`](Self::next) loses nothing: the following one goes on where it was.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
/// # let wait = client.job(&started).wait();
/// let mut states = wait.states();
/// while let Some(state) = states.next().await {
///     println!("{}", state?.status);
/// }
/// # Ok(()) }
/// ```
#[must_use = "states are not looked for until they are asked for"]
pub struct States<K: JobKind> {
    job: Job<K>,
    schedule: Schedule,
    reporter: ProgressReporter<Progress>,
    /// Set by the first poll.
    started: Option<Instant>,
    polls: u32,
    last: Option<K::State>,
    failures: Failures,
    /// The first of the last responses in a row that there is no such job.
    not_found_since: Option<Instant>,
    phase: Phase<K>,
}

enum Phase<K: JobKind> {
    Next,
    Polling(CallFuture<K::State>),
    Sleeping(Pin<Box<Sleep>>),
    Ended,
}

impl<K: JobKind> States<K> {
    /// The next state; `None` after the final one.
    pub async fn next(&mut self) -> Option<Result<K::State, WaitError<K>>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// How far the job is: its state when it was last seen, and what is retried at present.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
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
                Phase::Sleeping(sleep) => match sleep.as_mut().poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(()) => self.phase = Phase::Next,
                },
                Phase::Polling(call) => match call.as_mut().poll(cx) {
                    Poll::Pending => break,
                    Poll::Ready(response) => {
                        if let Some(item) = self.polled(response) {
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
        let (last, elapsed, failures) = (self.last.as_ref(), self.elapsed(), &self.failures);
        self.reporter.report(|| Progress::of(last, elapsed, failures.retrying().cloned()));
    }

    /// One poll, which takes no longer than the wait may.
    fn start_poll(&mut self) -> CallFuture<K::State> {
        if self.started.is_none() {
            self.started = Some(Instant::now());
            self.report();
        }
        let left = self.schedule.timeout.map(|timeout| timeout.saturating_sub(self.elapsed()));
        // The last poll is made when time is up.
        K::get(&self.job, Scheduling::RateLimited { time_left: left.map(|left| left.max(MIN_LAST_POLL)) })
    }

    /// What to return, and what comes after it.
    fn polled(&mut self, response: Result<K::State, Error>) -> Option<Result<K::State, WaitError<K>>> {
        self.polls = self.polls.saturating_add(1);
        let elapsed = self.elapsed();
        let seen = self.seen(response.as_ref());
        let step = self.schedule.next(seen, self.polls, elapsed, fastrand::f64());
        self.phase = match step {
            Step::PollAgain { after } => Phase::Sleeping(Box::pin(tokio::time::sleep(after))),
            Step::Stop | Step::Timeout => Phase::Ended,
        };
        match (response, step) {
            (Ok(state), step) => {
                if self.failures.clear() {
                    tracing::info!(job = %self.job, "the job is seen again");
                }
                self.last = Some(state.clone());
                self.report();
                Some(if step == Step::Timeout { Err(self.timed_out(elapsed, None)) } else { Ok(state) })
            }
            (Err(error), Step::Timeout) => Some(Err(self.timed_out(elapsed, Some(error)))),
            (Err(error), Step::Stop) => {
                let not_found_for = self.not_found_since.map(|since| since.elapsed());
                Some(Err(WaitError::of(&self.job, self.last.clone(), Arc::new(error), not_found_for)))
            }
            (Err(error), Step::PollAgain { after }) => {
                if self.failures.add(self.job.client(), &error) {
                    let error = error.report();
                    tracing::warn!(job = %self.job, %error, delay = ?after, "the job can't be seen at present, retrying");
                }
                self.report();
                None
            }
        }
    }

    /// What a poll showed.
    fn seen(&mut self, response: Result<&K::State, &Error>) -> Seen {
        match response {
            Ok(state) => {
                self.not_found_since = None;
                if state.status().is_terminal() { Seen::Ended } else { Seen::Running }
            }
            Err(Error::ResourceNotFoundException(_)) => {
                let known_to_exist = self.job.known_to_exist || self.last.is_some();
                let since = self.not_found_since.get_or_insert_with(Instant::now);
                Seen::NotFound { tolerated: self.schedule.tolerated(known_to_exist, since.elapsed()) }
            }
            Err(error) if error.is_outage() => Seen::Unavailable { retry_after: error.retry_after() },
            Err(_) => Seen::Refused,
        }
    }

    fn timed_out(&self, elapsed: Duration, error: Option<Error>) -> WaitError<K> {
        let (job, last) = (self.job.to_string(), self.last.clone().map(Box::new));
        WaitError::Timeout { job, polls: self.polls, elapsed, last, error: error.map(Arc::new) }
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

/// Why a wait ended before the job.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
/// use std::time::Duration;
///
/// let wait = client.job(&started).wait().timeout(Duration::ZERO);
/// match wait.await {
///     Ok(outcome) => println!("{} items failed", outcome.failed_items().count()),
///     Err(error) if error.is_timeout() => println!("{error}"), // the job goes on: wait again
///     Err(error) => return Err(error.into()),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError<K: JobKind> {
    /// The time that [`Wait::timeout`] allows has passed. The job goes on: wait again.
    #[non_exhaustive]
    Timeout {
        /// Which job: `import job 1234567890`.
        job: String,
        /// How often it was looked at.
        polls: u32,
        /// How long the wait was.
        elapsed: Duration,
        /// The last state that was seen.
        last: Option<Box<K::State>>,
        /// Why the last look failed, if it did.
        error: Option<Arc<Error>>,
    },
    /// The service has no such job (404): the ids, the region or the account are wrong, or the service has removed it.
    #[non_exhaustive]
    NotFound {
        /// Which job: `import job 1234567890`.
        job: String,
        /// How long the service has said so: at least [`Wait::not_found_tolerance`].
        not_found_for: Duration,
        /// The last state that was seen.
        last: Option<Box<K::State>>,
        /// The last response.
        error: Arc<Error>,
    },
    /// The job can't be polled, and that will not change: access is denied, there are no credentials.
    #[non_exhaustive]
    Call {
        /// Which job: `import job 1234567890`.
        job: String,
        /// The last state that was seen.
        last: Option<Box<K::State>>,
        /// Why the last poll failed. Jobs that are watched together may share it.
        error: Arc<Error>,
    },
}

impl<K: JobKind> WaitError<K> {
    /// The end of a wait whose job can't be followed any more.
    pub(super) fn of(job: &Job<K>, last: Option<K::State>, error: Arc<Error>, not_found_for: Option<Duration>) -> Self {
        let (job, last) = (job.to_string(), last.map(Box::new));
        match not_found_for {
            Some(not_found_for) if matches!(*error, Error::ResourceNotFoundException(_)) => {
                Self::NotFound { job, not_found_for, last, error }
            }
            _ => Self::Call { job, last, error },
        }
    }

    /// The last state of the job that was seen.
    pub fn last(&self) -> Option<&K::State> {
        match self {
            Self::Timeout { last, .. } | Self::NotFound { last, .. } | Self::Call { last, .. } => last.as_deref(),
        }
    }

    /// Why the last poll of the job failed, if it did.
    pub fn call_error(&self) -> Option<&Error> {
        match self {
            Self::Timeout { error, .. } => error.as_deref(),
            Self::NotFound { error, .. } | Self::Call { error, .. } => Some(error),
        }
    }

    /// Whether time was up, so that waiting again makes sense.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// Whether the service has no such job.
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
            write!(f, " [{polls} polls]")?;
        }
        Ok(())
    }
}

impl<K: JobKind> std::error::Error for WaitError<K> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The error itself is in the text, and behind `call_error`.
        self.call_error().and_then(std::error::Error::source)
    }
}
