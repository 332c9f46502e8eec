//! Deletes read sets, a hundred in a call: `cargo run --example batch_delete_read_set`.
#![allow(clippy::print_stdout)]

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::{FileType, MAX_DELETE_IDS, ReadSetBatchError};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

/// Paste this into a service. It deletes any number of read sets, and returns those that were not deleted, with the
/// reason.
async fn delete(client: &Client, store: &SequenceStoreId, ids: &[ReadSetId]) -> Result<Vec<ReadSetBatchError>, Error> {
    let mut kept = Vec::new();
    for chunk in ids.chunks(MAX_DELETE_IDS) {
        let deleted = client.batch_delete_read_set().sequence_store_id(store).ids(chunk).send().await?;
        // A read set that does not exist needs no deletion.
        kept.extend(
            deleted.errors.into_iter().filter(|error| error.code.as_deref() != Some("ResourceNotFoundException")),
        );
    }
    Ok(kept)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    let ids: Vec<_> = (0..250).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Cram))).collect();

    for error in delete(&client, &store, &ids).await? {
        println!("not deleted: {error}");
    }
    let left = client.list_read_sets().sequence_store_id(&store).send().await?.read_sets;
    println!("{} of {} read sets are left", left.len(), ids.len());
    Ok(())
}
