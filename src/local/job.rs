//! The jobs: how they start, what becomes of their items, and what a Get tells of them.

use std::collections::BTreeSet;

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
    pub(crate) id: String,
    token: Option<String>,
    echo: Map<String, Value>,
    completed: Option<OffsetDateTime>,
    started: Instant,
    reads: u32,
    phase: Phase,
    items: Vec<Item>,
}

struct Item {
    key: String,
    /// The item as it was given.
    source: Value,
    /// The message it ends with, as far as that can be known before it is settled.
    end: Result<&'static str, String>,
    effect: Effect,
    read_set: Option<String>,
}

/// What happens to the store when an item ends.
enum Effect {
    /// It needs no work.
    Nothing,
    Fail,
    /// It depends on the read set as it is by then.
    Export,
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
    if world.jobs_at_once.is_some_and(|limit| world.running_of(kind) >= limit) {
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
                JobKind::Export => export_item(source),
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
        reads: 0,
        phase: Phase::Submitted,
        items,
    };

    let answer = Value::Object(job.head());
    if let Some(key) = token_key {
        world.tokens.insert(key, Started { parameters: input.clone(), answer: answer.clone() });
    }
    world.add_job(job);
    Ok(answer)
}

/// Get of any kind, which is a read of the job.
pub(crate) fn get(world: &mut World, kind: JobKind, input: &Value, now: Now) -> Result<Value, ServiceError> {
    let store = text(input, "sequenceStoreId");
    if !world.stores.contains_key(&store) {
        return Err(ServiceError::not_found(assumed::STORE_NOT_FOUND));
    }
    let index = world.by_id.get(&text(input, "id")).copied();
    let index = index.filter(|index| world.jobs.get(*index).is_some_and(|job| job.kind == kind && job.store == store));
    let index = index.ok_or_else(|| ServiceError::not_found(assumed::JOB_NOT_FOUND))?;
    world.read(index, now);
    world.jobs.get(index).map(Job::describe).ok_or_else(|| ServiceError::not_found(assumed::JOB_NOT_FOUND))
}

fn export_item(source: &Value) -> Item {
    let id = text(source, "readSetId");
    let end = Ok(assumed::item_message(&ItemStatus::Finished));
    Item { key: id.clone(), source: source.clone(), end, effect: Effect::Export, read_set: Some(id) }
}

/// What the export of a read set comes to.
fn exported(read_set: Option<&ReadSet>) -> Result<&'static str, String> {
    match read_set.map(|read_set| &read_set.shown.status) {
        Some(ReadSetStatus::Active) => Ok(assumed::item_message(&ItemStatus::Finished)),
        Some(_) => Err(assumed::READ_SET_NOT_ACTIVE.to_owned()),
        None => Err(assumed::READ_SET_NOT_FOUND.to_owned()),
    }
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
        None => (Err(assumed::READ_SET_NOT_FOUND.to_owned()), Effect::Fail),
    };
    Item { key: id.clone(), source: source.clone(), end, effect, read_set: Some(id) }
}

impl Item {
    fn fail(&mut self, message: &str) {
        self.end = Err(message.to_owned());
        self.effect = match self.effect {
            Effect::Set(_) => Effect::Set(ReadSetStatus::Archived),
            Effect::Nothing | Effect::Fail | Effect::Export | Effect::Create => Effect::Fail,
        };
    }

    /// Carries out what the item has come to. An import that is still running may have made a read set: it is a read of
    /// the job to read that.
    fn settle(&mut self, store: &mut Store, ids: &mut Ids, (job, index): (&str, usize), at: OffsetDateTime) {
        match &self.effect {
            Effect::Nothing | Effect::Fail => {}
            Effect::Export => self.end = exported(store.get(&self.key)),
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
                let (created, jobs) = (whole_millis(at), BTreeSet::from([index]));
                store.insert(ReadSet { shown, number: ids.given(), created, origin, jobs });
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

    /// How many items are settled.
    pub(crate) fn settled(&self) -> usize {
        self.phase.settled(self.items.len())
    }

    /// The read sets that its items are about, as far as there are any.
    pub(crate) fn read_sets(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| item.read_set.as_deref())
    }

    /// When time moves it on next; `None` if it never does.
    pub(crate) fn due(&self, pace: Pace) -> Option<Instant> {
        let after = match pace {
            Pace::Polls(_) => None,
            Pace::Time(whole) => self.phase.end(whole, self.items.len()),
            Pace::PollsOrTime(_, whole) => Some(whole).filter(|_| !self.has_ended()),
        };
        self.started.checked_add(after?)
    }

    /// Moves it on to this time, and returns the same on the service's clock.
    pub(crate) fn pass_time(&mut self, pace: Pace, now: Instant) -> OffsetDateTime {
        let elapsed = now.saturating_duration_since(self.started);
        match pace {
            Pace::Polls(_) => {}
            Pace::Time(whole) => self.phase = Phase::after_time(elapsed, whole, self.items.len()),
            Pace::PollsOrTime(..) => self.phase = Phase::Ended,
        }
        self.created.checked_add(elapsed.try_into().unwrap_or_default()).unwrap_or(self.created)
    }

    /// Moves it on by a read of it at this time.
    pub(crate) fn pass_read(&mut self, pace: Pace, now: OffsetDateTime) -> OffsetDateTime {
        self.reads = self.reads.saturating_add(1);
        if let Some(whole) = pace.reads() {
            self.phase = Phase::after_reads(self.reads, whole, self.items.len());
        }
        now
    }

    /// Carries out what the items have come to that are settled now and were not before. `index` is where in the world the
    /// job is.
    pub(crate) fn settle(&mut self, before: usize, index: usize, at: OffsetDateTime, store: &mut Store, ids: &mut Ids) {
        let settled = self.settled();
        for item in self.items.iter_mut().take(settled).skip(before) {
            item.settle(store, ids, (&self.id, index), at);
        }
        if self.has_ended() {
            self.completed = Some(at);
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
        let status = |index, item: &Item| {
            let needs_no_work = matches!(item.effect, Effect::Nothing);
            self.phase.item_status(index, item.end.is_err(), needs_no_work)
        };
        self.items.iter().enumerate().map(move |(index, item)| (item, status(index, item)))
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

pub(crate) fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// To the millisecond, as the service writes it.
pub(crate) fn timestamp(time: OffsetDateTime) -> Value {
    json!(to_iso8601(whole_millis(time)))
}
