//! The disk of a simulated machine, with the journal of a run on it.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use healthomics::bulk::{JournalFuture, JournalStorage};

/// What outlives a process.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    contents: Vec<u8>,
    /// The number of bytes of `contents` that were stored durably. A crash may lose the others.
    durable: usize,
    /// The number of the process that has the lock.
    owner: u64,
}

/// The journal as one process sees it.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Arc<Mutex<Disk>>,
    process: u64,
    random: Rng,
    /// Whether reads, writes and locks fail now and then.
    has_faults: bool,
    /// The offset of the next read.
    position: usize,
}

impl Journal {
    pub(crate) fn new(disk: &Arc<Mutex<Disk>>, process: u64, random: Rng, has_faults: bool) -> Self {
        Self { disk: Arc::clone(disk), process, random, has_faults, position: 0 }
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// The disk, if no other process has taken the lock.
    fn owned(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.disk();
        if disk.owner == self.process { Ok(disk) } else { Err(io::ErrorKind::ResourceBusy.into()) }
    }

    fn fails(&mut self, one_in: u32) -> bool {
        self.has_faults && self.random.u32(0..one_in) == 0
    }

    /// Lets the process be interrupted.
    async fn pause(&mut self) {
        if self.random.bool() {
            tokio::time::sleep(Duration::from_millis(self.random.u64(0..500))).await;
        } else {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Journal {
    /// The process ends, or its machine crashes: a part of what is not durable is lost.
    fn drop(&mut self) {
        let (process, keep) = (self.process, self.random.f64());
        let mut disk = self.disk();
        if disk.owner == process {
            let written = disk.contents.len() - disk.durable;
            let kept = disk.durable + (keep * (written + 1) as f64) as usize;
            disk.contents.truncate(kept);
            disk.durable = disk.contents.len();
        }
    }
}

impl JournalStorage for Journal {
    fn path(&self) -> &Path {
        Path::new("simulated.jsonl")
    }

    fn lock(&mut self) -> JournalFuture<'_, ()> {
        Box::pin(async {
            self.pause().await;
            if self.fails(10) {
                return Err(io::ErrorKind::ResourceBusy.into());
            }
            let process = self.process;
            let mut disk = self.disk();
            disk.owner = process;
            // What a process that lost its lock has not stored durably is not read.
            let durable = disk.durable;
            disk.contents.truncate(durable);
            Ok(())
        })
    }

    fn read(&mut self) -> JournalFuture<'_, Option<Bytes>> {
        Box::pin(async {
            self.pause().await;
            if self.fails(100) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let length = self.random.usize(1..10_000);
            let position = self.position;
            let disk = self.disk();
            let end = disk.contents.len().min(position + length);
            // A process that has taken the lock may have removed the end.
            let part = Bytes::copy_from_slice(disk.contents.get(position..end).unwrap_or_default());
            drop(disk);
            self.position = end;
            Ok((!part.is_empty()).then_some(part))
        })
    }

    fn append(&mut self, line: Bytes) -> JournalFuture<'_, ()> {
        Box::pin(async move {
            self.pause().await;
            let first = self.random.usize(0..=line.len());
            let is_full = self.fails(100);
            {
                let mut disk = self.owned()?;
                // A part of a line that an earlier process has left.
                let end = disk.contents.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
                disk.contents.truncate(end);
                disk.durable = disk.durable.min(end);
                disk.contents.extend_from_slice(&line[..first]);
            }
            if is_full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.pause().await;
            self.owned()?.contents.extend_from_slice(&line[first..]);
            self.pause().await;
            let fails = self.fails(100);
            let mut disk = self.owned()?;
            disk.durable = disk.contents.len();
            // The line is stored, and the process does not know it.
            if fails { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
        })
    }
}
