//! A test of a user's service, as the guide describes it.

use healthomics::local::{Fault, LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

/// The code under test.
async fn prepare_analysis(client: &Client, store: &SequenceStoreId, read_sets: &[ReadSetId]) -> Result<usize, Error> {
    for chunk in read_sets.chunks(healthomics::read_set::MAX_ACTIVATION_SOURCES) {
        client.start_read_set_activation_job().sequence_store_id(store).sources(chunk).send().await?;
    }
    Ok(read_sets.len())
}

#[tokio::test]
async fn every_read_set_is_activated_once_even_if_a_response_is_lost() -> Result<(), Box<dyn std::error::Error>> {
    let local = LocalService::start().await?;
    let store = local.create_sequence_store();
    let archived: Vec<_> =
        (0..45).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram))).collect();
    local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);

    prepare_analysis(&local.client()?, &store, &archived).await?;

    assert_eq!(local.jobs().len(), 3);
    Ok(())
}
