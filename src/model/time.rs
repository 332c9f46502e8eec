//! Timestamps as the service writes them, read leniently and written strictly.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Reads an ISO 8601 string with 0 to 9 fraction digits and any offset, or seconds since 1970 as a number.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
    deserializer.deserialize_any(Timestamp)
}

/// Writes UTC with a `Z`: what the service takes.
#[cfg_attr(not(feature = "local"), expect(dead_code, reason = "the filters of the list calls will send times"))]
pub(crate) fn to_iso8601(time: OffsetDateTime) -> String {
    let utc = time.to_offset(UtcOffset::UTC);
    // Only a year outside 0..=9999 has no such form, and no service time is there.
    utc.format(&Rfc3339).unwrap_or_else(|_| utc.to_string())
}

struct Timestamp;

impl Visitor<'_> for Timestamp {
    type Value = Option<OffsetDateTime>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ISO 8601 time or seconds since 1970")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(None);
        }
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Some)
            .map_err(|_| E::custom(format_args!("{text:?} is not an ISO 8601 time")))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Self::Value, E> {
        from_nanos(i128::from(seconds) * NANOS_PER_SECOND)
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Self::Value, E> {
        from_nanos(i128::from(seconds) * NANOS_PER_SECOND)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Self::Value, E> {
        // A double holds today's seconds to about a quarter of a microsecond: what is finer is noise.
        #[allow(clippy::cast_possible_truncation)]
        let micros = (seconds * 1e6).round() as i128;
        from_nanos(micros.saturating_mul(1_000))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

fn from_nanos<E: Error>(nanos: i128) -> Result<Option<OffsetDateTime>, E> {
    OffsetDateTime::from_unix_timestamp_nanos(nanos).map(Some).map_err(|_| E::custom("a time out of range"))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Holder {
        #[serde(default, deserialize_with = "optional")]
        at: Option<OffsetDateTime>,
    }

    fn read(json: &str) -> Result<Option<OffsetDateTime>, serde_json::Error> {
        serde_json::from_str::<Holder>(&format!("{{\"at\":{json}}}")).map(|holder| holder.at)
    }

    #[test]
    fn every_dress_of_a_time_is_read() {
        for (json, expected) in [
            (r#""2022-11-23T01:36:38.158Z""#, datetime!(2022-11-23 01:36:38.158 UTC)),
            (r#""2022-11-23T01:36:38Z""#, datetime!(2022-11-23 01:36:38 UTC)),
            (r#""2022-11-23T01:36:38.123456Z""#, datetime!(2022-11-23 01:36:38.123456 UTC)),
            (r#""2022-11-23T01:36:38.123456789Z""#, datetime!(2022-11-23 01:36:38.123456789 UTC)),
            (r#""2022-11-23T01:36:38+00:00""#, datetime!(2022-11-23 01:36:38 UTC)),
            (r#""2022-11-23T07:06:38.5+05:30""#, datetime!(2022-11-23 01:36:38.5 UTC)),
            (r#""2022-11-22T17:36:38-08:00""#, datetime!(2022-11-23 01:36:38 UTC)),
            ("1669167398", datetime!(2022-11-23 01:36:38 UTC)),
            ("1669167398.158", datetime!(2022-11-23 01:36:38.158 UTC)),
            ("-1", datetime!(1969-12-31 23:59:59 UTC)),
            ("0", datetime!(1970-01-01 00:00 UTC)),
        ] {
            assert_eq!(read(json).unwrap(), Some(expected), "{json}");
        }
    }

    #[test]
    fn an_absent_time_is_none() {
        assert_eq!(read("null").unwrap(), None);
        assert_eq!(read("\"\"").unwrap(), None);
        assert_eq!(serde_json::from_str::<Holder>("{}").unwrap().at, None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for json in [
            r#""yesterday""#,
            r#""2022-13-01T00:00:00Z""#,
            r#""2022-11-23""#,
            "true",
            "[]",
            "1e300",
            "99999999999999999999",
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(to_iso8601(datetime!(2022-11-23 07:06:38.158 +05:30)), "2022-11-23T01:36:38.158Z");
        assert_eq!(to_iso8601(datetime!(2022-11-23 01:36:38 UTC)), "2022-11-23T01:36:38Z");
    }
}
