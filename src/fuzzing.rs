//! The bodies of the fuzz targets, which `cargo test` runs with generated input, too. Each function reads input from
//! outside. It must not panic, and its time and memory must be bounded by the size of the input.
//!
//! This module exists in tests and under `cargo fuzz` only.

pub(crate) mod checks;
mod endpoint;
#[cfg(feature = "local")]
mod local;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::{SharedTimeSource, StaticTimeSource};
use bytes::Bytes;
use checks::{assert_fit_for_a_log, assert_one_line, context};
pub use endpoint::endpoint;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
#[cfg(feature = "local")]
pub use local::{local_request, local_signature};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::Error;
use crate::bulk::{BulkError, Plan, journal_fuzzing};
use crate::error::Context;
use crate::job::Export;
use crate::model::{CreationType, ETagAlgorithm, FileType, ItemStatus, JobStatus, ReadSetStatus, time as times};
use crate::operation::fuzzing::OPERATIONS;
use crate::protocol::error_response::{ErrorResponse, clock_skew, server_delay};
use crate::protocol::json::json_struct;
use crate::protocol::response::Response;
use crate::protocol::sigv4::Secrets;
use crate::read_set::ImportReadSetSource;
use crate::runtime::clock::Clock;
use crate::runtime::retry::{self, Class, Quota, Retry, RetryPolicy};

/// Successful responses: a byte that chooses the operation, and the body.
pub fn responses(data: &[u8]) {
    let Some((selector, body)) = data.split_first() else { return };
    let (_, decode) = OPERATIONS[usize::from(*selector) % OPERATIONS.len()];
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-amzn-requestid"), HeaderValue::from_static("r"))]);
    decode(&Response { status: StatusCode::OK, headers, body: Bytes::copy_from_slice(body) }, "5555555555");
}

/// Error responses: a line with the status, lines of headers, an empty line, the body.
pub fn errors(data: &[u8]) {
    let Message { start, headers, body } = Message::read(data);
    let status = str::from_utf8(start).ok().and_then(|text| StatusCode::from_bytes(text.trim().as_bytes()).ok());
    let body = Bytes::copy_from_slice(body);
    let raw = Response { status: status.unwrap_or(StatusCode::BAD_REQUEST), headers, body };
    let now = now();

    let response = ErrorResponse::read(&raw, now, &Secrets::default());
    let clock = Clock::new(SharedTimeSource::new(StaticTimeSource::new(now)), true);
    let skew = clock_skew(&raw, now).and_then(|service| clock.offset_to(service));
    if let Some(offset) = skew {
        clock.correct(offset);
        assert_ne!(clock.now(), now, "a clock that is off moves");
    }
    let class = retry::classify(&response, skew);
    let delay = server_delay(&raw, now);
    assert!(delay.is_none_or(|delay| delay.duration() <= Duration::from_hours(24)), "{delay:?}");
    for (jitter, left) in [(0.0, None), (1.0, Some(Duration::from_mins(4))), (0.5, Some(Duration::ZERO))] {
        let mut retry = Retry::new(RetryPolicy::default(), Quota::new(Some(Quota::DEFAULT_CAPACITY)));
        retry.next_attempt();
        if let retry::Decision::Retry { after } = retry.failed(class, delay, jitter, left) {
            assert!(after <= Duration::from_mins(5), "a service can't make a caller wait {after:?}");
        }
    }
    let context = Context {
        may_have_been_applied: retry::may_have_been_applied(&response, class),
        retryable: class.is_retryable(),
        throttling: class == Class::Throttling,
        ..context("StartReadSetExportJob")
    };
    assert_fit_for_a_log(&Error::from_response(response, context));
}

json_struct! {
    #[derive(Serialize, Deserialize)]
    struct Holder {
        at: Option<OffsetDateTime>,
    }
}

/// Timestamps: the bytes are one as text, and as a JSON value.
pub fn times(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let as_field = serde_json::from_str::<Holder>(&format!("{{\"at\":{text}}}")).ok().and_then(|holder| holder.at);
    for time in [times::from_iso8601(text), as_field].into_iter().flatten() {
        let written = times::to_iso8601(time);
        if times::can_be_written(time) {
            assert_eq!(times::from_iso8601(&written), Some(time), "{written}");
        }
    }
}

/// Enumerations: the bytes are a value.
pub fn enums(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    macro_rules! each {
        ($($Enum:ident)+) => {$(
            let value = $Enum::from(&*text);
            assert_eq!(value.as_str(), text);
            assert_eq!(value.to_string(), text);
            assert_eq!($Enum::KNOWN.contains(&value), !matches!(value, $Enum::Unknown(_)));
            let json = serde_json::to_string(&value).unwrap_or_default();
            assert_eq!(serde_json::from_str::<$Enum>(&json).ok(), Some(value));
            if let Ok(value) = serde_json::from_slice::<$Enum>(data) {
                assert_eq!(serde_json::to_value(&value).ok(), serde_json::from_slice(data).ok());
            }
        )+};
    }
    each! { JobStatus ItemStatus FileType ReadSetStatus CreationType ETagAlgorithm }
}

/// Manifests: the bytes are one source.
pub fn manifest(data: &[u8]) {
    // The errors of the parser quote unknown names unchanged: they are not checked here.
    let Ok(source) = serde_json::from_slice::<ImportReadSetSource>(data) else { return };
    let mut given: Value = serde_json::from_slice(data).unwrap_or_default();
    remove_nulls(&mut given);
    given.get_mut("sourceFiles").map(remove_nulls);
    assert_eq!(serde_json::to_value(&source).ok(), Some(given), "nothing is lost");
}

fn remove_nulls(object: &mut Value) {
    if let Value::Object(fields) = object {
        fields.retain(|_, value| !value.is_null());
    }
}

/// Journals: the bytes are one, or with a leading `+` the lines behind a good header.
///
/// # Panics
///
/// Like every target: if a property does not hold.
pub fn journal(data: &[u8]) {
    static PLAN: OnceLock<(Plan<Export>, Vec<u8>)> = OnceLock::new();
    let (plan, header) = PLAN.get_or_init(|| {
        let plan = journal_fuzzing::plan().unwrap_or_else(|error| panic!("{error}"));
        let header = journal_fuzzing::header(&plan);
        (plan, header)
    });
    let with_header;
    let data = match data.strip_prefix(b"+") {
        Some(lines) => {
            with_header = [header, lines].concat();
            &with_header
        }
        None => data,
    };
    match journal_fuzzing::read(data, plan) {
        Err(error @ (BulkError::JournalCorrupt { .. } | BulkError::JournalUnsupportedVersion { .. })) => {
            assert_one_line(&error.to_string());
        }
        Ok(()) | Err(BulkError::JournalMismatch { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// A message of HTTP as text: a first line, headers, an empty line, a body. Headers that can't be are left out.
struct Message<'a> {
    start: &'a [u8],
    headers: HeaderMap,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(data: &'a [u8]) -> Self {
        let end = data.windows(2).position(|bytes| bytes == b"\n\n").unwrap_or(data.len());
        let (head, body) = data.split_at(end);
        let mut lines = head.split(|byte| *byte == b'\n');
        let start = lines.next().unwrap_or_default();
        let header = |line: &[u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            Some((HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?))
        };
        let mut headers = HeaderMap::new();
        // No more than what an HTTP stack lets through.
        for (name, value) in lines.filter_map(header).take(100) {
            headers.append(name, value);
        }
        Self { start, headers, body: body.get(2..).unwrap_or_default() }
    }
}

/// The start of 2026.
#[allow(clippy::duration_suboptimal_units, reason = "a time, not a length")]
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600)
}
