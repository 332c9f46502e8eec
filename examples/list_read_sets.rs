//! Lists the read sets of a subject, prints their sizes, and activates the archived ones:
//! `cargo run --example list_read_sets`.
#![allow(clippy::print_stdout)]

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::{FileType, JobFilter, JobStatus, MAX_ACTIVATION_SOURCES, ReadSetFilter, ReadSetStatus};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

/// Paste this into a service. It lists any number of read sets, page by page.
async fn archived(client: &Client, store: &SequenceStoreId, subject: &str) -> Result<Vec<ReadSetId>, Error> {
    let archived = ReadSetFilter::new().subject_id(subject).status(ReadSetStatus::Archived);
    let mut read_sets = client.list_read_sets().sequence_store_id(store).filter(archived).items();
    let mut ids = Vec::new();
    while let Some(read_set) = read_sets.next().await {
        ids.push(read_set?.id);
    }
    Ok(ids)
}

async fn bytes(client: &Client, store: &SequenceStoreId, id: &ReadSetId) -> Result<Option<u64>, Error> {
    let read_set = client.get_read_set_metadata().sequence_store_id(store).id(id).send().await?;
    // An archived read set has no files.
    let Some(files) = read_set.files else { return Ok(None) };
    let files = [files.source1, files.source2, files.index].into_iter().flatten();
    Ok(Some(files.filter_map(|file| file.content_length).sum()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    for _ in 0..250 {
        local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram).subject_id("HG00096"));
    }
    let active = local.seed_read_set(&store, SeedReadSet::active(FileType::Cram).subject_id("HG00096"));

    let ids = archived(&client, &store, "HG00096").await?;
    println!("{} read sets of HG00096 are archived", ids.len());
    for id in [&ids[0], &active] {
        match bytes(&client, &store, id).await? {
            Some(bytes) => println!("{id} has {bytes} bytes"),
            None => println!("{id} must be activated first"),
        }
    }

    for chunk in ids.chunks(MAX_ACTIVATION_SOURCES) {
        client.start_read_set_activation_job().sequence_store_id(&store).sources(chunk).send().await?;
    }
    let submitted = JobFilter::new().status(JobStatus::Submitted);
    let call = client.list_read_set_activation_jobs().sequence_store_id(&store).filter(submitted);
    // Page by page: `pages.token()` can be stored, and passed to `next_token` after a restart.
    let mut pages = call.max_results(10).pages();
    while let Some(page) = pages.next().await {
        println!("{} activation jobs wait; more to come: {}", page?.activation_jobs.len(), pages.token().is_some());
    }
    Ok(())
}
