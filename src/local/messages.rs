//! The messages of the service. Those that are not marked as observed are assumptions; the documentation of
//! [`local`](crate::local) lists the other assumptions.

use crate::model::{ItemStatus, JobStatus};

pub(crate) const CLIENT_TOKEN_REUSED: &str = "The client token was already used with different parameters.";
pub(crate) const INVALID_NEXT_TOKEN: &str = "The next token is not valid for this request.";
pub(crate) const JOB_HAS_ENDED: &str = "The job has ended.";
pub(crate) const JOB_NOT_FOUND: &str = "Job not found.";
pub(crate) const READ_SET_NOT_FOUND: &str = "Read set not found.";
pub(crate) const STORE_NOT_FOUND: &str = "Sequence store not found.";
pub(crate) const TOO_MANY_JOBS: &str = "The maximum number of jobs running at once has been reached.";

/// Observed on the real service; which inputs lead to it is an assumption.
pub(crate) const ITEM_FILE_INVALID: &str = "File validation failed";
/// Observed on the real service.
pub(crate) const ITEM_NEEDS_NO_ACTIVATION: &str =
    "No activation needed as read set is already in ACTIVATING or ACTIVE state.";
pub(crate) const ITEM_READ_SET_NOT_ACTIVE: &str = "Read set is not in ACTIVE state";
pub(crate) const ITEM_READ_SET_NOT_FOUND: &str = "Read set not found";

/// The status message of a job. The first three were observed on the real service.
pub(crate) fn job_message(status: &JobStatus) -> &'static str {
    match status {
        JobStatus::Submitted => "The job is submitted and will start soon.",
        JobStatus::InProgress => "The job is currently in progress.",
        JobStatus::Completed => "The job completed successfully.",
        JobStatus::CompletedWithFailures => "The job completed with failures.",
        JobStatus::Cancelling => "The job is being cancelled.",
        JobStatus::Cancelled => "The job was cancelled.",
        _ => "The job failed.",
    }
}

/// The status message of an item without one of its own. The first two were observed on the real service.
pub(crate) fn item_message(status: &ItemStatus) -> &'static str {
    match status {
        ItemStatus::NotStarted => "The source is queued for the job.",
        ItemStatus::InProgress => "The source job is currently in progress.",
        ItemStatus::Finished => "The source job completed successfully.",
        _ => "The source job failed.",
    }
}
