//! The pace of everything that polls or starts in bulk: so many requests a second for each operation and client.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The documented quota of an account, for each operation.
pub(crate) const DEFAULT_RATE: u32 = 5;

/// Turns are this much further apart than the rate asks, as the network moves requests together again.
const MARGIN: f64 = 1.02;

/// Gives out turns, evenly spaced.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// `None` is no limit.
    interval: Option<Duration>,
    /// When the next turn of an operation is.
    next: Mutex<HashMap<&'static str, Instant>>,
}

impl Pacer {
    pub(crate) fn new(requests_per_second: Option<u32>) -> Self {
        let interval = requests_per_second.map(|rate| Duration::from_secs_f64(MARGIN / f64::from(rate.max(1))));
        Self { interval, next: Mutex::default() }
    }

    /// Waits for a turn, if there is one before the deadline. A turn that nobody waits for any more is lost.
    pub(crate) async fn turn(&self, operation: &'static str, deadline: Option<Instant>) -> Result<(), NoTurn> {
        let Some(interval) = self.interval else { return Ok(()) };
        let at = self.reserve(operation, interval, Instant::now(), deadline)?;
        tokio::time::sleep_until(at).await;
        Ok(())
    }

    fn reserve(
        &self,
        operation: &'static str,
        interval: Duration,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Instant, NoTurn> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.get(operation).map_or(now, |next| now.max(*next));
        if deadline.is_some_and(|deadline| at > deadline) {
            return Err(NoTurn);
        }
        next.insert(operation, at + interval);
        Ok(at)
    }
}

/// Every turn before the deadline is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoTurn;

#[cfg(test)]
mod tests {
    use super::*;

    async fn turns(pacer: &Pacer, operation: &'static str, count: u32) -> Duration {
        let begun = Instant::now();
        for _ in 0..count {
            pacer.turn(operation, None).await.unwrap();
        }
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_evenly_spaced_for_each_operation() {
        let pacer = Pacer::new(Some(5));
        assert!(turns(&pacer, "A", 1).await.is_zero());
        assert!(turns(&pacer, "B", 1).await.is_zero(), "operations do not wait for each other");
        let taken = turns(&pacer, "A", 50).await;
        assert!((10.0..10.5).contains(&taken.as_secs_f64()), "{taken:?}");
        tokio::time::sleep(Duration::from_hours(1)).await;
        let taken = turns(&pacer, "A", 6).await;
        assert!(taken > Duration::from_secs(1), "what was not used is not saved up: {taken:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits() {
        assert!(turns(&Pacer::new(None), "A", 1_000).await.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_behind_the_deadline_is_not_taken() {
        let pacer = Pacer::new(Some(1));
        pacer.turn("A", None).await.unwrap();
        let soon = Instant::now() + Duration::from_millis(500);
        assert_eq!(pacer.turn("A", Some(soon)).await, Err(NoTurn));
        let begun = Instant::now();
        pacer.turn("A", Some(soon + Duration::from_secs(1))).await.unwrap();
        assert!(begun.elapsed() < Duration::from_millis(1_100), "the refused one took none");
    }
}
