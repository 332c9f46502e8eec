//! A Lambda function of durable steps, whose outputs are stored as JSON: `cargo run --example durable_steps`.
//! In a crate of your own it needs `serde = "1"` and `serde_json = "1"`, too.
#![allow(clippy::print_stdout)]

use healthomics::job::{Job, JobKind, JobState};
use healthomics::local::{Fault, LocalService, Pace, SeedReadSet};
use healthomics::read_set::{FileType, ItemStatus, JobStatus};
use healthomics::{Client, ReadSetId};
use serde::{Serialize, de::DeserializeOwned};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Failure> = std::result::Result<T, E>;
type Steps = serde_json::Map<String, serde_json::Value>;

/// Returns the stored output of a step, or runs the step. A durable execution has such a function.
async fn step<T: Serialize + DeserializeOwned, E: Into<Failure>>(
    steps: &mut Steps,
    name: &str,
    run: impl Future<Output = Result<T, E>>,
) -> Result<T> {
    if let Some(stored) = steps.get(name) {
        return Ok(serde_json::from_value(stored.clone())?);
    }
    let output = run.await.map_err(Into::into)?;
    steps.insert(name.to_owned(), serde_json::to_value(&output)?);
    Ok(output)
}

async fn ended<K: JobKind>(job: Job<K>) -> Result<K::State> {
    let state = job.get().await?;
    if state.status().is_terminal() { Ok(state) } else { Err(format!("{job} is {}", state.status()).into()) }
}

/// Invoked again after an error, and until the jobs have ended. By its token, a repeated start returns the same job.
async fn handle(client: &Client, steps: &mut Steps, order: &str, store: &str, ids: &[ReadSetId]) -> Result<JobStatus> {
    let call = client.start_read_set_activation_job().sequence_store_id(store).sources(ids);
    let job = step(steps, "activation", call.client_token(format!("{order}-activation")).send()).await?;
    let activation = step(steps, "activation ended", ended(client.job(&job))).await?;
    let active = activation.sources.iter().filter(|item| item.status == ItemStatus::Finished);
    let call = client.start_read_set_export_job().sequence_store_id(store).destination("s3://my-bucket/");
    let call = call.sources(active.map(|item| &item.read_set_id)).role_arn("arn:aws:iam::123456789012:role/Export");
    let job = step(steps, "export", call.client_token(format!("{order}-export")).send()).await?;
    Ok(step(steps, "export ended", ended(client.job(&job))).await?.status)
}

#[tokio::main]
async fn main() -> Result<()> {
    let local = LocalService::builder().pace(Pace::Polls(3)).start().await?;
    let client = local.client_builder().max_attempts(1).build()?; // in a function: `Client::from_env()?`
    let store = local.create_sequence_store();
    let read_sets = [local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram))];
    local.queue_fault("StartReadSetExportJob", Fault::ResetAfter); // its response is lost
    let mut steps = Steps::new();
    for invocation in 1..=6 {
        let result = handle(&client, &mut steps, "order-7", store.as_str(), &read_sets).await;
        println!("invocation {invocation}: {result:?}; {} steps, {} jobs", steps.len(), local.jobs().len());
    }
    Ok(())
}
