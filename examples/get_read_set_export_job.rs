//! Polls an export job until it ends: `cargo run --example get_read_set_export_job`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::{FileType, GetReadSetExportJobOutput, ItemStatus};
use healthomics::{Client, Error, ExportJobId, SequenceStoreId};

/// Paste this into a service. An export takes minutes: poll every 30 seconds.
async fn exported(
    client: &Client,
    store: &SequenceStoreId,
    job: &ExportJobId,
    ask_every: Duration,
) -> Result<GetReadSetExportJobOutput, Error> {
    loop {
        let job = client.get_read_set_export_job().sequence_store_id(store).id(job).send().await?;
        println!("export job {} is {}", job.id, job.status);
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
    let active = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let archived = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let call = client.start_read_set_export_job().sequence_store_id(&store).destination("s3://my-bucket");
    let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources([active, archived]);
    let started = call.send().await?;

    let job = exported(&client, &store, &started.id, Duration::from_millis(10)).await?;
    for read_set in job.read_sets.iter().filter(|read_set| read_set.status != ItemStatus::Finished) {
        println!("{} failed: {}", read_set.id, read_set.status_message.as_deref().unwrap_or("no reason given"));
    }
    Ok(())
}
