//! An object store that fails as a test says.
#![allow(unreachable_pub, clippy::unwrap_used)]

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// What happens to a request that creates a record.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is done without a fault.
    None,
    /// It fails before anything is done.
    Unavailable,
    /// It fails after the record was created.
    LostResponse,
    /// It is rejected.
    Denied,
    /// The store reports a conflict, and has no record.
    Conflict,
    /// It overwrites the record.
    Overwrites,
    /// The record is created before it by another writer.
    Overtaken(PutPayload),
}

/// An object store in memory whose requests to create records fail as in a script.
#[derive(Clone, Debug, Default)]
pub struct FaultyStore {
    pub inner: Arc<InMemory>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl FaultyStore {
    pub fn queue(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub fn clear(&self) {
        self.faults.lock().unwrap().clear();
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

fn failure(text: &str) -> Error {
    Error::Generic { store: "FaultyStore", source: text.into() }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let is_record = options.mode == PutMode::Create;
        let fault = if is_record { self.faults.lock().unwrap().pop_front() } else { None };
        // Requests take their turns, as those to a server do.
        tokio::task::yield_now().await;
        let source = "scripted".into();
        match fault.unwrap_or(Fault::None) {
            Fault::None => self.inner.put_opts(location, payload, options).await,
            Fault::Unavailable => Err(failure("503 Service Unavailable")),
            Fault::LostResponse => {
                self.inner.put_opts(location, payload, options).await?;
                Err(failure("connection reset"))
            }
            Fault::Denied => Err(Error::PermissionDenied { path: location.to_string(), source }),
            Fault::Conflict => Err(Error::AlreadyExists { path: location.to_string(), source }),
            Fault::Overwrites => self.inner.put_opts(location, payload, PutMode::Overwrite.into()).await,
            Fault::Overtaken(other) => {
                self.inner.put_opts(location, other, PutMode::Overwrite.into()).await?;
                self.inner.put_opts(location, payload, options).await
            }
        }
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        tokio::task::yield_now().await;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
