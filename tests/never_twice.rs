//! A thousand starts with faults in a third of the requests: no job is lost, and none is started twice.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use healthomics::local::{Fault, LocalService, SeedReadSet};
use healthomics::read_set::{FileType, StartReadSetActivationJobOutput};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

const STARTS: usize = 1_000;
const OPERATION: &str = "StartReadSetActivationJob";

/// Injects a fault into every third request, one kind after the other.
fn fault_a_third(local: &LocalService) -> usize {
    let faults = [
        Fault::ResetAfter,
        Fault::error(500, "InternalServerException", "An unexpected error occurred."),
        Fault::error(429, "ThrottlingException", "Rate exceeded"),
        Fault::Delay(Duration::from_millis(20)),
        Fault::response_after(500, "<html>response lost</html>"),
        Fault::response(429, ""),
    ];
    let mut faulted = 0;
    for number in 0..STARTS {
        if number % 3 == 0 {
            local.queue_fault(OPERATION, faults[faulted % faults.len()].clone());
            faulted += 1;
        } else {
            local.queue_fault(OPERATION, Fault::Delay(Duration::ZERO));
        }
    }
    faulted
}

async fn start(
    client: Client,
    store: SequenceStoreId,
    read_set: ReadSetId,
) -> Result<StartReadSetActivationJobOutput, Error> {
    client.start_read_set_activation_job().sequence_store_id(store).sources([read_set]).send().await
}

/// Each output is the job of its own start, and there are no other jobs.
fn assert_each_once(local: &LocalService, started: &[(ReadSetId, StartReadSetActivationJobOutput)]) {
    let jobs = local.jobs();
    assert_eq!(started.len(), STARTS);
    assert_eq!(jobs.len(), STARTS, "jobs at the service");
    // Five of the six kinds of faults cause a retry.
    assert!(local.requests().len() >= STARTS + STARTS / 3 * 5 / 6 - 6, "{} requests", local.requests().len());
    for (read_set, output) in started {
        let job = jobs.iter().find(|job| job.id == output.id.as_str()).unwrap();
        assert_eq!(job.client_token.as_ref(), Some(&output.client_token));
        assert_eq!(job.items.len(), 1);
        assert_eq!(job.items[0].key, read_set.as_str());
    }
    let distinct: HashSet<_> = started.iter().map(|(_, output)| output.id.as_str()).collect();
    assert_eq!(distinct.len(), STARTS, "distinct jobs");
}

fn seed(local: &LocalService) -> (SequenceStoreId, Vec<ReadSetId>) {
    let store = local.create_sequence_store();
    let seed = || local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let read_sets = (0..STARTS).map(|_| seed()).collect();
    (store, read_sets)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_starts_at_once() {
    let local = LocalService::start().await.unwrap();
    let (store, read_sets) = seed(&local);
    let faulted = fault_a_third(&local);
    // A retry may get a fault, too, so there are more attempts than by default, and shorter backoffs.
    let builder = local.client_builder().retry_quota(None).max_attempts(12);
    let client = builder.throttling_backoff(Duration::from_millis(50)).build().unwrap();

    let begun = Instant::now();
    let calls: Vec<_> = read_sets
        .into_iter()
        .map(|read_set| {
            let call = start(client.clone(), store.clone(), read_set.clone());
            tokio::spawn(async move { (read_set, call.await) })
        })
        .collect();
    let mut started = Vec::new();
    for call in calls {
        let (read_set, output) = call.await.unwrap();
        started.push((read_set, output.unwrap()));
    }
    assert_each_once(&local, &started);
    println!("{STARTS} at once: {faulted} faults, {} requests, {:?}", local.requests().len(), begun.elapsed());
}

#[tokio::test]
async fn a_thousand_starts_one_after_another_with_the_default_quota() {
    let local = LocalService::start().await.unwrap();
    let (store, read_sets) = seed(&local);
    let faulted = fault_a_third(&local);
    let client = local.client_builder().throttling_backoff(Duration::from_millis(50)).build().unwrap();

    let begun = Instant::now();
    let mut started = Vec::new();
    for read_set in read_sets {
        let output = start(client.clone(), store.clone(), read_set.clone()).await.unwrap();
        started.push((read_set, output));
    }
    assert_each_once(&local, &started);
    println!(
        "{STARTS} one after another: {faulted} faults, {} requests, {:?}",
        local.requests().len(),
        begun.elapsed()
    );
}
