//! Timestamps as the service writes them, read leniently and written strictly.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads ISO 8601 with 0 to 9 fraction digits and any offset.
pub(crate) fn from_iso8601(text: &str) -> Option<OffsetDateTime> {
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    // `+0530` is ISO 8601 as well.
    parse(text).or_else(|| {
        let (front, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        parse(&format!("{front}:{minutes}"))
    })
}

/// Reads seconds since 1970.
pub(crate) fn from_seconds(seconds: f64) -> Option<OffsetDateTime> {
    // A double holds today's seconds to about a quarter of a microsecond: what is finer is noise.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a float beyond an integer becomes its largest, which is no time"
    )]
    let micros = (seconds * 1e6).round() as i128;
    OffsetDateTime::from_unix_timestamp_nanos(micros.saturating_mul(1_000)).ok()
}

/// A time beyond all bounds becomes the first or last that there is.
pub(crate) fn from_system_time(time: SystemTime) -> OffsetDateTime {
    let since_1970 = |distance| time::Duration::try_from(distance).unwrap_or(time::Duration::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => OffsetDateTime::UNIX_EPOCH.saturating_add(since_1970(after)),
        Err(before) => OffsetDateTime::UNIX_EPOCH.saturating_sub(since_1970(before.duration())),
    }
}

/// Writes UTC with a `Z`: what the service takes.
pub(crate) fn to_iso8601(time: OffsetDateTime) -> String {
    // Only a year outside 0..=9999 has no such form, and no service time is there.
    written(time).unwrap_or_else(|| time.to_string())
}

/// Whether a time has the form that the service takes: in UTC, its year is one of 0 to 9999.
pub(crate) fn can_be_written(time: OffsetDateTime) -> bool {
    written(time).is_some()
}

fn written(time: OffsetDateTime) -> Option<String> {
    time.checked_to_offset(time::UtcOffset::UTC)?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn years_beyond_four_digits_can_not_be_written() {
        assert!(can_be_written(datetime!(0000-01-01 00:00 UTC)) && can_be_written(datetime!(9999-12-31 23:59 UTC)));
        for time in [datetime!(9999-12-31 23:59 -1), datetime!(0000-01-01 00:00 +1), datetime!(-0001-01-01 00:00 UTC)] {
            assert!(!can_be_written(time), "{time}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(to_iso8601(datetime!(2022-11-23 07:06:38.158 +05:30)), "2022-11-23T01:36:38.158Z");
        assert_eq!(to_iso8601(datetime!(2022-11-23 01:36:38 UTC)), "2022-11-23T01:36:38Z");
        assert_eq!(to_iso8601(datetime!(9999-12-31 23:59 -1)), "9999-12-31 23:59:00.0 -01:00:00");
    }
}
