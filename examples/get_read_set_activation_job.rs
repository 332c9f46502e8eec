//! Polls an activation job until it ends: `cargo run --example get_read_set_activation_job`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::{FileType, GetReadSetActivationJobOutput};
use healthomics::{ActivationJobId, Client, Error, SequenceStoreId};

/// Paste this into a service. An activation takes about a minute: poll every 10 seconds.
async fn activated(
    client: &Client,
    store: &SequenceStoreId,
    job: &ActivationJobId,
    ask_every: Duration,
) -> Result<GetReadSetActivationJobOutput, Error> {
    loop {
        let job = client.get_read_set_activation_job().sequence_store_id(store).id(job).send().await?;
        println!("activation job {} is {}", job.id, job.status);
        if job.status.is_terminal() {
            return Ok(job);
        }
        tokio::time::sleep(ask_every).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    let archived = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let active = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([archived, active]);
    let started = call.send().await?;

    let job = activated(&client, &store, &started.id, Duration::from_millis(10)).await?;
    for source in &job.sources {
        println!("{} {}: {}", source.read_set_id, source.status, source.status_message.as_deref().unwrap_or_default());
    }
    Ok(())
}
