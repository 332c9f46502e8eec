//! Jobs that the service does not find, for a while or permanently.

use super::*;
use crate::Client;
use crate::testing::service::{STORE, Service, created, id};

const SECOND: Duration = Duration::from_secs(1);

fn service(visible_after: Duration) -> Service {
    Service::with_jobs([Duration::ZERO; 5]).with(|played| played.visible_after = visible_after)
}

/// The job as its start returned it.
fn started(client: &Client, index: usize) -> Job<Export> {
    client.export_job(STORE, id(index)).created_at(created(Duration::from_secs(index as u64))).known_to_exist()
}

#[tokio::test(start_paused = true)]
async fn a_started_job_may_be_not_found_for_a_minute() {
    let service = service(59 * SECOND);
    let client = service.client();
    assert!(started(&client, 0).wait().await.unwrap().is_completed());

    let mut watch = client.watch((0..5).map(|index| started(&client, index)));
    for _ in 0..5 {
        assert!(watch.next().await.unwrap().1.unwrap().is_completed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_started_job_that_stays_not_found_is_an_error() {
    let service = service(61 * SECOND);
    let client = service.client();
    let start = Instant::now();
    let error = started(&client, 0).wait().await.unwrap_err();
    assert_eq!(start.elapsed().as_secs(), 60);
    assert!(error.is_not_found() && !error.is_timeout());
    assert_eq!(error.call_error().unwrap().status(), Some(404));
    let id = id(0);
    let line = format!(
        "export job {id} was not found for 60s, never seen: GetReadSetExportJob (store 1111111111, job {id}): \
         ResourceNotFoundException"
    );
    assert!(error.to_string().starts_with(&line), "{error}");

    for jobs in [1, 5] {
        let service = super::not_found::service(100 * SECOND);
        let client = service.client();
        let start = Instant::now();
        let mut watch = client.watch((0..jobs).map(|index| started(&client, index)));
        while let Some((_, outcome)) = watch.next().await {
            assert!(outcome.unwrap_err().is_not_found());
        }
        assert!((60..65).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_never_found_fails_at_once_unless_that_is_tolerated() {
    let service = service(20 * SECOND);
    let client = service.client();
    let job = client.export_job(STORE, id(0));
    let start = Instant::now();
    let error = job.wait().await.unwrap_err();
    assert!(error.is_not_found() && start.elapsed() < SECOND, "{error}");
    let line = format!("export job {} was not found, never seen: ", id(0));
    assert!(error.to_string().starts_with(&line), "{error}");
    let (_, outcome) = client.watch([job.clone()]).next().await.unwrap();
    assert!(outcome.unwrap_err().is_not_found() && start.elapsed() < SECOND);

    assert!(job.wait().not_found_tolerance(5 * SECOND).await.unwrap_err().is_not_found());
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(job.wait().not_found_tolerance(30 * SECOND).await.unwrap().is_completed());

    let service = super::not_found::service(20 * SECOND);
    let client = service.client();
    let mut watch = client.watch([client.export_job(STORE, id(0))]).not_found_tolerance(30 * SECOND);
    assert!(watch.next().await.unwrap().1.unwrap().is_completed());
    assert!(started(&client, 9).wait().not_found_tolerance(Duration::ZERO).await.unwrap_err().is_not_found());
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_found_may_be_not_found_for_a_minute_repeatedly() {
    let not_found = || error(404, "ResourceNotFoundException");
    let script = Script::new([
        state("SUBMITTED", &[]),
        not_found(),
        not_found(),
        state("IN_PROGRESS", &[]),
        not_found(),
        error(400, "ThrottlingException"),
        state("COMPLETED", &[]),
    ]);
    assert!(job(&script).wait().await.unwrap().is_completed());

    let script = Script::new([state("IN_PROGRESS", &["FINISHED"]), not_found()]);
    let start = Instant::now();
    let error = job(&script).wait().await.unwrap_err();
    assert!((60..62).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let line = "import job 1234567890 was not found for 60s, last seen IN_PROGRESS with 1 of 1 items settled: ";
    assert!(error.to_string().starts_with(line), "{error}");
    assert_eq!(error.last().unwrap().items().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn started_jobs_are_known_to_exist() {
    let script = Script::new([state("SUBMITTED", &[])]);
    let client = script.client();
    let call = client.start_read_set_activation_job().sequence_store_id("1111111111").sources(["5000000001"]);
    let job = client.job(&call.send().await.unwrap());
    assert!(job.is_known_to_exist() && job.clone().is_known_to_exist());
    assert!(!client.activation_job("1111111111", "1234567890").is_known_to_exist());
}
