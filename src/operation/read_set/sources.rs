//! Read sets as the sources of a job (`ExportReadSet`, `StartReadSetActivationJobSourceItem`).

use serde::{Serialize, Serializer};

use crate::model::ReadSetId;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source<'a> {
    read_set_id: &'a ReadSetId,
}

/// Writes read sets as a list of objects, each with a `readSetId`.
pub(super) fn serialize_read_set_ids<S: Serializer>(ids: &[ReadSetId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(|read_set_id| Source { read_set_id }))
}
