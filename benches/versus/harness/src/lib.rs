//! The measurements, which are the same for each client. Each run prints one JSON object.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
#[cfg(feature = "heap")]
use tokio::runtime::Runtime;

pub const STORE: &str = "1234567890";
/// A job that has ended, with 100 read sets.
pub const ENDED: &str = "1111111111";
/// A job that never ends.
pub const RUNNING: &str = "2222222222";
/// A job for which the service sends no response.
pub const SILENT: &str = "3333333333";
pub const DESTINATION: &str = "s3://my-bucket/exports/";
pub const ROLE: &str = "arn:aws:iam::123456789012:role/OmicsExport";
pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub const REGION: &str = "us-east-1";

/// Ten read sets to start an export of.
pub fn sources() -> impl Iterator<Item = String> {
    (0..10).map(|number| format!("{}", 5_000_000_000_u64 + number))
}

pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One client. Its methods panic when a call fails.
pub trait Subject: Clone + Send + Sync + 'static {
    fn new(endpoint: &str) -> Self;
    /// Starts an export of ten read sets.
    fn start(&self) -> Work;
    /// Gets a job and reads its read sets.
    fn get(&self, job: &'static str) -> Work;
    /// Waits for the end of a job, if there is such a call.
    fn wait(&self, job: &'static str) -> Option<Work>;
}

fn cpu_micros() -> f64 {
    ProcessTime::now().as_duration().as_secs_f64() * 1e6
}

/// In KiB.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the field is there");
    line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number")
}

async fn calls<S: Subject>(subject: &S, operation: &str, count: u64, in_flight: u64) {
    let left = Arc::new(AtomicU64::new(count));
    let mut tasks = Vec::new();
    for _ in 0..in_flight {
        let (left, subject, starts) = (Arc::clone(&left), subject.clone(), operation == "start");
        tasks.push(tokio::spawn(async move {
            let take = |left: u64| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                if starts { subject.start().await } else { subject.get(ENDED).await }
            }
        }));
    }
    for task in tasks {
        task.await.expect("no call fails");
    }
}

/// `calls start|get COUNT IN_FLIGHT`: CPU and time of each call, after a warm-up.
async fn measure_calls<S: Subject>(endpoint: &str, operation: &str, count: u64, in_flight: u64) -> String {
    let subject = S::new(endpoint);
    calls(&subject, operation, in_flight * 4, in_flight).await;
    let (cpu, wall) = (cpu_micros(), Instant::now());
    calls(&subject, operation, count, in_flight).await;
    let (cpu, wall) = (cpu_micros() - cpu, wall.elapsed().as_secs_f64());
    format!(
        r#"{{"cpu_us": {:.3}, "per_second": {:.0}, "peak_kib": {}}}"#,
        cpu / count as f64,
        count as f64 / wall,
        memory("VmHWM")
    )
}

/// `construct`: time and memory of a client before its first call.
fn measure_construct<S: Subject>(endpoint: &str) -> String {
    let wall = Instant::now();
    let subject = S::new(endpoint);
    let built = wall.elapsed();
    let resident = memory("VmRSS");
    drop(subject);
    format!(r#"{{"construct_us": {}, "constructed_kib": {resident}}}"#, built.as_micros())
}

/// `first`: from the construction to the first response.
async fn measure_first<S: Subject>(endpoint: &str) -> String {
    let (cpu, wall) = (cpu_micros(), Instant::now());
    let subject = S::new(endpoint);
    let (built, resident) = (wall.elapsed(), memory("VmRSS"));
    subject.get(ENDED).await;
    format!(
        r#"{{"construct_us": {}, "first_us": {}, "first_cpu_us": {:.0}, "constructed_kib": {resident}, "after_first_kib": {}}}"#,
        built.as_micros(),
        wall.elapsed().as_micros(),
        cpu_micros() - cpu,
        memory("VmRSS")
    )
}

/// `idle COUNT`: memory of each client beyond the first, after one call on each. They are created one by one.
async fn measure_idle<S: Subject>(endpoint: &str, count: u64) -> String {
    let first = S::new(endpoint);
    first.get(ENDED).await;
    let before = memory("VmRSS");
    let clients: Vec<_> = (0..count).map(|_| S::new(endpoint)).collect();
    let each = (memory("VmRSS") - before) / count as f64;
    drop(clients);
    format!(r#"{{"idle_kib": {each:.3}}}"#)
}

/// `silent COUNT`: resident memory of each of `COUNT` tasks that wait for a response, with its connection.
async fn measure_silent<S: Subject>(endpoint: &str, count: u64) -> String {
    let subject = S::new(endpoint);
    subject.get(ENDED).await;
    let before = memory("VmRSS");
    for _ in 0..count {
        tokio::spawn(subject.get(SILENT));
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(900)).await;
    let each = (memory("VmRSS") - before) / count as f64;
    format!(r#"{{"silent_kib": {each:.3}}}"#)
}

/// `waiting COUNT`: the heap that is freed when `COUNT` tasks are dropped that wait for the end of a job and have polled it
/// once, or wait for a rate limiter to do so. Their connections are idle in the pool before and after, so that they do not count.
#[cfg(feature = "heap")]
fn measure_waiting<S: Subject>(runtime: &Runtime, endpoint: &str, count: u64) -> String {
    let subject = S::new(endpoint);
    let mut tasks = Vec::new();
    runtime.block_on(async {
        for _ in 0..count {
            tasks.push(tokio::spawn(subject.wait(RUNNING).expect("it can wait")));
            tokio::task::yield_now().await;
        }
        // The second poll is no earlier than 800 ms after the first.
        tokio::time::sleep(Duration::from_millis(500)).await;
    });
    let change = allocation_counter::measure(|| {
        runtime.block_on(async {
            for task in tasks.drain(..) {
                task.abort();
                // It is an error, as the task was aborted.
                let _ = task.await;
            }
        });
    });
    let each = |total: i64| -total as f64 / count as f64;
    format!(
        r#"{{"waiting_bytes": {:.0}, "waiting_allocations": {:.1}}}"#,
        each(change.bytes_current),
        each(change.count_current)
    )
}

/// The whole program: `URL MODE ARGUMENTS…`.
pub fn run<S: Subject>() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse().expect("a number");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let result = match arguments[..] {
        [url, "calls", operation, count, in_flight] => {
            runtime.block_on(measure_calls::<S>(url, operation, number(count), number(in_flight)))
        }
        [url, "construct"] => measure_construct::<S>(url),
        [url, "first"] => runtime.block_on(measure_first::<S>(url)),
        [url, "idle", count] => runtime.block_on(measure_idle::<S>(url, number(count))),
        [url, "silent", count] => runtime.block_on(measure_silent::<S>(url, number(count))),
        #[cfg(feature = "heap")]
        [url, "waiting", count] => measure_waiting::<S>(&runtime, url, number(count)),
        _ => panic!(
            "URL calls start|get COUNT IN_FLIGHT | construct | first | idle COUNT | silent COUNT, and with the feature \
             `heap` waiting COUNT"
        ),
    };
    println!("{result}");
    // Some tasks never end.
    runtime.shutdown_background();
}
