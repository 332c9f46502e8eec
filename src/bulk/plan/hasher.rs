//! The hash of client tokens and of the digest of a plan.

use sha2::{Digest as _, Sha256};

/// Hashes fields and lists by SHA-256, so that different input gives different hashes: each text comes after its
/// length, each list has an end.
///
/// What is hashed is a format: a change of it starts the jobs of a run again that is resumed after an update.
#[derive(Clone)]
pub(super) struct PlanHasher(Sha256);

impl PlanHasher {
    /// `purpose` tells hashes of different things apart.
    pub(super) fn new(purpose: &str) -> Self {
        let mut hasher = Self(Sha256::new());
        hasher.text(purpose);
        hasher
    }

    pub(super) fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text);
    }

    pub(super) fn field(&mut self, name: &str, value: &str) {
        self.0.update([1]);
        self.text(name);
        self.text(value);
    }

    /// The end of a list of fields.
    pub(super) fn end(&mut self) {
        self.0.update([0]);
    }

    pub(super) fn hash(&mut self, hash: &[u8; 32]) {
        self.0.update(hash);
    }

    pub(super) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
