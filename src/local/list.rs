//! Lists: what is in them, in which order, and where the next page starts.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::answer::ServiceError;
use super::assumed;
use super::auth::sha256_hex;
use super::job::text;
use super::world::{JobKind, World};
use crate::model::time::from_iso8601;

/// The items of a page, unless a request says otherwise.
const PAGE: usize = 100;

/// Where an item stands in its list: by its creation, and by a number if two were created at once.
type Key = (i128, u64);

/// List of jobs of any kind. It counts as no poll.
pub(crate) fn jobs(world: &World, kind: JobKind, input: &Value) -> Result<Value, ServiceError> {
    let store = text(input, "sequenceStoreId");
    if !world.stores.contains_key(&store) {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    }
    let name = match kind {
        JobKind::Export => "exportJobs",
        JobKind::Import => "importJobs",
        JobKind::Activation => "activationJobs",
    };
    let filter = Filter::of(input);
    let of_store = world.jobs.iter().zip(0..).filter(|(job, _)| job.kind == kind && job.store == store);
    let listed = of_store
        .filter(|(job, _)| filter.fits_time(job.created) && filter.fits("status", Some(job.status().as_str())))
        .map(|(job, number)| ((job.created.unix_timestamp_nanos(), number), job));
    let (page, next) = page(name, input, listed.collect())?;
    Ok(answer(name, page.into_iter().map(|job| Value::Object(job.entry())).collect(), next))
}

/// List of read sets.
pub(crate) fn read_sets(world: &World, input: &Value) -> Result<Value, ServiceError> {
    let store = text(input, "sequenceStoreId");
    let Some(read_sets) = world.stores.get(&store) else {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    };
    let filter = Filter::of(input);
    let listed = read_sets
        .values()
        .filter(|read_set| {
            filter.fits_time(read_set.created)
                && filter.fits("status", Some(read_set.shown.status.as_str()))
                && filter.fits("creationType", Some(read_set.origin.creation_type().as_str()))
                && filter.fits("name", read_set.shown.name.as_deref())
                && filter.fits("sampleId", read_set.shown.sample_id.as_ref().map(|id| id.as_str()))
                && filter.fits("subjectId", read_set.shown.subject_id.as_ref().map(|id| id.as_str()))
                && filter.fits("generatedFrom", read_set.origin.given("generatedFrom"))
                && filter.fits("referenceArn", read_set.origin.given("referenceArn").or(Some("")))
        })
        .map(|read_set| ((read_set.created.unix_timestamp_nanos(), read_set.number), read_set));
    let (page, next) = page("readSets", input, listed.collect())?;
    let entries = page.into_iter().map(|read_set| Value::Object(read_set.entry(&store, &world.region)));
    Ok(answer("readSets", entries.collect(), next))
}

fn answer(name: &str, entries: Vec<Value>, next: Option<String>) -> Value {
    let mut answer = Map::from_iter([(name.to_owned(), Value::Array(entries))]);
    answer.extend(next.map(|token| ("nextToken".to_owned(), Value::String(token))));
    Value::Object(answer)
}

/// What the request narrows the list to.
struct Filter<'a> {
    members: Option<&'a Value>,
    after: Option<OffsetDateTime>,
    before: Option<OffsetDateTime>,
}

impl<'a> Filter<'a> {
    fn of(input: &'a Value) -> Self {
        let members = input.get("filter");
        let time = |name| members?.get(name)?.as_str().and_then(from_iso8601);
        Self { members, after: time("createdAfter"), before: time("createdBefore") }
    }

    fn fits_time(&self, created: OffsetDateTime) -> bool {
        self.after.is_none_or(|after| created > after) && self.before.is_none_or(|before| created < before)
    }

    /// Whether a member of the filter is absent or has this value.
    fn fits(&self, name: &str, value: Option<&str>) -> bool {
        let wanted = self.members.and_then(|members| members.get(name)).and_then(Value::as_str);
        wanted.is_none() || wanted == value
    }
}

/// The page that the request asks for, and the token of the next one if there is more.
fn page<T>(name: &str, input: &Value, mut listed: Vec<(Key, T)>) -> Result<(Vec<T>, Option<String>), ServiceError> {
    if let Some(token) = input.get("nextToken").and_then(Value::as_str) {
        let last = key_of(token, name, input);
        let last = last.ok_or_else(|| ServiceError::validation(assumed::TOKEN_OF_ANOTHER_LIST))?;
        listed.retain(|(key, _)| *key > last);
    }
    listed.sort_by_key(|(key, _)| *key);
    let most = input.get("maxResults").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    let most = most.unwrap_or(PAGE);
    let is_more = listed.len() > most;
    listed.truncate(most);
    let next = listed.last().filter(|_| is_more).map(|(key, _)| token(*key, name, input));
    Ok((listed.into_iter().map(|(_, item)| item).collect(), next))
}

/// The token for what comes behind an item. It is of use to the list, store and filter alone that it was made for.
fn token((created, number): Key, name: &str, input: &Value) -> String {
    let filter = input.get("filter").filter(|filter| filter.as_object().is_none_or(|members| !members.is_empty()));
    let of = json!([name, input.get("sequenceStoreId"), filter, created.to_string(), number]);
    let seal = sha256_hex(of.to_string().as_bytes());
    format!("{:032x}{number:016x}{seal}", created.cast_unsigned())
}

fn key_of(given: &str, name: &str, input: &Value) -> Option<Key> {
    let created = u128::from_str_radix(given.get(..32)?, 16).ok()?.cast_signed();
    let number = u64::from_str_radix(given.get(32..48)?, 16).ok()?;
    (token((created, number), name, input) == given).then_some((created, number))
}
