//! How long 10,000 exports and 10,000 activations take, compared with job durations and quotas alone: against the local
//! service over HTTP, with the quotas of a new account and with faults, in real time. `cargo bench --bench bulk` takes about
//! 36 minutes, and sleeps most of them.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures, and panics on a failure")]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use healthomics::bulk::{BulkStart, Plan, Planner};
use healthomics::local::{Fault, LocalService, Pace, Quotas, SeedReadSet};
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

async fn measure<K: BulkStart>(
    what: &str,
    local: &LocalService,
    plan: Plan<K>,
    operations: [&str; 3],
    takes: Duration,
) {
    for _ in 0..100 {
        local.queue_fault(operations[0], Fault::Delay(Duration::ZERO));
        local.queue_fault(operations[0], Fault::Delay(Duration::ZERO));
        local.queue_fault(operations[0], Fault::ResetAfter);
        local.queue_fault(operations[2], Fault::error(500, "InternalServerException", "An unexpected error occurred."));
        local.queue_fault(operations[2], Fault::Delay(Duration::from_millis(50)));
        local.queue_fault(operations[2], Fault::Delay(Duration::ZERO));
    }
    let jobs = u32::try_from(plan.group_count()).unwrap();
    let ideal = (takes * jobs.div_ceil(20)).max(Duration::from_millis(200) * jobs);
    let started_at = Instant::now();
    let report = local.client().unwrap().bulk_run(plan).run().await.unwrap();
    let took = started_at.elapsed();

    let started = local.jobs();
    let keys: HashSet<_> = started.iter().flat_map(|job| job.items.iter().map(|item| &item.key)).collect();
    let items: usize = started.iter().map(|job| job.items.len()).sum();
    let requests = local.requests();
    let count = |operation| requests.iter().filter(|request| request.operation == Some(operation)).count();
    println!(
        "{what}: {report}; {took:.1?}, {:.3} of the ideal {ideal:.0?}; {} jobs, {} duplicates; {} starts, {} lists, {} gets",
        took.as_secs_f64() / ideal.as_secs_f64(),
        started.len(),
        items - keys.len(),
        count(operations[0]),
        count(operations[1]),
        count(operations[2]),
    );
    assert_eq!((report.finished_count(), keys.len(), items), (ITEMS, ITEMS, ITEMS));
}

#[tokio::main]
async fn main() {
    let (exports_take, activations_take) = (Duration::from_mins(2), Duration::from_mins(1));
    let (exporting, activating) = (service(exports_take).await, service(activations_take).await);
    let (store, read_sets) = seed(&exporting, || SeedReadSet::active(FileType::Bam));
    let role = "arn:aws:iam::123456789012:role/Omics";
    let export = Planner::export("bench".into(), store, "s3://bucket/".into(), role.into()).plan(read_sets).unwrap();
    let (store, read_sets) = seed(&activating, || SeedReadSet::archived(FileType::Bam));
    let activate = Planner::activation("bench".into(), store).plan(read_sets).unwrap();
    tokio::join!(
        measure(
            "10,000 exports",
            &exporting,
            export,
            ["StartReadSetExportJob", "ListReadSetExportJobs", "GetReadSetExportJob"],
            exports_take,
        ),
        measure(
            "10,000 activations",
            &activating,
            activate,
            ["StartReadSetActivationJob", "ListReadSetActivationJobs", "GetReadSetActivationJob"],
            activations_take,
        ),
    );
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
        println!("peak memory of client and both services together: {}", peak.trim_start_matches("VmHWM:").trim());
    }
}
