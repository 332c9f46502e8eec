//! Jobs and their items.

use time::OffsetDateTime;
use tokio::time::Instant;

use super::ids::{Ids, Position};
use super::import_source::ImportSource;
use super::phase::Phase;
use super::read_set::ReadSet;
use super::store::Store;
use super::whole_millis;
use crate::local::clock::RequestTime;
use crate::local::messages;
use crate::local::pace::Pace;
use crate::local::snapshot::{JobKind, LocalItem, LocalJob};
use crate::model::{ItemStatus, JobStatus, ReadSetStatus};

/// What a job was requested to do. Requests with the same client token must be equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JobRequest {
    Export { destination: String, role_arn: String, read_set_ids: Vec<String> },
    Import { role_arn: String, sources: Vec<ImportSource> },
    Activation { read_set_ids: Vec<String> },
}

impl JobRequest {
    pub(crate) fn kind(&self) -> JobKind {
        match self {
            Self::Export { .. } => JobKind::Export,
            Self::Import { .. } => JobKind::Import,
            Self::Activation { .. } => JobKind::Activation,
        }
    }

    fn to_items(&self, store: &mut Store) -> Vec<Item> {
        match self {
            Self::Export { read_set_ids, .. } => read_set_ids.iter().map(|id| Item::export(id)).collect(),
            Self::Import { sources, .. } => sources.iter().map(Item::import).collect(),
            Self::Activation { read_set_ids } => read_set_ids.iter().map(|id| Item::activation(id, store)).collect(),
        }
    }
}

pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) store_id: String,
    pub(crate) request: JobRequest,
    pub(crate) created: OffsetDateTime,
    /// When the job ended.
    pub(crate) completed: Option<OffsetDateTime>,
    client_token: Option<String>,
    pace: Pace,
    started: Instant,
    reads: u32,
    phase: Phase,
    /// The status that a test has set: neither reads nor time move the job forward any more.
    set_status: Option<JobStatus>,
    items: Vec<Item>,
}

struct Item {
    /// The id of the read set to export or activate, or the `source1` of an import.
    key: String,
    /// The status message when the item has settled: that of a success or of a failure, as far as it is known before.
    outcome: Result<&'static str, String>,
    effect: Effect,
    read_set_id: Option<String>,
}

/// What an item does to the store when it settles.
enum Effect {
    /// Nothing, and the item is finished as soon as the job runs.
    NoWork,
    /// Nothing, as the item fails.
    Fail,
    /// Nothing, but the outcome depends on the status of the read set.
    Export,
    Import(Box<ImportSource>),
    SetStatus(ReadSetStatus),
}

/// An item of a job at this time.
pub(crate) struct ItemView<'a> {
    pub(crate) key: &'a str,
    pub(crate) status: ItemStatus,
    pub(crate) status_message: &'a str,
    pub(crate) read_set_id: Option<&'a str>,
}

impl Item {
    fn export(read_set_id: &str) -> Self {
        Self {
            key: read_set_id.to_owned(),
            outcome: Ok(messages::item_message(&ItemStatus::Finished)),
            effect: Effect::Export,
            read_set_id: Some(read_set_id.to_owned()),
        }
    }

    fn import(source: &ImportSource) -> Self {
        let mut item = Self {
            key: source.source_files.source1.clone(),
            outcome: Ok(messages::item_message(&ItemStatus::Finished)),
            effect: Effect::Import(Box::new(source.clone())),
            read_set_id: None,
        };
        if !source.is_valid() {
            item.fail(messages::ITEM_FILE_INVALID);
        }
        item
    }

    /// Sets the status of an archived read set to `ACTIVATING`.
    fn activation(read_set_id: &str, store: &mut Store) -> Self {
        let (outcome, effect) = match store.get_mut(read_set_id) {
            Some(read_set) if read_set.snapshot.status == ReadSetStatus::Archived => {
                read_set.snapshot.status = ReadSetStatus::Activating;
                (Ok(messages::item_message(&ItemStatus::Finished)), Effect::SetStatus(ReadSetStatus::Active))
            }
            Some(_) => (Ok(messages::ITEM_NEEDS_NO_ACTIVATION), Effect::NoWork),
            None => (Err(messages::ITEM_READ_SET_NOT_FOUND.to_owned()), Effect::Fail),
        };
        Self { key: read_set_id.to_owned(), outcome, effect, read_set_id: Some(read_set_id.to_owned()) }
    }

    /// Makes the item fail when it settles.
    fn fail(&mut self, message: &str) {
        self.outcome = Err(message.to_owned());
        self.effect = match self.effect {
            Effect::SetStatus(_) => Effect::SetStatus(ReadSetStatus::Archived),
            Effect::NoWork | Effect::Fail | Effect::Export | Effect::Import(_) => Effect::Fail,
        };
    }

    fn settle(&mut self, store: &mut Store, ids: &mut Ids, job_id: &str, job_index: usize, at: OffsetDateTime) {
        match &self.effect {
            Effect::NoWork | Effect::Fail => {}
            Effect::Export => self.outcome = export_outcome(store.get(&self.key)),
            Effect::SetStatus(status) => {
                if let Some(read_set) = store.get_mut(&self.key) {
                    read_set.snapshot.status = status.clone();
                }
            }
            Effect::Import(source) => {
                let read_set = ReadSet::imported(source, job_id, job_index, ids, at);
                self.read_set_id = Some(read_set.snapshot.id.to_string());
                store.insert(read_set);
            }
        }
    }

    /// The job has ended without settling the item: the read set that it was to activate is archived again.
    fn abandon(&self, store: &mut Store) {
        if matches!(self.effect, Effect::SetStatus(_))
            && let Some(read_set) = store.get_mut(&self.key)
        {
            read_set.snapshot.status = ReadSetStatus::Archived;
        }
    }

    fn status_message<'a>(&'a self, status: &ItemStatus) -> &'a str {
        match &self.outcome {
            Ok(message) if *status == ItemStatus::Finished => message,
            Err(message) if *status == ItemStatus::Failed => message,
            _ => messages::item_message(status),
        }
    }
}

fn export_outcome(read_set: Option<&ReadSet>) -> Result<&'static str, String> {
    match read_set.map(|read_set| &read_set.snapshot.status) {
        Some(ReadSetStatus::Active) => Ok(messages::item_message(&ItemStatus::Finished)),
        Some(_) => Err(messages::ITEM_READ_SET_NOT_ACTIVE.to_owned()),
        None => Err(messages::ITEM_READ_SET_NOT_FOUND.to_owned()),
    }
}

impl Job {
    pub(crate) fn new(
        id: String,
        store_id: String,
        store: &mut Store,
        client_token: Option<String>,
        request: JobRequest,
        pace: Pace,
        now: RequestTime,
    ) -> Self {
        let items = request.to_items(store);
        Self {
            id,
            store_id,
            request,
            created: whole_millis(now.wall_clock),
            completed: None,
            client_token,
            pace,
            started: now.instant,
            reads: 0,
            phase: Phase::Submitted,
            set_status: None,
            items,
        }
    }

    /// Makes items fail for which this function has a message, by their keys.
    pub(crate) fn fail_items(&mut self, mut message: impl FnMut(&str) -> Option<String>) {
        for item in &mut self.items {
            if let Some(message) = message(&item.key) {
                item.fail(&message);
            }
        }
    }

    pub(crate) fn kind(&self) -> JobKind {
        self.request.kind()
    }

    /// The position in the list of jobs; `index` is that of the job among all jobs.
    pub(crate) fn position(&self, index: usize) -> Position {
        Position { created: self.created.unix_timestamp_nanos(), number: index as u64 }
    }

    pub(crate) fn has_ended(&self) -> bool {
        match &self.set_status {
            Some(status) => status.is_terminal(),
            None => self.phase == Phase::Ended,
        }
    }

    /// Ends the job: all of its items settle.
    pub(crate) fn finish(&mut self) {
        self.set_status = None;
        self.phase = Phase::Ended;
    }

    /// Sets the status of the job. Its items keep theirs.
    pub(crate) fn set_status(&mut self, status: JobStatus) {
        self.set_status = Some(status);
    }

    /// How many items have settled.
    pub(crate) fn settled(&self) -> usize {
        self.phase.settled(self.items.len())
    }

    /// The read sets of its items; an import has one for each item that has created it.
    pub(crate) fn read_set_ids(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| item.read_set_id.as_deref())
    }

    /// When time moves the job forward next; `None` if it does not.
    pub(crate) fn due(&self) -> Option<Instant> {
        if self.set_status.is_some() {
            return None;
        }
        let after = match self.pace {
            Pace::Polls(_) => None,
            Pace::Time(duration) => self.phase.end(duration, self.items.len()),
            Pace::PollsOrTime(_, duration) => Some(duration).filter(|_| !self.has_ended()),
        };
        self.started.checked_add(after?)
    }

    /// Moves the job forward to this time, and returns the same time on the service's clock.
    pub(crate) fn advance_by_time(&mut self, now: Instant) -> OffsetDateTime {
        let elapsed = now.saturating_duration_since(self.started);
        match self.pace {
            _ if self.set_status.is_some() => {}
            Pace::Polls(_) => {}
            Pace::Time(duration) => self.phase = Phase::after_time(elapsed, duration, self.items.len()),
            Pace::PollsOrTime(..) => self.phase = Phase::Ended,
        }
        self.created.checked_add(elapsed.try_into().unwrap_or_default()).unwrap_or(self.created)
    }

    /// Moves the job forward by one read of it.
    pub(crate) fn advance_by_read(&mut self) {
        self.reads = self.reads.saturating_add(1);
        if let Some(reads) = self.pace.reads()
            && self.set_status.is_none()
        {
            self.phase = Phase::after_reads(self.reads, reads, self.items.len());
        }
    }

    /// Applies the effects of the items that have settled since the first `settled_before` ones did. `index` is that of
    /// the job among all jobs.
    pub(crate) fn settle_items(
        &mut self,
        settled_before: usize,
        index: usize,
        at: OffsetDateTime,
        store: &mut Store,
        ids: &mut Ids,
    ) {
        let settled = self.settled();
        for item in self.items.iter_mut().take(settled).skip(settled_before) {
            item.settle(store, ids, &self.id, index, at);
        }
        if self.has_ended() {
            // None are left unless a test has set the status.
            for item in self.items.iter().skip(settled) {
                item.abandon(store);
            }
            self.completed = Some(whole_millis(at));
        }
    }

    pub(crate) fn status(&self) -> JobStatus {
        if let Some(status) = &self.set_status {
            return status.clone();
        }
        let failed = self.items.iter().filter(|item| item.outcome.is_err()).count();
        self.phase.job_status(failed, self.items.len())
    }

    /// The items in the order of the request.
    pub(crate) fn items(&self) -> impl Iterator<Item = ItemView<'_>> {
        self.items.iter().enumerate().map(|(index, item)| {
            let needs_no_work = matches!(item.effect, Effect::NoWork);
            let status = self.phase.item_status(index, item.outcome.is_err(), needs_no_work);
            ItemView {
                key: &item.key,
                status_message: item.status_message(&status),
                status,
                read_set_id: item.read_set_id.as_deref(),
            }
        })
    }

    pub(crate) fn snapshot(&self) -> LocalJob {
        let items = self.items().map(|item| LocalItem {
            key: item.key.to_owned(),
            status: item.status,
            status_message: item.status_message.to_owned(),
            read_set_id: item.read_set_id.map(Into::into),
        });
        LocalJob {
            kind: self.kind(),
            id: self.id.clone(),
            sequence_store_id: self.store_id.as_str().into(),
            client_token: self.client_token.as_deref().map(Into::into),
            status: self.status(),
            creation_time: self.created,
            completion_time: self.completed,
            items: items.collect(),
        }
    }
}
