//! A thousand starts through a service that fails a third of them: no job is lost and none is started twice.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashSet;
use std::time::{Duration, Instant};

use healthomics::local::{Fault, LocalService, SeedReadSet};
use healthomics::read_set::{FileType, StartReadSetActivationJobOutput};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

const STARTS: usize = 1_000;
const OPERATION: &str = "StartReadSetActivationJob";

/// Every third request that comes is faulted, the kinds in turn.
fn fault_a_third(local: &LocalService) -> usize {
    let faults = [
        Fault::ResetAfter,
        Fault::error(500, "InternalServerException", "An unexpected error occurred."),
        Fault::error(429, "ThrottlingException", "Rate exceeded"),
        Fault::Delay(Duration::from_millis(20)),
        Fault::answer_after(500, "<html>lost on the way back</html>"),
        Fault::answer(429, ""),
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

/// Each answer is the job of its own start, and there is no other job.
fn assert_each_once(local: &LocalService, answers: &[(ReadSetId, StartReadSetActivationJobOutput)]) {
    let jobs = local.jobs();
    assert_eq!(answers.len(), STARTS);
    assert_eq!(jobs.len(), STARTS, "jobs at the service");
    // Of the six kinds of faults five make another request necessary.
    assert!(local.requests().len() >= STARTS + STARTS / 3 * 5 / 6 - 6, "{} requests", local.requests().len());
    for (read_set, answer) in answers {
        let job = jobs.iter().find(|job| job.id == answer.id.as_str()).unwrap();
        assert_eq!(job.client_token.as_ref(), Some(&answer.client_token));
        assert_eq!(job.items.len(), 1);
        assert_eq!(job.items[0].key, read_set.as_str());
    }
    let distinct: HashSet<_> = answers.iter().map(|(_, answer)| answer.id.as_str()).collect();
    assert_eq!(distinct.len(), STARTS, "distinct answers");
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
    // A retry may meet a fault again, so more attempts than by default; and nothing here waits for seconds.
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
    let mut answers = Vec::new();
    for call in calls {
        let (read_set, answer) = call.await.unwrap();
        answers.push((read_set, answer.unwrap()));
    }
    assert_each_once(&local, &answers);
    println!("{STARTS} at once: {faulted} faults, {} requests, {:?}", local.requests().len(), begun.elapsed());
}

#[tokio::test]
async fn a_thousand_starts_one_after_another_with_the_default_quota() {
    let local = LocalService::start().await.unwrap();
    let (store, read_sets) = seed(&local);
    let faulted = fault_a_third(&local);
    let client = local.client_builder().throttling_backoff(Duration::from_millis(50)).build().unwrap();

    let begun = Instant::now();
    let mut answers = Vec::new();
    for read_set in read_sets {
        let answer = start(client.clone(), store.clone(), read_set.clone()).await.unwrap();
        answers.push((read_set, answer));
    }
    assert_each_once(&local, &answers);
    println!("{STARTS} in turn: {faulted} faults, {} requests, {:?}", local.requests().len(), begun.elapsed());
}
