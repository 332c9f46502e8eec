//! Activates and exports archived and active read sets. It can be interrupted at any moment and resumed:
//! `cargo run --example deliver`.
//!
//! In a crate of your own it needs `serde_json = "1"`, too.
#![allow(clippy::print_stdout)]

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use healthomics::bulk::Report;
use healthomics::job::Export;
use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::{FileType, ReadSetFilter, ReadSetStatus};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Paste this into a tool. `folder` stores the progress of this delivery: the same call resumes it.
async fn deliver(
    client: &Client,
    store: &SequenceStoreId,
    read_sets: &[ReadSetId],
    folder: &Path,
    poll_every: Duration,
) -> Result<Report<Export>, Failure> {
    // A journal requires the same input each time, and statuses change: the archived read sets are listed once and
    // stored.
    let decided = folder.join("archived.json");
    let archived = if let Ok(known) = std::fs::read(&decided) {
        serde_json::from_slice(&known)?
    } else {
        let archived = with_status(client, store, read_sets, ReadSetStatus::Archived).await?;
        std::fs::write(folder.join("draft"), serde_json::to_vec(&archived)?)?;
        std::fs::rename(folder.join("draft"), &decided)?;
        archived
    };
    let run =
        client.activate_read_sets().run_id("delivery-7-a").sequence_store_id(store).read_sets(archived).prepare()?;
    let activated = run.journal(folder.join("activate.jsonl")).poll_every(poll_every).run().await?;
    println!("activation: {activated}");

    // An item ends at once if another job is activating its read set: so the status of the read set is checked.
    while !with_status(client, store, read_sets, ReadSetStatus::Activating).await?.is_empty() {
        tokio::time::sleep(poll_every).await;
    }

    let run = client.export_read_sets().run_id("delivery-7-e").sequence_store_id(store).read_sets(read_sets);
    let run =
        run.destination("s3://my-bucket/exports/").role_arn("arn:aws:iam::123456789012:role/OmicsExport").prepare()?;
    Ok(run.journal(folder.join("export.jsonl")).poll_every(poll_every).run().await?)
}

/// The read sets that have a status, in the order of the input.
async fn with_status(
    client: &Client,
    store: &SequenceStoreId,
    read_sets: &[ReadSetId],
    status: ReadSetStatus,
) -> Result<Vec<ReadSetId>, Error> {
    let mut listed =
        client.list_read_sets().sequence_store_id(store).filter(ReadSetFilter::new().status(status)).items();
    let mut found = HashSet::new();
    while let Some(read_set) = listed.next().await {
        found.insert(read_set?.id);
    }
    Ok(read_sets.iter().filter(|id| found.contains(*id)).cloned().collect())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(300))).start().await?;
    let (client, store) = (local.client()?, local.create_sequence_store());
    let archived = || local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram));
    let active = || local.seed_read_set(&store, SeedReadSet::active(FileType::Cram));
    let read_sets: Vec<_> = (0..150).map(|number| if number % 3 == 0 { active() } else { archived() }).collect();
    // Another program activates one of them.
    client.start_read_set_activation_job().sequence_store_id(&store).sources([&read_sets[1]]).send().await?;

    let folder = std::env::temp_dir().join(format!("healthomics-delivery-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let often = Duration::from_millis(50);
    // It is interrupted and then resumed.
    let interrupted = tokio::time::timeout(often * 4, deliver(&client, &store, &read_sets, &folder, often)).await;
    println!("interrupted: {}", interrupted.is_err());
    let report = deliver(&client, &store, &read_sets, &folder, often).await?;
    println!("export: {report}; {} jobs in all", local.jobs().len());
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
