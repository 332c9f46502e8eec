//! A web handler that checks a whole order before it accepts it: `cargo run --example validate_orders`. In a crate of
//! your own it needs `axum = "0.8"`, `serde = { version = "1", features = ["derive"] }` and `serde_json = "1"`, too. The
//! example `axum_service` runs what was accepted.
#![allow(clippy::print_stdout, clippy::unused_async)]

use axum::{Json, extract::State, http::StatusCode};
use healthomics::bulk::BulkError;
use healthomics::error::Violation;
use healthomics::local::LocalService;
use healthomics::{Client, ReadSetId, RoleArn, RunId, S3Destination, SequenceStoreId};
use serde_json::{Value, json};

/// The types take any text, so that one response has everything that is wrong, and not the first of it.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    run_id: RunId,
    sequence_store_id: SequenceStoreId,
    destination: S3Destination,
    role_arn: RoleArn,
    read_sets: Vec<ReadSetId>,
}

async fn export(State(client): State<Client>, Json(order): Json<Order>) -> Result<(StatusCode, Json<Value>), Invalid> {
    let call = client.export_read_sets().run_id(order.run_id).sequence_store_id(order.sequence_store_id);
    let call = call.destination(order.destination).role_arn(order.role_arn).read_sets(order.read_sets);
    let plan = call.plan().map_err(|error| invalid(&error))?; // sends nothing; `prepare` makes the run
    Ok((StatusCode::ACCEPTED, Json(json!({ "readSets": plan.item_count(), "jobs": plan.group_count() }))))
}

type Invalid = (StatusCode, Json<Value>);

fn invalid(error: &BulkError) -> Invalid {
    let violation = |v: &Violation| json!({ "index": v.index(), "field": v.field(), "message": v.message() });
    let body = match error {
        BulkError::InvalidInput(violations) => violations.iter().map(violation).collect(),
        other => json!([{ "message": other.to_string() }]), // duplicates
    };
    (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local = LocalService::start().await?;
    let client = local.client()?; // in a service: `Client::from_env()?`
    let orders = r#"[
        { "runId": "run 7", "sequenceStoreId": "1234567890", "destination": "s3://my-bucket/exports",
          "roleArn": "arn:aws:iam::123456789012:role/OmicsExport", "readSets": ["5555555555", "12a", ""] },
        { "runId": "run-8", "sequenceStoreId": "1234567890", "destination": "s3://my-bucket/exports/",
          "roleArn": "arn:aws:iam::123456789012:role/OmicsExport", "readSets": ["5555555555"] }
    ]"#;
    // In a service: `Router::new().route("/exports", post(export)).with_state(client)`
    for order in serde_json::from_str::<Vec<Order>>(orders)? {
        let (Ok((status, Json(body))) | Err((status, Json(body)))) = export(State(client.clone()), Json(order)).await;
        println!("{status}\n{body:#}");
    }
    Ok(())
}
