//! Calls without `async`, for scripts, command-line tools and tests (feature `blocking`).
//!
//! Everything in this crate that can be awaited and may fail has [`block`](Block::block), which waits on the calling
//! thread, and every stream has [`block_each`](BlockEach::block_each), an iterator. Client, builders and outputs are
//! the same as in async code.
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
//!     let list = client.list_read_sets().sequence_store_id(&store);
//!     for read_set in list.items().block_each() {
//!         archived.push(read_set?.id);
//!     }
//!     let call = client.start_read_set_activation_job().sequence_store_id(&store);
//!     let started = call.sources(&archived).send().block()?;
//!     let outcome = client.job(&started).wait().block()?;
//!     println!("{} read sets are active", outcome.finished_items().count());
//! #   assert!(outcome.is_completed() && outcome.items().len() == 3);
//!     Ok(())
//! }
//! ```
//!
//! The program needs no Tokio runtime of its own: the first call builds one for the process, which has no threads and
//! runs on the thread that blocks. Several threads may block at the same time.
//!
//! # Limits
//!
//! - **Inside an async runtime** it would stop everything else that runs there. Instead of a panic or a deadlock, it
//!   returns [`BlockingUnavailable::InsideRuntime`]. Await the call there; on a thread of `spawn_blocking`, use the
//!   `block_on` of the runtime's handle.
//! - **A client that is also used in async code**: connections belong to the runtime that opened them, and those of
//!   this module make no progress while no thread blocks. Use two clients.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::OnceLock;

use futures_core::Stream;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::error::readable_debug;

/// One runtime for the process, so that connections stay open between calls.
static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Why a thread can't block here. The future has not been polled.
///
/// ```
/// use healthomics::blocking::{self, BlockingUnavailable};
///
/// # #[tokio::main(flavor = "current_thread")]
/// async fn main() {
///     let error = blocking::run(async { 2 + 2 }).unwrap_err();
///     assert!(matches!(error, BlockingUnavailable::InsideRuntime));
/// }
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BlockingUnavailable {
    /// The thread runs an async runtime: await the call instead, or make it on another thread.
    #[error("a blocking call inside an async runtime: await it instead, or make it on a thread of its own")]
    InsideRuntime,
    /// The runtime could not be built, usually because the process has too many open files.
    #[error("the runtime for a blocking call could not be built")]
    Runtime(#[source] io::Error),
}

readable_debug!(BlockingUnavailable);

/// Why a blocking call failed.
///
/// [`Block::block`] has an example.
#[derive(thiserror::Error)]
pub enum BlockError<E> {
    /// The thread can't block. Nothing was sent.
    #[error(transparent)]
    BlockingUnavailable(#[from] BlockingUnavailable),
    /// The call failed with the error that awaiting it returns.
    #[error(transparent)]
    Failed(E),
}

/// The error inside, as `main` prints an error that it returns by `Debug`.
impl<E: fmt::Debug> fmt::Debug for BlockError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BlockingUnavailable(error) => error.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E> BlockError<E> {
    /// The error of the call itself, such as [`Error`](crate::Error); `None` if the thread can't block.
    ///
    /// [`Block::block`] has an example.
    pub fn failed(&self) -> Option<&E> {
        match self {
            Self::Failed(error) => Some(error),
            Self::BlockingUnavailable(_) => None,
        }
    }
}

/// Waits for any future on this thread, for example for [`Watch::next`](crate::job::Watch::next). For futures that
/// return a `Result`, [`Block::block`] is shorter.
///
/// # Errors
///
/// [`BlockingUnavailable`], before the future is polled.
///
/// ```
/// assert_eq!(healthomics::blocking::run(async { 2 + 2 })?, 4);
/// # Ok::<(), healthomics::blocking::BlockingUnavailable>(())
/// ```
pub fn run<F: IntoFuture>(future: F) -> Result<F::Output, BlockingUnavailable> {
    if Handle::try_current().is_ok() {
        return Err(BlockingUnavailable::InsideRuntime);
    }
    // `into_future` is called inside, as it may need the runtime.
    Ok(runtime()?.block_on(async { future.await }))
}

fn runtime() -> Result<&'static Runtime, BlockingUnavailable> {
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let runtime = Builder::new_current_thread().enable_all().build().map_err(BlockingUnavailable::Runtime)?;
    Ok(RUNTIME.get_or_init(|| runtime))
}

/// Blocks on futures that return a `Result`: calls, waits for jobs, bulk runs, the start of the local service.
pub trait Block<T, E>: IntoFuture<Output = Result<T, E>> + Sized {
    /// Waits for the output on this thread. Timeouts and retries are those of the client.
    ///
    /// # Errors
    ///
    /// [`BlockError::BlockingUnavailable`] inside an async runtime, before anything is sent; otherwise the error that
    /// awaiting returns, as [`BlockError::Failed`].
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
    ///     Err(error) => match error.failed() {
    ///         Some(error) if error.status() == Some(404) => println!("not found"),
    ///         _ => return Err(error.into()),
    ///     },
    /// }
    /// # Ok(()) }
    /// ```
    fn block(self) -> Result<T, BlockError<E>> {
        run(self)?.map_err(BlockError::Failed)
    }
}

impl<F: IntoFuture<Output = Result<T, E>>, T, E> Block<T, E> for F {}

/// Blocks on streams of `Result`s: the pages and items of lists, the states of a job.
pub trait BlockEach<T, E>: Stream<Item = Result<T, E>> + Unpin + Sized {
    /// Makes an iterator that waits for each item on this thread. Inside an async runtime, its only item is
    /// [`BlockError::BlockingUnavailable`].
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
    /// let ids = list.items().block_each().map(|item| item.map(|item| item.id));
    /// assert_eq!(ids.collect::<Result<Vec<_>, _>>()?.len(), 3);
    /// # Ok(()) }
    /// ```
    fn block_each(self) -> Each<Self> {
        Each { stream: Some(self) }
    }
}

impl<S: Stream<Item = Result<T, E>> + Unpin, T, E> BlockEach<T, E> for S {}

/// The iterator that [`BlockEach::block_each`] makes.
#[derive(Debug)]
#[must_use = "nothing is requested until next() is called"]
pub struct Each<S> {
    /// `None` once the stream has ended, or the thread can't block.
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
