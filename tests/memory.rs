//! Waits, watches and bulk runs that poll for weeks take no more memory with time.
#![allow(clippy::unwrap_used)]

use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use allocation_counter::measure;
use bytes::Bytes;
use healthomics::bulk::{JournalFuture, JournalStorage, Planner};
use healthomics::http::{Body, HttpClient, HttpFuture};
use healthomics::{Client, Credentials};
use tokio::runtime::Builder;

const STORE: &str = "1234567890";
const JOBS: [&str; 3] = ["1111111111", "2222222222", "3333333333"];
/// The requests before memory is measured, and until it is measured.
const FIRST_REQUESTS: usize = 1_000;
const REQUESTS: usize = 6_000;
/// What requests, responses and timers take at one time more than at another.
const MAX_GROWTH: i64 = 4_096;

/// A service whose jobs never end. Six of 16 requests fail, which is two calls, and all starts of jobs do if so set.
#[derive(Clone, Debug)]
struct Service {
    requests: Arc<AtomicUsize>,
    starts_fail: bool,
}

impl Service {
    fn response(&self, request: &http::Request<Body>) -> (u16, String) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path();
        let is_start = path.ends_with("/activationjob");
        if number % 16 < 6 || is_start && self.starts_fail {
            return (500, r#"{"message":"failed"}"#.to_owned());
        }
        let job = |id| format!(r#"{{"id":"{id}","status":"IN_PROGRESS","sequenceStoreId":"{STORE}"}}"#);
        let body = if is_start {
            job(JOBS[number % 2])
        } else if path.ends_with("/activationjobs") {
            format!(r#"{{"activationJobs":[{}]}}"#, JOBS.map(job).join(","))
        } else {
            job(path.rsplit('/').next().unwrap())
        };
        (200, body)
    }

    fn client(&self) -> Client {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "example");
        let builder = Client::builder().region("us-east-1").credentials(credentials).http_client(self.clone());
        builder.build().unwrap()
    }
}

impl HttpClient for Service {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let (status, body) = self.response(&request);
        let response = http::Response::builder().status(status).body(Body::from(body)).unwrap();
        Box::pin(async move { Ok(response) })
    }
}

/// A journal that stores nothing.
#[derive(Debug)]
struct NoJournal;

impl JournalStorage for NoJournal {
    fn path(&self) -> &Path {
        Path::new("none")
    }

    fn lock(&mut self) -> JournalFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn read(&mut self) -> JournalFuture<'_, Option<Bytes>> {
        Box::pin(async { Ok(None) })
    }

    fn append(&mut self, _line: Bytes) -> JournalFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Polls what a client does until the service has had many requests, and compares the memory that is in use with that after
/// the first ones.
fn assert_flat<F: Future>(starts_fail: bool, run: impl FnOnce(Client) -> F) {
    let service = Service { requests: Arc::default(), starts_fail };
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut future = pin!(run(service.client()));
    let mut run_until = |requests| {
        runtime.block_on(poll_fn(|cx| {
            assert!(future.as_mut().poll(cx).is_pending());
            if service.requests.load(Ordering::Relaxed) < requests { Poll::Pending } else { Poll::Ready(()) }
        }));
    };
    run_until(FIRST_REQUESTS);
    let growth = measure(|| run_until(REQUESTS)).bytes_current;
    assert!(growth <= MAX_GROWTH, "{growth} bytes");
}

#[test]
fn a_wait_takes_no_more_memory_with_time() {
    assert_flat(false, |client| async move {
        let job = client.activation_job(STORE, JOBS[0]);
        let outcome = job.wait().timeout(None).on_progress(|_| {}).await;
        assert!(outcome.is_err());
    });
}

#[test]
fn a_watch_takes_no_more_memory_with_time() {
    assert_flat(false, |client| async move {
        let jobs = JOBS.map(|id| client.activation_job(STORE, id));
        assert!(client.watch(jobs).timeout(None).on_progress(|_| {}).next().await.is_none());
    });
}

#[test]
fn a_bulk_run_that_polls_takes_no_more_memory_with_time() {
    assert_flat(false, bulk_run);
}

#[test]
fn a_bulk_run_whose_starts_fail_takes_no_more_memory_with_time() {
    assert_flat(true, bulk_run);
}

async fn bulk_run(client: Client) {
    let plan = Planner::activation("run".into(), STORE.into()).group_size(1).plan(JOBS).unwrap();
    let run = client.bulk_run(plan).journal_storage(NoJournal).poll_every(Duration::from_secs(1)).on_progress(|_| {});
    run.run().await.unwrap();
}
