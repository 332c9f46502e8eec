//! The jobs that a client knows, so that the job of a start can be found by its content.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The SHA-256 of the items of a job, in any order.
pub(crate) type ContentHash = [u8; 32];

/// The jobs that a client knows. It is filled only while client tokens are not trusted.
#[derive(Debug, Default)]
pub(crate) struct KnownJobs(Mutex<Jobs>);

#[derive(Debug, Default)]
struct Jobs {
    /// Jobs that are the result of a start.
    results: HashSet<String>,
    /// The contents of other jobs.
    contents: HashMap<String, ContentHash>,
}

impl KnownJobs {
    /// Notes that a job is the result of a start. `false` if it was that of another.
    pub(crate) fn claim(&self, id: &str) -> bool {
        let mut jobs = self.lock();
        jobs.contents.remove(id);
        jobs.results.insert(id.to_owned())
    }

    pub(crate) fn is_claimed(&self, id: &str) -> bool {
        self.lock().results.contains(id)
    }

    pub(crate) fn set_content(&self, id: &str, content: ContentHash) {
        self.lock().contents.insert(id.to_owned(), content);
    }

    pub(crate) fn content(&self, id: &str) -> Option<ContentHash> {
        self.lock().contents.get(id).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
