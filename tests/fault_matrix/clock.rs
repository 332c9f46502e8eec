//! A simulated clock that advances with the work that is done: minutes of waiting pass in a moment, and a slow machine
//! does not cause timeouts.

use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::yield_now;

/// In each of these steps every connection can do several reads and writes. The paused clock of tokio alone would
/// advance to the next timeout as soon as every task waits for a socket.
const STEP: Duration = Duration::from_millis(5);
const YIELDS: usize = 4;
/// The least real time of a step, as the kernel needs time, too: the clock is at most a hundred times as fast as real
/// time.
const LEAST: Duration = Duration::from_micros(50);

/// Runs a test on this clock.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = tokio::spawn(async {
            loop {
                let started = Instant::now();
                for _ in 0..YIELDS {
                    yield_now().await;
                }
                while started.elapsed() < LEAST {
                    yield_now().await;
                }
                tokio::time::advance(STEP).await;
            }
        });
        let result = test.await;
        clock.abort();
        result
    })
}
