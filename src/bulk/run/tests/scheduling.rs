//! When groups are started and jobs are polled.
#![allow(clippy::print_stdout, reason = "a test may print its figures")]

use super::*;

/// What job durations and quotas alone would take.
fn ideal(jobs: usize, job_takes: Duration) -> Duration {
    let waves = u32::try_from(jobs.div_ceil(20)).unwrap();
    (job_takes * waves).max(Duration::from_millis(200) * u32::try_from(jobs).unwrap())
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_items_take_at_most_a_tenth_longer_than_quotas_require() {
    let takes = Duration::from_mins(2);
    let service = account().with(|account| {
        account.job_takes = takes;
        account.lost_starts = Some(7);
    });
    let started_at = Instant::now();
    let report = service.client().bulk_run(exports(10_000)).run().await.unwrap().into_completed().unwrap();
    let ratio = started_at.elapsed().as_secs_f64() / ideal(100, takes).as_secs_f64();
    assert_eq!(report.to_string(), "10000 of 10000 items finished in 100 jobs");
    assert_each_once(&service, 10_000, 100);
    print_figures("10,000 exports", &service, started_at.elapsed(), ratio);
    assert!(ratio <= 1.10, "{ratio}");

    let takes = Duration::from_mins(1);
    let service = account().with(|account| {
        account.job_takes = takes;
        account.lost_starts = Some(7);
    });
    let started_at = Instant::now();
    let report = service.client().bulk_run(activations(10_000)).run().await.unwrap();
    let ratio = started_at.elapsed().as_secs_f64() / ideal(500, takes).as_secs_f64();
    assert_eq!(report.finished_count(), 10_000);
    assert_each_once(&service, 10_000, 500);
    print_figures("10,000 activations", &service, started_at.elapsed(), ratio);
    assert!(ratio <= 1.10, "{ratio}");
}

fn print_figures(what: &str, service: &Service, took: Duration, ratio: f64) {
    let [starts, lists, gets] = ["Start", "List", "Get"].map(|operation| service.requests(operation).len());
    println!("{what}: {took:.0?}, {ratio:.3} of the ideal; {starts} starts, {lists} lists, {gets} gets");
}

#[tokio::test(start_paused = true)]
async fn requests_stay_within_the_rate_limit() {
    let service = account();
    let report = service.client().bulk_run(activations(1_000)).run().await.unwrap();
    assert_eq!(report.finished_count(), 1_000);
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn starts_wait_while_the_quota_is_full() {
    let service = account().with(|account| account.jobs_at_once = 3);
    let report = service.client().bulk_run(exports(1_000)).run().await.unwrap();
    assert_eq!(report.finished_count(), 1_000);
    assert_each_once(&service, 1_000, 10);
}

#[tokio::test(start_paused = true)]
async fn starts_are_retried_until_an_outage_ends() {
    let service = account().with(|account| account.down_until = Duration::from_mins(30));
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let run = service
        .client()
        .bulk_run(exports(500))
        .on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
    let report = run.run().await.unwrap();
    assert_eq!(report.finished_count(), 500);
    assert_each_once(&service, 500, 5);

    let progress = progress.lock().unwrap();
    let trouble: Vec<_> = progress.iter().filter_map(|progress| progress.retrying.as_ref()).collect();
    assert!(
        trouble.len() > 10 && trouble[0].error.starts_with("StartReadSetExportJob (store 1111111111): "),
        "{trouble:?}"
    );
    assert!(progress.last().unwrap().retrying.is_none(), "it is over");
}

#[tokio::test(start_paused = true)]
async fn a_delay_of_the_service_is_limited() {
    let script = Script::new([
        respond(503, &[("retry-after", "18446744073709551615")], ""),
        respond(200, &[], r#"{"id":"1234567890","status":"SUBMITTED"}"#),
        respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED","creationTime":-377705116800}"#),
    ]);
    let started_at = Instant::now();
    let report = script.client().bulk_run(exports(1)).poll_every(Duration::MAX).run().await.unwrap();
    assert_eq!(report.job_ids().count(), 1);
    assert_eq!(started_at.elapsed().as_secs(), 15 * 60 + DEFAULT_POLL_INTERVAL.as_secs());
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_delays_a_run_by_one_backoff_at_most() {
    let service = account().with(|account| account.down_until = Duration::from_secs(5));
    let started_at = Instant::now();
    let report = service.client().bulk_run(exports(100)).run().await.unwrap();
    assert_eq!(report.finished_count(), 100);
    // The job, the outage, the longest backoff, and the attempts within a call.
    assert!(started_at.elapsed() < Duration::from_secs(120 + 5 + 30 + 1), "{:?}", started_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_run_without_items_ends_at_once() {
    let service = account();
    let report = service.client().bulk_run(exports(0)).run().await.unwrap();
    assert_eq!(report.to_string(), "0 of 0 items finished in 0 jobs");
    assert!(service.jobs().is_empty());
}
