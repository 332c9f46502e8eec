#![doc = include_str!("../README.md")]

mod lease;
mod records;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::try_join_all;
use healthomics::bulk::{JournalFuture, JournalStorage};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use self::lease::{HeldLease, Leases};
use self::records::{Record, Records};

/// The number of records that are read at the same time.
const READ_AT_ONCE: u64 = 32;
const DEFAULT_LEASE: Duration = Duration::from_mins(1);
/// The prefixes of the environment variables that `object_store` documents.
const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// A journal in an object store.
///
/// The [crate documentation](crate) has an example, and describes the objects, the lease and the failures.
#[derive(Debug)]
pub struct ObjectStorage {
    records: Records,
    leases: Leases,
    path: PathBuf,
    lease: Duration,
    owner: String,
    /// `None` before the journal is locked, and after an append that did not succeed.
    writer: Option<Writer>,
    /// Every sender is dropped when the lease is released.
    released: watch::Sender<()>,
}

/// What has locked the journal.
#[derive(Debug)]
struct Writer {
    id: Uuid,
    /// The number of the first record of this writer. Those before it never change.
    first: u64,
    /// The number of the next record that is read.
    next_read: u64,
    /// The number of the next record that is written.
    next: u64,
    _lease: HeldLease,
}

impl ObjectStorage {
    /// Keeps a journal in the folder `prefix` of a store, which nothing else uses. Each run and each shard needs a folder of
    /// its own.
    ///
    /// The retries and timeouts of the store apply to each request:
    /// [`RetryConfig`](https://docs.rs/object_store/0.14/object_store/struct.RetryConfig.html).
    pub fn new(store: Arc<dyn ObjectStore>, prefix: impl Into<Path>) -> Self {
        let prefix = prefix.into();
        let path = PathBuf::from(format!("{store}/{prefix}"));
        Self {
            records: Records::new(Arc::clone(&store), &prefix),
            leases: Leases::new(store, &prefix),
            path,
            lease: DEFAULT_LEASE,
            owner: default_owner(),
            writer: None,
            released: watch::Sender::new(()),
        }
    }

    /// Keeps a journal at a URL: `s3://BUCKET/PREFIX` (feature `aws`), `gs://BUCKET/PREFIX` (feature `gcp`),
    /// `az://CONTAINER/PREFIX` (feature `azure`), and `memory:///PREFIX` for tests.
    ///
    /// Settings and credentials come from the environment variables of `object_store`, for example `AWS_REGION` and
    /// `AWS_ACCESS_KEY_ID`. Without credentials in them, those of the container, the pod or the instance are used. Profiles
    /// are not read.
    ///
    /// # Errors
    ///
    /// The URL is not one of these, its feature is not enabled, or a setting is wrong.
    pub fn from_url(url: &str) -> object_store::Result<Self> {
        let parsed = Url::parse(url).map_err(|error| Error::Generic { store: "URL", source: error.into() })?;
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let variables = variables.filter(|(name, _)| VARIABLES.iter().any(|prefix| name.starts_with(prefix)));
        let variables = variables.filter_map(|(name, value)| Some((name, value.into_string().ok()?)));
        let (store, prefix) = object_store::parse_url_opts(&parsed, variables)?;
        Ok(Self { path: url.into(), ..Self::new(store.into(), prefix) })
    }

    /// The duration of the lease: how long another run waits before it takes over the journal of a process that was
    /// terminated, and how long failures of the store are retried. The default is a minute. The lease is renewed each time a
    /// third of it has passed. It is at least a tenth of a second, and at most a day.
    #[must_use]
    pub fn lease(mut self, duration: Duration) -> Self {
        self.lease = lease::limited(duration);
        self
    }

    /// Who has the journal, for the people who read the lease object and the logs. The default is the variable `HOSTNAME` and
    /// the id of the process.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = owner.into();
        self
    }

    /// Ends when the storage is dropped and its lease is released, or cannot be released. Await it after the run, at the end
    /// of a program: otherwise the lease may not be released, and the next run waits until it expires.
    ///
    /// The [crate documentation](crate) has an example.
    pub fn released(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut released = self.released.subscribe();
        async move { while released.changed().await.is_ok() {} }
    }

    async fn take_over(&self) -> io::Result<Writer> {
        let id = Uuid::new_v4();
        let mut lease = None;
        loop {
            let count = self.records.count().await?;
            if count > 0 {
                let last = self.records.get(count).await?;
                if !self.leases.has_ended(last.writer, self.lease).await? {
                    return Err(io::ErrorKind::ResourceBusy.into());
                }
            }
            let held = match lease.take() {
                Some(lease) => lease,
                None => self.leases.hold(id, &self.owner, self.lease, self.released.clone()).await?,
            };
            let first = count + 1;
            let content = Record { writer: id, line: Bytes::new() }.encode(first)?;
            match self.records.create(first, &content, self.lease).await {
                Ok(()) => {
                    self.records.check_that_records_are_kept(first, &content).await?;
                    return Ok(Writer { id, first, next_read: 1, next: first + 1, _lease: held });
                }
                // Another run has just taken over, or a request of the last writer was late.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => lease = Some(held),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Writer {
    async fn read(&mut self, records: &Records) -> io::Result<Option<Bytes>> {
        while self.next_read < self.first {
            let end = self.first.min(self.next_read + READ_AT_ONCE);
            let part = try_join_all((self.next_read..end).map(|number| records.get(number))).await?;
            self.next_read = end;
            let lines: Vec<_> = part.into_iter().map(|record| record.line).collect();
            let lines = lines.concat();
            if !lines.is_empty() {
                return Ok(Some(lines.into()));
            }
        }
        Ok(None)
    }
}

impl JournalStorage for ObjectStorage {
    fn path(&self) -> &std::path::Path {
        &self.path
    }

    fn lock(&mut self) -> JournalFuture<'_, ()> {
        Box::pin(async {
            self.writer = Some(self.take_over().await?);
            Ok(())
        })
    }

    fn read(&mut self) -> JournalFuture<'_, Option<Bytes>> {
        Box::pin(async { self.writer.as_mut().ok_or_else(not_locked)?.read(&self.records).await })
    }

    fn append(&mut self, line: Bytes) -> JournalFuture<'_, ()> {
        Box::pin(async move {
            // If this fails or is dropped, it is not known whether the record exists, and there is no writer any more.
            let mut writer = self.writer.take().ok_or_else(not_locked)?;
            let content = Record { writer: writer.id, line }.encode(writer.next)?;
            self.records.create(writer.next, &content, self.lease).await?;
            writer.next += 1;
            self.writer = Some(writer);
            Ok(())
        })
    }
}

fn not_locked() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the journal is not locked")
}

fn default_owner() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "unknown host".to_owned());
    format!("{host}, process {}", std::process::id())
}

fn io_error(error: Error) -> io::Error {
    let kind = match &error {
        Error::NotFound { .. } => io::ErrorKind::NotFound,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => io::ErrorKind::PermissionDenied,
        Error::NotImplemented { .. } | Error::NotSupported { .. } => io::ErrorKind::Unsupported,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

fn corrupt(path: &Path, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path}: {reason}"))
}

/// The content of an object that has at most so many bytes.
async fn get(store: &Arc<dyn ObjectStore>, path: &Path, max_bytes: u64) -> object_store::Result<Bytes> {
    let result = store.get(path).await?;
    if result.meta.size > max_bytes {
        return Err(Error::NotSupported { source: format!("{path} has more than {max_bytes} bytes").into() });
    }
    result.bytes().await
}
