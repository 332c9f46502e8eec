//! Watches of a simulated service, under a paused clock.
#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unchecked_time_subtraction,
    reason = "a test prints what it measures, and panics where it is wrong"
)]

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::*;
use crate::job::schedule;
use crate::job::{Activation, Export, Outcome, WaitError};
use crate::testing::service::{STORE, Service, id};
use crate::testing::{Script, Step, respond};

const HOUR: Duration = Duration::from_hours(1);

/// All jobs of a service, as their starts returned them.
fn jobs(service: &Service, client: &Client) -> Vec<Job<Export>> {
    let jobs = service.jobs().into_iter().enumerate();
    jobs.map(|(index, job)| client.export_job(STORE, id(index)).created_at(job.creation_time)).collect()
}

async fn all<K: JobKind>(mut watch: Watch<K>) -> Vec<Watched<K>> {
    let mut found = Vec::new();
    while let Some(watched) = watch.next().await {
        found.push(watched);
    }
    assert!(watch.next().await.is_none());
    found
}

fn spread_over(count: usize, time: Duration) -> impl Iterator<Item = Duration> {
    (1..=count).map(move |index| time.mul_f64(index as f64 / count as f64))
}

/// How many requests a wait for each job makes in the same hour.
fn polls_of_single_waits(ends: &[Duration]) -> u32 {
    let polls = |end: &Duration| {
        let mut polls = 1;
        let mut elapsed = Duration::ZERO;
        while elapsed < *end {
            let next = Schedule::default().next(schedule::PollResult::Running, polls, elapsed, 0.5);
            let schedule::NextStep::PollAgain { after } = next else { break };
            polls += 1;
            elapsed += after;
        }
        polls
    };
    ends.iter().map(polls).sum()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_take_little_more_than_one_poll_each() {
    for (count, most) in [(1, 160), (10, 200), (100, 300), (1_000, 2_600)] {
        let ends: Vec<_> = spread_over(count, HOUR).collect();
        let service = Service::with_jobs(ends.clone());
        let client = service.client();
        let found = all(client.watch(jobs(&service, &client))).await;

        let ids: BTreeSet<_> = found.iter().map(|(job, _)| job.id().clone()).collect();
        assert_eq!(ids.len(), count);
        assert!(found.iter().all(|(_, outcome)| outcome.as_ref().is_ok_and(Outcome::is_completed)));
        let (lists, gets) = (service.requests("List").len(), service.requests("Get").len());
        let single = polls_of_single_waits(&ends);
        println!("{count} jobs: {lists} lists + {gets} gets, {single} polls by single waits");
        assert!(lists + gets <= most, "{count} jobs took {lists} lists and {gets} gets");
        service.assert_pace();
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_returned_as_jobs_end() {
    let service = Service::with_jobs(spread_over(10, HOUR));
    let client = service.client();
    let mut watch = client.watch(jobs(&service, &client));
    let start = Instant::now();
    for index in 0..10 {
        let (job, _) = watch.next().await.unwrap();
        assert_eq!(job.id().as_str(), id(index));
        let late = start.elapsed() - HOUR.mul_f64((index + 1) as f64 / 10.0);
        assert!(late < Duration::from_secs(32), "{late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_lists_do_not_contain_are_polled() {
    let service = Service::with_jobs(spread_over(20, HOUR)).with(|played| played.hidden = [3, 7].into());
    let client = service.client();
    assert_eq!(all(client.watch(jobs(&service, &client))).await.len(), 20);
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn without_permission_to_list_each_job_is_polled() {
    let service = Service::with_jobs(spread_over(5, HOUR)).with(|played| played.lists_denied = true);
    let client = service.client();
    assert_eq!(all(client.watch(jobs(&service, &client))).await.len(), 5);
    assert_eq!(service.requests("List").len(), 1, "it is not requested again");
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_retried_until_it_is_over() {
    let service = Service::with_jobs(spread_over(50, HOUR)).with(|played| played.down_until = HOUR / 2);
    let client = service.client();
    let found = all(client.watch(jobs(&service, &client))).await;
    assert!(found.len() == 50 && found.iter().all(|(_, outcome)| outcome.is_ok()));
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn a_missing_job_does_not_stop_the_others() {
    let service = Service::with_jobs(spread_over(5, HOUR));
    let client = service.client();
    let mut given = jobs(&service, &client);
    given.push(client.export_job(STORE, "9999999999"));
    given.push(given[0].clone());
    let found = all(client.watch(given)).await;
    assert_eq!(found.len(), 6, "the one that was given twice is returned once");
    let (job, error) = &found[0];
    assert_eq!(job.id().as_str(), "9999999999");
    assert_eq!(error.as_ref().unwrap_err().call_error().unwrap().status(), Some(404));
    assert!(found[1..].iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn at_the_timeout_the_remaining_jobs_are_returned_with_an_error() {
    let service = Service::with_jobs(spread_over(10, HOUR));
    let client = service.client();
    let start = Instant::now();
    let found = all(client.watch(jobs(&service, &client)).timeout(HOUR / 2)).await;
    assert_eq!(found.len(), 10);
    let late = found.iter().filter(|(_, outcome)| outcome.as_ref().is_err_and(WaitError::is_timeout)).count();
    assert_eq!(late, 5);
    assert!(start.elapsed() < HOUR / 2 + Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_next_loses_nothing() {
    let service = Service::with_jobs(spread_over(30, Duration::from_mins(5)));
    let client = service.client();
    let mut watch = client.watch(jobs(&service, &client));
    let mut found = 0;
    loop {
        match tokio::time::timeout(Duration::from_millis(70), watch.next()).await {
            Ok(Some(_)) => found += 1,
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(found, 30);
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn no_jobs_are_no_requests() {
    let service = Service::new();
    assert!(all(service.client().watch(Vec::<Job<Activation>>::new())).await.is_empty());
    assert!(service.requests("List").is_empty());
}

fn three_jobs(client: &Client) -> impl Iterator<Item = Job<Export>> {
    (0..3).map(|index| client.export_job(STORE, id(index)))
}

const ENDED: &str = r#"{"id":"{id}","status":"COMPLETED"}"#;

#[tokio::test(start_paused = true)]
async fn a_service_that_never_responds_does_not_delay_the_timeout() {
    let script = Script::new([Step::Hang]);
    let start = Instant::now();
    let found = all(script.client().watch(three_jobs(&script.client())).timeout(Duration::from_secs(10))).await;
    assert!(found.len() == 3 && found.iter().all(|(_, outcome)| outcome.as_ref().is_err_and(WaitError::is_timeout)));
    assert!(start.elapsed() <= Duration::from_secs(11), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_shortly_before_the_timeout_has_an_outcome() {
    let service = Service::with_jobs([Duration::from_secs(99); 5]);
    let client = service.client();
    let found = all(client.watch(jobs(&service, &client)).timeout(Duration::from_secs(100))).await;
    assert!(found.len() == 5 && found.iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_a_list_is_respected() {
    let throttled = || respond(429, &[("retry-after", "120")], r#"{"code":"ThrottlingException"}"#);
    let list = respond(200, &[], r#"{"exportJobs":[]}"#);
    let script = Script::new([throttled(), list, respond(200, &[], ENDED)]);
    let client = script.client_with(crate::testing::builder().max_attempts(1)).unwrap();
    let start = Instant::now();
    let found = all(client.watch(three_jobs(&client)).poll_every(Duration::from_secs(1))).await;
    assert_eq!(found.len(), 3);
    assert!((120..130).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(script.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn lists_that_failed_once_are_retried() {
    let running = || respond(200, &[], r#"{"id":"{id}","status":"IN_PROGRESS"}"#);
    let script = Script::new([
        respond(400, &[("x-amzn-errortype", "ValidationException")], ""),
        running(),
        running(),
        running(),
        respond(200, &[], r#"{"exportJobs":[]}"#),
        respond(200, &[], ENDED),
    ]);
    let client = script.client();
    assert_eq!(all(client.watch(three_jobs(&client))).await.len(), 3);
    let lists = script.sent().iter().filter(|sent| sent.url.path().ends_with("exportjobs")).count();
    assert_eq!((lists, script.sent().len()), (2, 8));
}
