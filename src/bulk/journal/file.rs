//! The journal in a file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::storage::{JournalFuture, JournalStorage};

/// The number of bytes of a read.
const READ_BYTES: usize = 1 << 20;

/// A journal in a file, which is locked while it is open.
///
/// Threads for blocking work read and write the file. When the storage is dropped, the file is closed at once: what is
/// being written then is completed, and what has not begun is not written.
#[derive(Debug)]
pub(super) struct FileStorage {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    New,
    Open(OpenFile),
    Closed,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// The offset of the end of the last complete line, in bytes.
    end: u64,
    /// The number of bytes that were read.
    read: u64,
    /// Whether the file may have a part of a line after its last complete line.
    may_have_partial_line: bool,
}

/// The path is a directory, a FIFO, a device or a socket.
#[derive(Debug, thiserror::Error)]
#[error("not a regular file")]
pub(super) struct NotRegular;

impl FileStorage {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Arc::new(Mutex::new(State::New)) }
    }

    /// Does blocking work with the state, in a thread that is made for such work.
    fn in_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut State) -> io::Result<T> + Send + 'static,
    ) -> JournalFuture<'static, T> {
        let state = Arc::clone(&self.state);
        Box::pin(async move {
            let result = tokio::task::spawn_blocking(move || work(&mut lock_state(&state))).await;
            result.map_err(io::Error::other)?
        })
    }
}

fn lock_state(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for FileStorage {
    fn drop(&mut self) {
        // Waits for the end of a write, so that the same process can open the journal again.
        *lock_state(&self.state) = State::Closed;
    }
}

impl JournalStorage for FileStorage {
    fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&mut self) -> JournalFuture<'_, ()> {
        let path = self.path.clone();
        self.in_thread(move |state| {
            if matches!(state, State::Closed) {
                return Err(closed());
            }
            *state = State::Open(OpenFile::open(&path)?);
            Ok(())
        })
    }

    fn read(&mut self) -> JournalFuture<'_, Option<Bytes>> {
        self.in_thread(|state| state.open_file()?.read())
    }

    fn append(&mut self, line: Bytes) -> JournalFuture<'_, ()> {
        let path = self.path.clone();
        self.in_thread(move |state| {
            let file = state.open_file()?;
            let is_first = file.end == 0;
            file.append(&line)?;
            if is_first {
                sync_directory(&path);
            }
            Ok(())
        })
    }
}

impl State {
    fn open_file(&mut self) -> io::Result<&mut OpenFile> {
        match self {
            Self::Open(file) => Ok(file),
            Self::New | Self::Closed => Err(closed()),
        }
    }
}

fn closed() -> io::Error {
    io::Error::other("the file is closed")
}

impl OpenFile {
    /// Opens and locks a file, or creates one.
    fn open(path: &Path) -> io::Result<Self> {
        // Opening a device may do something, and reading a FIFO may wait forever.
        if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            return Err(io::Error::other(NotRegular));
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, end: 0, read: 0, may_have_partial_line: true }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn read(&mut self) -> io::Result<Option<Bytes>> {
        let mut part = Vec::with_capacity(READ_BYTES);
        (&self.file).take(READ_BYTES as u64).read_to_end(&mut part)?;
        if let Some(newline) = part.iter().rposition(|byte| *byte == b'\n') {
            self.end = self.read + newline as u64 + 1;
        }
        self.read += part.len() as u64;
        Ok((!part.is_empty()).then(|| part.into()))
    }

    /// Writes a line to the disk, after the last complete line.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.may_have_partial_line {
            self.remove_partial_line()?;
        }
        self.may_have_partial_line = true;
        self.file.write_all(line)?;
        self.file.sync_data()?;
        self.may_have_partial_line = false;
        self.end += line.len() as u64;
        Ok(())
    }

    /// Truncates the file to its complete lines.
    fn remove_partial_line(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.sync_data()
    }
}

/// Writes the directory to the disk: without that, a new file may be lost at a power failure. Systems that can't do it are
/// left as they are.
fn sync_directory(path: &Path) {
    // The path may be a symbolic link: the directory of its target has the file.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(Ok(directory)) = target.parent().map(File::open) {
        let _ = directory.sync_all();
    }
}
