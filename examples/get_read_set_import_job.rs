//! Prints the read set that each source of an import became: `cargo run --example get_read_set_import_job`.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use healthomics::local::LocalService;
use healthomics::read_set::{FileType, GetReadSetImportJobOutput, ImportReadSetSource};
use healthomics::{Client, Error, ImportJobId, SequenceStoreId};

/// Paste this into a service. An import lasts up to 30 minutes a source: poll every 30 seconds.
async fn imported(
    client: &Client,
    store: &SequenceStoreId,
    job: &ImportJobId,
    ask_every: Duration,
) -> Result<GetReadSetImportJobOutput, Error> {
    loop {
        let job = client.get_read_set_import_job().sequence_store_id(store).id(job).send().await?;
        println!("import job {} is {}", job.id, job.status);
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
    local.fail_item("s3://my-bucket/broken.bam", "File validation failed");
    let sources = ["s3://my-bucket/NA12878.bam", "s3://my-bucket/broken.bam"].map(|file| {
        let source = ImportReadSetSource::builder().source_files(file).source_file_type(FileType::Ubam);
        source.subject_id("NA12878").sample_id("NA12878-A").build()
    });
    let call = client.start_read_set_import_job().sequence_store_id(&store).sources(sources);
    let started = call.role_arn("arn:aws:iam::123456789012:role/OmicsImport").send().await?;

    let job = imported(&client, &store, &started.id, Duration::from_millis(10)).await?;
    for source in &job.sources {
        let file = &source.source_files.source1;
        match &source.read_set_id {
            Some(id) => println!("{file} became read set {id}"),
            None => println!("{file} failed: {}", source.status_message.as_deref().unwrap_or("no reason given")),
        }
    }
    Ok(())
}
