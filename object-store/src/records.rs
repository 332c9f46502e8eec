//! The numbered records of a journal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore, PutMode, PutPayload};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{corrupt, get, io_error};

/// The version of the format of records.
const FORMAT: u32 = 1;
/// The limit of a record. A line of a journal has at most 64 MiB.
const MAX_RECORD_BYTES: u64 = 65 << 20;
/// The backoff after the first failure. It doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The records of one journal: `PREFIX/records/00000000000000000001` and so on, without gaps.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    store: Arc<dyn ObjectStore>,
    folder: Path,
}

/// The first line of a record.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    number: u64,
    writer: Uuid,
}

/// One record.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) writer: Uuid,
    /// The line of the journal. Empty in the first record of a writer.
    pub(crate) line: Bytes,
}

impl Record {
    /// The content of the object. It differs from that of any other writer and of any other number.
    pub(crate) fn encode(&self, number: u64) -> io::Result<Bytes> {
        let mut content = serde_json::to_vec(&Header { format: FORMAT, number, writer: self.writer })?;
        content.push(b'\n');
        content.extend_from_slice(&self.line);
        Ok(content.into())
    }

    fn decode(number: u64, content: &Bytes) -> Result<Self, String> {
        let end = content.iter().position(|byte| *byte == b'\n').ok_or("it has no header")?;
        let header: Header = serde_json::from_slice(&content[..end]).map_err(|error| error.to_string())?;
        if header.format != FORMAT {
            return Err(format!("its format is {}, this version supports {FORMAT}", header.format));
        }
        if header.number != number {
            return Err(format!("it was written as record {}", header.number));
        }
        Ok(Self { writer: header.writer, line: content.slice(end + 1..) })
    }
}

impl Records {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, prefix: &Path) -> Self {
        Self { store, folder: prefix.clone().join("records") }
    }

    fn path(&self, number: u64) -> Path {
        self.folder.clone().join(format!("{number:020}"))
    }

    /// The number of records. They are numbered from 1, and the last one has this number.
    pub(crate) async fn count(&self) -> io::Result<u64> {
        let objects: Vec<_> = self.store.list(Some(&self.folder)).try_collect().await.map_err(io_error)?;
        let mut paths: Vec<_> = objects.into_iter().map(|object| object.location).collect();
        paths.sort_unstable();
        for (number, path) in (1..).zip(&paths) {
            if *path != self.path(number) {
                return Err(corrupt(&self.path(number), &format!("it does not exist, but {path} does")));
            }
        }
        Ok(paths.len() as u64)
    }

    pub(crate) async fn get(&self, number: u64) -> io::Result<Record> {
        let path = self.path(number);
        let content = get(&self.store, &path, MAX_RECORD_BYTES).await.map_err(io_error)?;
        Record::decode(number, &content).map_err(|reason| corrupt(&path, &reason))
    }

    async fn put(&self, number: u64, content: &Bytes) -> object_store::Result<()> {
        let payload = PutPayload::from_bytes(content.clone());
        self.store.put_opts(&self.path(number), payload, PutMode::Create.into()).await.map(drop)
    }

    /// Creates a record, and repeats that for a time if it fails. The error is of the kind `ResourceBusy` if another writer
    /// has created the record.
    pub(crate) async fn create(&self, number: u64, content: &Bytes, patience: Duration) -> io::Result<()> {
        let deadline = Instant::now() + patience;
        let mut backoff = FIRST_BACKOFF;
        loop {
            let error = match self.try_create(number, content).await {
                Ok(true) => return Ok(()),
                Ok(false) => return Err(io::ErrorKind::ResourceBusy.into()),
                Err(error) => error,
            };
            if !matches!(error, Error::Generic { .. }) || Instant::now() >= deadline {
                return Err(io_error(error));
            }
            tracing::debug!(number, %error, "a record can't be created yet");
            sleep(backoff).await;
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }

    /// Creates a record if it does not exist, and returns whether the record is this one.
    async fn try_create(&self, number: u64, content: &Bytes) -> object_store::Result<bool> {
        match self.put(number, content).await {
            Ok(()) => return Ok(true),
            Err(Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error),
        }
        // An earlier attempt, whose response was lost, may have created the record.
        match get(&self.store, &self.path(number), MAX_RECORD_BYTES).await {
            Ok(found) => Ok(found == content),
            // Of two concurrent requests, neither may have succeeded.
            Err(Error::NotFound { source, .. }) => Err(Error::Generic { store: "conditional put", source }),
            Err(error) => Err(error),
        }
    }

    /// Fails if the store overwrites a record that exists.
    pub(crate) async fn check_that_records_are_kept(&self, number: u64, content: &Bytes) -> io::Result<()> {
        match self.put(number, content).await {
            Err(Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(io_error(error)),
            Ok(()) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "{} ignores the condition that an object must not exist yet, so it can't keep a journal",
                    self.store
                ),
            )),
        }
    }
}
