//! Where a journal is kept.

use std::fmt;
use std::io;
use std::path::Path;
use std::pin::Pin;

use bytes::Bytes;

/// What the methods of [`JournalStorage`] return.
///
/// [`JournalStorage`] has an example.
pub type JournalFuture<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Keeps the journal of a bulk run: see [`BulkRun::journal_storage`](crate::bulk::BulkRun::journal_storage).
///
/// A journal is a sequence of lines that end in `\n`. A run calls [`lock`](Self::lock) once, then [`read`](Self::read) until
/// there is no more, and then [`append`](Self::append) for each line. After an error it calls nothing any more, and
/// [`run`](crate::bulk::BulkRun::run) returns [`BulkError`](crate::bulk::BulkError) with it. The kind of an
/// [`io::Error`] decides about the variant:
///
/// | kind | variant |
/// |---|---|
/// | [`ResourceBusy`](io::ErrorKind::ResourceBusy) | [`JournalLocked`](crate::bulk::BulkError::JournalLocked): another run has the journal |
/// | [`StorageFull`](io::ErrorKind::StorageFull), [`QuotaExceeded`](io::ErrorKind::QuotaExceeded) | [`JournalStorageFull`](crate::bulk::BulkError::JournalStorageFull) |
/// | any other | [`JournalIo`](crate::bulk::BulkError::JournalIo) |
///
/// A run that never starts a job twice relies on three properties:
///
/// - A line is stored durably when the future of `append` is ready. A line whose `append` failed, was dropped or was cut off
///   by a crash may be stored completely, in part, or not at all; if it is stored in part, `read` may return that part at the
///   end, and a later `append` removes it.
/// - There is one writer at a time. After another one has called `lock` with success, each `append` of this one fails and
///   stores nothing. A writer that was suspended just before it sends a start still sends it; the client token of the start
///   then prevents a second job.
/// - Dropping the storage ends its lock as soon as possible.
///
/// Futures must not block: the runtime has other work. They are dropped when the run is.
///
/// ```
/// use std::io;
/// use std::path::Path;
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use healthomics::bulk::{JournalFuture, JournalStorage};
/// use tokio::sync::{Mutex, OwnedMutexGuard};
///
/// /// A journal in memory: a run can be resumed in the same process.
/// #[derive(Debug)]
/// struct Memory {
///     journal: Arc<Mutex<Vec<u8>>>,
///     lock: Option<OwnedMutexGuard<Vec<u8>>>,
///     is_read: bool,
/// }
///
/// impl Memory {
///     fn new(journal: &Arc<Mutex<Vec<u8>>>) -> Self {
///         Self { journal: Arc::clone(journal), lock: None, is_read: false }
///     }
/// }
///
/// impl JournalStorage for Memory {
///     fn path(&self) -> &Path {
///         Path::new("memory")
///     }
///
///     fn lock(&mut self) -> JournalFuture<'_, ()> {
///         Box::pin(async {
///             let lock = Arc::clone(&self.journal).try_lock_owned();
///             self.lock = Some(lock.map_err(|_| io::ErrorKind::ResourceBusy)?);
///             Ok(())
///         })
///     }
///
///     fn read(&mut self) -> JournalFuture<'_, Option<Bytes>> {
///         Box::pin(async {
///             let journal = self.lock.as_ref().ok_or(io::ErrorKind::NotConnected)?;
///             let is_read = std::mem::replace(&mut self.is_read, true);
///             Ok((!is_read).then(|| Bytes::copy_from_slice(journal)))
///         })
///     }
///
///     fn append(&mut self, line: Bytes) -> JournalFuture<'_, ()> {
///         Box::pin(async move {
///             let journal = self.lock.as_mut().ok_or(io::ErrorKind::NotConnected)?;
///             journal.extend_from_slice(&line);
///             Ok(())
///         })
///     }
/// }
///
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let read_sets = [local.seed_read_set(&store, SeedReadSet::archived("BAM".into()))];
/// let journal = Arc::default();
/// let call = client
///     .activate_read_sets()
///     .run_id("run-7")
///     .sequence_store_id(&store)
///     .read_sets(read_sets);
/// for _ in 0..2 {
///     let bulk_run = call.clone().prepare()?.journal_storage(Memory::new(&journal));
///     assert_eq!(bulk_run.run().await?.finished_count(), 1);
/// }
/// assert_eq!(local.jobs().len(), 1);
/// # Ok(()) }
/// ```
pub trait JournalStorage: fmt::Debug + Send + 'static {
    /// The path or URL of the journal, for errors.
    fn path(&self) -> &Path;

    /// Makes this the only writer of the journal, and creates the journal if it does not exist.
    ///
    /// # Errors
    ///
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy) if there is another writer.
    fn lock(&mut self) -> JournalFuture<'_, ()>;

    /// Reads the next part of the journal, from its first byte on. A part may begin and end anywhere in a line. `None` at
    /// the end.
    fn read(&mut self) -> JournalFuture<'_, Option<Bytes>>;

    /// Appends a line, which ends in `\n`. The line is stored durably when the future is ready.
    ///
    /// # Errors
    ///
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy) if there is another writer now.
    fn append(&mut self, line: Bytes) -> JournalFuture<'_, ()>;
}
