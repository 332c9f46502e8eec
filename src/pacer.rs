//! The pace of everything that polls or starts in bulk: so many requests a second for each operation and client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The documented quota of an account, for each operation.
pub(crate) const DEFAULT_RATE: u32 = 5;

/// Turns are this much further apart than the rate asks, as the network moves requests together again.
const MARGIN: f64 = 1.02;

/// When the next turn of an operation is. Held by who waits for it: the others queue behind, first come first served,
/// and one that is dropped takes no turn with it.
type Queue = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// Gives out turns, evenly spaced.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// `None` is no limit.
    interval: Option<Duration>,
    queues: Mutex<HashMap<&'static str, Queue>>,
}

impl Pacer {
    pub(crate) fn new(requests_per_second: Option<u32>) -> Self {
        let interval = requests_per_second.map(|rate| Duration::from_secs_f64(MARGIN / f64::from(rate.max(1))));
        Self { interval, queues: Mutex::default() }
    }

    /// Waits for a turn, until the deadline at most.
    pub(crate) async fn turn(&self, operation: &'static str, deadline: Option<Instant>) -> Result<(), NoTurn> {
        let Some(interval) = self.interval else { return Ok(()) };
        let queue = self.queue(operation);
        let turn = async {
            let mut next = queue.lock().await;
            let at = next.unwrap_or_else(Instant::now);
            if deadline.is_some_and(|deadline| at > deadline) {
                return Err(NoTurn);
            }
            tokio::time::sleep_until(at).await;
            *next = Some(at.max(Instant::now()) + interval);
            Ok(())
        };
        match deadline {
            Some(deadline) => tokio::time::timeout_at(deadline, turn).await.unwrap_or(Err(NoTurn)),
            None => turn.await,
        }
    }

    fn queue(&self, operation: &'static str) -> Queue {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(operation).or_default())
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

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_takes_no_turn_with_him() {
        let pacer = Pacer::new(Some(1));
        pacer.turn("A", None).await.unwrap();
        for _ in 0..100 {
            let soon = Duration::from_millis(1);
            assert!(tokio::time::timeout(soon, pacer.turn("A", None)).await.is_err());
        }
        let begun = Instant::now();
        pacer.turn("A", None).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_given_in_the_order_of_asking() {
        let pacer = Arc::new(Pacer::new(Some(10)));
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        for index in 0..20 {
            let (pacer, tell) = (Arc::clone(&pacer), tell.clone());
            tokio::spawn(async move {
                pacer.turn("A", None).await.unwrap();
                tell.send(index).unwrap();
            });
        }
        for index in 0..20 {
            assert_eq!(told.recv().await, Some(index));
        }
    }
}
