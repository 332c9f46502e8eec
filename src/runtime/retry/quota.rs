//! The retry quota of a client: while many calls fail, few are retried.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Class;

const RETRY_COST: u32 = 14;
const THROTTLING_COST: u32 = 5;

/// Shared by all clones of a client. `None` is a quota without limit.
#[derive(Clone, Debug)]
pub(crate) struct Quota(Option<Arc<Bucket>>);

#[derive(Debug)]
struct Bucket {
    capacity: u32,
    tokens: AtomicU32,
}

impl Quota {
    /// The default of the AWS SDKs.
    pub(crate) const DEFAULT_CAPACITY: u32 = 500;

    pub(crate) fn new(capacity: Option<u32>) -> Self {
        Self(capacity.map(|capacity| Arc::new(Bucket { capacity, tokens: AtomicU32::new(capacity) })))
    }

    /// Takes the tokens of one retry, if there are enough.
    pub(super) fn acquire(&self, class: Class) -> Option<Permit> {
        let cost = if class == Class::Throttling { THROTTLING_COST } else { RETRY_COST };
        if let Some(bucket) = &self.0 {
            let taken =
                bucket.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tokens| tokens.checked_sub(cost));
            taken.ok()?;
        }
        Some(Permit { quota: self.clone(), cost })
    }

    pub(super) fn add(&self, count: u32) {
        if let Some(bucket) = &self.0 {
            let add = |tokens: u32| Some(tokens.saturating_add(count).min(bucket.capacity));
            // The closure always returns a value, so that the update can't fail.
            let _ = bucket.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        }
    }

    #[cfg(test)]
    pub(crate) fn tokens(&self) -> Option<u32> {
        self.0.as_ref().map(|bucket| bucket.tokens.load(Ordering::Relaxed))
    }
}

/// The tokens of one retry. They are returned when it is dropped: after a success, or with a call that was cancelled.
#[derive(Debug)]
pub(crate) struct Permit {
    quota: Quota,
    cost: u32,
}

impl Permit {
    /// The retry failed, so that its tokens are not returned.
    pub(super) fn spend(mut self) {
        self.cost = 0;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.quota.add(self.cost);
    }
}
