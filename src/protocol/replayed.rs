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

    #[test]
    fn a_job_from_before_the_attempt_was_replayed() {
        let date = ("date", "Fri, 01 Mar 2024 00:01:00 GMT");
        for (headers, millis, created, expected) in [
            (&[date][..], 0, datetime!(2024-03-01 00:00:57.999 UTC), Some(true)),
            (&[date], 0, datetime!(2024-03-01 00:00:58 UTC), None),
            (&[date], 500, datetime!(2024-03-01 00:00:57.499 UTC), Some(true)),
            (&[date], 500, datetime!(2024-03-01 00:00:57.5 UTC), None),
            (&[date], u64::MAX, datetime!(2023-01-01 00:00 UTC), None),
            (&[], 0, datetime!(2023-01-01 00:00 UTC), None),
            (&[("date", "yesterday")], 0, datetime!(2023-01-01 00:00 UTC), None),
            (&[date, ("age", "5")], 0, datetime!(2023-01-01 00:00 UTC), None),
        ] {
            let response = response(200, headers, "");
            let duration = std::time::Duration::from_millis(millis);
            let evidence = Evidence { is_client_token_new: false, response: &response, duration };
            assert_eq!(evidence.replayed(Some(created)), expected, "{created} {millis} {headers:?}");
            assert_eq!(evidence.replayed(None), None);
        }
    }
}
