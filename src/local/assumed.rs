//! The texts of the service, seen or assumed. What else is assumed of it is listed at the head of
//! [`local`](crate::local).

use crate::model::{ItemStatus, JobStatus};

pub(crate) const TOKEN_REUSED: &str = "The client token was already used with different parameters.";
pub(crate) const READ_SET_NOT_FOUND: &str = "Read set not found";
pub(crate) const READ_SET_NOT_ACTIVE: &str = "Read set is not in ACTIVE state";
pub(crate) const STORE_NOT_FOUND: &str = "Sequence store not found.";
pub(crate) const READ_SET_NOT_THERE: &str = "Read set not found.";
pub(crate) const TOKEN_OF_ANOTHER_LIST: &str = "The next token is not valid for this request.";
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
