//! What nobody has a source for.
//!
//! The service model and the service's answers known to the author don't tell these; each is the plainest guess:
//!
//! - A Start with the client token and the parameters of an earlier one on the same store gets the earlier answer; with
//!   other parameters it gets a `ValidationException`. Tokens are never forgotten.
//! - An item of an export fails unless its read set is active. An item whose read set is not there fails, in an export
//!   as in an activation.
//! - An import item of BAM or CRAM without a reference fails, and so does one of another type than FASTQ with a second
//!   file.
//! - The read set of an import appears when its item finishes, as an active one.
//! - A read set whose activation fails goes back to the archive.
//! - The texts below.

use crate::model::{ItemStatus, JobStatus};

pub(crate) const TOKEN_REUSED: &str = "The client token was already used with different parameters.";
pub(crate) const READ_SET_NOT_FOUND: &str = "Read set not found";
pub(crate) const READ_SET_NOT_ACTIVE: &str = "Read set is not in ACTIVE state";
pub(crate) const STORE_NOT_FOUND: &str = "Sequence store not found.";
pub(crate) const JOB_NOT_FOUND: &str = "Job not found.";
pub(crate) const TOO_MANY_JOBS: &str = "The maximum number of jobs running at once has been reached.";
/// Seen on the real service; that these inputs lead to it is assumed.
pub(crate) const FILE_INVALID: &str = "File validation failed";
/// Seen on the real service.
pub(crate) const NO_ACTIVATION_NEEDED: &str =
    "No activation needed as read set is already in ACTIVATING or ACTIVE state.";

/// The first, second and third were seen on the real service.
pub(crate) fn job_message(status: &JobStatus) -> &'static str {
    match status {
        JobStatus::Submitted => "The job is submitted and will start soon.",
        JobStatus::InProgress => "The job is currently in progress.",
        JobStatus::Completed => "The job completed successfully.",
        JobStatus::CompletedWithFailures => "The job completed with failures.",
        _ => "The job failed.",
    }
}

/// The message of an item that has no other. The first two were seen on the real service.
pub(crate) fn item_message(status: &ItemStatus) -> &'static str {
    match status {
        ItemStatus::NotStarted => "The source is queued for the job.",
        ItemStatus::InProgress => "The source job is currently in progress.",
        ItemStatus::Finished => "The source job completed successfully.",
        _ => "The source job failed.",
    }
}
