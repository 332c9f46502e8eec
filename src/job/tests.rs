//! Waits over a scripted transport under a paused clock.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_core::Stream as _;
use tokio::time::Instant;

mod credentials;
mod not_found;
mod outage;
mod stored;

use super::*;
use crate::Error;
use crate::error::StopReason;
use crate::http::HttpErrorKind::{Connect, Interrupted, ReadTimeout};
use crate::model::JobStatus;
use crate::read_set::{GetReadSetImportJobOutput, ImportReadSetSourceItem};
use crate::testing::{Script, Step, builder, respond};

const HOUR: Duration = Duration::from_hours(1);

fn state(status: &str, items: &[&str]) -> Step {
    let items: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let (status, message) = item.split_once(' ').unwrap_or((item, ""));
            format!(
                r#"{{"sourceFiles":{{"source1":"s3://b/{index}"}},"status":"{status}","statusMessage":"{message}",
                    "readSetId":"{}"}}"#,
                if status == "FINISHED" { format!("500000000{index}") } else { String::new() }
            )
        })
        .collect();
    respond(200, &[], &format!(r#"{{"id":"1234567890","status":"{status}","sources":[{}]}}"#, items.join(",")))
}

fn job(script: &Script) -> Job<Import> {
    script.client().import_job("1111111111", "1234567890")
}

fn error(status: u16, code: &str) -> Step {
    respond(status, &[("x-amzn-errortype", code)], "")
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_the_job() {
    for (status, completed) in
        [("COMPLETED", true), ("COMPLETED_WITH_FAILURES", false), ("FAILED", false), ("CANCELLED", false)]
    {
        let items = ["FINISHED", "FAILED File validation failed"];
        let script = Script::new([state("SUBMITTED", &[]), state("IN_PROGRESS", &["FINISHED"]), state(status, &items)]);
        let start = Instant::now();
        let outcome = job(&script).wait().await.unwrap();
        assert_eq!(outcome.job().status.as_str(), status);
        assert_eq!(outcome.is_completed(), completed);
        assert_eq!(script.sent().len(), 3);
        assert!((1.9..=2.6).contains(&start.elapsed().as_secs_f64()), "fast at first: {:?}", start.elapsed());
        assert_eq!(outcome.finished_items().count(), 1);
        assert_eq!(
            outcome.failed_items().map(ImportReadSetSourceItem::reason).collect::<Vec<_>>(),
            ["File validation failed"]
        );
        let read_sets: Vec<_> = outcome.read_sets().map(|(files, id)| (files.source1.as_str(), id.as_str())).collect();
        assert_eq!(read_sets, [("s3://b/0", "5000000000")]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_an_ended_job_is_returned_at_once() {
    let script = Script::new([state("COMPLETED", &["FINISHED"])]);
    let start = Instant::now();
    assert!(job(&script).wait().await.unwrap().is_completed());
    assert!(start.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_long_job_is_polled_every_half_minute() {
    let steps = (0..500).map(|_| state("IN_PROGRESS", &[])).chain([state("COMPLETED", &[])]);
    let script = Script::new(steps);
    let start = Instant::now();
    assert!(job(&script).wait().await.unwrap().is_completed());
    let every = start.elapsed().as_secs_f64() / 500.0;
    assert!((24.0..=30.0).contains(&every), "{every}");
}

#[tokio::test(start_paused = true)]
async fn transient_failures_are_retried_until_they_are_over() {
    let failures = (0..300).map(|index| match index % 8 {
        0 => Step::Fail(Connect),
        1 => Step::Fail(Interrupted),
        2 => Step::Fail(ReadTimeout),
        3 => error(429, "ThrottlingException"),
        4 => respond(503, &[("retry-after", "90")], "<html>"),
        5 => respond(200, &[], ""),
        6 => error(500, "InternalServerException"),
        _ => Step::Hang,
    });
    let script = Script::new(failures.chain([state("COMPLETED", &["FINISHED"])]));
    assert!(job(&script).wait().await.unwrap().is_completed());
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_ends_a_wait() {
    for (status, code) in [
        (403, "AccessDeniedException"),
        (400, "ValidationException"),
        (403, "UnrecognizedClientException"),
        (403, "ExpiredTokenException"),
    ] {
        let script = Script::new([state("IN_PROGRESS", &["FINISHED", "IN_PROGRESS"]), error(status, code)]);
        let start = Instant::now();
        let error = job(&script).wait().await.unwrap_err();
        assert!(!error.is_timeout());
        assert_eq!(error.call_error().unwrap().code(), Some(code));
        assert_eq!(error.last().unwrap().items().len(), 2);
        assert!(start.elapsed() < Duration::from_secs(2));
        let line = format!(
            "import job 1234567890 can't be followed any more, last seen IN_PROGRESS with 1 of 2 items settled: \
             GetReadSetImportJob (store 1111111111, job 1234567890): {code} ({status})"
        );
        assert!(error.to_string().starts_with(&line), "{error}");
        assert!(std::error::Error::source(&error).is_none(), "the message has it already");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_status_is_still_running() {
    let script = Script::new([state("PAUSED", &["QUEUED"]), state("RESUMED", &[]), state("COMPLETED", &["FINISHED"])]);
    assert!(job(&script).wait().await.unwrap().is_completed());
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_timeout_has_the_last_state() {
    let script = Script::new([state("IN_PROGRESS", &["FINISHED", "NOT_STARTED", "NOT_STARTED"])]);
    let start = Instant::now();
    let error = job(&script).wait().timeout(6 * HOUR).await.unwrap_err();
    assert_eq!(start.elapsed(), 6 * HOUR, "the wait takes all of its time");
    assert!(error.is_timeout() && error.call_error().is_none());
    assert_eq!(error.last().unwrap().status, JobStatus::InProgress);
    let line = error.to_string();
    let expected =
        "import job 1234567890 has not ended after 21600s, last seen IN_PROGRESS with 1 of 3 items settled [";
    assert!(line.starts_with(expected), "{line}");

    // A service that never responds does not delay the timeout.
    let script = Script::new([Step::Hang]);
    let start = Instant::now();
    let client = script.client_with(builder().read_timeout(None)).unwrap();
    let job = client.import_job("1111111111", "1234567890");
    let error = job.wait().timeout(90 * Duration::from_secs(1)).await.unwrap_err();
    assert!((90..=92).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(error.last().is_none() && error.to_string().contains("never seen"), "{error}");
    assert!(error.call_error().is_some_and(Error::is_timeout));
    assert_eq!(error.call_error().unwrap().stop_reason(), Some(StopReason::NoTimeLeft));
}

#[tokio::test(start_paused = true)]
async fn a_wait_without_timeout_goes_on() {
    let script = Script::new([state("IN_PROGRESS", &[])]);
    let wait = job(&script).wait().timeout(None).into_future();
    assert!(tokio::time::timeout(30 * HOUR, wait).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn progress_is_reported_at_the_start_and_after_each_poll() {
    let script = Script::new([
        state("SUBMITTED", &[]),
        error(500, "InternalServerException"),
        error(500, "InternalServerException"),
        error(500, "InternalServerException"),
        state("IN_PROGRESS", &["FINISHED", "FAILED", "IN_PROGRESS", "NOT_STARTED", "QUEUED"]),
        state("COMPLETED_WITH_FAILURES", &["FINISHED", "FAILED", "FINISHED", "FINISHED", "FINISHED"]),
    ]);
    let reports = Arc::new(Mutex::new(Vec::new()));
    let callback = Arc::clone(&reports);
    let wait = job(&script).wait().on_progress(move |progress| callback.lock().unwrap().push(progress.clone()));
    let _outcome = wait.await.unwrap();
    let reports = reports.lock().unwrap();
    let fractions: Vec<_> = reports.iter().map(Progress::fraction).collect();
    assert_eq!(fractions, [0.0, 0.0, 0.0, 0.4, 1.0]);
    let statuses: Vec<_> = reports.iter().map(|progress| progress.status.clone()).collect();
    let submitted = Some(JobStatus::Submitted);
    assert_eq!(statuses[..3], [None, submitted.clone(), submitted]);
    let retrying: Vec<_> = reports.iter().map(|progress| progress.retrying.is_some()).collect();
    assert_eq!(retrying, [false, false, true, false, false]);
    let middle = &reports[3];
    assert_eq!((middle.total, middle.finished, middle.failed, middle.settled), (5, 1, 1, 2));
    assert_eq!((middle.in_progress, middle.not_started), (2, 1));
    assert!(reports[0].elapsed.is_zero() && reports[1].elapsed < middle.elapsed && middle.elapsed < reports[4].elapsed);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_next_cancels_no_call() {
    let script = Script::new([state("SUBMITTED", &[]), Step::Hang, state("COMPLETED", &[])]);
    let mut states = job(&script).wait().states();
    assert_eq!(states.next().await.unwrap().unwrap().status, JobStatus::Submitted);
    for _ in 0..20 {
        // Dropped while it sleeps, and while it polls.
        let _ = tokio::time::timeout(Duration::from_millis(300), states.next()).await;
    }
    assert_eq!(script.sent().len(), 2, "the call in flight continues, no other is made");
    assert_eq!(states.next().await.unwrap().unwrap().status, JobStatus::Completed);
    assert!(states.next().await.is_none() && states.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn states_are_a_stream() {
    let script = Script::new([state("SUBMITTED", &[]), state("COMPLETED", &[])]);
    let mut states = job(&script).wait().states();
    let mut statuses = Vec::new();
    while let Some(state) = std::future::poll_fn(|cx| Pin::new(&mut states).poll_next(cx)).await {
        statuses.push(state.unwrap().status);
    }
    assert_eq!(statuses, [JobStatus::Submitted, JobStatus::Completed]);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(Pin::new(&mut states).poll_next(&mut cx), Poll::Ready(None)));
}

#[tokio::test(start_paused = true)]
async fn states_end_after_an_error() {
    let script = Script::new([error(403, "AccessDeniedException")]);
    let mut states = job(&script).wait().states();
    assert!(states.next().await.unwrap().is_err());
    assert!(states.next().await.is_none());
    assert_eq!(script.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn into_completed_makes_an_error_of_partial_failure() {
    let script = Script::new([state("COMPLETED", &["FINISHED"])]);
    assert_eq!(job(&script).wait().await.unwrap().into_completed().unwrap().id, "1234567890");

    let items = ["FINISHED", "FAILED File validation failed", "FAILED", "FAILED x", "FAILED y"];
    let script = Script::new([state("COMPLETED_WITH_FAILURES", &items)]);
    let failed = job(&script).wait().await.unwrap().into_completed().unwrap_err();
    assert_eq!(
        failed.to_string(),
        "import job 1234567890 is COMPLETED_WITH_FAILURES, 4 of 5 failed: s3://b/1: File validation failed; \
         s3://b/2: no reason given; s3://b/3: x; and 1 more"
    );
    assert_eq!(failed.outcome().failed_items().count(), 4);

    let script = Script::new([state("FAILED", &[])]);
    let failed = job(&script).wait().await.unwrap().into_completed().unwrap_err();
    assert_eq!(failed.to_string(), "import job 1234567890 is FAILED: no reason given");
}

#[test]
fn every_terminal_status_is_an_outcome_and_no_other() {
    for status in JobStatus::KNOWN.iter().chain([&JobStatus::from("PAUSED")]) {
        let state = GetReadSetImportJobOutput {
            id: "1234567890".into(),
            sequence_store_id: "1111111111".into(),
            role_arn: None,
            status: status.clone(),
            status_message: None,
            creation_time: None,
            completion_time: None,
            sources: Vec::new(),
            request_id: None,
        };
        assert_eq!(Outcome::<Import>::of(state).is_ok(), status.is_terminal(), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_made_of_its_start_or_its_ids() {
    let script = Script::new([state("SUBMITTED", &[])]);
    let client = script.client_with(builder()).unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id("1111111111").sources(["5000000001"]);
    let started = call.send().await.unwrap();
    let job = client.job(&started);
    let same = client.activation_job("1111111111", "1234567890");
    assert_eq!((job.id(), job.sequence_store_id()), (same.id(), same.sequence_store_id()));
    assert_eq!(job.to_string(), "activation job 1234567890");
    assert_eq!(job.get().await.unwrap().status, JobStatus::Submitted);
    assert!(script.sent().last().unwrap().url.path().ends_with("/sequencestore/1111111111/activationjob/1234567890"));
}

#[test]
fn waits_can_be_sent_between_threads() {
    fn is_sent<T: Send + 'static>(_: T) {}
    let job = job(&Script::new([state("SUBMITTED", &[])]));
    is_sent(job.clone());
    is_sent(job.wait().states());
    is_sent(job.wait().into_future());
}
