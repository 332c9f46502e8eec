//! Several calls in flight at the same time.

use std::task::{Context, Poll};

use crate::{CallFuture, Error};

/// Calls that are polled together, each with a key. Dropping it cancels them.
pub(crate) struct InFlight<K, T> {
    calls: Vec<(K, CallFuture<T>)>,
}

impl<K, T> InFlight<K, T> {
    pub(crate) fn new() -> Self {
        Self { calls: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.calls.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn push(&mut self, key: K, call: CallFuture<T>) {
        self.calls.push((key, call));
    }

    /// The result of a call that has ended; pending while none has, and if there are none.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(K, Result<T, Error>)> {
        for index in 0..self.calls.len() {
            if let Poll::Ready(result) = self.calls[index].1.as_mut().poll(cx) {
                // The order is kept, so that the oldest call is the first to wait for a permit of the rate limiter.
                let (key, _) = self.calls.remove(index);
                return Poll::Ready((key, result));
            }
        }
        Poll::Pending
    }
}
