//! What the service does about a client token that it has seen before.

use std::time::Duration;

/// What the service does about the client token of an earlier start.
///
/// [`LocalService::set_client_tokens`](super::LocalService::set_client_tokens) has an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientTokens {
    /// An equal start returns the job of the first one; another start is refused. This is what the local service assumes
    /// of HealthOmics, which does not document it.
    #[default]
    Remembered,
    /// As [`Remembered`](Self::Remembered) for this time on tokio's clock. After that, a start starts a second job.
    ForgottenAfter(Duration),
    /// Each start starts a job.
    Ignored,
    /// A start with an earlier token is refused with a `ConflictException`, even if it is equal.
    Conflict,
}
