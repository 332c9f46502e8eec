//! Runs that are resumed from their journal, and shards that overlap.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_many_times_starts_nothing_twice() {
    let path = journal("dropped");
    let service = account().with(|account| account.lost_starts = Some(3));
    let mut drops = 0;
    let report = loop {
        let run = service.client().bulk_run(exports(3_000)).journal(&path).jobs_at_once(5).run();
        // Another moment each time, from the first start to the middle of a wait.
        let moment = Duration::from_millis(1 + 977 * drops);
        match tokio::time::timeout(moment, run).await {
            Ok(report) => break report.unwrap(),
            Err(_) => drops += 1,
        }
    };
    assert!(drops >= 10, "{drops} drops");
    assert_eq!(report.finished_count(), 3_000);
    assert_each_once(&service, 3_000, 30);

    // Once more: everything is known, nothing is asked.
    let before = service.requests("Start").len() + service.requests("Get").len() + service.requests("List").len();
    let again = service.client().bulk_run(exports(3_000)).journal(&path).run().await.unwrap();
    let after = service.requests("Start").len() + service.requests("Get").len() + service.requests("List").len();
    assert_eq!((again.finished_count(), after), (3_000, before));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn shards_that_overlap_start_nothing_twice() {
    // Seventeen workers in one account need more than the quota of one.
    let service = account().with(|account| account.requests_a_second = 40);
    let mut runs = Vec::new();
    for index in (0..8).chain(0..8) {
        let run = service.client().bulk_run(exports(2_000).shard(index, 8).unwrap()).jobs_at_once(2);
        runs.push(tokio::spawn(run.run()));
    }
    runs.push(tokio::spawn(service.client().bulk_run(exports(2_000)).run()));
    let mut finished = 0;
    for run in runs {
        finished += run.await.unwrap().unwrap().finished_count();
    }
    assert_eq!(finished, 3 * 2_000);
    assert_each_once(&service, 2_000, 20);
}

#[tokio::test(start_paused = true)]
async fn a_refused_start_is_refused_after_a_resume() {
    let path = journal("clear-refusal");
    for _ in 0..3 {
        let script = Script::new([denied("a")]);
        let error = script.client().bulk_run(exports(300)).journal(&path).run().await.expect_err("nothing was started");
        assert!(matches!(error, BulkError::NothingStarted { .. }), "{error}");
        assert_eq!(script.sent().len(), 1);
    }
    let service = account();
    let report = service.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 300);
    assert_each_once(&service, 300, 3);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_that_may_have_been_applied_is_indeterminate_after_a_resume() {
    let path = journal("unclear-refusal");
    let lost = Step::Fail(HttpErrorKind::Interrupted);
    let script = Script::new([lost, denied("a")]);
    script.client().bulk_run(exports(1)).journal(&path).run().await.unwrap();
    for _ in 0..2 {
        let script = Script::new([denied("b")]);
        let report = script.client().bulk_run(exports(1)).journal(&path).run().await.unwrap();
        assert_eq!(report.indeterminate().count(), 1, "{report}");
    }
    std::fs::remove_file(path).unwrap();
}
