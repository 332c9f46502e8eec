//! What the operations do: from the checked input of a request, through the state, to the body of the response.

pub(crate) mod activation;
pub(crate) mod export;
pub(crate) mod import;
mod job;
mod page;
pub(crate) mod read_set;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::clock::RequestTime;
use super::service_error::ServiceError;
use super::state::State;
use crate::model::time::to_iso8601;

/// Handles a request. The input has passed the checks of the operation's shape; null is a response without a body.
pub(crate) type Handler = fn(&mut State, Value, RequestTime) -> Result<Value, ServiceError>;

/// The input of Get operations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetInput {
    sequence_store_id: String,
    id: String,
}

/// A source of an export or activation job.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadSetSource {
    read_set_id: String,
}

fn parse<T: DeserializeOwned>(input: Value) -> Result<T, ServiceError> {
    serde_json::from_value(input).map_err(|error| ServiceError::serialization(error.to_string()))
}

fn read_set_ids(sources: Vec<ReadSetSource>) -> Vec<String> {
    sources.into_iter().map(|source| source.read_set_id).collect()
}

fn timestamp(time: OffsetDateTime) -> Value {
    json!(to_iso8601(time))
}
