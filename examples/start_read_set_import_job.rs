//! Imports files from a bucket: `cargo run --example start_read_set_import_job`.
#![allow(clippy::print_stdout)]

use healthomics::local::LocalService;
use healthomics::read_set::{FileType, ImportReadSetSource, SourceFiles};
use healthomics::{Client, Error, ImportJobId, SequenceStoreId};

const REFERENCE: &str = "arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/3800000038";

/// Paste this into a service. Up to 100 sources, of any file types, go into one job.
async fn import(client: &Client, store: &SequenceStoreId) -> Result<ImportJobId, Error> {
    let pair = ImportReadSetSource::builder()
        .source_files(
            SourceFiles::source1("s3://my-bucket/run-7/SRR233106_1.fastq.gz")
                .source2("s3://my-bucket/run-7/SRR233106_2.fastq.gz"),
        )
        .source_file_type(FileType::Fastq)
        .subject_id("HG00146")
        .sample_id("SRR233106")
        .tag("run", "7")
        .build();
    let aligned = ImportReadSetSource::builder()
        .source_files("s3://my-bucket/run-7/HG00096.cram")
        .source_file_type(FileType::Cram)
        .subject_id("HG00096")
        .sample_id("HG00096")
        .reference_arn(REFERENCE)
        .build();
    let job = client
        .start_read_set_import_job()
        .sequence_store_id(store)
        .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
        .sources([pair, aligned])
        .send()
        .await?;
    println!("import job {} is {}", job.id, job.status);
    Ok(job.id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let store = local.create_sequence_store();

    import(&local.client()?, &store).await?;
    Ok(())
}
