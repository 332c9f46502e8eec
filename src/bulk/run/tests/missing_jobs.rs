//! Jobs that the service does not know.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_report_names_a_missing_job() {
    let path = journal("missing");
    let gone = || respond(404, &[("x-amzn-errortype", "ResourceNotFoundException")], r#"{"message":"no such job"}"#);
    let script = Script::new([respond(200, &[], STARTED), gone()]);
    let report = script.client().bulk_run(exports(1)).journal(&path).run().await.unwrap();
    assert_eq!(report.missing_job_ids().collect::<Vec<_>>(), ["1234567890"]);
    let item = report.items().next().unwrap();
    assert!(item.job_not_found && item.indeterminate, "{item:?}");
    let expected = "the service does not know the job any more, although it has the store: export job 1234567890 ";
    assert!(item.reason.unwrap().starts_with(expected), "{item:?}");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn missing_jobs_in_the_journal_are_reported_without_a_request() {
    let path = journal("forgotten");
    let script = Script::new([started("1234567890"), not_found()]);
    let first =
        script.client().bulk_run(exports(1)).journal(&path).not_found_tolerance(Duration::ZERO).run().await.unwrap();
    assert_eq!(first.missing_job_ids().collect::<Vec<_>>(), ["1234567890"]);

    for _ in 0..2 {
        let script = Script::new([]);
        let report = script
            .client()
            .bulk_run(exports(1))
            .journal(&path)
            .not_found_tolerance(Duration::ZERO)
            .run()
            .await
            .unwrap();
        assert_eq!(script.sent().len(), 0, "its end is in the journal");
        assert_eq!(report.missing_job_ids().collect::<Vec<_>>(), ["1234567890"]);
        assert_eq!(report.to_string(), first.to_string());
        let item = report.items().next().unwrap();
        assert!(item.job_not_found && item.indeterminate, "{item:?}");
    }
    std::fs::remove_file(path).unwrap();
}

/// A journal of a job that runs, as a crash leaves it.
async fn journal_of_a_running_job(name: &str) -> PathBuf {
    let path = journal(name);
    let script = Script::new([started("1234567890"), denied("a")]);
    let report =
        script.client().bulk_run(exports(1)).journal(&path).not_found_tolerance(Duration::ZERO).run().await.unwrap();
    assert_eq!(report.indeterminate().count(), 1);
    path
}

#[tokio::test(start_paused = true)]
async fn a_store_that_can_be_listed_proves_that_a_job_is_missing() {
    let path = journal_of_a_running_job("listed").await;
    let script = Script::new([not_found(), respond(200, &[], r#"{"exportJobs":[]}"#)]);
    let report =
        script.client().bulk_run(exports(1)).journal(&path).not_found_tolerance(Duration::ZERO).run().await.unwrap();
    assert_eq!((report.missing_job_ids().count(), script.sent().len()), (1, 2));
    let script = Script::new([]);
    let report =
        script.client().bulk_run(exports(1)).journal(&path).not_found_tolerance(Duration::ZERO).run().await.unwrap();
    assert_eq!((report.missing_job_ids().count(), script.sent().len()), (1, 0));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_region_does_not_make_a_job_missing_for_good() {
    let path = journal_of_a_running_job("region").await;
    // Neither the job nor the store is there.
    let script = Script::new([not_found(), not_found()]);
    let report =
        script.client().bulk_run(exports(1)).journal(&path).not_found_tolerance(Duration::ZERO).run().await.unwrap();
    assert_eq!(report.missing_job_ids().count(), 1);
    assert!(report.to_string().contains("check region and account"), "{report}");

    let script = Script::new([respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED"}"#)]);
    let report =
        script.client().bulk_run(exports(1)).journal(&path).not_found_tolerance(Duration::ZERO).run().await.unwrap();
    assert_eq!(report.finished_count(), 1);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn jobs_of_another_account_are_missing_after_the_tolerance() {
    let path = journal("gone");
    let service = account();
    let run = service.client().bulk_run(exports(300)).journal(&path).run();
    assert!(tokio::time::timeout(MINUTE, run).await.is_err(), "the jobs run");

    let elsewhere = account().with(|account| account.store_unknown = true);
    let started_at = Instant::now();
    let report = elsewhere.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    assert!((60..70).contains(&started_at.elapsed().as_secs()), "{:?}", started_at.elapsed());
    assert_eq!(
        (report.missing_job_ids().count(), report.indeterminate().count(), report.failed().count()),
        (3, 300, 0)
    );
    assert!(report.items().all(|item| item.job_not_found));
    let reason = report.items().next().unwrap().reason.unwrap();
    assert!(reason.starts_with("the service does not know the job any more, check region and account: "), "{reason}");
    let first = &service.jobs()[0].id;
    assert!(reason.contains(&format!("export job {first} was not found for 6")), "{reason}");
    assert!(elsewhere.jobs().is_empty(), "nothing is started again");

    // In the right account the same call finds them.
    let report = service.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 300);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_visible_yet_is_polled_until_it_is() {
    let service = account().with(|account| account.visible_after = 59 * SECOND);
    let report = service.client().bulk_run(exports(500)).run().await.unwrap();
    assert_eq!(report.finished_count(), 500);
}
