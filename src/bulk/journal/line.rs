//! The lines of a journal.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::bulk::{BulkKind, Plan};
use crate::model::{ItemStatus, JobStatus, ReadSetId};
use crate::protocol::json;

/// The format that this version writes, and the newest that it reads. In version 1, lines have no checksum;
/// before version 3, there are no lines of activations.
pub(super) const VERSION: u64 = 3;
/// The beginning of every journal.
pub(super) const MAGIC: &[u8] = br#"{"journal":"healthomics-bulk","#;

/// The result of one item.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemResult {
    /// The index of the item in the input.
    pub(crate) position: usize,
    /// `None` if the job does not list the item.
    #[serde(default, with = "json::field", skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<ItemStatus>,
    /// The read set that an import made of the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) read_set_id: Option<ReadSetId>,
    /// Why the item failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The job that did not activate the read set, so that the export does not contain it. `None` for other items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) activation: Option<FailedActivation>,
}

/// A job that did not activate a read set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FailedActivation {
    pub(crate) job: String,
    pub(crate) status: JobStatus,
}

impl ItemResult {
    pub(crate) fn is_finished(&self) -> bool {
        self.status == Some(ItemStatus::Finished)
    }
}

/// The first line. Later versions may add fields; with a new `version` they may change all fields but the first two.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) journal: String,
    pub(super) version: u64,
    pub(super) run_id: String,
    pub(super) kind: String,
    pub(super) sequence_store_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) destination: Option<String>,
    pub(super) groups: usize,
    pub(super) group_size: usize,
    pub(super) plan: String,
    pub(super) shard: usize,
    pub(super) shards: usize,
    #[serde(skip_serializing_if = "is_false")]
    pub(super) activate_archived: bool,
}

/// Any other line.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    #[serde(flatten)]
    pub(super) line: Line,
    /// Whether the group is one of the activations before the exports.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) activation: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What happened to a group.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "line", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Line {
    /// A start of the group is about to be sent, without the items that were not activated.
    Starting {
        group: usize,
        token: String,
        /// When the first start was sent. Without it, that is not known.
        #[serde(default, with = "json::field", skip_serializing_if = "Option::is_none")]
        first_start: Option<OffsetDateTime>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        excluded: Vec<ItemResult>,
    },
    /// The service accepted a start of the group.
    Started { group: usize, job: String },
    /// The job of the group has ended.
    Ended { group: usize, job: String, status: JobStatus, items: Vec<ItemResult> },
    /// The service refused the start of the group for good.
    Refused { group: usize, error: String },
    /// The service does not know the job of the group any more.
    Missing { group: usize, job: String, error: String },
    /// A kind of line that a later version adds.
    #[serde(other)]
    Unknown,
}

/// The text before the checksum of a line, which is its last field.
const CHECKSUM: &[u8] = br#","crc32":""#;
/// The text after the checksum.
const END: &[u8] = b"\"}\n";

/// The bytes of a header or line in a version of the format.
pub(super) fn to_line(line: &impl Serialize, version: u64) -> Vec<u8> {
    let mut text = json::to_body(line);
    if version == 1 {
        text.push(b'\n');
        return text;
    }
    // The closing brace comes after the checksum.
    text.pop();
    let checksum = checksum(&text);
    text.extend_from_slice(CHECKSUM);
    text.extend_from_slice(checksum.as_bytes());
    text.extend_from_slice(END);
    text
}

/// A CRC-32 detects every change of a single bit, and of up to 32 consecutive bits.
fn checksum(text: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(text))
}

/// The text and the checksum of a line that ends in a newline; `None` if it has no checksum.
fn split_checksum(line: &[u8]) -> Option<(&[u8], &[u8; 8])> {
    let (front, checksum) = line.strip_suffix(END)?.split_last_chunk::<8>()?;
    Some((front.strip_suffix(CHECKSUM)?, checksum))
}

/// Whether a line that ends in a newline has a checksum, valid or not.
pub(super) fn has_checksum(line: &[u8]) -> bool {
    split_checksum(line).is_some()
}

/// Whether the checksum of a line that ends in a newline is that of [`to_line`].
pub(super) fn has_valid_checksum(line: &[u8]) -> bool {
    split_checksum(line).is_some_and(|(text, written)| checksum(text).as_bytes() == written)
}

/// Whether the end of a file is a complete line with another byte in place of its newline. An interrupted write does
/// not leave that.
pub(super) fn is_line_without_newline(tail: &[u8]) -> bool {
    let Some((_, front)) = tail.split_last() else { return false };
    has_valid_checksum(&[front, b"\n"].concat())
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
            activate_archived: plan.activates_archived(),
        }
    }

    /// The fields as names and values for error texts, the most helpful first.
    pub(super) fn fields(&self) -> [(&'static str, String); 10] {
        // The journal of another program may contain anything.
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
            ("activation of archived read sets", if self.activate_archived { "on" } else { "off" }.to_owned()),
            ("input", format!("SHA-256 {}", escaped(&self.plan))),
            ("shard", format!("{} of {}", self.shard, self.shards)),
        ]
    }
}
