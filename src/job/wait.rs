//! Waiting: looks at a job until it has ended, through whatever weather.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, Sleep};

use super::schedule::{SHORTEST_LOOK, Schedule, Seen, Step};
use super::{Job, JobKind, JobState, Outcome, Pace, Progress};
use crate::error::OneLine;
use crate::{CallFuture, Error};

/// A wait that is being set up: await it, or take its [`states`](Self::states) one by one.
///
/// It looks at once, a second later, and then less and less often, down to every 30 seconds. Throttling, a failing
/// service, a failing network and time-outs are waited out; what can't get better ends it. It leaves nothing behind when
/// it is dropped: wait again, in another process if need be.
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
/// # let wait = wait.poll_every(Duration::from_millis(5));
/// let outcome = wait.on_progress(|progress| println!("{:.0} %", progress.fraction() * 100.0)).await?;
/// println!("{} items failed", outcome.failed_items().count());
/// # Ok(()) }
/// ```
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<K: JobKind> {
    job: Job<K>,
    schedule: Schedule,
    on_progress: Option<OnProgress>,
}

type OnProgress = Box<dyn FnMut(&Progress) + Send>;

impl<K: JobKind> Wait<K> {
    pub(super) fn new(job: Job<K>) -> Self {
        Self { job, schedule: Schedule::default(), on_progress: None }
    }

    /// When to give up: after 24 hours by default, `None` is never. The error then has the last state that was seen, and
    /// the job goes on.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.schedule.timeout = limit.into();
        self
    }

    /// The longest time between two looks: 30 seconds by default. An account may make five requests a second for all of
    /// its jobs together.
    pub fn poll_every(mut self, longest: Duration) -> Self {
        self.schedule.longest = longest;
        self.schedule.first = self.schedule.first.min(longest);
        self
    }

    /// Is called after each look at the job.
    pub fn on_progress(mut self, tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(tell));
        self
    }

    /// Every state that is seen, the final one last.
    pub fn states(self) -> States<K> {
        States {
            job: self.job,
            schedule: self.schedule,
            on_progress: self.on_progress,
            started: None,
            looks: 0,
            last: None,
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
/// # let wait = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5));
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
    on_progress: Option<OnProgress>,
    /// Set by the first look.
    started: Option<Instant>,
    looks: u32,
    last: Option<K::State>,
    phase: Phase<K>,
}

enum Phase<K: JobKind> {
    Next,
    Asking(CallFuture<K::State>),
    Resting(Pin<Box<Sleep>>),
    Ended,
}

impl<K: JobKind> States<K> {
    /// The next state; `None` after the final one.
    pub async fn next(&mut self) -> Option<Result<K::State, WaitError<K>>> {
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<K::State, WaitError<K>>>> {
        loop {
            match &mut self.phase {
                Phase::Ended => return Poll::Ready(None),
                Phase::Next => self.phase = Phase::Asking(self.ask()),
                Phase::Resting(sleep) => match sleep.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => self.phase = Phase::Next,
                },
                Phase::Asking(call) => match call.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(answer) => {
                        if let Some(item) = self.seen(answer) {
                            return Poll::Ready(Some(item));
                        }
                    }
                },
            }
        }
    }

    /// One look, which takes no longer than the wait may.
    fn ask(&mut self) -> CallFuture<K::State> {
        let started = *self.started.get_or_insert_with(Instant::now);
        let left = self.schedule.timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
        // The last look is made when time is up.
        K::get(&self.job, Pace::InTurn { left: left.map(|left| left.max(SHORTEST_LOOK)) })
    }

    /// What to hand out, and what comes after it.
    fn seen(&mut self, answer: Result<K::State, Error>) -> Option<Result<K::State, WaitError<K>>> {
        self.looks = self.looks.saturating_add(1);
        let elapsed = self.started.map(|started| started.elapsed()).unwrap_or_default();
        let seen = match &answer {
            Ok(state) if state.status().is_terminal() => Seen::Ended,
            Ok(_) => Seen::Running,
            Err(error) if error.is_retryable() => Seen::Unclear { retry_after: error.retry_after() },
            Err(_) => Seen::Refused,
        };
        if let Ok(state) = &answer {
            self.last = Some(state.clone());
            if let Some(tell) = &mut self.on_progress {
                tell(&Progress::of(state, elapsed));
            }
        }
        let step = self.schedule.next(seen, self.looks, elapsed, fastrand::f64());
        self.phase = match step {
            Step::LookAgain { after } => Phase::Resting(Box::pin(tokio::time::sleep(after))),
            Step::Stop | Step::TimeUp => Phase::Ended,
        };
        match (answer, step) {
            (Ok(_), Step::TimeUp) => Some(Err(self.time_up(elapsed, None))),
            (Ok(state), _) => Some(Ok(state)),
            (Err(error), Step::TimeUp) => Some(Err(self.time_up(elapsed, Some(error)))),
            (Err(error), Step::Stop) => {
                Some(Err(WaitError::Call { job: self.job.to_string(), last: self.last.take().map(Box::new), error }))
            }
            (Err(error), Step::LookAgain { after }) => {
                tracing::debug!(%error, delay = ?after, "a job can't be seen at present, looking again");
                None
            }
        }
    }

    fn time_up(&mut self, elapsed: Duration, error: Option<Error>) -> WaitError<K> {
        let (job, last) = (self.job.to_string(), self.last.take().map(Box::new));
        WaitError::TimeUp { job, looks: self.looks, elapsed, last, error: error.map(Arc::new) }
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
        f.debug_struct("States").field("job", &self.job).field("looks", &self.looks).finish_non_exhaustive()
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
    TimeUp {
        /// Which job: `import job 1234567890`.
        job: String,
        /// How often it was looked at.
        looks: u32,
        /// How long the wait was.
        elapsed: Duration,
        /// The last state that was seen.
        last: Option<Box<K::State>>,
        /// Why the last look failed, if it did.
        error: Option<Arc<Error>>,
    },
    /// The job can't be looked at, and that will not change: it does not exist, access is denied, no credentials.
    #[non_exhaustive]
    Call {
        /// Which job: `import job 1234567890`.
        job: String,
        /// The last state that was seen.
        last: Option<Box<K::State>>,
        /// What the look at it came to.
        error: Error,
    },
}

impl<K: JobKind> WaitError<K> {
    /// The last state of the job that was seen.
    pub fn last(&self) -> Option<&K::State> {
        match self {
            Self::TimeUp { last, .. } | Self::Call { last, .. } => last.as_deref(),
        }
    }

    /// What the last look at the job came to, if it failed.
    pub fn call_error(&self) -> Option<&Error> {
        match self {
            Self::TimeUp { error, .. } => error.as_deref(),
            Self::Call { error, .. } => Some(error),
        }
    }

    /// Whether time was up, so that waiting again makes sense.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimeUp { .. })
    }
}

/// `import job 1234567890 has not ended after 24h, last seen IN_PROGRESS with 3 of 5 items settled [120 looks]`
impl<K: JobKind> fmt::Display for WaitError<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeUp { job, elapsed, .. } => write!(f, "{} has not ended after {elapsed:.0?}", OneLine(job))?,
            Self::Call { job, .. } => write!(f, "{} can't be followed any more", OneLine(job))?,
        }
        match self.last() {
            Some(state) => {
                let progress = Progress::of(state, Duration::ZERO);
                let Progress { status, settled, total, .. } = progress;
                let status = OneLine(status.as_str());
                write!(f, ", last seen {status} with {settled} of {total} items settled")?;
            }
            None => f.write_str(", never seen")?,
        }
        if let Some(error) = self.call_error() {
            write!(f, ": {error}")?;
        }
        if let Self::TimeUp { looks, .. } = self {
            write!(f, " [{looks} looks]")?;
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
