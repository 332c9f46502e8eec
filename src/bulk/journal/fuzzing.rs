//! A journal out of memory.

use std::path::Path;

use super::{Header, Lines, VERSION};
use crate::bulk::{BulkError, Plan, Planner};
use crate::job::Export;

/// Five groups of two read sets.
///
/// # Errors
///
/// None: its input is good.
pub(crate) fn plan() -> Result<Plan<Export>, BulkError> {
    let role = "arn:aws:iam::123456789012:role/r";
    Planner::export("run".into(), "1234567890".into(), "s3://bucket/".into(), role.into())
        .group_size(2)
        .plan((0..10).map(|number| format!("{:010}", 5_000_000_000_u64 + number)))
}

/// The first line of a journal of this plan.
pub(crate) fn header(plan: &Plan<Export>) -> Vec<u8> {
    super::line::to_line(&Header::of(plan), VERSION)
}

/// Reads a journal as a run would that goes on; tells where the last line ends that counts.
pub(crate) fn read(data: &[u8], plan: &Plan<Export>) -> Result<usize, BulkError> {
    let mut lines = Lines::new(Path::new("run.jsonl"), data);
    let header = Header::of(plan);
    assert_eq!(header.version, VERSION);
    if lines.header(&header)?.is_some() {
        assert_eq!(lines.states(plan)?.len(), plan.groups().len());
    }
    Ok(usize::try_from(lines.end).unwrap_or(usize::MAX))
}
