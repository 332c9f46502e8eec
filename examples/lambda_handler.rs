//! A handler as AWS Lambda calls it: starts jobs and returns, `cargo run --example lambda_handler`.
//!
//! It does not wait: a function is paid by the millisecond and stopped after 15 minutes. What comes after the jobs is done
//! by a handler of their events, as in the example `job_events`.
//!
//! In a crate of your own it needs `serde = { version = "1", features = ["derive"] }` and `serde_json = "1"`, too, and
//! the crate `lambda_runtime`, of which `main` here plays the part.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use healthomics::local::{Fault, LocalService};
use healthomics::{ActivationJobId, Client, ClientBuilder, ReadSetId, RunId, SequenceStoreId};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the function is called with. The order is of the caller, and the same when it asks again.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    order: RunId,
    sequence_store_id: SequenceStoreId,
    read_sets: Vec<ReadSetId>,
}

#[derive(Serialize)]
struct Response {
    jobs: Vec<ActivationJobId>,
}

/// Paste this into a function. Lambda calls it again if it fails, or twice to begin with: the tokens are made of the order
/// and its content, so that the same jobs are found and none starts twice.
async fn handle(client: &Client, request: Request) -> Result<Response, Failure> {
    let store = &request.sequence_store_id;
    let plan = client.activate_read_sets().run_id(request.order).sequence_store_id(store);
    let plan = plan.read_sets(request.read_sets).plan()?;
    let mut jobs = Vec::new();
    for group in plan.groups() {
        let call = client.start_read_set_activation_job().sequence_store_id(store).sources(group.items());
        jobs.push(call.client_token(group.client_token()).send().await?.id);
    }
    Ok(Response { jobs })
}

/// Once for a cold start: credentials and region are in the environment of a function, so that nothing is asked of
/// anybody, and no feature is needed. Calls of later invocations find their connection open.
fn client(builder: ClientBuilder) -> Result<Client, healthomics::Error> {
    // Below the timeout of the function, so that it ends with an error that says what happened.
    builder.operation_timeout(Duration::from_secs(20)).build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let local = LocalService::start().await?;
    let started = Instant::now();
    // In a function: `let client = client(ClientBuilder::from_env()?)?;` and then, of `lambda_runtime`,
    // `run(service_fn(|event: LambdaEvent<Request>| handle(&client, event.payload))).await`
    let client = client(local.client_builder())?;
    println!("cold start: the client is there after {} ms", started.elapsed().as_millis());

    let store = local.create_sequence_store();
    let read_sets: Vec<_> = (0..45).map(|number| format!("{:010}", 5_555_555_555_u64 + number)).collect();
    let payload = serde_json::json!({ "order": "analysis-7", "sequenceStoreId": store, "readSets": read_sets });
    // The second start fails for good, and the invocation with it.
    local.queue_fault("StartReadSetActivationJob", Fault::DateOffset(0));
    local.queue_fault("StartReadSetActivationJob", Fault::error(402, "ServiceQuotaExceededException", "Too many jobs"));
    for invocation in 1..=3 {
        match handle(&client, serde_json::from_value(payload.clone())?).await {
            Ok(response) => println!("invocation {invocation}: {}", serde_json::to_string(&response)?),
            Err(error) => println!("invocation {invocation} failed: {error}"),
        }
    }
    println!("{} jobs were started", local.jobs().len());
    Ok(())
}
