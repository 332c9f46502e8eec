//! The result of a group of a bulk run.

use super::journal::ItemResult;
use crate::Error;
use crate::model::JobStatus;

/// The result of a group.
#[derive(Clone, Debug)]
pub(super) enum GroupOutcome {
    /// There is no result yet.
    Pending,
    /// The job has ended.
    Ended { job_id: String, status: JobStatus, items: Vec<ItemResult> },
    /// None of the read sets was activated, and there was no job.
    NotActivated { items: Vec<ItemResult> },
    /// The service refused the start for good.
    Refused(StartError),
    /// A start was sent, and whether the service has started a job is not known.
    Indeterminate(StartError),
    /// The job can't be followed any more.
    Lost {
        job_id: String,
        error: String,
        /// The error without request id, attempts and job.
        cause: String,
        /// Whether the service does not know the job.
        not_found: bool,
    },
}

/// The error of a start that is not retried, with its texts.
#[derive(Clone, Debug)]
pub(super) struct StartError {
    pub(super) error: Error,
    pub(super) text: String,
    /// The text without request id, attempts and job.
    pub(super) cause: String,
}

impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        let text = error.report().to_string();
        let cause = error.report_of_cause();
        Self { error, text, cause }
    }
}
