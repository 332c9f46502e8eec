//! The progress of waits and watches during an outage.

use super::*;
use crate::Client;
use crate::job::WatchProgress;
use crate::testing::service::{STORE, Service, id};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

type Reports<P> = Arc<Mutex<Vec<P>>>;

fn collect<P: Clone + Send + 'static>() -> (Reports<P>, impl FnMut(&P) + Send + 'static) {
    let reports: Reports<P> = Arc::default();
    let callback = Arc::clone(&reports);
    (reports, move |progress: &P| callback.lock().unwrap().push(progress.clone()))
}

fn jobs(service: &Service, client: &Client) -> Vec<Job<Export>> {
    let jobs = service.jobs().into_iter().enumerate();
    jobs.map(|(index, job)| client.export_job(STORE, id(index)).created_at(job.creation_time)).collect()
}

/// No two reports are more than half a minute apart, and the elapsed time grows.
fn assert_steady(elapsed: impl Iterator<Item = Duration>) {
    let elapsed: Vec<_> = elapsed.collect();
    assert!(elapsed.len() > 1 && elapsed[0].is_zero(), "{elapsed:?}");
    for pair in elapsed.windows(2) {
        assert!(pair[0] <= pair[1] && pair[1] <= pair[0] + 31 * SECOND, "{pair:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_reports_what_it_retries_and_since_when() {
    let service = Service::with_jobs([2 * HOUR]).with(|played| {
        played.down_until = HOUR;
        played.error_after_outage = Some((503, HOUR / 2));
    });
    let clock = Instant::now();
    let source = move || std::time::UNIX_EPOCH + clock.elapsed();
    let client = service.client_with(builder().time_source(source));
    let (reports, callback) = collect();
    let mut states = client.export_job(STORE, id(0)).wait().on_progress(callback).states();
    assert!(tokio::time::timeout(Duration::from_millis(10), states.next()).await.is_err());
    assert_eq!(states.progress().retrying, None, "the first call is in flight");
    assert!(tokio::time::timeout(MINUTE, states.next()).await.is_err());
    let retrying = states.progress().retrying.unwrap();
    assert!(
        retrying
            .error
            .starts_with(&format!("GetReadSetExportJob (store 1111111111, job {}): injected [3 attempts", id(0))),
        "{retrying}"
    );
    assert!(retrying.since < time::OffsetDateTime::UNIX_EPOCH + SECOND, "{retrying}");
    assert_eq!(states.progress().elapsed.as_secs(), 60);
    assert_eq!(states.progress().status, None);
    while states.next().await.is_some() {}

    let reports = reports.lock().unwrap();
    assert_steady(reports.iter().map(|progress: &Progress| progress.elapsed));
    let down = |progress: &&Progress| progress.elapsed < HOUR + HOUR / 2;
    assert!(reports.iter().filter(down).skip(1).all(|progress| progress.retrying.is_some()));
    assert!(
        reports.iter().filter(down).skip(1).all(|progress| progress.retrying.as_ref().unwrap().since == retrying.since)
    );
    let causes: Vec<_> = reports.iter().filter_map(|progress| progress.retrying.as_ref()).collect();
    assert!(causes.last().unwrap().error.contains("HTTP 503"), "{:?}", causes.last());
    assert!(reports.last().unwrap().retrying.is_none() && reports.last().unwrap().fraction() >= 1.0);
}

#[tokio::test(start_paused = true)]
async fn elapsed_time_goes_on_while_a_service_does_not_respond() {
    let script = Script::new([Step::Hang, state("COMPLETED", &[])]);
    let client = script.client_with(builder().operation_attempt_timeout(10 * MINUTE).operation_timeout(HOUR)).unwrap();
    let (reports, callback) = collect();
    let outcome = client.import_job("1111111111", "1234567890").wait().on_progress(callback).await.unwrap();
    assert!(outcome.is_completed());
    assert_steady(reports.lock().unwrap().iter().map(|progress: &Progress| progress.elapsed));
}

#[tokio::test(start_paused = true)]
async fn a_watch_reports_what_it_retries_and_since_when() {
    let service = Service::with_jobs([2 * HOUR; 20]).with(|played| played.down_until = HOUR);
    let client = service.client();
    let (reports, callback) = collect();
    let mut watch = client.watch(jobs(&service, &client)).on_progress(callback);
    assert_eq!(
        watch.progress(),
        WatchProgress { total: 20, running: 20, ended: 0, elapsed: Duration::ZERO, retrying: None }
    );
    assert!(tokio::time::timeout(SECOND, watch.next()).await.is_err());
    let retrying = watch.progress().retrying.unwrap();
    assert!(
        retrying.error.starts_with("ListReadSetExportJobs (store 1111111111): injected"),
        "from the first failure on: {retrying}"
    );
    for ended in 1..=20 {
        assert!(watch.next().await.unwrap().1.is_ok());
        assert_eq!((watch.progress().ended, watch.progress().running), (ended, 20 - ended));
    }
    assert!(watch.next().await.is_none());

    let reports = reports.lock().unwrap();
    assert_steady(reports.iter().map(|progress: &WatchProgress| progress.elapsed));
    let down = |progress: &&WatchProgress| progress.elapsed < HOUR;
    assert!(reports.iter().filter(down).skip(1).all(|progress| progress.retrying.is_some()));
    assert!(reports.iter().filter(|progress| !down(progress)).any(|progress| progress.retrying.is_none()));
    let last = reports.last().unwrap();
    assert_eq!((last.total, last.running, last.ended, &last.retrying), (20, 0, 20, &None));
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn lists_that_keep_failing_are_replaced_by_polls_of_each_job_until_they_work_again() {
    for (status, body) in [(503, "busy"), (200, ""), (200, "<html>log in</html>")] {
        let service = Service::with_jobs((0..20).map(|index| HOUR + MINUTE * index)).with(|played| {
            played.broken_lists = Some((status, body, HOUR + 5 * MINUTE));
        });
        let client = service.client();
        let (reports, callback) = collect();
        let mut watch = client.watch(jobs(&service, &client)).on_progress(callback);
        for index in 0_u32..20 {
            let (job, outcome) = watch.next().await.unwrap();
            assert_eq!(job.id().as_str(), id(index as usize));
            assert!(outcome.unwrap().is_completed());
            let late = watch.progress().elapsed.saturating_sub(HOUR + MINUTE * index);
            assert!(late < MINUTE, "{status} {body}: job {index} was returned {late:?} late");
        }
        let lists = service.requests("List");
        assert!(lists.iter().filter(|at| **at < HOUR).count() < 250, "{}", lists.len());
        assert!(lists.iter().filter(|at| **at > HOUR + 10 * MINUTE).count() > 10, "lists are requested again");
        let reports = reports.lock().unwrap();
        let changes = reports
            .windows(2)
            .filter(|pair: &&[WatchProgress]| pair[0].retrying.is_some() != pair[1].retrying.is_some());
        assert_eq!(changes.count(), 2, "failures begin once, and end with the polls that succeed");
        assert!(
            reports.iter().any(|progress| progress.retrying.as_ref().is_some_and(|now| now.error.contains("List")))
        );
        service.assert_pace();
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_polled_at_full_speed() {
    let service = Service::with_jobs([2 * HOUR; 200]).with(|played| played.down_until = HOUR);
    let client = service.client();
    let mut watch = client.watch(jobs(&service, &client));
    for _ in 0..200 {
        assert!(watch.next().await.unwrap().1.is_ok());
    }
    let in_outage = |operation| service.requests(operation).into_iter().filter(|at| *at < HOUR).count();
    let (gets, lists) = (in_outage("Get"), in_outage("List"));
    assert!(lists < 100 && gets < 20 * 120, "{lists} lists and {gets} gets");
}

#[tokio::test(start_paused = true)]
async fn nothing_to_watch_is_reported_once() {
    let service = Service::new();
    let (reports, callback) = collect();
    let mut watch = service.client().watch(Vec::<Job<Export>>::new()).on_progress(callback);
    assert!(watch.next().await.is_none() && watch.next().await.is_none());
    assert_eq!(reports.lock().unwrap().iter().map(|progress: &WatchProgress| progress.total).collect::<Vec<_>>(), [0]);
}
