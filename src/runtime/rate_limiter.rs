//! The rate limiter of waits, bulk runs and lists: a number of requests a second, for each operation of a client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The default quota of an account, for each operation.
pub(crate) const DEFAULT_RATE: u32 = 5;

/// Permits are this much further apart than the rate says, as the network moves requests closer together.
const MARGIN: f64 = 1.02;

/// When the next permit of an operation is due. A task holds the lock while it waits for its permit, so that permits are
/// given in the order of requests, and a task that is dropped takes none.
type Queue = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// Gives out permits, evenly spaced.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    /// Requests a second; `None` is no limit.
    rate: Option<u32>,
    queues: Mutex<HashMap<&'static str, Queue>>,
}

impl RateLimiter {
    pub(crate) fn new(requests_per_second: Option<u32>) -> Self {
        Self { rate: requests_per_second.map(|rate| rate.max(1)), queues: Mutex::default() }
    }

    /// Waits for a permit, until the deadline at most. `max_rate` is the documented rate of an operation that has one of
    /// its own.
    pub(crate) async fn acquire(
        &self,
        operation: &'static str,
        max_rate: Option<u32>,
        deadline: Option<Instant>,
    ) -> Result<(), DeadlineExceeded> {
        let Some(rate) = self.rate else { return Ok(()) };
        let rate = max_rate.map_or(rate, |max_rate| max_rate.min(rate));
        let interval = Duration::from_secs_f64(MARGIN / f64::from(rate));
        let queue = self.queue(operation);
        let permit = async {
            let mut next = queue.lock().await;
            let due = next.unwrap_or_else(Instant::now);
            if deadline.is_some_and(|deadline| due > deadline) {
                return Err(DeadlineExceeded);
            }
            tokio::time::sleep_until(due).await;
            *next = Some(due.max(Instant::now()) + interval);
            Ok(())
        };
        match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, permit).await.unwrap_or(Err(DeadlineExceeded)),
            None => permit.await,
        }
    }

    fn queue(&self, operation: &'static str) -> Queue {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(operation).or_default())
    }
}

/// There is no permit before the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeadlineExceeded;

#[cfg(test)]
mod tests {
    use super::*;

    async fn acquire(limiter: &RateLimiter, operation: &'static str, count: u32) -> Duration {
        let started = Instant::now();
        for _ in 0..count {
            limiter.acquire(operation, None, None).await.unwrap();
        }
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn permits_are_evenly_spaced_for_each_operation() {
        let limiter = RateLimiter::new(Some(5));
        assert!(acquire(&limiter, "A", 1).await.is_zero());
        assert!(acquire(&limiter, "B", 1).await.is_zero(), "operations do not wait for each other");
        let taken = acquire(&limiter, "A", 50).await;
        assert!((10.0..10.5).contains(&taken.as_secs_f64()), "{taken:?}");
        tokio::time::sleep(Duration::from_hours(1)).await;
        let taken = acquire(&limiter, "A", 6).await;
        assert!(taken > Duration::from_secs(1), "what was not used is not saved up: {taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_with_a_rate_of_its_own_is_not_faster() {
        let limiter = RateLimiter::new(Some(5));
        let started = Instant::now();
        for _ in 0..3 {
            limiter.acquire("A", Some(1), None).await.unwrap();
        }
        assert!((2.0..2.1).contains(&started.elapsed().as_secs_f64()), "{:?}", started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_there_is_no_wait() {
        assert!(acquire(&RateLimiter::new(None), "A", 1_000).await.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_after_the_deadline_is_not_taken() {
        let limiter = RateLimiter::new(Some(1));
        limiter.acquire("A", None, None).await.unwrap();
        let soon = Instant::now() + Duration::from_millis(500);
        assert_eq!(limiter.acquire("A", None, Some(soon)).await, Err(DeadlineExceeded));
        let started = Instant::now();
        limiter.acquire("A", None, Some(soon + Duration::from_secs(1))).await.unwrap();
        assert!(started.elapsed() < Duration::from_millis(1_100), "the refused request took none");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_task_takes_no_permit() {
        let limiter = RateLimiter::new(Some(1));
        limiter.acquire("A", None, None).await.unwrap();
        for _ in 0..100 {
            let soon = Duration::from_millis(1);
            assert!(tokio::time::timeout(soon, limiter.acquire("A", None, None)).await.is_err());
        }
        let started = Instant::now();
        limiter.acquire("A", None, None).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn permits_are_given_in_the_order_of_requests() {
        let limiter = Arc::new(RateLimiter::new(Some(10)));
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        for index in 0..20 {
            let (limiter, sender) = (Arc::clone(&limiter), sender.clone());
            tokio::spawn(async move {
                limiter.acquire("A", None, None).await.unwrap();
                sender.send(index).unwrap();
            });
        }
        for index in 0..20 {
            assert_eq!(receiver.recv().await, Some(index));
        }
    }
}
