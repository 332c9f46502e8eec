//! How long 10,000 exports, 10,000 activations, and 10,000 exports of archived read sets take, compared with job durations
//! and quotas alone: against the local service over HTTP, with the quotas of a new account and with faults, in real time.
//! `cargo bench --bench bulk` takes about 36 minutes, and sleeps most of them.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures, and panics on a failure")]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use healthomics::bulk::{BulkStart, Plan, Planner};
use healthomics::local::{Fault, JobKind, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{ReadSetId, SequenceStoreId};

const ITEMS: usize = 10_000;

async fn service(job_takes: Duration) -> LocalService {
    let builder = LocalService::builder().pace(Pace::Time(job_takes)).quotas(Quotas::of_new_account());
    builder.start().await.unwrap()
}

fn seed(local: &LocalService, seed: impl Fn() -> SeedReadSet) -> (SequenceStoreId, Vec<ReadSetId>) {
    let store = local.create_sequence_store();
    let read_sets = (0..ITEMS).map(|_| local.seed_read_set(&store, seed())).collect();
    (store, read_sets)
}

/// Runs a plan while starts and polls of these kinds of jobs fail, and compares it with the ideal time.
async fn measure<K: BulkStart>(what: &str, local: &LocalService, plan: Plan<K>, kinds: &[JobKind], ideal: Duration) {
    for kind in kinds {
        let start = format!("StartReadSet{kind:?}Job");
        let get = format!("GetReadSet{kind:?}Job");
        for _ in 0..100 {
            local.queue_fault(&start, Fault::Delay(Duration::ZERO));
            local.queue_fault(&start, Fault::Delay(Duration::ZERO));
            local.queue_fault(&start, Fault::ResetAfter);
            local.queue_fault(&get, Fault::error(500, "InternalServerException", "An unexpected error occurred."));
            local.queue_fault(&get, Fault::Delay(Duration::from_millis(50)));
            local.queue_fault(&get, Fault::Delay(Duration::ZERO));
        }
    }
    let started_at = Instant::now();
    let report = local.client().unwrap().bulk_run(plan).run().await.unwrap();
    let took = started_at.elapsed();
    println!("{what}: {report}; {took:.1?}, {:.3} of the ideal {ideal:.0?}", took.as_secs_f64() / ideal.as_secs_f64());
    assert_eq!(report.finished_count(), ITEMS);

    let requests = local.requests();
    let count =
        |operation: String| requests.iter().filter(|request| request.operation == Some(operation.as_str())).count();
    for kind in kinds {
        let jobs: Vec<_> = local.jobs().into_iter().filter(|job| job.kind == *kind).collect();
        let keys: HashSet<_> = jobs.iter().flat_map(|job| job.items.iter().map(|item| &item.key)).collect();
        let items: usize = jobs.iter().map(|job| job.items.len()).sum();
        println!(
            "  {kind:?}: {} jobs, {} duplicates; {} starts, {} lists, {} gets",
            jobs.len(),
            items - keys.len(),
            count(format!("StartReadSet{kind:?}Job")),
            count(format!("ListReadSet{kind:?}Jobs")),
            count(format!("GetReadSet{kind:?}Job")),
        );
        assert_eq!((keys.len(), items), (ITEMS, ITEMS));
    }
}

/// How long the jobs alone take: 20 at once, each this long, and 5 starts a second.
fn jobs_alone(items_per_job: usize, takes: Duration) -> Duration {
    let jobs = u32::try_from(ITEMS.div_ceil(items_per_job)).unwrap();
    (takes * jobs.div_ceil(20)).max(Duration::from_millis(200) * jobs)
}

#[tokio::main]
async fn main() {
    let exports_take = Duration::from_mins(2);
    let activations_take = Duration::from_mins(1);
    let role = "arn:aws:iam::123456789012:role/Omics";

    let exporting = service(exports_take).await;
    let (store, read_sets) = seed(&exporting, || SeedReadSet::active(FileType::Bam));
    let planner = Planner::export("bench".into(), store, "s3://bucket/".into(), role.into());
    let exports = planner.plan(read_sets).unwrap();

    let activating = service(activations_take).await;
    let (store, read_sets) = seed(&activating, || SeedReadSet::archived(FileType::Bam));
    let activations = Planner::activation("bench".into(), store).plan(read_sets).unwrap();

    let both = service(activations_take).await;
    let (store, read_sets) = seed(&both, || SeedReadSet::archived(FileType::Bam));
    let planner = Planner::export("bench".into(), store, "s3://bucket/".into(), role.into());
    let exports_of_archived = planner.activate_archived(true).plan(read_sets).unwrap();

    tokio::join!(
        measure("10,000 exports", &exporting, exports, &[JobKind::Export], jobs_alone(100, exports_take)),
        measure(
            "10,000 activations",
            &activating,
            activations,
            &[JobKind::Activation],
            jobs_alone(20, activations_take),
        ),
        measure(
            "10,000 exports of archived read sets",
            &both,
            exports_of_archived,
            &[JobKind::Activation, JobKind::Export],
            // The exports run while later read sets are activated; the last ones follow.
            jobs_alone(20, activations_take) + activations_take,
        ),
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!("peak memory of client and all services together: {}", peak.trim_start_matches("VmHWM:").trim());
    }
}
