//! Whether a start has returned a job that existed before.

use time::{Duration, OffsetDateTime};

use super::response::Response;

/// The resolution of a `Date` header and of a creation time, which is a second for each.
const RESOLUTION: Duration = Duration::seconds(2);

/// What the attempt that succeeded shows about the job in its response.
pub(crate) struct Evidence<'a> {
    /// Whether the client token was made for this call, and no earlier attempt with it may have been applied.
    pub(crate) is_client_token_new: bool,
    pub(crate) response: &'a Response,
    /// The time between the attempt and its response.
    pub(crate) duration: std::time::Duration,
}

impl Evidence<'_> {
    /// Whether a job that was created at this time existed before the attempt; `None` if that can't be known.
    ///
    /// Only times of the service are compared: the local clock may be wrong.
    pub(crate) fn replayed(&self, creation_time: Option<OffsetDateTime>) -> Option<bool> {
        if self.is_client_token_new {
            return Some(false);
        }
        let duration = Duration::try_from(self.duration).ok()?;
        let sent_at_earliest = self.response.date()?.checked_sub(duration)?.checked_sub(RESOLUTION)?;
        (creation_time? < sent_at_earliest).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::testing::response;

    const DATE: (&str, &str) = ("date", "Fri, 01 Mar 2024 00:01:00 GMT");

    fn replayed(headers: &[(&str, &str)], millis: u64, created: Option<OffsetDateTime>) -> Option<bool> {
        let response = response(200, headers, "");
        let duration = std::time::Duration::from_millis(millis);
        Evidence { is_client_token_new: false, response: &response, duration }.replayed(created)
    }

    #[test]
    fn a_job_from_before_the_attempt_was_replayed() {
        for (created, millis, expected) in [
            (datetime!(2024-03-01 00:00:57.999 UTC), 0, Some(true)),
            (datetime!(2024-03-01 00:00:58 UTC), 0, None),
            (datetime!(2024-03-01 00:00:57.499 UTC), 500, Some(true)),
            (datetime!(2024-03-01 00:00:57.5 UTC), 500, None),
            (datetime!(2024-03-01 00:00:00 UTC), 60_000, None),
            (datetime!(2024-03-01 00:02:00 UTC), 0, None),
            (datetime!(2023-01-01 00:00:00 UTC), u64::MAX, None),
        ] {
            assert_eq!(replayed(&[DATE], millis, Some(created)), expected, "{created} {millis}");
        }
    }

    #[test]
    fn without_the_times_of_the_service_nothing_is_known() {
        let created = Some(datetime!(2023-01-01 00:00:00 UTC));
        assert_eq!(replayed(&[DATE], 0, created), Some(true));
        assert_eq!(replayed(&[DATE], 0, None), None);
        assert_eq!(replayed(&[], 0, created), None);
        assert_eq!(replayed(&[("date", "yesterday")], 0, created), None);
        assert_eq!(replayed(&[DATE, ("age", "5")], 0, created), None, "the date of a cached response");
    }

    #[test]
    fn a_job_of_a_new_client_token_was_not_replayed() {
        let response = response(200, &[], "");
        let evidence = Evidence { is_client_token_new: true, response: &response, duration: std::time::Duration::ZERO };
        assert_eq!(evidence.replayed(None), Some(false));
    }
}
