//! A clock that goes by what is done, not by the wall: minutes of waiting pass in a moment, and a slow machine has no
//! timeouts that a fast one has not.

use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::yield_now;

/// In each of these steps every connection gets further by several reads and writes. A paused clock left to itself
/// would run to the next timeout as soon as everybody waits for a socket.
const STEP: Duration = Duration::from_millis(5);
const TURNS: usize = 4;
/// A step takes no less than this on the wall, as the kernel needs its time too: the clock is a hundred times as fast at
/// most.
const LEAST: Duration = Duration::from_micros(50);

/// Runs a test on this clock.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = tokio::spawn(async {
            loop {
                let begun = Instant::now();
                for _ in 0..TURNS {
                    yield_now().await;
                }
                while begun.elapsed() < LEAST {
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
