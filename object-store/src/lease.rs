//! Leases: how a run sees whether the last writer of a journal is still running.
//!
//! Each writer has a lease object of its own, which it renews. A lease only keeps runs from taking over the journal of one
//! that is running. That a writer cannot append after another one has taken over is up to the records alone.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use crate::{corrupt, get, io_error};

/// A lease is renewed when this part of its time has passed.
const RENEWALS: u32 = 3;
/// Another run reads a lease so many times before it takes the lease as abandoned.
const READS: u32 = 10;
/// The shortest and the longest lease.
const LIMITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_hours(24));
/// The limit of a lease object.
const MAX_LEASE_BYTES: u64 = 1 << 20;

/// The leases of one journal: `PREFIX/leases/WRITER`.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    store: Arc<dyn ObjectStore>,
    folder: Path,
}

/// The content of a lease object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    owner: String,
    /// The time after which the lease is abandoned if nothing in it has changed, in milliseconds.
    duration_ms: u64,
    /// The number of renewals. It changes with each, whatever the clocks and the modification times.
    renewals: u64,
    /// The writer has ended, or has given the journal up.
    released: bool,
}

/// The lease of this writer. When it is dropped, a task releases it.
#[derive(Debug)]
pub(crate) struct HeldLease {
    _stop: oneshot::Sender<Infallible>,
}

/// A duration of a lease within its limits.
pub(crate) fn limited(duration: Duration) -> Duration {
    duration.clamp(LIMITS.0, LIMITS.1)
}

impl Leases {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, prefix: &Path) -> Self {
        Self { store, folder: prefix.clone().join("leases") }
    }

    fn path(&self, writer: Uuid) -> Path {
        self.folder.clone().join(writer.to_string())
    }

    async fn get(&self, writer: Uuid) -> io::Result<Option<Lease>> {
        let path = self.path(writer);
        let content = match get(&self.store, &path, MAX_LEASE_BYTES).await {
            Ok(content) => content,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(io_error(error)),
        };
        serde_json::from_slice(&content).map(Some).map_err(|error| corrupt(&path, &error.to_string()))
    }

    async fn put(&self, writer: Uuid, lease: &Lease) -> io::Result<()> {
        let content = serde_json::to_vec(lease)?;
        self.store.put(&self.path(writer), content.into()).await.map_err(io_error)?;
        Ok(())
    }

    /// Whether a writer has ended: its lease is released, or does not change for the duration of the lease. Returns as soon
    /// as the lease is renewed. `duration` is the one of a lease that does not exist.
    ///
    /// No times of two machines are compared.
    pub(crate) async fn has_ended(&self, writer: Uuid, duration: Duration) -> io::Result<bool> {
        let first = self.get(writer).await?;
        let begin = Instant::now();
        if first.as_ref().is_some_and(|lease| lease.released) {
            return Ok(true);
        }
        let duration = first.as_ref().map_or(duration, |lease| limited(Duration::from_millis(lease.duration_ms)));
        if let Some(lease) = &first {
            tracing::info!(owner = lease.owner, ?duration, "waits whether the owner of the journal renews its lease");
        }
        for read in 1..=READS {
            sleep_until(begin + duration * read / READS).await;
            let lease = self.get(writer).await?;
            if lease != first {
                let released = lease.is_some_and(|lease| lease.released);
                return Ok(released);
            }
        }
        Ok(true)
    }

    /// Writes the lease of a writer, and renews it in a task until it is dropped. `on_released` is dropped when that is
    /// done.
    pub(crate) async fn hold(
        &self,
        writer: Uuid,
        owner: &str,
        duration: Duration,
        on_released: watch::Sender<()>,
    ) -> io::Result<HeldLease> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let duration_ms = duration.as_millis().try_into().unwrap_or(u64::MAX);
        let lease = Lease { owner: owner.to_owned(), duration_ms, renewals: 0, released: false };
        self.put(writer, &lease).await?;
        let (stop, stopped) = oneshot::channel();
        let leases = self.clone();
        runtime.spawn(async move {
            leases.renew(writer, lease, duration / RENEWALS, stopped).await;
            drop(on_released);
        });
        Ok(HeldLease { _stop: stop })
    }

    async fn renew(&self, writer: Uuid, mut lease: Lease, every: Duration, mut stopped: oneshot::Receiver<Infallible>) {
        while timeout(every, &mut stopped).await.is_err() {
            lease.renewals += 1;
            if let Err(error) = self.put(writer, &lease).await {
                tracing::warn!(%error, "the lease of a journal can't be renewed; another run may take the journal over");
            }
        }
        lease.released = true;
        if let Err(error) = self.put(writer, &lease).await {
            tracing::warn!(%error, "the lease of a journal can't be released; the next run waits until it expires");
        }
    }
}
