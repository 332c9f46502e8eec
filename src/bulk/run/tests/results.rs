//! What a report says of items and errors.

use serde_json::json;

use super::*;
use crate::bulk::ReportSummary;

#[tokio::test(start_paused = true)]
async fn a_report_has_each_item_in_the_order_of_the_input() {
    let service = account().with(|account| account.failing = ["7000000003".to_owned(), "7000000150".to_owned()].into());
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
async fn an_item_that_a_job_with_failures_does_not_list_is_indeterminate() {
    let path = journal("unlisted");
    let ended = r#"{"id":"1234567890","status":"COMPLETED_WITH_FAILURES","readSets":[{"id":"7000000000","status":"FAILED","statusMessage":"no"}]}"#;
    let script = Script::new([respond(200, &[], STARTED), respond(200, &[], ended)]);
    let report = script.client().bulk_run(exports(2)).journal(&path).run().await.unwrap();
    let items: Vec<_> = report.items().map(|item| (item.finished, item.indeterminate, item.reason.unwrap())).collect();
    assert_eq!(items, [(false, false, "no"), (false, true, "the job has ended, and does not list the item")]);

    // A run that is resumed asks again, and may learn more.
    let ended = ended.replace('[', r#"[{"id":"7000000001","status":"FINISHED"},"#);
    let script = Script::new([respond(200, &[], &ended)]);
    let report = script.client().bulk_run(exports(2)).journal(&path).run().await.unwrap();
    assert_eq!((report.finished_count(), report.indeterminate().count(), script.sent().len()), (1, 0, 1));
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_response_about_another_job_leaves_items_indeterminate() {
    let other = r#"{"id":"1234567891","status":"COMPLETED"}"#;
    let script = Script::new([respond(200, &[], STARTED), respond(200, &[], other)]);
    let report = script.client().bulk_run(exports(1)).run().await.unwrap();
    let item = report.items().next().unwrap();
    assert!(item.indeterminate && item.reason.unwrap().contains("about 1234567891, and not about 1234567890"));
}

#[tokio::test(start_paused = true)]
async fn groups_that_share_a_job_have_results_of_their_own_items() {
    let plan = || {
        let planner = Planner::export("run-1".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
        planner.group_size(1).plan(read_sets(3)).unwrap()
    };
    let ended = r#"{"id":"1234567890","status":"COMPLETED","readSets":[{"id":"7000000001","status":"FINISHED"}]}"#;
    let script = Script::new([
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
async fn a_group_that_is_given_an_ended_job_of_two_others_has_results_of_its_own_items() {
    let planner = Planner::export("run-1".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
    let plan = planner.group_size(1).plan(read_sets(3)).unwrap();
    let ended = r#"{"id":"1234567890","status":"COMPLETED","readSets":[{"id":"7000000001","status":"FINISHED"}]}"#;
    let script = Script::new([
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
async fn one_cause_is_reported_once() {
    let refused = |id: &'static str| {
        respond(
            400,
            &[("x-amzn-errortype", "ValidationException"), ("x-amzn-requestid", id)],
            r#"{"message":"no such bucket"}"#,
        )
    };
    let script = Script::new(["a", "b", "c", "d", "e"].map(refused));
    let report = script.client().bulk_run(exports(500)).run().await.unwrap();
    let errors = report.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].items, 500);
    assert!(matches!(errors[0].error, Some(Error::ValidationException(_))));
    assert_eq!(report.to_string().lines().count(), 2, "{report}");
    assert!(report.stopped_by().is_none());
}

#[tokio::test(start_paused = true)]
async fn jobs_that_fail_to_be_polled_for_one_reason_are_one_error() {
    let script = Script::new([started("1000000001"), started("1000000002"), denied("a"), denied("b")]);
    let report = script.client().bulk_run(exports(200)).run().await.unwrap();
    let errors = report.errors();
    assert_eq!(errors.iter().map(|error| error.items).collect::<Vec<_>>(), [200], "{report}");
    assert_eq!(
        errors[0].reason,
        "GetReadSetExportJob (store 1111111111): AccessDeniedException (403): not allowed; the IAM policy of the caller \
         must allow omics:GetReadSetExportJob"
    );
}

#[tokio::test(start_paused = true)]
async fn errors_that_differ_in_brackets_are_two() {
    let invalid = |bucket: &str| {
        let message = format!(r#"{{"message":"no bucket [{bucket}]"}}"#);
        respond(400, &[("x-amzn-errortype", "ValidationException"), ("x-amzn-requestid", bucket)], &message)
    };
    let script = Script::new([invalid("one"), invalid("two")]);
    let report = script.client().bulk_run(exports(200)).run().await.unwrap();
    let reasons: Vec<_> = report.errors().iter().map(|error| error.reason.to_owned()).collect();
    let expected = ["one", "two"].map(|bucket| {
        format!("StartReadSetExportJob (store 1111111111): ValidationException (400): no bucket [{bucket}]")
    });
    assert_eq!(reasons, expected);
}

#[tokio::test(start_paused = true)]
async fn a_report_has_five_lines_at_most() {
    let items = read_sets(100)
        .enumerate()
        .map(|(index, id)| format!(r#"{{"id":"{id}","status":"FAILED","statusMessage":"reason {}"}}"#, index % 10));
    let ended =
        format!(r#"{{"id":"1234567890","status":"FAILED","readSets":[{}]}}"#, items.collect::<Vec<_>>().join(","));
    let script = Script::new([respond(200, &[], STARTED), respond(200, &[], &ended)]);
    let report = script.client().bulk_run(exports(100)).run().await.unwrap();
    let lines: Vec<_> = report.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 5, "{report}");
    assert_eq!((lines[1].as_str(), lines[4].as_str()), ("  10 items: reason 0", "  70 items: other reasons"));
}

/// As README recommends; a warning would be an error here.
#[tokio::test(start_paused = true)]
#[deny(unused_must_use)]
async fn into_completed_returns_a_report_of_finished_items() {
    async fn deliver(client: &Client) -> Result<(), Box<dyn std::error::Error>> {
        client.bulk_run(exports(1)).run().await?.into_completed()?;
        Ok(())
    }
    deliver(&account().client()).await.unwrap();
}

/// The summary of a report as JSON, after a check that it is read back as it was.
fn summary_as_json<K: BulkStart>(report: &Report<K>) -> serde_json::Value {
    let summary = report.summary();
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<ReportSummary>(&json).unwrap(), summary, "{json}");
    serde_json::from_str(&json).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_summary_has_what_the_report_has() {
    let ended = r#"{"id":"1234567890","status":"COMPLETED_WITH_FAILURES","readSets":[
        {"id":"7000000000","status":"FINISHED"},{"id":"7000000001","status":"FAILED","statusMessage":"two\nlines"}]}"#;
    let headers = [("x-amzn-errortype", "ValidationException"), ("x-amzn-requestid", "a")];
    let refused = respond(400, &headers, r#"{"message":"no"}"#);
    let interrupted = Step::Fail(HttpErrorKind::Interrupted);
    let mut groups = Vec::new();
    for steps in [
        vec![started("1234567890"), respond(200, &[], ended)],
        vec![started("1234567890"), not_found()],
        vec![refused],
        vec![interrupted, denied("b")],
    ] {
        let client = Script::new(steps).client_with(builder().max_attempts(1)).unwrap();
        let run = client.bulk_run(exports(2)).not_found_tolerance(Duration::ZERO);
        let report = run.run().await.unwrap();
        let mut json = summary_as_json(&report);
        assert_eq!((&json["runId"], &json["kind"]), (&"run-1".into(), &"export".into()));
        assert_eq!((&json["sequenceStoreId"], &json["shard"]), (&STORE.into(), &json!({"index": 0, "count": 1})));
        assert_eq!(json["stoppedBy"]["code"].as_str(), report.stopped_by().and_then(Error::code));

        let summary = report.summary();
        assert_eq!(summary.stopped_by, report.stopped_by().map(Error::summary));
        let [group] = summary.groups.as_slice() else { panic!("{summary:?}") };
        assert_eq!(group.items.len(), 2);
        for (summary, item) in group.items.iter().zip(report.items()) {
            assert_eq!((summary.position, summary.name.as_str()), (item.position, item.item.as_str()));
            assert_eq!((summary.finished, summary.indeterminate), (item.finished, item.indeterminate));
            assert_eq!((summary.read_set_id.as_ref(), summary.reason.as_deref()), (item.read_set_id, item.reason));
            assert_eq!((group.job_id.as_deref(), group.job_not_found), (item.job_id, item.job_not_found));
            assert_eq!((group.job_status.as_ref(), &group.error), (item.job_status, &item.error.map(Error::summary)));
        }
        groups.push(json["groups"][0].take());
    }

    let [ended, missing, refused, indeterminate] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!((&ended["jobId"], &ended["jobStatus"]), (&json!("1234567890"), &json!("COMPLETED_WITH_FAILURES")));
    assert_eq!((&ended["items"][0]["finished"], &ended["items"][1]["reason"]), (&json!(true), &json!("two\nlines")));
    assert_eq!((&missing["jobNotFound"], &missing["items"][0]["indeterminate"]), (&json!(true), &json!(true)));
    assert_eq!((&refused["error"]["status"], &refused["error"]["requestId"]), (&json!(400), &json!("a")));
    assert_eq!((&refused["jobId"], &refused["items"][0]["indeterminate"]), (&json!(null), &json!(false)));
    assert_eq!(indeterminate["error"]["code"], "AccessDeniedException");
    assert_eq!(indeterminate["items"][1]["indeterminate"], true);
}

#[tokio::test(start_paused = true)]
async fn a_summary_of_an_import_has_files_and_read_sets() {
    let source =
        crate::read_set::ImportReadSetSource::builder().source_files("s3://bucket/1.bam").subject_id("HG00096");
    let source = source.source_file_type(crate::model::FileType::Ubam).sample_id("blood").tag("project", "").build();
    let plan = Planner::import("run-1".into(), STORE.into(), ROLE.into()).plan([source]).unwrap();
    let ended = r#"{"id":"1234567890","status":"COMPLETED","sources":[{"sourceFiles":{"source1":"s3://bucket/1.bam"},"status":"FINISHED","readSetId":"7000000000"}]}"#;
    let script = Script::new([started("1234567890"), respond(200, &[], ended)]);
    let report = script.client().bulk_run(plan).run().await.unwrap();
    let json = summary_as_json(&report);
    let expected = json!({
        "position": 0, "name": "s3://bucket/1.bam", "finished": true, "indeterminate": false, "readSetId": "7000000000"
    });
    assert_eq!(json["groups"][0]["items"][0], expected);
}
