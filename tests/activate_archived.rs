//! Exports that activate archived read sets first: one run, one journal, one report.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use healthomics::bulk::{BulkError, BulkProgress, BulkRun, Plan, Planner, Report};
use healthomics::job::Export;
use healthomics::local::{Fault, JobKind, LocalJob, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::{FileType, ReadSetStatus};
use healthomics::{Client, ReadSetId, SequenceStoreId};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// A service in process, a client and a store.
struct Account {
    local: LocalService,
    client: Client,
    store: SequenceStoreId,
}

impl Account {
    fn new() -> Self {
        let builder = LocalService::builder().pace(Pace::Time(MINUTE)).quotas(Quotas::of_new_account());
        let local = builder.in_process();
        let client = local.client().unwrap();
        let store = local.create_sequence_store();
        Self { local, client, store }
    }

    fn seed(&self, count: usize, seed: fn(FileType) -> SeedReadSet) -> Vec<ReadSetId> {
        (0..count).map(|_| self.local.seed_read_set(&self.store, seed(FileType::Bam))).collect()
    }

    fn plan(&self, read_sets: &[ReadSetId]) -> Plan<Export> {
        let role = "arn:aws:iam::123456789012:role/Omics";
        let planner = Planner::export("run-1".into(), self.store.clone(), "s3://bucket/".into(), role.into());
        planner.activate_archived(true).plan(read_sets).unwrap()
    }

    fn bulk_run(&self, read_sets: &[ReadSetId]) -> BulkRun<Export> {
        self.client.bulk_run(self.plan(read_sets)).poll_every(2 * SECOND)
    }

    async fn run(&self, read_sets: &[ReadSetId]) -> Report<Export> {
        self.bulk_run(read_sets).run().await.unwrap()
    }

    fn jobs(&self, kind: JobKind) -> Vec<LocalJob> {
        self.local.jobs().into_iter().filter(|job| job.kind == kind).collect()
    }

    fn requests(&self, operation: &str) -> usize {
        self.local.requests().iter().filter(|request| request.operation == Some(operation)).count()
    }

    /// Each read set is in exactly one job of exports, and no read set is in two jobs of activations.
    fn assert_each_once(&self, read_sets: &[ReadSetId]) {
        let keys = |kind| {
            let jobs = self.jobs(kind);
            let keys: Vec<_> = jobs.iter().flat_map(|job| &job.items).map(|item| item.key.clone()).collect();
            assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{kind:?}: an item is in two jobs");
            keys
        };
        keys(JobKind::Activation);
        let exported: BTreeSet<_> = keys(JobKind::Export).into_iter().collect();
        assert_eq!(exported, read_sets.iter().map(ToString::to_string).collect());
    }
}

/// The path of a journal that does not exist.
fn journal(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("healthomics-activate-{name}-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn item_keys(job: &LocalJob) -> Vec<&str> {
    job.items.iter().map(|item| item.key.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn archived_read_sets_are_activated_in_twenties_and_exported() {
    let account = Account::new();
    let mut read_sets = account.seed(130, SeedReadSet::archived);
    read_sets.extend(account.seed(120, SeedReadSet::active));
    let report = account.run(&read_sets).await;

    assert_eq!(report.to_string(), "250 of 250 items finished in 3 jobs");
    account.assert_each_once(&read_sets);
    let activations = account.jobs(JobKind::Activation);
    let ids: Vec<_> = activations.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(report.activation_job_ids().map(|id| id.as_str()).collect::<Vec<_>>(), ids);
    // Seven groups have an archived read set; the seventh has active ones, too.
    let sizes: Vec<_> = activations.iter().map(|job| job.items.len()).collect();
    assert_eq!(sizes, [20; 7]);
    assert_eq!(item_keys(&activations[6]), read_sets[120..140].iter().map(|id| id.as_str()).collect::<Vec<_>>());
    // The tokens are those of the plan.
    let plan = account.plan(&read_sets).activation_plan().unwrap();
    let tokens: Vec<_> = plan.groups().take(7).map(|group| Some(group.client_token())).collect();
    assert_eq!(activations.iter().map(|job| job.client_token.clone()).collect::<Vec<_>>(), tokens);
    assert_eq!(report.summary().activation_job_ids.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn active_read_sets_need_no_activation() {
    let account = Account::new();
    account.seed(1, SeedReadSet::archived);
    let read_sets = account.seed(150, SeedReadSet::active);
    let report = account.run(&read_sets).await;
    assert_eq!(report.finished_count(), 150);
    assert_eq!(account.jobs(JobKind::Activation).len(), 0);
    assert_eq!(
        account.requests("ListReadSets"),
        3,
        "archived ones, those that other jobs activate, archived ones again"
    );
}

#[tokio::test(start_paused = true)]
async fn without_the_option_nothing_is_activated() {
    let account = Account::new();
    let read_sets = account.seed(3, SeedReadSet::archived);
    let role = "arn:aws:iam::123456789012:role/Omics";
    let planner = Planner::export("run-1".into(), account.store.clone(), "s3://bucket/".into(), role.into());
    let plan = planner.plan(&read_sets).unwrap();
    assert!(plan.activation_plan().is_none());
    assert_ne!(plan.digest(), account.plan(&read_sets).digest());
    let report = account.client.bulk_run(plan).run().await.unwrap();
    assert_eq!((report.finished_count(), report.activation_job_ids().count()), (0, 0));
    assert_eq!((account.jobs(JobKind::Activation).len(), account.requests("ListReadSets")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_run_without_items_ends_at_once() {
    let account = Account::new();
    let report = account.run(&[]).await;
    assert_eq!(report.to_string(), "0 of 0 items finished in 0 jobs");
    assert!(account.local.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_group_is_exported_as_soon_as_its_read_sets_are_active() {
    let account = Account::new();
    let read_sets = account.seed(2_000, SeedReadSet::archived);
    let started_at = Instant::now();
    let report = account.run(&read_sets).await;
    assert_eq!(report.finished_count(), 2_000);
    account.assert_each_once(&read_sets);

    let activations = account.jobs(JobKind::Activation);
    let exports = account.jobs(JobKind::Export);
    let last_activation = activations.last().unwrap().completion_time.unwrap();
    let early = exports.iter().filter(|job| job.creation_time < last_activation).count();
    assert!(early >= 15, "{early} of 20 exports were started before the last activation ended");
    for (export, activations) in exports.iter().zip(activations.chunks(5)) {
        let active = activations.iter().map(|job| job.completion_time.unwrap()).max().unwrap();
        assert!(export.creation_time >= active, "an export was started before its read sets were active");
    }

    // A hundred activations, twenty at once, take five minutes; the last exports take one more.
    let ideal = 6 * MINUTE;
    let ratio = started_at.elapsed().as_secs_f64() / ideal.as_secs_f64();
    println!("makespan: {ratio:.3} of the ideal");
    assert!(ratio <= 1.10, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn read_sets_that_other_jobs_activate_are_waited_for() {
    let account = Account::new();
    let read_sets = account.seed(40, SeedReadSet::archived);
    account.local.set_pace(Pace::Time(30 * MINUTE));
    let call = account.client.start_read_set_activation_job().sequence_store_id(&account.store);
    call.sources([&read_sets[3], &read_sets[39]]).send().await.unwrap();
    account.local.set_pace(Pace::Time(MINUTE));

    let started_at = Instant::now();
    let report = account.run(&read_sets).await;
    assert_eq!(report.finished_count(), 40);
    assert!(started_at.elapsed() >= 30 * MINUTE, "{:?}", started_at.elapsed());
    assert!(started_at.elapsed() < 33 * MINUTE, "{:?}", started_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn read_sets_that_only_other_jobs_activate_are_waited_for() {
    let account = Account::new();
    let read_sets = account.seed(2, SeedReadSet::archived);
    let call = account.client.start_read_set_activation_job().sequence_store_id(&account.store);
    call.sources(&read_sets).send().await.unwrap();
    let report = account.run(&read_sets).await;
    assert_eq!((report.finished_count(), report.activation_job_ids().count()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_read_set_that_fails_to_activate_is_left_out_of_the_export() {
    let account = Account::new();
    let read_sets = account.seed(45, SeedReadSet::archived);
    account.local.fail_item(read_sets[7].as_str(), "the archive is damaged");
    let path = journal("left-out");
    let report = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();

    assert_eq!(report.to_string(), "44 of 45 items finished in 1 job\n  1 item: not activated: the archive is damaged");
    let failed: Vec<_> = report.failed().collect();
    assert_eq!((failed.len(), failed[0].position), (1, 7));
    assert_eq!(failed[0].job_id, report.activation_job_ids().next().map(|id| id.as_str()));
    assert_eq!(failed[0].job_status.map(|status| status.as_str()), Some("COMPLETED_WITH_FAILURES"));
    let exports = account.jobs(JobKind::Export);
    assert_eq!((exports.len(), exports[0].items.len()), (1, 44));
    // The token is that of a group of the remaining read sets.
    let remaining: Vec<_> = read_sets.iter().filter(|id| **id != read_sets[7]).cloned().collect();
    let token = account.plan(&remaining).groups().next().unwrap().client_token();
    assert_eq!(exports[0].client_token, Some(token));

    // A later run has the same result from the journal, and sends nothing.
    let requests = account.local.requests().len();
    let resumed = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!(resumed.summary(), report.summary());
    assert_eq!(account.local.requests().len(), requests);
    // Without its journal, it finds the same jobs.
    let resumed = account.run(&read_sets).await;
    assert_eq!(resumed.finished_count(), 44);
    assert_eq!(account.jobs(JobKind::Export).len(), 1);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_group_of_which_nothing_is_activated_has_no_export() {
    let account = Account::new();
    let read_sets = account.seed(3, SeedReadSet::archived);
    for id in &read_sets {
        account.local.fail_item(id.as_str(), "damaged");
    }
    let path = journal("nothing");
    let report = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!(report.to_string(), "0 of 3 items finished in 0 jobs\n  3 items: not activated: damaged");
    assert_eq!((report.failed().count(), report.indeterminate().count()), (3, 0));
    assert_eq!(account.jobs(JobKind::Export).len(), 0);
    let resumed = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!(resumed.summary(), report.summary());
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_many_times_starts_nothing_twice() {
    let account = Account::new();
    let read_sets = account.seed(205, SeedReadSet::archived);
    account.local.fail_item(read_sets[150].as_str(), "damaged");
    let path = journal("dropped");
    let mut rounds = 0;
    let report = loop {
        rounds += 1;
        for operation in ["StartReadSetActivationJob", "StartReadSetExportJob"] {
            account.local.queue_fault(operation, Fault::ResetAfter);
        }
        // Every fourth run has lost its journal.
        if rounds % 4 == 0 {
            let _ = std::fs::remove_file(&path);
        }
        let run = account.bulk_run(&read_sets).journal(&path).run();
        let time = Duration::from_millis(fastrand::u64(100..40_000));
        if let Ok(report) = tokio::time::timeout(time, run).await {
            break report.unwrap();
        }
        assert!(rounds < 1_000);
    };
    assert!(rounds >= 3, "{rounds}");
    assert_eq!((report.finished_count(), report.failed().count()), (204, 1));
    let exported: Vec<_> = read_sets.iter().filter(|id| **id != read_sets[150]).cloned().collect();
    account.assert_each_once(&exported);
    std::fs::remove_file(path).unwrap();
}

/// Without a journal, a repeated run does not know that the job which activates the read sets is its own.
#[tokio::test(start_paused = true)]
async fn an_activation_that_fails_while_it_is_waited_for_is_not_exported() {
    let account = Account::new();
    let read_sets = account.seed(30, SeedReadSet::archived);
    account.local.fail_item(read_sets[5].as_str(), "damaged");
    let run = account.run(&read_sets);
    tokio::time::timeout(5 * SECOND, run).await.unwrap_err();
    assert_eq!(account.jobs(JobKind::Activation).len(), 2);

    for _ in 0..2 {
        let report = account.run(&read_sets).await;
        let failed: Vec<_> = report.failed().map(|item| item.reason.unwrap().to_owned()).collect();
        assert_eq!(failed, ["not activated: damaged"]);
        let exported: Vec<_> = read_sets.iter().filter(|id| **id != read_sets[5]).cloned().collect();
        account.assert_each_once(&exported);
        assert_eq!(account.jobs(JobKind::Activation).len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn shards_activate_what_they_export() {
    let account = Account::new();
    let read_sets = account.seed(95, SeedReadSet::archived);
    let role = "arn:aws:iam::123456789012:role/Omics";
    let planner = Planner::export("run-1".into(), account.store.clone(), "s3://bucket/".into(), role.into());
    // Groups of 30 share jobs of activations with their neighbours.
    let plan = planner.group_size(30).activate_archived(true).plan(&read_sets).unwrap();
    let shard = |index| account.client.bulk_run(plan.clone().shard(index, 2).unwrap()).run();
    let (first, second) = tokio::join!(shard(0), shard(1));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.finished_count(), second.finished_count()), (60, 35));
    account.assert_each_once(&read_sets);
    assert_eq!(account.jobs(JobKind::Activation).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_store_of_many_archived_read_sets_is_not_listed_to_its_end() {
    let account = Account::new();
    account.seed(1_000, SeedReadSet::archived);
    let read_sets = account.seed(30, SeedReadSet::active);
    let report = account.run(&read_sets).await;
    assert_eq!(report.finished_count(), 30);
    // Two pages are the limit for two jobs of activations, which are then started.
    assert_eq!(account.jobs(JobKind::Activation).len(), 2);
    assert!(account.requests("ListReadSets") <= 4, "{}", account.requests("ListReadSets"));
}

#[tokio::test(start_paused = true)]
async fn missing_rights_stop_the_run() {
    for operation in ["ListReadSets", "StartReadSetActivationJob"] {
        let account = Account::new();
        let read_sets = account.seed(30, SeedReadSet::archived);
        account.local.fault_always(operation, Fault::error(403, "AccessDeniedException", "not allowed"));
        let error = account.bulk_run(&read_sets).run().await.unwrap_err();
        assert!(matches!(error, BulkError::NothingStarted { .. }), "{error}");
        assert!(error.to_string().contains(operation), "{error}");
        assert!(account.local.jobs().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn missing_rights_to_export_end_the_activations() {
    let account = Account::new();
    let read_sets = account.seed(5_000, SeedReadSet::archived);
    let fault = Fault::error(403, "AccessDeniedException", "not allowed");
    account.local.fault_always("StartReadSetExportJob", fault);
    let path = journal("denied");
    let report = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!(report.stopped_by().unwrap().code(), Some("AccessDeniedException"));
    assert_eq!((report.finished_count(), report.failed().count()), (0, 5_000));
    let activations = account.jobs(JobKind::Activation).len();
    assert!(activations < 100, "{activations} of 250");

    // Once the cause is fixed, the same call does the rest.
    account.local.clear_faults();
    let report = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 5_000);
    account.assert_each_once(&read_sets);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_activation_is_not_exported_and_started_again_later() {
    let account = Account::new();
    let read_sets = account.seed(30, SeedReadSet::archived);
    let fault = Fault::error(400, "ValidationException", "refused");
    account.local.queue_fault("StartReadSetActivationJob", fault);
    let path = journal("refused");
    let report = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!((report.finished_count(), report.failed().count()), (0, 30));
    assert_eq!(account.jobs(JobKind::Export).len(), 0);
    let report = account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    assert_eq!(report.finished_count(), 30);
    account.assert_each_once(&read_sets);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_lists_is_retried_and_reported() {
    let account = Account::new();
    let read_sets = account.seed(30, SeedReadSet::archived);
    for _ in 0..30 {
        account.local.queue_fault("ListReadSets", Fault::error(503, "ServiceUnavailable", "try later"));
    }
    let progress = Arc::new(Mutex::new(Vec::<BulkProgress>::new()));
    let seen = Arc::clone(&progress);
    let run = account.bulk_run(&read_sets).on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
    assert_eq!(run.run().await.unwrap().finished_count(), 30);
    let progress = progress.lock().unwrap();
    let retrying: Vec<_> = progress.iter().filter_map(|progress| progress.retrying.as_ref()).collect();
    assert!(retrying[0].error.starts_with("ListReadSets (store "), "{:?}", retrying[0]);
    assert!(progress.last().unwrap().retrying.is_none());
}

#[tokio::test(start_paused = true)]
async fn progress_counts_activations_and_exports() {
    let account = Account::new();
    let mut read_sets = account.seed(100, SeedReadSet::archived);
    read_sets.extend(account.seed(100, SeedReadSet::active));
    let progress = Arc::new(Mutex::new(Vec::<BulkProgress>::new()));
    let seen = Arc::clone(&progress);
    let run = account.bulk_run(&read_sets).on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
    run.run().await.unwrap();
    let progress = progress.lock().unwrap();
    let (first, last) = (progress.first().unwrap(), progress.last().unwrap());
    assert_eq!((first.items, first.activated, first.jobs), (200, 0, 2));
    assert_eq!((last.settled, last.activated, last.jobs, last.ended_jobs, last.running_jobs), (200, 200, 7, 7, 0));
    assert!(progress.windows(2).all(|two| two[0].activated <= two[1].activated && two[0].settled <= two[1].settled));
    assert!(progress.iter().any(|progress| progress.activated == 100), "those that need no activation count at once");
    assert!(progress.iter().any(|progress| progress.running_jobs == 6), "five activations and an export");
    for id in &read_sets {
        assert_eq!(account.local.read_set_status(&account.store, id), Some(ReadSetStatus::Active));
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_belongs_to_a_run_with_or_without_activations() {
    let account = Account::new();
    let read_sets = account.seed(3, SeedReadSet::archived);
    let path = journal("option");
    account.bulk_run(&read_sets).journal(&path).run().await.unwrap();
    let role = "arn:aws:iam::123456789012:role/Omics";
    let planner = Planner::export("run-1".into(), account.store.clone(), "s3://bucket/".into(), role.into());
    let other = account.client.bulk_run(planner.plan(&read_sets).unwrap()).journal(&path);
    let error = other.run().await.unwrap_err().to_string();
    assert!(error.contains("its activation of archived read sets is on, here it is off"), "{error}");
    std::fs::remove_file(path).unwrap();
}
