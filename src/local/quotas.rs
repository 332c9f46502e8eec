//! Bounds on the requests and jobs of an account.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

/// Bounds that the real service sets for each account. None of them is set by default.
///
/// ```
/// use healthomics::Error;
/// use healthomics::local::{LocalService, Quotas};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let quotas = Quotas::none().jobs_at_once(1);
/// let local = LocalService::builder().quotas(quotas).start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// let call = client
///     .start_read_set_activation_job()
///     .sequence_store_id(&store)
///     .sources(["5555555555"]);
/// call.clone().send().await?;
/// // Each `send` has a client token of its own: this would be a second job.
/// let error = call.send().await.unwrap_err();
/// assert!(matches!(error, Error::ServiceQuotaExceededException(_)));
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Quotas {
    /// The highest number of requests of one operation within any second, or `None` for no limit. Further requests are
    /// refused with a `ThrottlingException`. If there is a limit, that of `BatchDeleteReadSet` is one request a second.
    pub requests_per_second: Option<u32>,
    /// The highest number of jobs of one kind that have not ended, or `None` for no limit. Further starts are refused
    /// with a `ServiceQuotaExceededException`.
    pub jobs_at_once: Option<u32>,
}

impl Quotas {
    /// No limits.
    pub fn none() -> Self {
        Self::default()
    }

    /// The limits of a new account: 5 requests a second and 20 jobs of a kind.
    pub fn of_new_account() -> Self {
        Self { requests_per_second: Some(5), jobs_at_once: Some(20) }
    }

    /// Limits the requests of each operation within any second.
    #[must_use]
    pub fn requests_per_second(self, limit: u32) -> Self {
        Self { requests_per_second: Some(limit), ..self }
    }

    /// Limits the jobs of each kind that have not ended.
    #[must_use]
    pub fn jobs_at_once(self, limit: u32) -> Self {
        Self { jobs_at_once: Some(limit), ..self }
    }
}

/// The times of the requests of the last second, by operation.
#[derive(Default)]
pub(crate) struct RecentRequests(HashMap<&'static str, VecDeque<Instant>>);

impl RecentRequests {
    /// Counts a request, unless it exceeds the limit; returns whether it was counted.
    pub(crate) fn try_count(&mut self, operation: &'static str, limit: u32, now: Instant) -> bool {
        let recent = self.0.entry(operation).or_default();
        while recent.front().is_some_and(|earlier| now.duration_since(*earlier) >= Duration::from_secs(1)) {
            recent.pop_front();
        }
        let is_within_limit = recent.len() < limit as usize;
        if is_within_limit {
            recent.push_back(now);
        }
        is_within_limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_for_one_second() {
        let mut recent = RecentRequests::default();
        let start = Instant::now();
        let mut try_count = |millis| recent.try_count("A", 2, start + Duration::from_millis(millis));
        for millis in [0, 500] {
            assert!(try_count(millis));
        }
        assert!(!try_count(999));
        assert!(try_count(1000));
        assert!(!try_count(1001));
    }
}
