//! Without `async`: for scripts, command-line tools and tests (feature `blocking`).
//!
//! Everything that this crate lets you await has a [`block`](Block::block) that does the same and returns when it is
//! done, and every list or other stream a [`block_each`](BlockEach::block_each) to loop over. Client, builders and
//! outputs are the same.
//!
//! ```
//! use healthomics::blocking::{Block as _, BlockEach as _};
//! # use healthomics::local::{LocalService, SeedReadSet};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #   let local = LocalService::start().block()?;
//! #   let store = local.create_sequence_store();
//! #   for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::archived("BAM".into())); }
//! #   let client = local.client()?;
//! #   const _: &str = stringify! {
//!     let client = healthomics::Client::from_env()?;
//! #   };
//!     let mut archived = Vec::new();
//!     for read_set in client.list_read_sets().sequence_store_id(&store).items().block_each() {
//!         archived.push(read_set?.id);
//!     }
//!     let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(&archived);
//!     let started = call.send().block()?;
//!     let outcome = client.job(&started).wait().block()?;
//!     println!("{} read sets are active", outcome.finished_items().count());
//! #   assert!(outcome.is_completed() && outcome.items().len() == 3);
//!     Ok(())
//! }
//! ```
//!
//! It needs no runtime of yours: the first call sets one up for the process, which works on the thread that blocks and
//! on no other. Several threads may block at once.
//!
//! # Where it does not belong
//!
//! - **Inside an async runtime** it would stop everything else that runs there. [`BlockingUnavailable::InsideRuntime`] says so,
//!   instead of a panic or a deadlock. Await the call there; on a thread of `spawn_blocking`, use the `block_on` of the
//!   runtime's handle.
//! - **A client that is also awaited elsewhere**: connections belong to the runtime that opened them, and nobody drives
//!   those of this module while nobody blocks. Give either side a client of its own.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::OnceLock;

use futures_core::Stream;
use tokio::runtime::{Builder, Handle, Runtime};

/// One for the process, so that connections outlast a call.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Why a thread can't wait here. What was to be waited for has not begun.
///
/// ```
/// use healthomics::blocking::{self, BlockingUnavailable};
///
/// # #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     assert!(matches!(blocking::run(async { 2 + 2 }), Err(BlockingUnavailable::InsideRuntime)));
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockingUnavailable {
    /// The thread belongs to an async runtime: await the call instead, or make it on a thread of its own.
    #[error("a blocking call inside an async runtime: await it instead, or make it on a thread of its own")]
    InsideRuntime,
    /// The operating system did not give what a runtime needs: usually the process has too many open files.
    #[error("no runtime could be set up for a blocking call")]
    Runtime(#[source] io::Error),
}

/// Why a blocking call failed.
///
/// [`Block::block`] has an example.
#[derive(Debug, thiserror::Error)]
pub enum BlockError<E> {
    /// It could not be made here. Nothing was sent.
    #[error(transparent)]
    BlockingUnavailable(#[from] BlockingUnavailable),
    /// It was made, and failed as it would have when awaited.
    #[error(transparent)]
    Failed(E),
}

impl<E> BlockError<E> {
    /// What the call came to, if it was made: the [`Error`](crate::Error) of a call, to branch on its accessors.
    ///
    /// [`Block::block`] has an example.
    pub fn failed(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::BlockingUnavailable(_) => None,
        }
    }
}

/// Waits for any future, on this thread.
///
/// [`Block::block`] is shorter for those that may fail. This one is for the others, such as
/// [`Watch::next`](crate::job::Watch::next).
///
/// # Errors
///
/// [`BlockingUnavailable`], before the future has begun.
///
/// ```
/// assert_eq!(healthomics::blocking::run(async { 2 + 2 })?, 4);
/// # Ok::<(), healthomics::blocking::BlockingUnavailable>(())
/// ```
pub fn run<F: IntoFuture>(future: F) -> Result<F::Output, BlockingUnavailable> {
    if Handle::try_current().is_ok() {
        return Err(BlockingUnavailable::InsideRuntime);
    }
    // Inside, as a future may look for its runtime when it is made.
    Ok(runtime()?.block_on(async { future.await }))
}

fn runtime() -> Result<&'static Runtime, BlockingUnavailable> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let fresh = Builder::new_current_thread().enable_all().build().map_err(BlockingUnavailable::Runtime)?;
    Ok(RUNTIME.get_or_init(|| fresh))
}

/// Waiting for whatever can be awaited and may fail: calls, waits for jobs, bulk runs, the start of the local service.
pub trait Block<T, E>: IntoFuture<Output = Result<T, E>> + Sized {
    /// Waits for it, on this thread. Timeouts and retries are those of the client.
    ///
    /// # Errors
    ///
    /// [`BlockError::BlockingUnavailable`] inside an async runtime, before anything is sent; else what awaiting it gives, as
    /// [`BlockError::Failed`].
    ///
    /// ```
    /// use healthomics::blocking::Block as _;
    /// # use healthomics::local::LocalService;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().block()?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let call = client.get_read_set_metadata().sequence_store_id(&store).id("5555555555");
    /// match call.send().block() {
    ///     Ok(read_set) => println!("{} is {}", read_set.id, read_set.status),
    ///     Err(error) if error.failed().is_some_and(|error| error.status() == Some(404)) => println!("not there"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # Ok(()) }
    /// ```
    fn block(self) -> Result<T, BlockError<E>> {
        run(self)?.map_err(BlockError::Failed)
    }
}

impl<F: IntoFuture<Output = Result<T, E>>, T, E> Block<T, E> for F {}

/// Looping over whatever comes one by one and may fail: pages and items of lists, states of a job.
pub trait BlockEach<T, E>: Stream<Item = Result<T, E>> + Unpin + Sized {
    /// An iterator that waits for each, on this thread.
    ///
    /// Inside an async runtime its only item is [`BlockError::BlockingUnavailable`].
    ///
    /// ```
    /// use healthomics::blocking::BlockEach as _;
    /// # use healthomics::blocking::Block as _;
    /// # use healthomics::local::{LocalService, SeedReadSet};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().block()?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::active("BAM".into())); }
    /// let list = client.list_read_sets().sequence_store_id(&store);
    /// let ids: Vec<_> = list.items().block_each().map(|item| item.map(|item| item.id)).collect::<Result<_, _>>()?;
    /// assert_eq!(ids.len(), 3);
    /// # Ok(()) }
    /// ```
    fn block_each(self) -> Each<Self> {
        Each { stream: Some(self) }
    }
}

impl<S: Stream<Item = Result<T, E>> + Unpin, T, E> BlockEach<T, E> for S {}

/// What [`BlockEach::block_each`] gives.
#[derive(Debug)]
#[must_use = "nothing is asked until next() is called"]
pub struct Each<S> {
    /// Until it has ended, or can't be waited for.
    stream: Option<S>,
}

impl<S: Stream<Item = Result<T, E>> + Unpin, T, E> Iterator for Each<S> {
    type Item = Result<T, BlockError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_mut()?;
        let item = match run(poll_fn(|context| Pin::new(&mut *stream).poll_next(context))) {
            Ok(item) => item.map(|item| item.map_err(BlockError::Failed)),
            Err(error) => Some(Err(error.into())),
        };
        if matches!(item, None | Some(Err(BlockError::BlockingUnavailable(_)))) {
            self.stream = None;
        }
        item
    }
}
