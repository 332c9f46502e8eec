//! Calls on their way at the same time.

use std::task::{Context, Poll};

use crate::{CallFuture, Error};

/// A few calls that are polled together, each under a key. Dropping it leaves nothing behind.
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

    pub(crate) fn push(&mut self, key: K, call: CallFuture<T>) {
        self.calls.push((key, call));
    }

    /// The next answer, whichever comes first; pending while there is nothing to wait for.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<(K, Result<T, Error>)> {
        for index in 0..self.calls.len() {
            if let Poll::Ready(answer) = self.calls[index].1.as_mut().poll(cx) {
                // In order, so that who came first queues first.
                let (key, _) = self.calls.remove(index);
                return Poll::Ready((key, answer));
            }
        }
        Poll::Pending
    }
}
