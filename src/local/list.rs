//! Lists: what is in them, in which order, and where the next page starts.

use std::collections::BTreeSet;
use std::ops::Bound;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::answer::ServiceError;
use super::assumed;
use super::auth::sha256_hex;
use super::job::{Job, text};
use super::read_set::ReadSet;
use super::route::Now;
use super::world::{JobKind, Key, Store, World};
use crate::model::time::from_iso8601;

/// The items of a page, unless a request says otherwise.
const PAGE: usize = 100;
/// At the end of every token: what is not taken as it is unless it is percent-encoded.
const TOKEN_END: &str = "%20=&1";

/// List of jobs of any kind, which is a read of each job that it comes across.
pub(crate) fn jobs(world: &mut World, kind: JobKind, input: &Value, now: Now) -> Result<Value, ServiceError> {
    let store = text(input, "sequenceStoreId");
    let name = match kind {
        JobKind::Export => "exportJobs",
        JobKind::Import => "importJobs",
        JobKind::Activation => "activationJobs",
    };
    let filter = Filter::of(input);
    let is_asked_for = |job: &Job| filter.fits_time(job.created);
    let is_shown = |job: &Job| is_asked_for(job) && filter.fits("status", Some(job.status().as_str()));
    store_of(world, &store)?;
    let mut page = Page::of(name, input, &filter)?;
    while page.has_room() {
        let next = store_of(world, &store)?.jobs_after(kind, page.place).next();
        let next = next.map(|(key, index)| (*key, *index)).filter(|(key, _)| !filter.is_too_late(*key));
        let Some((key, index)) = next else { return Ok(page.answer(None)) };
        page.place = Bound::Excluded(key);
        if world.jobs.get(index).is_some_and(is_asked_for) {
            world.read(index, now);
        }
        page.entries.extend(world.jobs.get(index).filter(|job| is_shown(job)).map(|job| Value::Object(job.entry())));
    }
    let is_more = store_of(world, &store)?
        .jobs_after(kind, page.place)
        .take_while(|(key, _)| !filter.is_too_late(**key))
        .any(|(_, index)| world.jobs.get(*index).is_some_and(is_shown));
    Ok(page.answer(Some(input).filter(|_| is_more)))
}

/// List of read sets, which is a read of each job of a read set that it comes across.
pub(crate) fn read_sets(world: &mut World, input: &Value, now: Now) -> Result<Value, ServiceError> {
    let store = text(input, "sequenceStoreId");
    let filter = Filter::of(input);
    let is_asked_for = |read_set: &ReadSet| {
        filter.fits_time(read_set.created)
            && filter.fits("creationType", Some(read_set.origin.creation_type().as_str()))
            && filter.fits("name", read_set.shown.name.as_deref())
            && filter.fits("sampleId", read_set.shown.sample_id.as_ref().map(|id| id.as_str()))
            && filter.fits("subjectId", read_set.shown.subject_id.as_ref().map(|id| id.as_str()))
            && filter.fits("generatedFrom", read_set.origin.given("generatedFrom"))
            && filter.fits("referenceArn", read_set.origin.given("referenceArn").or(Some("")))
    };
    let is_shown =
        |read_set: &ReadSet| is_asked_for(read_set) && filter.fits("status", Some(read_set.shown.status.as_str()));
    store_of(world, &store)?;
    let mut page = Page::of("readSets", input, &filter)?;
    let mut read = BTreeSet::new();
    while page.has_room() {
        let next = store_of(world, &store)?.listed_after(page.place).next();
        let next = next.map(|(key, id)| (*key, id.clone())).filter(|(key, _)| !filter.is_too_late(*key));
        let Some((key, id)) = next else { return Ok(page.answer(None)) };
        page.place = Bound::Excluded(key);
        if store_of(world, &store)?.get(&id).is_some_and(is_asked_for) {
            world.read_read_set(&store, &id, &mut read, now);
        }
        let read_set = store_of(world, &store)?.get(&id).filter(|read_set| is_shown(read_set));
        page.entries.extend(read_set.map(|read_set| Value::Object(read_set.entry(&store, &world.region))));
    }
    let in_store = store_of(world, &store)?;
    let mut rest = in_store.listed_after(page.place).take_while(|(key, _)| !filter.is_too_late(**key));
    let is_more = rest.any(|(_, id)| in_store.get(id).is_some_and(is_shown));
    Ok(page.answer(Some(input).filter(|_| is_more)))
}

fn store_of<'a>(world: &'a World, id: &str) -> Result<&'a Store, ServiceError> {
    world.stores.get(id).ok_or_else(|| ServiceError::not_found(assumed::STORE_NOT_FOUND))
}

/// A page that is being filled.
struct Page {
    name: &'static str,
    most: usize,
    /// Where in the list it has come to.
    place: Bound<Key>,
    entries: Vec<Value>,
}

impl Page {
    /// The page that the request asks for, before its first entry.
    fn of(name: &'static str, input: &Value, filter: &Filter<'_>) -> Result<Self, ServiceError> {
        let place = match input.get("nextToken").and_then(Value::as_str) {
            None => Bound::Unbounded,
            Some(token) => key_of(token, name, input)
                .map(Bound::Excluded)
                .ok_or_else(|| ServiceError::validation(assumed::TOKEN_OF_ANOTHER_LIST))?,
        };
        // What was created before is passed over at once, however much it is.
        let place = match (place, filter.start()) {
            (Bound::Excluded(place), Some(start)) => Bound::Excluded(place.max(start)),
            (_, Some(start)) => Bound::Excluded(start),
            (place, None) => place,
        };
        let most = input.get("maxResults").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        Ok(Self { name, most: most.unwrap_or(PAGE), place, entries: Vec::new() })
    }

    fn has_room(&self) -> bool {
        self.entries.len() < self.most
    }

    /// With the token of the next page, if there is more of what the request asks for.
    fn answer(self, more_of: Option<&Value>) -> Value {
        let next = match (more_of, self.place) {
            (Some(input), Bound::Excluded(key)) => Some(token(key, self.name, input)),
            _ => None,
        };
        let mut answer = Map::from_iter([(self.name.to_owned(), Value::Array(self.entries))]);
        answer.extend(next.map(|token| ("nextToken".to_owned(), Value::String(token))));
        Value::Object(answer)
    }
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

    /// The last place that nothing of the list can have.
    fn start(&self) -> Option<Key> {
        self.after.map(|after| (after.unix_timestamp_nanos(), u64::MAX))
    }

    /// Whether a place, and so all that come behind it, are of what was created too late.
    fn is_too_late(&self, key: Key) -> bool {
        self.before.is_some_and(|before| key.0 >= before.unix_timestamp_nanos())
    }

    /// Whether a member of the filter is absent or has this value.
    fn fits(&self, name: &str, value: Option<&str>) -> bool {
        let wanted = self.members.and_then(|members| members.get(name)).and_then(Value::as_str);
        wanted.is_none() || wanted == value
    }
}

/// The token for what comes behind an item. It is of use to the list, store and filter alone that it was made for.
fn token((created, number): Key, name: &str, input: &Value) -> String {
    let filter = input.get("filter").filter(|filter| filter.as_object().is_none_or(|members| !members.is_empty()));
    let of = json!([name, input.get("sequenceStoreId"), filter, created.to_string(), number]);
    let seal = sha256_hex(of.to_string().as_bytes());
    format!("{:032x}+{number:016x}/{seal}{TOKEN_END}", created.cast_unsigned())
}

fn key_of(given: &str, name: &str, input: &Value) -> Option<Key> {
    let (created, rest) = given.split_once('+')?;
    let (number, _) = rest.split_once('/')?;
    let created = u128::from_str_radix(created, 16).ok()?.cast_signed();
    let number = u64::from_str_radix(number, 16).ok()?;
    (token((created, number), name, input) == given).then_some((created, number))
}
