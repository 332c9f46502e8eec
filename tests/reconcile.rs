//! Starts that do not rely on client tokens: each job is started once, whatever the service does about tokens.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use healthomics::bulk::{Plan, Planner};
use healthomics::job::Export;
use healthomics::local::{ClientTokens, Fault, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::{FileType, ImportReadSetSource, Reconciled};
use healthomics::{Client, ClientBuilder, Error, SequenceStoreId};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";
const MODES: [ClientTokens; 4] = [
    ClientTokens::Remembered,
    ClientTokens::ForgottenAfter(Duration::from_secs(10)),
    ClientTokens::Ignored,
    ClientTokens::Conflict,
];

fn service(client_tokens: ClientTokens) -> (LocalService, SequenceStoreId) {
    let local = LocalService::builder().pace(Pace::Time(60 * SECOND)).quotas(Quotas::of_new_account()).in_process();
    local.set_client_tokens(client_tokens);
    let store = local.create_sequence_store();
    (local, store)
}

fn distrusting(local: &LocalService) -> ClientBuilder {
    local.client_builder().trust_client_token(false)
}

/// A start of each kind, whose result is the id of the job.
async fn start(kind: &str, client: &Client, store: &SequenceStoreId) -> Result<String, Error> {
    match kind {
        "Export" => {
            let call = client.start_read_set_export_job().sequence_store_id(store).destination("s3://bucket/a/");
            Ok(call.role_arn(ROLE).sources(["5555555555", "5555555556"]).send().await?.id.to_string())
        }
        "Import" => {
            let source = ImportReadSetSource::builder().source_files("s3://bucket/a.bam");
            let source = source.source_file_type(FileType::Ubam).subject_id("subject").sample_id("sample").build();
            let call = client.start_read_set_import_job().sequence_store_id(store).role_arn(ROLE);
            Ok(call.sources([source]).send().await?.id.to_string())
        }
        _ => {
            let call = client.start_read_set_activation_job().sequence_store_id(store);
            Ok(call.sources(["5555555555"]).send().await?.id.to_string())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_response_is_lost_is_found_by_its_content() {
    for mode in MODES {
        for kind in ["Export", "Import", "Activation"] {
            let (local, store) = service(mode);
            let client = distrusting(&local).build().unwrap();
            local.queue_fault(&format!("StartReadSet{kind}Job"), Fault::ResetAfter);
            let started_at = Instant::now();
            let id = start(kind, &client, &store).await.unwrap();
            let jobs = local.jobs();
            assert_eq!((jobs.len(), &jobs[0].id), (1, &id), "{mode:?} {kind}");
            assert!(started_at.elapsed() >= 30 * SECOND, "{mode:?} {kind}");
        }
    }
}

/// A clock that is hours ahead, and that the service corrects before the response of the start is lost.
#[tokio::test(start_paused = true)]
async fn a_start_is_found_although_the_clock_was_ahead() {
    let (local, store) = service(ClientTokens::Ignored);
    let begun = Instant::now();
    let clock = move || SystemTime::now() + begun.elapsed() + Duration::from_hours(3);
    let client = distrusting(&local).time_source(clock).build().unwrap();
    // The first request is rejected, as its time is in the future.
    local.queue_fault("StartReadSetActivationJob", Fault::DateOffset(0));
    local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    start("Activation", &client, &store).await.unwrap();
    assert_eq!(local.jobs().len(), 1);
}

/// The same in a bulk run, whose process crashes then.
#[tokio::test(start_paused = true)]
async fn a_run_finds_its_job_although_the_clock_was_ahead_when_it_was_started() {
    let (local, store) = service(ClientTokens::Ignored);
    let read_sets = [local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam))];
    let plan = Planner::activation("run-1".into(), store).plan(read_sets).unwrap();
    let journal = std::env::temp_dir().join(format!("healthomics-clock-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&journal);
    let begun = Instant::now();
    let clock = move || SystemTime::now() + begun.elapsed() + Duration::from_hours(3);
    let client = distrusting(&local).time_source(clock).build().unwrap();
    local.queue_fault("StartReadSetActivationJob", Fault::DateOffset(0));
    local.queue_fault("StartReadSetActivationJob", Fault::HangAfter);
    let run = client.bulk_run(plan.clone()).journal(&journal).run();
    tokio::time::timeout(20 * SECOND, run).await.unwrap_err();
    assert_eq!(local.jobs().len(), 1);

    let report = distrusting(&local).build().unwrap().bulk_run(plan).journal(&journal).run().await.unwrap();
    assert_eq!(report.to_string(), "1 of 1 items finished in 1 job");
    assert_eq!(local.jobs().len(), 1);
    std::fs::remove_file(journal).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_start_that_did_not_arrive_is_sent_again() {
    for mode in MODES {
        for fault in [Fault::ResetBefore, Fault::error(500, "InternalServerException", "failed")] {
            let (local, store) = service(mode);
            let client = distrusting(&local).build().unwrap();
            local.queue_fault("StartReadSetActivationJob", fault.clone());
            start("Activation", &client, &store).await.unwrap();
            assert_eq!(local.jobs().len(), 1, "{mode:?} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_exclude_the_work_are_retried_at_once() {
    let (local, store) = service(ClientTokens::Ignored);
    let client = distrusting(&local).build().unwrap();
    local.queue_fault("StartReadSetActivationJob", Fault::error(429, "ThrottlingException", "Rate exceeded"));
    let started_at = Instant::now();
    start("Activation", &client, &store).await.unwrap();
    assert!(started_at.elapsed() < 30 * SECOND);
    assert!(local.requests().iter().all(|request| request.operation == Some("StartReadSetActivationJob")));
}

#[tokio::test(start_paused = true)]
async fn trusted_tokens_start_two_jobs_at_a_service_that_ignores_them() {
    let (local, store) = service(ClientTokens::Ignored);
    local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    start("Activation", &local.client().unwrap(), &store).await.unwrap();
    assert_eq!(local.jobs().len(), 2, "this is what the option is for");
}

#[tokio::test(start_paused = true)]
async fn results_of_other_starts_are_no_candidates() {
    let (local, store) = service(ClientTokens::Ignored);
    let client = distrusting(&local).build().unwrap();
    let first = start("Export", &client, &store).await.unwrap();
    local.queue_fault("StartReadSetExportJob", Fault::ResetAfter);
    let second = start("Export", &client.clone(), &store).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(local.jobs().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn jobs_of_another_destination_are_no_candidates() {
    let (local, store) = service(ClientTokens::Ignored);
    let other = local.client().unwrap().start_read_set_export_job().sequence_store_id(&store);
    let other = other.destination("s3://bucket/b/").role_arn(ROLE).sources(["5555555555", "5555555556"]);
    other.send().await.unwrap();
    let client = distrusting(&local).build().unwrap();
    local.queue_fault("StartReadSetExportJob", Fault::ResetBefore);
    start("Export", &client, &store).await.unwrap();
    assert_eq!(local.jobs().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn several_equal_jobs_are_an_error_that_names_them() {
    let (local, store) = service(ClientTokens::Ignored);
    // Another program starts the same.
    start("Activation", &local.client().unwrap(), &store).await.unwrap();
    let client = distrusting(&local).build().unwrap();
    local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    let error = start("Activation", &client, &store).await.unwrap_err();
    assert!(matches!(error, Error::AmbiguousStart(_)), "{error}");
    assert!(error.may_have_been_applied() && error.client_token().is_some() && !error.is_retryable());
    let ids: Vec<_> = local.jobs().into_iter().map(|job| job.id).collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        assert!(error.to_string().contains(&id), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_reconciled_by_hand() {
    let (local, store) = service(ClientTokens::Ignored);
    let client = local.client_builder().max_attempts(1).build().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555", "5555555556"]);
    let first_attempt = SystemTime::now();
    assert_eq!(call.clone().reconcile(first_attempt).await.unwrap(), Reconciled::NotFound);

    local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    call.clone().send().await.unwrap_err();
    // The order of the sources does not matter.
    let reordered = client.start_read_set_activation_job().sequence_store_id(&store);
    let reordered = reordered.sources(["5555555556", "5555555555"]);
    let Reconciled::Found(started) = reordered.reconcile(first_attempt).await.unwrap() else { panic!("it exists") };
    assert_eq!(started.id.as_str(), local.jobs()[0].id);
    assert!(client.job(&started).wait().await.unwrap().job().completion_time.is_some());

    // Jobs from before are no candidates.
    let later = SystemTime::now() + Duration::from_hours(1);
    assert_eq!(call.reconcile(later).await.unwrap(), Reconciled::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_items_are_not_reported_may_be_the_one() {
    let (local, store) = service(ClientTokens::Ignored);
    let client = local.client_builder().max_attempts(1).build().unwrap();
    start("Activation", &client, &store).await.unwrap();
    let id = local.jobs()[0].id.clone();
    let body = format!(r#"{{"id":"{id}","status":"SUBMITTED","sequenceStoreId":"{store}","sources":[]}}"#);
    for _ in 0..5 {
        local.queue_fault("GetReadSetActivationJob", Fault::response(200, body.as_str()));
    }
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
    let reconciled = call.clone().reconcile(SystemTime::now()).await.unwrap();
    assert!(matches!(&reconciled, Reconciled::Several(jobs) if jobs.len() == 1), "{reconciled:?}");
    // Its items are reported by now.
    assert!(matches!(call.reconcile(SystemTime::now()).await.unwrap(), Reconciled::Found(_)));
}

#[tokio::test(start_paused = true)]
async fn missing_rights_to_list_leave_the_start_indeterminate() {
    let (local, store) = service(ClientTokens::Ignored);
    let client = distrusting(&local).build().unwrap();
    local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    local.fault_always("ListReadSetActivationJobs", Fault::error(403, "AccessDeniedException", "not allowed"));
    let error = start("Activation", &client, &store).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.client_token().is_some(), "{error}");
    assert_eq!(local.jobs().len(), 1);
}

/// Tokens are ignored and a third of the responses is lost, at five requests a second.
#[tokio::test(start_paused = true)]
async fn a_thousand_starts_are_a_thousand_jobs() {
    const STARTS: usize = 1_000;
    let local = LocalService::builder().pace(Pace::Time(SECOND)).in_process();
    local.set_client_tokens(ClientTokens::Ignored);
    let store = local.create_sequence_store();
    let client = distrusting(&local).build().unwrap();
    for index in 0..2 * STARTS {
        let fault = if index % 3 == 0 { Fault::ResetAfter } else { Fault::Delay(Duration::ZERO) };
        local.queue_fault("StartReadSetActivationJob", fault);
    }
    let started_at = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..STARTS {
        tokio::time::sleep(SECOND / 5).await;
        let call = client.start_read_set_activation_job().sequence_store_id(&store);
        tasks.spawn(call.sources([format!("{:010}", 5_000_000_000 + number)]).send());
    }
    let mut ids = HashSet::new();
    while let Some(started) = tasks.join_next().await {
        ids.insert(started.unwrap().unwrap().id);
    }
    let jobs = local.jobs();
    let items: HashSet<_> = jobs.iter().map(|job| &job.items[0].key).collect();
    assert_eq!((ids.len(), jobs.len(), items.len()), (STARTS, STARTS, STARTS));

    let requests = local.requests();
    let count = |name| requests.iter().filter(|request| request.operation == Some(name)).count();
    let starts = count("StartReadSetActivationJob");
    let lost = starts.div_ceil(3);
    let lists = count("ListReadSetActivationJobs");
    let gets = count("GetReadSetActivationJob");
    #[allow(clippy::cast_precision_loss)]
    let per_reconcile = (lists + gets) as f64 / lost as f64;
    println!(
        "{STARTS} starts, {lost} responses lost: {starts} starts, {lists} lists and {gets} gets sent, {per_reconcile:.1} \
         requests for each lost response, {:.0?}",
        started_at.elapsed()
    );
    assert_eq!(starts, STARTS, "no start was repeated");
    assert!(per_reconcile < 15.0, "{per_reconcile}");
}

fn exports(local: &LocalService, store: &SequenceStoreId) -> Plan<Export> {
    let read_sets: Vec<_> = (0..60).map(|_| local.seed_read_set(store, SeedReadSet::active(FileType::Bam))).collect();
    let planner = Planner::export("run-1".into(), store.clone(), "s3://bucket/".into(), ROLE.into());
    planner.group_size(5).plan(read_sets).unwrap()
}

fn journal(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("healthomics-reconcile-{name}-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[tokio::test(start_paused = true)]
async fn a_bulk_run_that_is_dropped_many_times_starts_each_job_once() {
    for mode in MODES {
        let (local, store) = service(mode);
        let plan = exports(&local, &store);
        let path = journal(&format!("{mode:?}").replace(|char: char| !char.is_alphanumeric(), ""));
        let mut rounds = 0;
        let report = loop {
            rounds += 1;
            assert!(rounds < 1_000);
            for fault in [Fault::ResetAfter, Fault::Delay(SECOND), Fault::ResetBefore] {
                local.queue_fault("StartReadSetExportJob", fault);
            }
            // Each round is a process of its own, with a client that knows nothing.
            let run = local.client().unwrap().bulk_run(plan.clone()).journal(&path).trust_client_token(false).run();
            if let Ok(report) = tokio::time::timeout(Duration::from_millis(fastrand::u64(100..90_000)), run).await {
                break report.unwrap();
            }
        };
        assert_eq!(report.finished_count(), 60, "{mode:?}");
        let jobs = local.jobs();
        let items: HashSet<_> = jobs.iter().flat_map(|job| &job.items).map(|item| &item.key).collect();
        assert_eq!((jobs.len(), items.len()), (12, 60), "{mode:?}, {rounds} rounds");
        std::fs::remove_file(path).unwrap();
    }
}
