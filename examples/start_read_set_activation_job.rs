//! Activates archived read sets: `cargo run --example start_read_set_activation_job`.
//!
//! It also shows how to repeat a start safely, with the client token of the error.
#![allow(clippy::print_stdout)]

use healthomics::local::{Fault, LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{ActivationJobId, Client, Error, ReadSetId, SequenceStoreId};

/// Paste this into a service. Up to 20 read sets go into one job.
async fn activate(client: &Client, store: &SequenceStoreId, read_sets: &[ReadSetId]) -> Result<ActivationJobId, Error> {
    let call = client.start_read_set_activation_job().sequence_store_id(store).sources(read_sets);
    let job = match call.clone().send().await {
        Ok(job) => job,
        Err(error) if error.is_retryable() || error.may_have_been_applied() => {
            // The service may have started the job all the same. With the same token, the call returns that job;
            // without it, a second job would be started.
            println!("{error}");
            let Some(token) = error.client_token() else { return Err(error) };
            call.client_token(token).send().await?
        }
        Err(error) => return Err(error),
    };
    println!("activation job {} is {}", job.id, job.status);
    Ok(job.id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    let archived = local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram));
    // The service starts the job, and the connection breaks three times before the response.
    for _ in 0..3 {
        local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
    }

    activate(&client, &store, &[archived]).await?;
    println!("{} job was started", local.jobs().len());
    Ok(())
}
