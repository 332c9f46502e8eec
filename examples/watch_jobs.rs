//! Waits for the end of many jobs: `cargo run --example watch_jobs`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use healthomics::Client;
use healthomics::job::{Activation, Job};
use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;

/// Paste this into a service. In a real account, do not set `poll_every`: its default is 30 seconds.
async fn follow(client: &Client, jobs: Vec<Job<Activation>>, poll_every: Duration) -> usize {
    let mut active = 0;
    let mut watch = client.watch(jobs).poll_every(poll_every);
    while let Some((job, outcome)) = watch.next().await {
        match outcome {
            Ok(outcome) => {
                active += outcome.finished_items().count();
                for item in outcome.failed_items() {
                    println!("{job}: {} failed: {}", item.read_set_id, item.reason());
                }
            }
            Err(error) => println!("{error}"),
        }
    }
    active
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(100))).start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    let read_sets: Vec<_> =
        (0..1_000).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram))).collect();
    let mut jobs = Vec::new();
    for chunk in read_sets.chunks(healthomics::read_set::MAX_ACTIVATION_SOURCES) {
        let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(chunk);
        jobs.push(client.job(&call.send().await?));
    }

    let count = jobs.len();
    let active = follow(&client, jobs, Duration::from_millis(20)).await;
    println!("{active} read sets of {count} jobs are active");
    Ok(())
}
