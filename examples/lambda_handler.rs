//! A handler for AWS Lambda that starts jobs and returns: `cargo run --example lambda_handler`.
//!
//! It does not wait, as functions are billed by the millisecond and limited to 15 minutes. A handler of the events of
//! the jobs continues the work: see the example `job_events`.
//!
//! In a crate of your own it needs `serde = { version = "1", features = ["derive"] }` and `serde_json = "1"`, too, and
//! the crate `lambda_runtime`, in whose place `main` calls the handler here.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use healthomics::local::{Fault, LocalService};
use healthomics::{ActivationJobId, Client, ClientBuilder, ReadSetId, RunId, SequenceStoreId};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The payload of the function. The caller sets the order, and repeats it in a retry.
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

/// Paste this into a function. Lambda invokes a function again if it fails, and may invoke it twice. The client tokens
/// are computed from the order and its content, so that the same jobs are returned and none is started twice.
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

/// Creates the client, once for a cold start. Credentials and region are in the environment of a function, so that no
/// request and no feature is needed. Later invocations reuse the connection.
fn client(builder: ClientBuilder) -> Result<Client, healthomics::Error> {
    // Less than the timeout of the function, so that the call returns an error before it.
    builder.operation_timeout(Duration::from_secs(20)).build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let local = LocalService::start().await?;
    let started = Instant::now();
    // In a function: `let client = client(ClientBuilder::from_env()?)?;` and then, with `lambda_runtime`,
    // `run(service_fn(|event: LambdaEvent<Request>| handle(&client, event.payload))).await`
    let client = client(local.client_builder())?;
    println!("cold start: the client is there after {} ms", started.elapsed().as_millis());

    let store = local.create_sequence_store();
    let read_sets: Vec<_> = (0..45).map(|number| format!("{:010}", 5_555_555_555_u64 + number)).collect();
    let payload = serde_json::json!({ "order": "analysis-7", "sequenceStoreId": store, "readSets": read_sets });
    // The second start fails, and so does the invocation.
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
