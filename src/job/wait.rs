//! Waiting for the end of one job.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use super::handle::Job;
use super::kind::JobKind;
use super::outcome::Outcome;
use super::progress::Progress;
use super::reporter::OnProgress;
use super::schedule::Schedule;
use super::states::States;
use super::wait_error::WaitError;

/// A wait for the end of a job: set it up, then await it, or take the [`states`](Self::states) of the job one by one.
/// [`Job::wait`] makes it.
///
/// It polls at once, a second later, and then less and less often, down to every 30 seconds. Throttling, a failing
/// service, a failing network and timeouts are retried until they are over, and so is a credentials provider that fails
/// after it has worked: progress reports [since when, and the error](Progress::retrying). A permanent error ends the
/// wait.
///
/// Credentials that the service calls expired are retried if credentials of the same provider have worked before and
/// have an expiry, as the provider is expected to renew them. Before a provider has ever worked, its failure is final
/// after the attempts of one call.
///
/// # Cancel safety
///
/// Dropping the wait stops it. Nothing is left behind, the job continues, and another wait can follow it, in another
/// process too. In a loop with `tokio::select!`, call [`States::next`], or await the future of the wait by reference,
/// so that each iteration continues the same wait:
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
/// let mut wait = client.job(&started).wait().into_future();
/// let mut every_minute = tokio::time::interval(Duration::from_secs(60));
/// let outcome = loop {
///     tokio::select! {
///         outcome = &mut wait => break outcome?,
///         _ = every_minute.tick() => println!("still waiting"),
///     }
/// };
/// println!("{} items failed", outcome.failed_items().count());
/// # Ok(()) }
/// ```
///
/// # Examples
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
/// let wait = client.job(&started).wait().timeout(Duration::from_secs(6 * 3600));
/// let wait = wait.on_progress(|progress| println!("{:.0} %", progress.fraction() * 100.0));
/// let outcome = wait.await?;
/// println!("{} items failed", outcome.failed_items().count());
/// # Ok(()) }
/// ```
#[must_use = "a wait does nothing until it is awaited"]
pub struct Wait<K: JobKind> {
    job: Job<K>,
    schedule: Schedule,
    on_progress: Option<OnProgress<Progress>>,
}

impl<K: JobKind> Job<K> {
    /// Waits until the job has ended. The returned wait can be set up before it is awaited.
    ///
    /// [`Wait`] has an example.
    pub fn wait(&self) -> Wait<K> {
        let schedule = Schedule::starting_with(self.client().initial_poll_interval());
        Wait { job: self.clone(), schedule, on_progress: None }
    }
}

impl<K: JobKind> Wait<K> {
    /// Sets how long the wait takes at most: 24 hours by default, `None` is without limit. Then it ends with
    /// [`WaitError::Timeout`], which has the last state of the job, and the job continues.
    pub fn timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.schedule.timeout = limit.into();
        self
    }

    /// Sets the longest time between two polls: 30 seconds by default. An account may make five requests a second for
    /// all of its jobs together.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.schedule.max_interval = interval;
        self.schedule.first_interval = self.schedule.first_interval.min(interval);
        self
    }

    /// Sets how long the wait tolerates responses that the job does not exist (404), from the first of consecutive ones
    /// on; with zero the first one ends the wait.
    ///
    /// The default is a minute for a job that is known to exist, by the output of its start, an event or an earlier
    /// poll of this wait, as the service's reads may be behind its writes. It is zero for a job that was made of ids,
    /// until a poll has succeeded.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    /// # let started = call.send().await?;
    /// # let stored_id = started.id.to_string();
    /// use std::time::Duration;
    ///
    /// // An id that another process has stored a moment ago.
    /// let job = client.activation_job(&store, stored_id);
    /// let outcome = job.wait().not_found_tolerance(Duration::from_secs(60)).await?;
    /// # assert!(!outcome.is_completed());
    /// # Ok(()) }
    /// ```
    pub fn not_found_tolerance(mut self, time: Duration) -> Self {
        self.schedule.not_found_tolerance = Some(time);
        self
    }

    /// Sets a callback for progress. It is called when the wait begins, after each poll that does not end the wait with
    /// an error, and every 30 seconds if nothing else happens.
    ///
    /// [`Progress`] has an example.
    pub fn on_progress(mut self, callback: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(callback));
        self
    }

    /// The states of the job, one for each successful poll, the final one last.
    ///
    /// [`States`] has an example.
    pub fn states(self) -> States<K> {
        States::new(self.job, self.schedule, self.on_progress)
    }
}

impl<K: JobKind> fmt::Debug for Wait<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("job", &self.job).field("schedule", &self.schedule).finish_non_exhaustive()
    }
}

/// Polls the job until it has ended, and returns its outcome.
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
