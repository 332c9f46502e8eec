//! Bulk runs against a service that is played in the process, under a paused clock.
#![allow(clippy::print_stdout, reason = "a test may say its figures, and panics where it is wrong")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

mod progress;

use tokio::time::Instant;

use super::start_gate::MAX_STARTS_IN_FLIGHT;
use super::*;
use crate::Error;
use crate::bulk::Planner;
use crate::job::{Activation, Export};
use crate::model::ReadSetId;
use crate::testing::service::{STORE, Service};

mod truth;

const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";

fn read_sets(count: usize) -> impl Iterator<Item = ReadSetId> {
    (0..count).map(|index| format!("{:010}", 7_000_000_000_u64 + index as u64).into())
}

fn exports(count: usize) -> Plan<Export> {
    let planner = Planner::export("run-1".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
    planner.plan(read_sets(count)).unwrap()
}

fn activations(count: usize) -> Plan<Activation> {
    Planner::activation("run-1".into(), STORE.into()).plan(read_sets(count)).unwrap()
}

/// As an account is when it is new.
fn account() -> Service {
    Service::new().with(|played| {
        played.jobs_at_once = 20;
        played.requests_a_second = 5;
    })
}

/// Every item went into one job, and the jobs are as few as possible.
fn assert_each_once(service: &Service, items: usize, jobs: usize) {
    let started = service.jobs();
    assert_eq!(started.len(), jobs);
    let seen: Vec<_> = started.iter().flat_map(|job| &job.items).collect();
    assert_eq!(seen.len(), items);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), items);
}

/// What job durations and quotas alone would take.
fn ideal(jobs: usize, job_takes: Duration) -> Duration {
    let waves = u32::try_from(jobs.div_ceil(20)).unwrap();
    (job_takes * waves).max(Duration::from_millis(200) * u32::try_from(jobs).unwrap())
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_take_little_longer_than_they_must() {
    let takes = Duration::from_mins(2);
    let service = account().with(|played| {
        played.job_takes = takes;
        played.lost_starts = Some(7);
    });
    let begun = Instant::now();
    let report = service.client().bulk_run(exports(10_000)).run().await.unwrap().into_completed().unwrap();
    let ratio = begun.elapsed().as_secs_f64() / ideal(100, takes).as_secs_f64();
    assert_eq!(report.to_string(), "10000 of 10000 items finished in 100 jobs");
    assert_each_once(&service, 10_000, 100);
    tell("10,000 exports", &service, begun.elapsed(), ratio);
    assert!(ratio <= 1.10, "{ratio}");

    let takes = Duration::from_mins(1);
    let service = account().with(|played| {
        played.job_takes = takes;
        played.lost_starts = Some(7);
    });
    let begun = Instant::now();
    let report = service.client().bulk_run(activations(10_000)).run().await.unwrap();
    let ratio = begun.elapsed().as_secs_f64() / ideal(500, takes).as_secs_f64();
    assert_eq!(report.finished_count(), 10_000);
    assert_each_once(&service, 10_000, 500);
    tell("10,000 activations", &service, begun.elapsed(), ratio);
    assert!(ratio <= 1.10, "{ratio}");
}

fn tell(what: &str, service: &Service, took: Duration, ratio: f64) {
    let [starts, lists, gets] = ["Start", "List", "Get"].map(|operation| service.requests(operation).len());
    println!("{what}: {took:.0?}, {ratio:.3} of the ideal; {starts} starts, {lists} lists, {gets} gets");
}

#[tokio::test(start_paused = true)]
async fn requests_keep_the_pace() {
    let service = account();
    let report = service.client().bulk_run(activations(1_000)).run().await.unwrap();
    assert_eq!(report.finished_count(), 1_000);
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn a_full_quota_is_waited_for() {
    let service = account().with(|played| played.jobs_at_once = 3);
    let report = service.client().bulk_run(exports(1_000)).run().await.unwrap();
    assert_eq!(report.finished_count(), 1_000);
    assert_each_once(&service, 1_000, 10);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out() {
    let service = account().with(|played| played.down_until = Duration::from_mins(30));
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
async fn the_report_tells_of_each_item_in_input_order() {
    let service = account().with(|played| played.failing = ["7000000003".to_owned(), "7000000150".to_owned()].into());
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let run = service
        .client()
        .bulk_run(exports(250))
        .on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
    let report = run.run().await.unwrap();

    let positions: Vec<_> = report.items().map(|item| item.position).collect();
    assert_eq!(positions, (0..250).collect::<Vec<_>>());
    let failed: Vec<_> =
        report.failed().map(|item| (item.position, item.item.as_str(), item.reason.unwrap())).collect();
    assert_eq!(failed, [(3, "7000000003", "it fails here"), (150, "7000000150", "it fails here")]);
    assert_eq!(report.job_ids().count(), 3);
    assert_eq!(report.to_string(), "248 of 250 items finished in 3 jobs\n  2 items: it fails here");
    let failed = report.clone().into_completed().unwrap_err();
    let why = "7000000003: it fails here; 7000000150: it fails here";
    assert_eq!(failed.to_string(), format!("export run run-1: 248 of 250 items finished in 3 jobs: {why}"));
    assert_eq!(failed.report().failed().count(), 2);
    // What failed feeds a second run.
    let planner = Planner::export("run-2".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
    let again = planner.plan(report.failed().map(|item| item.item)).unwrap();
    assert_eq!(again.item_count(), 2);

    let progress = progress.lock().unwrap();
    let last = progress.last().unwrap();
    assert_eq!((last.items, last.settled, last.failed, last.jobs, last.ended_jobs), (250, 250, 2, 3, 3));
    assert!(progress.iter().any(|progress| progress.running_jobs == 3 && progress.settled == 0));
    assert!(progress.windows(2).all(|pair| pair[0].fraction() <= pair[1].fraction()));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_refused_does_not_stop_the_others() {
    // Another run has used the token of the second group for something else, so to speak.
    let plan = exports(300);
    let script = crate::testing::Script::new([
        crate::testing::respond(200, &[], r#"{"id":"1234567890","status":"SUBMITTED"}"#),
        crate::testing::respond(400, &[("x-amzn-errortype", "ValidationException")], r#"{"message":"no"}"#),
        crate::testing::respond(403, &[("x-amzn-errortype", "AccessDeniedException")], ""),
        crate::testing::respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED"}"#),
    ]);
    let report = script.client().bulk_run(plan).run().await.unwrap();
    let reasons: Vec<_> = report.items().step_by(100).map(|item| item.reason.unwrap_or_default().to_owned()).collect();
    assert_eq!((report.finished_count(), report.failed().count()), (100, 200), "COMPLETED means finished");
    assert!(matches!(report.stopped_by(), Some(Error::AccessDeniedException(_))), "{:?}", report.stopped_by());
    assert_eq!(report.errors().iter().map(|error| error.items).collect::<Vec<_>>(), [100, 100]);
    assert!(reasons[1].contains("ValidationException (400): no"), "{}", reasons[1]);
    assert!(reasons[2].contains("AccessDeniedException (403)"), "{}", reasons[2]);
    let failed = report.clone().into_completed().unwrap_err().to_string();
    assert!(failed.starts_with("export run run-1: 100 of 300 items finished in 1 job: 7000000100: Start"), "{failed}");
    assert!(failed.ends_with("; and 197 more"), "{failed}");
    let errors: Vec<_> = report.items().step_by(100).map(|item| item.error).collect();
    assert!(errors[0].is_none());
    assert!(matches!(errors[1], Some(Error::ValidationException(_))));
    assert!(matches!(errors[2], Some(Error::AccessDeniedException(_))));
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_waits_for_nothing() {
    let script = crate::testing::Script::new([
        crate::testing::Step::Fail(crate::http::HttpErrorKind::Connect),
        crate::testing::respond(403, &[("x-amzn-errortype", "AccessDeniedException")], ""),
    ]);
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let client = script.client_with(crate::testing::builder().max_attempts(1)).unwrap();
    let run =
        client.bulk_run(exports(1)).on_progress(move |progress| seen.lock().unwrap().push(progress.retrying.clone()));
    let error = run.run().await.unwrap_err();
    assert!(matches!(error, BulkError::NothingStarted { .. }), "{error}");
    let progress = progress.lock().unwrap();
    assert!(progress[0].is_none() && progress[1].is_some() && progress.last().unwrap().is_none(), "{progress:?}");
}

#[tokio::test(start_paused = true)]
async fn missing_rights_end_the_starts() {
    let path = journal("rights");
    let service = account().with(|played| played.starts_denied_from = 2);
    let report = service.client().bulk_run(exports(1_000)).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 100, "what runs is followed");
    assert!(report.failed().last().unwrap().reason.unwrap().contains("AccessDeniedException (403)"));
    let starts = service.requests("Start").len();
    assert!(starts <= 1 + MAX_STARTS_IN_FLIGHT, "{starts} starts");

    let service = account().with(|played| played.starts_denied_from = 1);
    let error = service.client().bulk_run(exports(1_000)).run().await.unwrap_err();
    assert_eq!(service.requests("Start").len(), 1);
    let BulkError::NothingStarted { error } = error else { panic!("{error}") };
    assert!(matches!(error, Error::AccessDeniedException(_)), "{error}");

    // With rights, the same run goes on.
    let service = account();
    let report = service.client().bulk_run(exports(1_000)).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 1_000);
    assert_each_once(&service, 900, 9);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_may_be_at_work_is_no_input_of_another_run() {
    let script = crate::testing::Script::new([
        crate::testing::Step::Fail(crate::http::HttpErrorKind::Interrupted),
        crate::testing::respond(403, &[("x-amzn-errortype", "AccessDeniedException")], ""),
    ]);
    let path = journal("indeterminate");
    let report = script.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    assert_eq!(report.indeterminate().map(|item| item.position).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    let failed = report.clone().into_completed().unwrap_err().to_string();
    assert!(failed.contains(", 100 indeterminate: 7000000000: "), "{failed}");
    assert_eq!(report.failed().count(), 200);

    // Under the same run id all of it is started, once.
    let service = account();
    let report = service.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    assert_eq!((report.finished_count(), report.indeterminate().count()), (300, 0));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn nobody_is_made_to_wait_for_ever() {
    let script = crate::testing::Script::new([
        crate::testing::respond(503, &[("retry-after", "18446744073709551615")], ""),
        crate::testing::respond(200, &[], r#"{"id":"1234567890","status":"SUBMITTED"}"#),
        crate::testing::respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED","creationTime":-377705116800}"#),
    ]);
    let begun = Instant::now();
    let report = script.client().bulk_run(exports(1)).poll_every(Duration::MAX).run().await.unwrap();
    assert_eq!(report.job_ids().count(), 1);
    assert_eq!(begun.elapsed().as_secs(), 15 * 60 + DEFAULT_POLL_INTERVAL.as_secs());
    assert_eq!(script.sent().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_for_a_while_holds_nothing_up_for_long() {
    let service = account().with(|played| played.down_until = Duration::from_secs(5));
    let begun = Instant::now();
    let report = service.client().bulk_run(exports(100)).run().await.unwrap();
    assert_eq!(report.finished_count(), 100);
    assert!(begun.elapsed() < Duration::from_secs(120 + 5 + 15), "{:?}", begun.elapsed());
}

fn journal(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("healthomics-run-{name}-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_again_and_again_starts_nothing_twice() {
    let path = journal("dropped");
    let service = account().with(|played| played.lost_starts = Some(3));
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
    let service = account().with(|played| played.requests_a_second = 40);
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
async fn nothing_to_do_is_done_at_once() {
    let service = account();
    let report = service.client().bulk_run(exports(0)).run().await.unwrap();
    assert_eq!(report.to_string(), "0 of 0 items finished in 0 jobs");
    assert!(service.jobs().is_empty());
}

const STARTED: &str = r#"{"id":"1234567890","status":"SUBMITTED"}"#;

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_may_have_started_is_indeterminate_whatever_follows() {
    use crate::http::HttpErrorKind::Interrupted;
    use crate::testing::{Step, respond};

    for (status, code) in [(403, "AccessDeniedException"), (400, "ValidationException")] {
        let script = crate::testing::Script::new([
            Step::Fail(Interrupted),
            respond(402, &[("x-amzn-errortype", "ServiceQuotaExceededException")], ""),
            respond(status, &[("x-amzn-errortype", code)], ""),
        ]);
        let client = script.client_with(crate::testing::builder().max_attempts(1)).unwrap();
        let path = journal(&format!("lost-{status}"));
        let report = client.bulk_run(exports(1)).journal(&path).run().await.unwrap();
        assert_eq!((report.indeterminate().count(), report.failed().count()), (1, 0), "{report}");
        assert_eq!(script.sent().len(), 3);
        // The journal says so too: no line refuses the group.
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("refused"), "{text}");
        std::fs::remove_file(path).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_item_that_a_job_with_failures_does_not_list_is_indeterminate() {
    use crate::testing::respond;

    let path = journal("unlisted");
    let ended = r#"{"id":"1234567890","status":"COMPLETED_WITH_FAILURES","readSets":[{"id":"7000000000","status":"FAILED","statusMessage":"no"}]}"#;
    let script = crate::testing::Script::new([respond(200, &[], STARTED), respond(200, &[], ended)]);
    let report = script.client().bulk_run(exports(2)).journal(&path).run().await.unwrap();
    let items: Vec<_> = report.items().map(|item| (item.finished, item.indeterminate, item.reason.unwrap())).collect();
    assert_eq!(items, [(false, false, "no"), (false, true, "the job has ended, and does not list the item")]);

    // A run that is resumed asks again, and may learn more.
    let ended = ended.replace('[', r#"[{"id":"7000000001","status":"FINISHED"},"#);
    let script = crate::testing::Script::new([respond(200, &[], &ended)]);
    let report = script.client().bulk_run(exports(2)).journal(&path).run().await.unwrap();
    assert_eq!((report.finished_count(), report.indeterminate().count(), script.sent().len()), (1, 0, 1));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_response_about_another_job_says_nothing_about_this_one() {
    use crate::testing::respond;

    let other = r#"{"id":"1234567891","status":"COMPLETED"}"#;
    let script = crate::testing::Script::new([respond(200, &[], STARTED), respond(200, &[], other)]);
    let report = script.client().bulk_run(exports(1)).run().await.unwrap();
    let item = report.items().next().unwrap();
    assert!(item.indeterminate && item.reason.unwrap().contains("about 1234567891, and not about 1234567890"));
}

#[tokio::test(start_paused = true)]
async fn groups_that_are_given_one_job_are_judged_by_their_own_items() {
    use crate::testing::respond;

    let plan = || {
        let planner = Planner::export("run-1".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
        planner.group_size(1).plan(read_sets(3)).unwrap()
    };
    let ended = r#"{"id":"1234567890","status":"COMPLETED","readSets":[{"id":"7000000001","status":"FINISHED"}]}"#;
    let script = crate::testing::Script::new([
        respond(200, &[], STARTED),
        respond(200, &[], STARTED),
        respond(200, &[], STARTED),
        respond(200, &[], ended),
    ]);
    let path = journal("one-job");
    for _ in 0..2 {
        let report = script.client().bulk_run(plan()).journal(&path).run().await.unwrap();
        let items: Vec<_> = report.items().map(|item| (item.finished, item.indeterminate)).collect();
        assert_eq!(items, [(false, true), (true, false), (false, true)]);
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_given_a_job_of_two_others_is_judged_by_its_own_items() {
    use crate::testing::respond;

    let planner = Planner::export("run-1".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
    let plan = planner.group_size(1).plan(read_sets(3)).unwrap();
    let ended = r#"{"id":"1234567890","status":"COMPLETED","readSets":[{"id":"7000000001","status":"FINISHED"}]}"#;
    let script = crate::testing::Script::new([
        respond(200, &[], STARTED),
        respond(200, &[], STARTED),
        respond(402, &[("x-amzn-errortype", "ServiceQuotaExceededException")], ""),
        respond(200, &[], ended),
        respond(200, &[], STARTED),
        respond(200, &[], ended),
    ]);
    let report = script.client().bulk_run(plan).run().await.unwrap();
    let items: Vec<_> = report.items().map(|item| (item.finished, item.indeterminate)).collect();
    assert_eq!(items, [(false, true), (true, false), (false, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_the_service_does_not_know_is_named() {
    use crate::testing::respond;

    let path = journal("missing");
    let gone = || respond(404, &[("x-amzn-errortype", "ResourceNotFoundException")], r#"{"message":"no such job"}"#);
    let script = crate::testing::Script::new([respond(200, &[], STARTED), gone()]);
    let report = script.client().bulk_run(exports(1)).journal(&path).run().await.unwrap();
    assert_eq!(report.missing_job_ids().collect::<Vec<_>>(), ["1234567890"]);
    let item = report.items().next().unwrap();
    assert!(item.job_not_found && item.indeterminate, "{item:?}");
    let expected = "the service does not know the job any more, although it has the store: export job 1234567890 ";
    assert!(item.reason.unwrap().starts_with(expected), "{item:?}");
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_cause_is_reported_once() {
    use crate::testing::respond;

    let refused = |id: &'static str| {
        respond(
            400,
            &[("x-amzn-errortype", "ValidationException"), ("x-amzn-requestid", id)],
            r#"{"message":"no such bucket"}"#,
        )
    };
    let script = crate::testing::Script::new(["a", "b", "c", "d", "e"].map(refused));
    let report = script.client().bulk_run(exports(500)).run().await.unwrap();
    let errors = report.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].items, 500);
    assert!(matches!(errors[0].error, Some(Error::ValidationException(_))));
    assert_eq!(report.to_string().lines().count(), 2, "{report}");
    assert!(report.stopped_by().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_report_has_five_lines_at_most() {
    let items = read_sets(100)
        .enumerate()
        .map(|(index, id)| format!(r#"{{"id":"{id}","status":"FAILED","statusMessage":"reason {}"}}"#, index % 10));
    let ended =
        format!(r#"{{"id":"1234567890","status":"FAILED","readSets":[{}]}}"#, items.collect::<Vec<_>>().join(","));
    let script = crate::testing::Script::new([
        crate::testing::respond(200, &[], STARTED),
        crate::testing::respond(200, &[], &ended),
    ]);
    let report = script.client().bulk_run(exports(100)).run().await.unwrap();
    let lines: Vec<_> = report.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5, "{report}");
    assert_eq!((lines[1].as_str(), lines[4].as_str()), ("  10 items: reason 0", "  70 items: other reasons"));
}

/// As README recommends; a warning would be an error here.
#[tokio::test(start_paused = true)]
#[deny(unused_must_use)]
async fn full_success_is_asked_for_in_one_line() {
    async fn deliver(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
        client.bulk_run(exports(1)).run().await?.into_completed()?;
        Ok(())
    }
    deliver(&account().client()).await.unwrap();
}
