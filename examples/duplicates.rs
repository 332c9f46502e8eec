//! Finds read sets of the same content in a store: `cargo run --example duplicates`.
//!
//! Their entity tags are equal: hashes of the reads, whatever the names and the compression of the files.
#![allow(clippy::print_stdout)]

use std::collections::HashMap;

use healthomics::local::LocalService;
use healthomics::read_set::{FileType, ImportReadSetSource};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

/// Paste this into a program. It returns each group of read sets of the same content, the oldest first. Those whose tag
/// the service leaves out are not compared.
async fn duplicates(client: &Client, store: &SequenceStoreId) -> Result<Vec<Vec<ReadSetId>>, Error> {
    let mut same_content: HashMap<_, Vec<_>> = HashMap::new();
    let mut read_sets = client.list_read_sets().sequence_store_id(store).items();
    while let Some(read_set) = read_sets.next().await {
        let read_set = read_set?;
        // The algorithm is a part of it: an aligned file and its reads as FASTQ have different tags.
        let Some(etag) = read_set.etag else { continue };
        let key = (etag.algorithm, etag.source1, etag.source2);
        same_content.entry(key).or_default().push((read_set.creation_time, read_set.id));
    }
    let mut groups: Vec<_> = same_content.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut groups {
        group.sort();
    }
    groups.sort();
    Ok(groups.into_iter().map(|group| group.into_iter().map(|(_, id)| id).collect()).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local = LocalService::start().await?;
    let client = local.client()?; // in your account: `Client::from_env()?`
    let store = local.create_sequence_store();
    let source = |file: &str| {
        let source = ImportReadSetSource::builder().source_files(format!("s3://my-bucket/{file}"));
        source.source_file_type(FileType::Ubam).subject_id("HG00096").sample_id("blood").build()
    };
    let import = client.start_read_set_import_job().sequence_store_id(&store);
    let import = import.role_arn("arn:aws:iam::123456789012:role/OmicsImport");
    let import = import.sources([source("lane-1.bam"), source("lane-2.bam"), source("lane-1.bam")]).send().await?;
    let outcome = client.job(&import).wait().await?;
    println!("{} read sets were imported", outcome.finished_items().count());

    for group in duplicates(&client, &store).await? {
        let [first, again @ ..] = group.as_slice() else { continue };
        println!("of {} read sets with the same content, {first} is the first", again.len() + 1);
        // To delete the others: `client.batch_delete_read_set().sequence_store_id(&store).ids(again).send().await?`
    }
    Ok(())
}
