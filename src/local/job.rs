//! The jobs: how they start, what becomes of their items, and what a Get tells of them.

use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::answer::ServiceError;
use super::assumed;
use super::progress::{Pace, Phase};
use super::read_set::{Origin, ReadSet};
use super::route::Now;
use super::world::{Ids, JobKind, LocalItem, LocalJob, LocalReadSet, Started, Store, World, whole_millis};
use crate::model::time::to_iso8601;
use crate::model::{ItemStatus, JobStatus, ReadSetStatus};

impl JobKind {
    /// What the items are called in a Get answer.
    fn list_key(self) -> &'static str {
        match self {
            Self::Export => "readSets",
            Self::Import | Self::Activation => "sources",
        }
    }

    /// What of the request comes back in the answers.
    fn echoed(self) -> Option<&'static str> {
        match self {
            Self::Export => Some("destination"),
            Self::Import => Some("roleArn"),
            Self::Activation => None,
        }
    }
}

pub(crate) struct Job {
    pub(crate) kind: JobKind,
    pub(crate) store: String,
    pub(crate) created: OffsetDateTime,
    id: String,
    token: Option<String>,
    echo: Map<String, Value>,
    completed: Option<OffsetDateTime>,
    started: Instant,
    polls: u32,
    phase: Phase,
    items: Vec<Item>,
}

struct Item {
    key: String,
    /// The item as it was given.
    source: Value,
    /// The message it ends with.
    end: Result<&'static str, String>,
    effect: Effect,
    read_set: Option<String>,
}

/// What happens to the store when an item ends.
enum Effect {
    Nothing,
    Create,
    Set(ReadSetStatus),
}

/// Start of any kind. The input has passed its shape.
pub(crate) fn start(world: &mut World, kind: JobKind, input: &Value, now: Now) -> Result<Value, ServiceError> {
    let store_id = text(input, "sequenceStoreId");
    if !world.stores.contains_key(&store_id) {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    }
    let token = input.get("clientToken").and_then(Value::as_str).map(str::to_owned);
    let token_key = token.clone().map(|token| (kind, store_id.clone(), token));
    if let Some(earlier) = token_key.as_ref().and_then(|key| world.tokens.get(key)) {
        return if earlier.parameters == *input {
            Ok(earlier.answer.clone())
        } else {
            Err(ServiceError::validation(assumed::TOKEN_REUSED))
        };
    }
    if world.jobs_at_once.is_some_and(|limit| world.running_of(kind) >= limit as usize) {
        return Err(ServiceError::quota(assumed::TOO_MANY_JOBS));
    }

    let failures = &world.failures;
    let Some(store) = world.stores.get_mut(&store_id) else {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    };
    let sources = input.get("sources").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let items = sources
        .iter()
        .map(|source| {
            let mut item = match kind {
                JobKind::Export => export_item(source, store),
                JobKind::Import => import_item(source),
                JobKind::Activation => activation_item(source, store),
            };
            if let Some(message) = failures.get(&item.key) {
                item.fail(message);
            }
            item
        })
        .collect();
    let echo = kind.echoed().and_then(|name| Some((name.to_owned(), input.get(name)?.clone())));
    let job = Job {
        kind,
        store: store_id,
        id: world.ids.next(),
        token,
        echo: echo.into_iter().collect(),
        created: whole_millis(now.wall),
        completed: None,
        started: now.instant,
        polls: 0,
        phase: Phase::Submitted,
        items,
    };

    let answer = Value::Object(job.head());
    if let Some(key) = token_key {
        world.tokens.insert(key, Started { parameters: input.clone(), answer: answer.clone() });
    }
    let index = world.jobs.len();
    world.by_id.insert(job.id.clone(), index);
    world.running.push(index);
    world.jobs.push(job);
    Ok(answer)
}

/// Get of any kind. It counts as a poll.
pub(crate) fn get(world: &mut World, kind: JobKind, input: &Value, now: Now) -> Result<Value, ServiceError> {
    let store = text(input, "sequenceStoreId");
    if !world.stores.contains_key(&store) {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    }
    let index = world.by_id.get(&text(input, "id")).copied();
    let index = index.filter(|index| world.jobs.get(*index).is_some_and(|job| job.kind == kind && job.store == store));
    let index = index.ok_or_else(|| ServiceError::not_found(assumed::JOB_NOT_FOUND))?;
    if let Some(job) = world.jobs.get_mut(index) {
        job.polls = job.polls.saturating_add(1);
    }
    world.advance(index, now);
    world.jobs.get(index).map(Job::describe).ok_or_else(|| ServiceError::not_found(assumed::JOB_NOT_FOUND))
}

fn export_item(source: &Value, store: &Store) -> Item {
    let id = text(source, "readSetId");
    let end = match store.get(&id).map(|read_set| &read_set.shown.status) {
        Some(ReadSetStatus::Active) => Ok(assumed::item_message(&ItemStatus::Finished)),
        Some(_) => Err(assumed::READ_SET_NOT_ACTIVE.to_owned()),
        None => Err(assumed::READ_SET_NOT_FOUND.to_owned()),
    };
    Item { key: id.clone(), source: source.clone(), end, effect: Effect::Nothing, read_set: Some(id) }
}

fn import_item(source: &Value) -> Item {
    let key = source.get("sourceFiles").map(|files| text(files, "source1")).unwrap_or_default();
    let has_second = source.pointer("/sourceFiles/source2").is_some();
    let has_reference = source.get("referenceArn").is_some();
    let valid = match text(source, "sourceFileType").as_str() {
        "FASTQ" => true,
        "BAM" | "CRAM" => has_reference && !has_second,
        _ => !has_second,
    };
    let mut item = Item {
        key,
        source: source.clone(),
        end: Ok(assumed::item_message(&ItemStatus::Finished)),
        effect: Effect::Create,
        read_set: None,
    };
    if !valid {
        item.fail(assumed::FILE_INVALID);
    }
    item
}

fn activation_item(source: &Value, store: &mut Store) -> Item {
    let id = text(source, "readSetId");
    let (end, effect) = match store.get_mut(&id) {
        Some(read_set) if read_set.shown.status == ReadSetStatus::Archived => {
            read_set.shown.status = ReadSetStatus::Activating;
            (Ok(assumed::item_message(&ItemStatus::Finished)), Effect::Set(ReadSetStatus::Active))
        }
        Some(_) => (Ok(assumed::NO_ACTIVATION_NEEDED), Effect::Nothing),
        None => (Err(assumed::READ_SET_NOT_FOUND.to_owned()), Effect::Nothing),
    };
    Item { key: id.clone(), source: source.clone(), end, effect, read_set: Some(id) }
}

impl Item {
    fn fail(&mut self, message: &str) {
        self.end = Err(message.to_owned());
        self.effect = match self.effect {
            Effect::Set(_) => Effect::Set(ReadSetStatus::Archived),
            Effect::Create | Effect::Nothing => Effect::Nothing,
        };
    }

    /// Carries out what the item has come to.
    fn settle(&mut self, store: &mut Store, ids: &mut Ids, job: &str, at: OffsetDateTime) {
        match &self.effect {
            Effect::Nothing => {}
            Effect::Set(status) => {
                if let Some(read_set) = store.get_mut(&self.key) {
                    read_set.shown.status = status.clone();
                }
            }
            Effect::Create => {
                let id = ids.next();
                let given = |name| self.source.get(name).and_then(Value::as_str);
                let shown = LocalReadSet {
                    id: id.as_str().into(),
                    status: ReadSetStatus::Active,
                    file_type: text(&self.source, "sourceFileType").into(),
                    subject_id: given("subjectId").map(Into::into),
                    sample_id: given("sampleId").map(Into::into),
                    name: given("name").map(Into::into),
                };
                let origin = Origin::Import { job: job.to_owned(), source: self.source.clone() };
                let read_set = ReadSet { shown, number: ids.given(), created: whole_millis(at), origin };
                store.insert(id.clone(), read_set);
                self.read_set = Some(id);
            }
        }
    }

    fn message<'a>(&'a self, status: &ItemStatus) -> &'a str {
        match &self.end {
            Ok(message) if *status == ItemStatus::Finished => message,
            Err(message) if *status == ItemStatus::Failed => message,
            _ => assumed::item_message(status),
        }
    }

    fn describe(&self, kind: JobKind, status: &ItemStatus) -> Value {
        let mut out = match kind {
            JobKind::Export => json!({ "id": self.key }),
            JobKind::Activation => json!({ "readSetId": self.key }),
            JobKind::Import => self.describe_import(),
        };
        out["status"] = json!(status);
        out["statusMessage"] = json!(self.message(status));
        out
    }

    /// As the service writes it: an empty `source2` and tags of its own.
    fn describe_import(&self) -> Value {
        let mut out = self.source.clone();
        if out.pointer("/sourceFiles/source2").is_none() {
            out["sourceFiles"]["source2"] = json!("");
        }
        out["tags"]["aws:omics:subjectId"] = out["subjectId"].clone();
        out["tags"]["aws:omics:sampleId"] = out["sampleId"].clone();
        if let Some(id) = &self.read_set {
            out["readSetId"] = json!(id);
        }
        out
    }
}

impl Job {
    pub(crate) fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    pub(crate) fn advance(&mut self, pace: Pace, now: Now, store: &mut Store, ids: &mut Ids) {
        if self.has_ended() {
            return;
        }
        let items = self.items.len();
        let before = self.phase.settled(items);
        self.phase = match pace {
            Pace::Polls(whole) => Phase::of(self.polls.into(), whole.into(), items),
            Pace::Time(whole) => {
                let elapsed = now.instant.saturating_duration_since(self.started);
                Phase::of(elapsed.as_nanos(), whole.as_nanos(), items)
            }
        };
        let settled = self.phase.settled(items);
        let created = self.created;
        // When so many items were settled, however late someone looks.
        let at = |settled: usize| match (pace, u32::try_from(items), u32::try_from(settled)) {
            (Pace::Time(whole), Ok(items @ 1..), Ok(settled)) if settled < items => {
                after(created, whole / items * settled)
            }
            (Pace::Time(whole), ..) => after(created, whole),
            (Pace::Polls(_), ..) => None,
        };
        for (index, item) in self.items.iter_mut().enumerate().take(settled).skip(before) {
            item.settle(store, ids, &self.id, at(index + 1).unwrap_or(now.wall));
        }
        if self.has_ended() {
            self.completed = Some(at(items).unwrap_or(now.wall));
        }
    }

    pub(crate) fn status(&self) -> JobStatus {
        let failed = self.items.iter().filter(|item| item.end.is_err()).count();
        self.phase.job_status(failed, self.items.len())
    }

    /// What Start and Get both answer.
    fn head(&self) -> Map<String, Value> {
        let mut out = self.echo.clone();
        out.insert("id".to_owned(), json!(self.id));
        out.insert("sequenceStoreId".to_owned(), json!(self.store));
        out.insert("status".to_owned(), json!(self.status()));
        out.insert("creationTime".to_owned(), timestamp(self.created));
        out
    }

    fn statuses(&self) -> impl Iterator<Item = (&Item, ItemStatus)> {
        let status = |(index, item): (usize, &Item)| self.phase.item_status(index, item.end.is_err());
        self.items.iter().enumerate().map(move |(index, item)| (item, status((index, item))))
    }

    /// What a List tells: less than a Get.
    pub(crate) fn entry(&self) -> Map<String, Value> {
        let mut out = self.head();
        if let Some(completed) = self.completed {
            out.insert("completionTime".to_owned(), timestamp(completed));
        }
        out
    }

    fn describe(&self) -> Value {
        let mut out = self.entry();
        out.insert("statusMessage".to_owned(), json!(assumed::job_message(&self.status())));
        let items = self.statuses().map(|(item, status)| item.describe(self.kind, &status)).collect();
        out.insert(self.kind.list_key().to_owned(), Value::Array(items));
        Value::Object(out)
    }

    pub(crate) fn snapshot(&self) -> LocalJob {
        LocalJob {
            kind: self.kind,
            id: self.id.clone(),
            sequence_store_id: self.store.as_str().into(),
            client_token: self.token.as_deref().map(Into::into),
            status: self.status(),
            items: self
                .statuses()
                .map(|(item, status)| LocalItem {
                    key: item.key.clone(),
                    status_message: item.message(&status).to_owned(),
                    status,
                    read_set_id: item.read_set.as_deref().map(Into::into),
                })
                .collect(),
        }
    }
}

fn after(start: OffsetDateTime, time: Duration) -> Option<OffsetDateTime> {
    start.checked_add(time.try_into().unwrap_or_default())
}

pub(crate) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// To the millisecond, as the service writes it.
pub(crate) fn timestamp(time: OffsetDateTime) -> Value {
    json!(to_iso8601(whole_millis(time)))
}
