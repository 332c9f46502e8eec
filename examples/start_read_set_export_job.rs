//! Exports read sets to a bucket: `cargo run --example start_read_set_export_job`.
#![allow(clippy::print_stdout)]

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, Error, ExportJobId, ReadSetId, SequenceStoreId};

/// Paste this into a service. Up to 100 read sets go into one job.
async fn export(client: &Client, store: &SequenceStoreId, read_sets: &[ReadSetId]) -> Result<ExportJobId, Error> {
    let job = client
        .start_read_set_export_job()
        .sequence_store_id(store)
        .destination("s3://my-bucket/exports/")
        .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
        .sources(read_sets)
        .send()
        .await?;
    println!("export job {} is {}", job.id, job.status);
    Ok(job.id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    let read_sets: Vec<_> = (0..3).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Bam))).collect();

    export(&client, &store, &read_sets).await?;
    Ok(())
}
