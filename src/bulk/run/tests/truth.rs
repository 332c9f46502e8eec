//! What a run reports is true after a resume, too, and says each cause once.

use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;

use super::*;
use crate::testing::{Script, Step, respond};

fn denied(request_id: &str) -> Step {
    let headers = [("x-amzn-errortype", "AccessDeniedException"), ("x-amzn-requestid", request_id)];
    respond(403, &headers, r#"{"message":"not allowed"}"#)
}

fn not_found() -> Step {
    respond(404, &[("x-amzn-errortype", "ResourceNotFoundException")], r#"{"message":"not found"}"#)
}

fn started(id: &str) -> Step {
    respond(200, &[], &format!(r#"{{"id":"{id}","status":"SUBMITTED"}}"#))
}

#[tokio::test(start_paused = true)]
async fn a_clear_refusal_is_one_after_a_resume() {
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

/// The second group waits for a job to end when the third is refused.
#[tokio::test(start_paused = true)]
async fn a_start_that_waits_when_the_run_stops_was_not_applied() {
    let path = journal("waits");
    let full = respond(402, &[("x-amzn-errortype", "ServiceQuotaExceededException")], "");
    let completed = respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED"}"#);
    let script = Script::new([started("1234567890"), full, denied("a"), completed]);
    let report = script.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    let counts = |report: &crate::bulk::Report<Export>| {
        (report.finished_count(), report.failed().count(), report.indeterminate().count())
    };
    assert_eq!(counts(&report), (100, 200, 0), "{report}");
    let script = Script::new([denied("b")]);
    let report = script.client().bulk_run(exports(300)).journal(&path).run().await.unwrap();
    assert_eq!(counts(&report), (100, 200, 0), "{report}");
    std::fs::remove_file(path).unwrap();
}

/// The second group is refused when the start of the third is in flight.
#[tokio::test(start_paused = true)]
async fn a_start_in_flight_when_the_run_stops_is_not_retried() {
    let full = respond(402, &[("x-amzn-errortype", "ServiceQuotaExceededException")], "");
    let completed = respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED"}"#);
    let script = Script::new([started("1234567890"), denied("a"), full, completed]);
    let report = script.client().bulk_run(exports(300)).run().await.unwrap();
    let counts = (report.finished_count(), report.failed().count(), report.indeterminate().count());
    assert_eq!((counts, script.sent().len()), ((100, 200, 0), 4), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_may_have_been_applied_stays_so_after_a_resume() {
    let path = journal("unclear-refusal");
    let lost = Step::Fail(crate::http::HttpErrorKind::Interrupted);
    let script = Script::new([lost, denied("a")]);
    script.client().bulk_run(exports(1)).journal(&path).run().await.unwrap();
    for _ in 0..2 {
        let script = Script::new([denied("b")]);
        let report = script.client().bulk_run(exports(1)).journal(&path).run().await.unwrap();
        assert_eq!(report.indeterminate().count(), 1, "{report}");
    }
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn jobs_that_cant_be_followed_for_one_reason_are_one_error() {
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
async fn jobs_that_the_service_has_forgotten_are_reported_without_another_request() {
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

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::ready(Err(CredentialsError::not_loaded("there is no profile")))
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_started_says_every_cause_once() {
    let script = Script::new([]);
    let client = script.client_with(crate::testing::builder().credentials_provider(NoCredentials)).unwrap();
    let error = client.bulk_run(exports(1)).run().await.unwrap_err();
    let BulkError::NothingStarted { error: cause } = &error else { panic!("{error}") };
    assert_ne!(cause.report().to_string(), cause.to_string(), "there is a cause below");
    let mut chain = error.to_string();
    let mut below = std::error::Error::source(&error);
    while let Some(error) = below {
        chain = format!("{chain}: {error}");
        below = error.source();
    }
    assert_eq!(chain, format!("nothing was started: {}", cause.report()));
}
