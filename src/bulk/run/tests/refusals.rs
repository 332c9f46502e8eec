//! Starts that the service refuses, and starts that may have been applied.

use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;

use super::start_gate::MAX_STARTS_IN_FLIGHT;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_group_that_is_refused_does_not_stop_the_others() {
    // Another run has used the token of the second group for something else, so to speak.
    let plan = exports(300);
    let script = Script::new([
        respond(200, &[], r#"{"id":"1234567890","status":"SUBMITTED"}"#),
        respond(400, &[("x-amzn-errortype", "ValidationException")], r#"{"message":"no"}"#),
        respond(403, &[("x-amzn-errortype", "AccessDeniedException")], ""),
        respond(200, &[], r#"{"id":"1234567890","status":"COMPLETED"}"#),
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
async fn a_refused_start_is_not_reported_as_retrying() {
    let script = Script::new([
        Step::Fail(HttpErrorKind::Connect),
        respond(403, &[("x-amzn-errortype", "AccessDeniedException")], ""),
    ]);
    let progress = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&progress);
    let client = script.client_with(builder().max_attempts(1)).unwrap();
    let run =
        client.bulk_run(exports(1)).on_progress(move |progress| seen.lock().unwrap().push(progress.retrying.clone()));
    let error = run.run().await.unwrap_err();
    assert!(matches!(error, BulkError::NothingStarted { .. }), "{error}");
    let progress = progress.lock().unwrap();
    assert!(progress[0].is_none() && progress[1].is_some() && progress.last().unwrap().is_none(), "{progress:?}");
}

#[tokio::test(start_paused = true)]
async fn missing_rights_stop_the_starts() {
    let path = journal("rights");
    let service = account().with(|account| account.starts_denied_from = 2);
    let report = service.client().bulk_run(exports(1_000)).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 100, "what runs is followed");
    assert!(report.failed().last().unwrap().reason.unwrap().contains("AccessDeniedException (403)"));
    let starts = service.requests("Start").len();
    assert!(starts <= 1 + MAX_STARTS_IN_FLIGHT, "{starts} starts");

    let service = account().with(|account| account.starts_denied_from = 1);
    let error = service.client().bulk_run(exports(1_000)).run().await.unwrap_err();
    assert_eq!(service.requests("Start").len(), 1);
    let BulkError::NothingStarted { error } = error else { panic!("{error}") };
    assert!(matches!(error, Error::AccessDeniedException(_)), "{error}");

    // With rights, the same run continues.
    let service = account();
    let report = service.client().bulk_run(exports(1_000)).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 1_000);
    assert_each_once(&service, 900, 9);
    std::fs::remove_file(path).unwrap();
}

/// The second group waits for a job to end when the third is refused.
#[tokio::test(start_paused = true)]
async fn a_start_that_waits_for_the_quota_when_the_run_stops_is_refused() {
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
async fn items_that_may_be_running_are_not_among_the_failed_ones() {
    let script = Script::new([
        Step::Fail(HttpErrorKind::Interrupted),
        respond(403, &[("x-amzn-errortype", "AccessDeniedException")], ""),
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
async fn a_start_that_may_have_been_applied_is_indeterminate_whatever_follows() {
    for (status, code) in [(403, "AccessDeniedException"), (400, "ValidationException")] {
        let script = Script::new([
            Step::Fail(HttpErrorKind::Interrupted),
            respond(402, &[("x-amzn-errortype", "ServiceQuotaExceededException")], ""),
            respond(status, &[("x-amzn-errortype", code)], ""),
        ]);
        let client = script.client_with(builder().max_attempts(1)).unwrap();
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
async fn nothing_started_names_each_cause_once() {
    let script = Script::new([]);
    let client = script.client_with(builder().credentials_provider(NoCredentials)).unwrap();
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
