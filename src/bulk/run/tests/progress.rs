//! The progress that a bulk run reports.

use super::*;

type Seen = Arc<Mutex<Vec<BulkProgress>>>;

fn collect() -> (Seen, impl FnMut(&BulkProgress) + Send + 'static) {
    let seen = Seen::default();
    let received = Arc::clone(&seen);
    (seen, move |progress: &BulkProgress| received.lock().unwrap().push(progress.clone()))
}

/// It begins at once and with nothing, never decreases, ends with everything, and never stops.
fn assert_steady(seen: &[BulkProgress]) {
    let (first, last) = (seen.first().unwrap(), seen.last().unwrap());
    assert!(first.elapsed.is_zero() && first.settled == 0 && first.running_jobs == 0, "{first:?}");
    assert!(last.settled == last.items && last.ended_jobs == last.jobs && last.running_jobs == 0, "{last:?}");
    assert!(last.fraction() >= 1.0 && last.retrying.is_none(), "{last:?}");
    for pair in seen.windows(2) {
        assert!(pair[0].settled <= pair[1].settled && pair[0].elapsed <= pair[1].elapsed, "{pair:?}");
        assert!(pair[1].elapsed <= pair[0].elapsed + 31 * SECOND, "{pair:?}");
        assert_eq!(pair[1].settled, pair[1].finished + pair[1].failed);
    }
}

#[tokio::test(start_paused = true)]
async fn items_of_running_jobs_are_counted() {
    for groups in [1, 2, 5] {
        let service = account().with(|account| {
            account.job_takes = 10 * MINUTE;
            account.settled = 8;
            account.failing = ["7000000003".to_owned()].into();
        });
        let (seen, callback) = collect();
        let run = service.client().bulk_run(activations(20 * groups)).on_progress(callback);
        let handle = run.progress_handle();
        assert_eq!((handle.get().items, handle.get().settled, handle.get().elapsed), (20 * groups, 0, Duration::ZERO));
        let mut run = Box::pin(run.run());
        assert!(tokio::time::timeout(5 * MINUTE, &mut run).await.is_err());
        let progress = handle.get();
        assert_eq!(progress.elapsed, 5 * MINUTE);
        assert_eq!((progress.settled, progress.failed), (8 * groups, 1), "{groups} groups");
        assert_eq!((progress.finished, progress.running_jobs), (8 * groups - 1, groups));
        let report = run.await.unwrap();
        assert_eq!(report.finished_count(), 20 * groups - 1);
        assert_steady(&seen.lock().unwrap());
        let last = handle.get();
        assert_eq!((last.finished, last.failed, last.settled), (20 * groups - 1, 1, 20 * groups));
        tokio::time::sleep(MINUTE).await;
        assert_eq!(handle.get(), last, "it has ended");
        service.assert_pace();
    }
}

#[tokio::test(start_paused = true)]
async fn items_are_counted_at_a_low_rate() {
    let gets = async |every: Option<Duration>, groups: usize| {
        let service = account().with(|account| {
            account.job_takes = 10 * MINUTE;
            account.jobs_at_once = 1_000;
        });
        let started_at = Instant::now();
        let run = service.client().bulk_run(activations(20 * groups)).jobs_at_once(1_000).poll_every(10 * SECOND);
        let report = run.item_progress_every(every).run().await.unwrap();
        assert_eq!(report.finished_count(), 20 * groups);
        assert!(started_at.elapsed() < 12 * MINUTE, "{:?}", started_at.elapsed());
        service.requests("Get").len()
    };
    assert_eq!(gets(None, 10).await, 10, "one for the end of each job");
    let count = gets(Some(MINUTE), 10).await;
    assert!((10 * 9..=10 * 11).contains(&count), "{count}");
    let count = gets(Some(5 * MINUTE), 10).await;
    assert!((10 * 2..=10 * 3).contains(&count), "{count}");
    let count = gets(Some(Duration::ZERO), 100).await;
    assert!(count <= 100 + 10 * 60 + 60, "not more than one a second: {count}");
}

#[tokio::test(start_paused = true)]
async fn a_failing_list_is_reported_from_the_first_failure() {
    for (status, body) in [(503, ""), (200, ""), (404, r#"{"code":"UnknownOperationException"}"#)] {
        let service = account().with(|account| {
            account.job_takes = 5 * MINUTE;
            account.broken_lists = Some((status, body, HOUR));
        });
        let (seen, callback) = collect();
        let started_at = Instant::now();
        let run = service.client().bulk_run(activations(100)).item_progress_every(None).on_progress(callback);
        let report = run.run().await.unwrap();
        assert_eq!(report.finished_count(), 100);
        assert!(
            started_at.elapsed() < 6 * MINUTE,
            "the polls of each job have seen the ends: {:?}",
            started_at.elapsed()
        );
        let seen = seen.lock().unwrap();
        assert_steady(&seen);
        if status != 404 {
            let first = seen.iter().find(|progress| progress.retrying.is_some()).unwrap();
            assert!(first.elapsed < 10 * SECOND, "{first:?}");
            assert!(first.retrying.as_ref().unwrap().error.contains("ListReadSetActivationJobs"), "{first:?}");
        }
        service.assert_pace();
    }

    // Nothing works while the jobs run.
    let service = account().with(|account| {
        account.job_takes = 5 * MINUTE;
        account.down_from = Some((MINUTE, HOUR));
    });
    let (seen, callback) = collect();
    let run = service.client().bulk_run(activations(200)).on_progress(callback);
    let handle = run.progress_handle();
    let mut run = Box::pin(run.run());
    assert!(tokio::time::timeout(HOUR / 2, &mut run).await.is_err());
    let retrying = handle.get().retrying.unwrap();
    assert_eq!(run.await.unwrap().finished_count(), 200);
    let seen = seen.lock().unwrap();
    assert_steady(&seen);
    let down = |progress: &&BulkProgress| progress.elapsed > 2 * MINUTE && progress.elapsed < HOUR;
    assert!(seen.iter().filter(down).all(|progress| progress.retrying.as_ref().unwrap().since == retrying.since));
    let (gets, lists) = (service.requests("Get").len(), service.requests("List").len());
    assert!(gets + lists < 60 * 60, "an outage is not polled at full speed: {gets} and {lists}");
}

#[tokio::test(start_paused = true)]
async fn a_run_without_requests_reports_progress_once() {
    let service = account();
    let (seen, callback) = collect();
    let run = service.client().bulk_run(exports(0)).on_progress(callback);
    let handle = run.progress_handle();
    assert_eq!(run.run().await.unwrap().finished_count(), 0);
    assert_eq!(*seen.lock().unwrap(), [handle.get()]);
    assert_steady(&seen.lock().unwrap());

    // What a journal has is one event, too.
    let path = journal("resumed");
    let run = || service.client().bulk_run(exports(1_000)).journal(&path);
    assert_eq!(run().run().await.unwrap().finished_count(), 1_000);
    let (seen, callback) = collect();
    assert_eq!(run().on_progress(callback).run().await.unwrap().finished_count(), 1_000);
    let seen = seen.lock().unwrap();
    assert_eq!((seen.len(), seen[0].settled, seen[0].ended_jobs), (1, 1_000, 10));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn progress_is_written_and_read_without_loss() {
    let service = account().with(|account| account.down_until = MINUTE);
    let (seen, callback) = collect();
    service.client().bulk_run(exports(150)).on_progress(callback).run().await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.iter().any(|progress| progress.retrying.is_some() && !progress.elapsed.is_zero()));
    for progress in &*seen {
        let json = serde_json::to_string(progress).unwrap();
        assert_eq!(serde_json::from_str::<BulkProgress>(&json).unwrap(), *progress, "{json}");
    }
    let json = serde_json::to_value(seen.last().unwrap()).unwrap();
    assert_eq!((&json["runningJobs"], &json["endedJobs"], &json["settled"]), (&0.into(), &2.into(), &150.into()));
    assert_eq!(serde_json::from_str::<BulkProgress>("{}").unwrap(), BulkProgress::default());
}
