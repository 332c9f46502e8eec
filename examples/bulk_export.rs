//! Exports thousands of read sets to a bucket, and can be resumed after a crash: `cargo run --example bulk_export`.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Duration;

use healthomics::bulk::{BulkError, Report};
use healthomics::job::Export;
use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, ReadSetId, SequenceStoreId};

/// Paste this into a tool. In a real account, do not set `poll_every`: its default is 2 seconds.
async fn export_all(
    client: &Client,
    store: &SequenceStoreId,
    read_sets: &[ReadSetId],
    journal: &Path,
    poll_every: Duration,
) -> Result<Report<Export>, BulkError> {
    let run = client
        .export_read_sets()
        .run_id("delivery-2026-11")
        .sequence_store_id(store)
        .destination("s3://my-bucket/exports/")
        .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
        .read_sets(read_sets)
        .prepare()?;
    // The same call with the same journal resumes a run that was interrupted.
    run.journal(journal).poll_every(poll_every).run().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(50))).start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    let read_sets: Vec<_> =
        (0..2_000).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Bam))).collect();
    local.fail_item(read_sets[7].as_str(), "Access to the bucket was denied");

    let journal = std::env::temp_dir().join(format!("healthomics-export-{}.jsonl", std::process::id()));
    let report = export_all(&client, &store, &read_sets, &journal, Duration::from_millis(10)).await?;
    // The number of finished items, and each cause of failures once.
    println!("{report}");
    for item in report.failed() {
        println!("failed: {} (number {})", item.item, item.position);
    }
    std::fs::remove_file(journal)?;
    Ok(())
}
