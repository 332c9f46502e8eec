//! What the lines of a journal hold.

use serde_core::ser::{Serialize, SerializeMap as _, Serializer};

use crate::bulk::{BulkKind, Plan};
use crate::decode::{Member, Number, OrEmpty, Read, Text, TextOrEmpty, Value, members};
use crate::encode::{self, SerializeOptional as _};
use crate::model::{ClientToken, ItemStatus, JobStatus, ReadSetId};

/// The format that this version writes, and the newest it reads.
pub(super) const VERSION: u64 = 1;
/// How every journal begins.
pub(super) const MAGIC: &[u8] = br#"{"journal":"healthomics-bulk","#;

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemResult {
    /// Where it stands in the input.
    pub(crate) position: usize,
    pub(crate) status: ItemStatus,
    /// What a source became.
    pub(crate) read_set_id: Option<ReadSetId>,
    /// Why it failed.
    pub(crate) reason: Option<String>,
}

impl Serialize for ItemResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("position", &self.position)?;
        members.serialize_entry("status", &self.status)?;
        members.serialize_optional("readSetId", self.read_set_id.as_ref())?;
        members.serialize_optional("reason", self.reason.as_ref())?;
        members.end()
    }
}

/// A number that is zero if it is not there.
struct NumberOrZero;

impl<'de, T: TryFrom<u64> + Default> Member<'de, T> for NumberOrZero {
    fn absent() -> T {
        T::default()
    }

    fn read(value: &mut dyn Value<'de>) -> Read<T> {
        Ok(Number::read(value)?.unwrap_or_default())
    }
}

members! {
    /// The first line. Later versions may add members, and change anything but the first two with the version.
    #[derive(Debug)]
    pub(super) struct Header {
        pub(super) journal: String = "journal" as TextOrEmpty;
        pub(super) version: u64 = "version" as NumberOrZero;
        pub(super) run_id: String = "runId" as TextOrEmpty;
        pub(super) kind: String = "kind" as TextOrEmpty;
        pub(super) sequence_store_id: String = "sequenceStoreId" as TextOrEmpty;
        pub(super) role_arn: Option<String> = "roleArn" as Text;
        pub(super) destination: Option<String> = "destination" as Text;
        pub(super) groups: usize = "groups" as NumberOrZero;
        pub(super) group_size: usize = "groupSize" as NumberOrZero;
        pub(super) plan: String = "plan" as TextOrEmpty;
        pub(super) shard: usize = "shard" as NumberOrZero;
        pub(super) shards: usize = "shards" as NumberOrZero;
    }

    /// Any other line. Which members it has is decided by its kind; kinds that a later version adds are passed over.
    pub(super) struct Line {
        pub(super) kind: String = "line" as TextOrEmpty;
        pub(super) group: Option<usize> = "group" as Number;
        pub(super) token: Option<String> = "token" as Text;
        pub(super) job: Option<String> = "job" as Text;
        pub(super) status: Option<JobStatus> = "status" as Text;
        pub(super) items: Option<Vec<Option<Item>>> = "items" as OrEmpty;
        pub(super) error: Option<String> = "error" as Text;
    }

    /// An [`ItemResult`] that may be of a broken journal.
    pub(super) struct Item {
        position: Option<usize> = "position" as Number;
        /// The service may have left it out.
        status: ItemStatus = "status" as TextOrEmpty;
        read_set_id: Option<ReadSetId> = "readSetId" as Text;
        reason: Option<String> = "reason" as Text;
    }
}

/// `None` if one of them is not whole.
pub(super) fn results(items: Vec<Option<Item>>) -> Option<Vec<ItemResult>> {
    let result = |item: Option<Item>| {
        let Item { position, status, read_set_id, reason } = item?;
        Some(ItemResult { position: position?, status, read_set_id, reason })
    };
    items.into_iter().map(result).collect()
}

pub(super) fn starting(group: usize, token: &ClientToken) -> Vec<u8> {
    line("starting", group, &|line| line.serialize_entry("token", token.as_str()))
}

pub(super) fn started(group: usize, job: &str) -> Vec<u8> {
    line("started", group, &|line| line.serialize_entry("job", job))
}

pub(super) fn ended(group: usize, job: &str, status: &JobStatus, items: &[ItemResult]) -> Vec<u8> {
    line("ended", group, &|line| {
        line.serialize_entry("job", job)?;
        line.serialize_entry("status", status.as_str())?;
        line.serialize_entry("items", items)
    })
}

pub(super) fn refused(group: usize, error: &str) -> Vec<u8> {
    line("refused", group, &|line| line.serialize_entry("error", error))
}

fn line(kind: &str, group: usize, rest: &dyn Fn(&mut encode::Members<'_>) -> serde_json::Result<()>) -> Vec<u8> {
    ended_line(encode::object(&|line| {
        line.serialize_entry("line", kind)?;
        line.serialize_entry("group", &group)?;
        rest(line)
    }))
}

fn ended_line(mut json: Vec<u8>) -> Vec<u8> {
    json.push(b'\n');
    json
}

impl Header {
    pub(super) fn of<K: BulkKind>(plan: &Plan<K>) -> Self {
        Self {
            journal: "healthomics-bulk".to_owned(),
            version: VERSION,
            run_id: plan.run_id().to_string(),
            kind: K::NAME.to_owned(),
            sequence_store_id: plan.sequence_store_id().to_string(),
            role_arn: plan.role_arn().map(ToString::to_string),
            destination: plan.destination().map(ToString::to_string),
            groups: plan.group_count(),
            group_size: plan.group_size(),
            plan: plan.digest().to_owned(),
            shard: plan.current_shard().index,
            shards: plan.current_shard().count,
        }
    }

    pub(super) fn to_line(&self) -> Vec<u8> {
        ended_line(encode::object(&|line| {
            line.serialize_entry("journal", &self.journal)?;
            line.serialize_entry("version", &self.version)?;
            line.serialize_entry("runId", &self.run_id)?;
            line.serialize_entry("kind", &self.kind)?;
            line.serialize_entry("sequenceStoreId", &self.sequence_store_id)?;
            line.serialize_optional("roleArn", self.role_arn.as_ref())?;
            line.serialize_optional("destination", self.destination.as_ref())?;
            line.serialize_entry("groups", &self.groups)?;
            line.serialize_entry("groupSize", &self.group_size)?;
            line.serialize_entry("plan", &self.plan)?;
            line.serialize_entry("shard", &self.shard)?;
            line.serialize_entry("shards", &self.shards)
        }))
    }

    /// What a person would look at, the most telling first.
    pub(super) fn members(&self) -> [(&'static str, String); 9] {
        // Another's journal may say anything.
        let escaped = |text: &str| text.escape_debug().to_string();
        let quoted = |text: &Option<String>| text.as_ref().map_or("none".to_owned(), |text| format!("{text:?}"));
        [
            ("run id", format!("{:?}", self.run_id)),
            ("kind", escaped(&self.kind)),
            ("store", escaped(&self.sequence_store_id)),
            ("destination", quoted(&self.destination)),
            ("role", quoted(&self.role_arn)),
            ("group size", self.group_size.to_string()),
            ("number of groups", self.groups.to_string()),
            ("input", format!("SHA-256 {}", escaped(&self.plan))),
            ("shard", format!("{} of {}", self.shard, self.shards)),
        ]
    }
}
