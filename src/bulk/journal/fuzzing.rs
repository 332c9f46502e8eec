//! Reading a journal from memory, for fuzzing.

use std::path::Path;

use super::line::{Header, VERSION};
use super::reader::Reader;
use crate::bulk::{BulkError, Plan, Planner};
use crate::job::Export;

/// Five groups of two read sets.
///
/// # Errors
///
/// Never, as its input is valid.
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

/// Reads a journal as a resumed run does.
pub(crate) fn read(data: &[u8], plan: &Plan<Export>) -> Result<(), BulkError> {
    let mut reader = Reader::new(Path::new("run.jsonl"), plan, None);
    let (first, second) = data.split_at(data.len() / 2);
    reader.push(first)?;
    reader.push(second)?;
    let (_, states) = reader.finish()?;
    assert_eq!(states.groups.len(), plan.groups().len());
    Ok(())
}
