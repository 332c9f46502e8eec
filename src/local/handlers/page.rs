//! Pages of lists, their filters and their tokens.

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::local::auth::sha256_hex;
use crate::local::messages;
use crate::local::service_error::ServiceError;
use crate::local::state::Position;
use crate::model::time::from_iso8601;

/// The entries of a page, unless the request says otherwise.
const DEFAULT_PAGE_SIZE: usize = 100;
/// The end of every token, which is only read correctly if it is percent-encoded.
const TOKEN_END: &str = "%20=&1";

/// The input of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListInput<F: Default> {
    pub(super) sequence_store_id: String,
    pub(super) max_results: Option<usize>,
    pub(super) next_token: Option<String>,
    #[serde(default)]
    pub(super) filter: F,
}

/// The part of a filter that all lists have.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreationFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    created_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    #[serde(flatten)]
    created: CreationFilter,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadSetFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sample_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generated_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) creation_type: Option<String>,
    #[serde(flatten)]
    created: CreationFilter,
}

/// A filter of a list.
pub(super) trait Filter: Default + Serialize {
    fn created(&self) -> &CreationFilter;
}

impl Filter for JobFilter {
    fn created(&self) -> &CreationFilter {
        &self.created
    }
}

impl Filter for ReadSetFilter {
    fn created(&self) -> &CreationFilter {
        &self.created
    }
}

impl CreationFilter {
    /// Everything at or before this position was created too early.
    fn start(&self) -> Option<Position> {
        let after = parse_time(self.created_after.as_deref())?;
        Some(Position { created: after.unix_timestamp_nanos(), number: u64::MAX })
    }
}

fn parse_time(text: Option<&str>) -> Option<OffsetDateTime> {
    text.and_then(from_iso8601)
}

/// A page that is being filled.
pub(super) struct Page<'a, F: Default> {
    list_name: &'static str,
    input: &'a ListInput<F>,
    max_entries: usize,
    /// The position of the last entry that was passed.
    position: Bound<Position>,
    created_before: Option<OffsetDateTime>,
    entries: Vec<Value>,
}

impl<'a, F: Filter> Page<'a, F> {
    /// The page that a request asks for, without entries.
    pub(super) fn new(list_name: &'static str, input: &'a ListInput<F>) -> Result<Self, ServiceError> {
        let after_token = match &input.next_token {
            None => None,
            Some(token) => {
                let position = position_of_token(token, list_name, input);
                Some(position.ok_or_else(|| ServiceError::validation(messages::INVALID_NEXT_TOKEN))?)
            }
        };
        let created = input.filter.created();
        let position = after_token.max(created.start());
        Ok(Self {
            list_name,
            input,
            max_entries: input.max_results.unwrap_or(DEFAULT_PAGE_SIZE),
            position: position.map_or(Bound::Unbounded, Bound::Excluded),
            created_before: parse_time(created.created_before.as_deref()),
            entries: Vec::new(),
        })
    }

    pub(super) fn position(&self) -> Bound<Position> {
        self.position
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= self.max_entries
    }

    /// Whether an entry at this position was created early enough. If not, that is true of all later positions.
    pub(super) fn includes(&self, position: Position) -> bool {
        self.created_before.is_none_or(|before| position.created < before.unix_timestamp_nanos())
    }

    /// Passes a position; the entry is `None` if the filter excludes it.
    pub(super) fn pass(&mut self, position: Position, entry: Option<Value>) {
        self.position = Bound::Excluded(position);
        self.entries.extend(entry);
    }

    pub(super) fn into_response(self, has_more: bool) -> Value {
        let mut response = Map::from_iter([(self.list_name.to_owned(), Value::Array(self.entries))]);
        if let Bound::Excluded(position) = self.position
            && has_more
        {
            response.insert("nextToken".to_owned(), Value::String(token(position, self.list_name, self.input)));
        }
        Value::Object(response)
    }
}

/// The token of the page after a position. It is valid only for the list, store and filter that it was made for.
fn token<F: Filter>(position: Position, list_name: &str, input: &ListInput<F>) -> String {
    let Position { created, number } = position;
    let valid_for = json!([list_name, input.sequence_store_id, input.filter, created.to_string(), number]);
    let digest = sha256_hex(valid_for.to_string().as_bytes());
    format!("{:032x}+{number:016x}/{digest}{TOKEN_END}", created.cast_unsigned())
}

fn position_of_token<F: Filter>(given: &str, list_name: &str, input: &ListInput<F>) -> Option<Position> {
    let (created, rest) = given.split_once('+')?;
    let (number, _) = rest.split_once('/')?;
    let position = Position {
        created: u128::from_str_radix(created, 16).ok()?.cast_signed(),
        number: u64::from_str_radix(number, 16).ok()?,
    };
    (token(position, list_name, input) == given).then_some(position)
}
