//! The faults, and the expected result of each. The page of the documentation is generated from them.

use std::time::Duration;

use healthomics::error::StopReason;
use healthomics::local::Fault;
use serde_json::{Value, json};
use time::macros::datetime;

use super::calls::Operation;
use super::end::{End, Expected, error, success};
use super::proxy::WrongLength;

/// Faults that have the same remedy.
pub struct Section {
    pub title: &'static str,
    pub remedy: &'static str,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub name: &'static str,
    pub once: Option<Cell>,
    pub always: Option<Cell>,
    /// The operations that the row is about.
    pub is_of: fn(Operation) -> bool,
}

impl Row {
    fn of(self, is_of: fn(Operation) -> bool) -> Self {
        Self { is_of, ..self }
    }
}

pub type Cell = (Inject, End);

/// How a fault is caused.
#[derive(Clone, Debug)]
pub enum Inject {
    Fault(Fault),
    /// A fault that depends on the form of the operation's response.
    ByOperation(fn(Operation) -> Fault),
    WrongLength(WrongLength),
    /// A fault that lasts a minute, whatever the number of requests.
    ForAMinute(Fault),
    /// The clocks of client and service differ by this number of seconds.
    Clocks(i64),
    /// The service reports that the credentials have expired. The next credentials are valid in "once", and expired,
    /// too, in "always".
    ExpiredCredentials,
    /// A redirect to another host, which must not receive a request.
    Redirect,
    /// No process listens on the port of the endpoint.
    NoListener,
    /// The root of the server's certificate is not trusted. It needs TLS.
    UntrustedRoot,
}

impl Inject {
    pub fn needs_tls(&self) -> bool {
        matches!(self, Self::UntrustedRoot)
    }
}

fn row(name: &'static str, inject: impl Into<Inject>, once: End, always: End) -> Row {
    let inject = inject.into();
    Row { name, once: Some((inject.clone(), once)), always: Some((inject, always)), is_of: any }
}

fn any(_: Operation) -> bool {
    true
}

/// Its response has no body if everything was deleted.
fn is_deletion(operation: Operation) -> bool {
    operation == Operation::BatchDeleteReadSet
}

impl From<Fault> for Inject {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<WrongLength> for Inject {
    fn from(wrong: WrongLength) -> Self {
        Self::WrongLength(wrong)
    }
}

// How long a call waits with the client's defaults, in milliseconds.
const NONE: u64 = 0;
/// One backoff.
const ONE_RETRY: u64 = 50;
/// Two backoffs: the second is twice as long.
const TWO_RETRIES: u64 = 150;
/// One backoff after throttling.
const ONE_SLOW_RETRY: u64 = 1_000;
/// Two backoffs after throttling: the second is twice as long.
const TWO_SLOW_RETRIES: u64 = 3_000;
const READ_TIMEOUT: u64 = 30_000;
const ATTEMPT_TIMEOUT: u64 = 60_000;

const HTML: &str = "<html><body><h1>Sorry</h1></body></html>";

fn html(status: u16) -> Fault {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Fault::Response { status, headers, body: HTML.into() }
}

fn html_after(status: u16) -> Fault {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Fault::ResponseAfter { status, headers, body: HTML.into() }
}

/// The response of a captive portal or a health check, with a status of success.
fn foreign_json() -> Fault {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Fault::Response { status: 200, headers, body: br#"{"message":"session expired, log in"}"#.to_vec() }
}

/// A successful deletion, as AWS documents it.
fn empty_of_the_service() -> Fault {
    let headers = vec![("x-amzn-requestid".to_owned(), "cf7f6bf9-7d2a-4e5c-9a34-0123456789ab".to_owned())];
    Fault::ResponseAfter { status: 200, headers, body: Vec::new() }
}

fn throttled_for(seconds: &str) -> Fault {
    let headers = vec![("retry-after".to_owned(), seconds.to_owned())];
    Fault::Response { status: 429, headers, body: br#"{"message":"Rate exceeded"}"#.to_vec() }
}

/// A rejected signature, in a response with a `Date` that is decades old.
fn rejected_signature_with_old_date() -> Fault {
    let headers = [("x-amzn-errortype", "InvalidSignatureException"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Fault::Response { status: 403, headers, body: br#"{"message":"Signature expired"}"#.to_vec() }
}

/// Replaces fields of the job or read set in a response, or of the only item of its list.
fn with_fields(operation: Operation, patch: &Value) -> Fault {
    let Some(key) = operation.list_key() else { return Fault::merge(patch.to_string()) };
    let mut item = json!({
        "id": "1234567890",
        "sequenceStoreId": "1234567890",
        "status": if key == "readSets" { "ACTIVE" } else { "SUBMITTED" },
        "creationTime": "2022-11-23T01:36:38.158Z",
    });
    for (name, value) in patch.as_object().into_iter().flatten() {
        item[name] = value.clone();
    }
    Fault::merge(json!({ key: [item] }).to_string())
}

fn unknown_status(operation: Operation) -> Fault {
    with_fields(operation, &json!({"status": "PONDERING"}))
}

fn unknown_fields(operation: Operation) -> Fault {
    let fields =
        json!({"novelty": {"a": [1, null, {"b": "c"}]}, "statusReason": 7, "creationTime": "2022-11-23T01:36:38.158Z"});
    with_fields(operation, &fields)
}

fn epoch(operation: Operation) -> Fault {
    with_fields(operation, &json!({"creationTime": 1_669_167_398.158}))
}

fn offset(operation: Operation) -> Fault {
    with_fields(operation, &json!({"creationTime": "2022-11-23T03:36:38.158000+02:00"}))
}

pub fn sections() -> Vec<Section> {
    vec![
        connection(),
        timeouts(),
        server_errors(),
        throttling(),
        unusable_responses(),
        other_servers(),
        clock_and_credentials(),
        unknown_values(),
    ]
}

fn reset() -> End {
    error("Transport", 3, TWO_RETRIES).retryable()
}

fn read_timeout() -> End {
    error("Timeout", 3, 3 * READ_TIMEOUT + TWO_RETRIES).retryable().timeout()
}

fn server_error(variant: &str, status: u16) -> End {
    error(variant, 3, TWO_RETRIES).status(status).retryable()
}

fn throttled(status: u16) -> End {
    error("ThrottlingException", 3, TWO_SLOW_RETRIES).status(status).throttling()
}

fn undecodable() -> End {
    error("UndecodableResponse", 3, TWO_RETRIES).retryable()
}

fn too_long() -> End {
    error("ThrottlingException", 1, NONE).status(429).throttling().retry_after(600).stopped(StopReason::DelayTooLong)
}

fn too_large() -> End {
    error("UndecodableResponse", 1, NONE).maybe_applied(1)
}

fn skewed() -> End {
    error("Service", 2, NONE).status(403).code("InvalidSignatureException")
}

fn connection() -> Section {
    Section {
        title: "Connection failures",
        remedy: "Repeat the call later; repeat a start with the client token of its error. An untrusted certificate needs \
                     another setting:\n[`add_root_certificates`](crate::ClientBuilder::add_root_certificates).",
        rows: vec![
            row(
                "connection reset before the request is processed",
                Fault::ResetBefore,
                success(2, ONE_RETRY),
                reset().maybe_applied(0),
            ),
            row(
                "connection reset after the request is processed",
                Fault::ResetAfter,
                success(2, ONE_RETRY),
                reset().maybe_applied(1),
            ),
            Row {
                name: "connection refused",
                is_of: any,
                once: None,
                always: Some((Inject::NoListener, error("Transport", 3, TWO_RETRIES).retryable())),
            },
            Row {
                name: "an untrusted certificate",
                is_of: any,
                once: None,
                always: Some((Inject::UntrustedRoot, error("Transport", 1, NONE))),
            },
        ],
    }
}

fn timeouts() -> Section {
    Section {
        title: "Timeouts",
        remedy: "Repeat the call later; repeat a start with the client token of its error. If the network is slow, raise the timeout\n\
                     that the message names.",
        rows: vec![
            row(
                "no response, the request is not processed",
                Fault::HangBefore,
                success(2, READ_TIMEOUT + ONE_RETRY),
                read_timeout().maybe_applied(0),
            ),
            row(
                "no response, the request is processed",
                Fault::HangAfter,
                success(2, READ_TIMEOUT + ONE_RETRY),
                read_timeout().maybe_applied(1),
            ),
            row(
                "a response that stops in its body",
                WrongLength::Stalled,
                success(2, READ_TIMEOUT + ONE_RETRY),
                read_timeout().maybe_applied(1),
            ),
            row(
                "a slow response, 10 ms a byte",
                Fault::SlowBody(Duration::from_millis(10)),
                success(1, 10_000).no_sooner(500),
                success(1, 10_000).no_sooner(500),
            ),
            row(
                "a slow response, 20 s a byte",
                Fault::SlowBody(Duration::from_secs(20)),
                success(2, ATTEMPT_TIMEOUT + ONE_RETRY),
                error("Timeout", 3, 3 * ATTEMPT_TIMEOUT + TWO_RETRIES).retryable().timeout().maybe_applied(1),
            ),
        ],
    }
}

fn server_errors() -> Section {
    Section {
        title: "Server errors",
        remedy: "Repeat the call later; repeat a start with the client token of its error. If it happens again, report the request id\n\
                     to AWS support.",
        rows: vec![
            row(
                "500 `InternalServerException`, the request is not processed",
                Fault::error(500, "InternalServerException", "An unexpected error occurred."),
                success(2, ONE_RETRY),
                server_error("InternalServerException", 500).code("InternalServerException").maybe_applied(0),
            ),
            row(
                "500 with HTML, the request is processed",
                html_after(500),
                success(2, ONE_RETRY),
                server_error("InternalServerException", 500).maybe_applied(1),
            ),
            row(
                "502 with HTML, the request is not processed",
                html(502),
                success(2, ONE_RETRY),
                server_error("Service", 502).maybe_applied(0),
            ),
            row(
                "503 `ServiceUnavailable`",
                Fault::error(503, "ServiceUnavailable", "Please try again."),
                success(2, ONE_RETRY),
                server_error("Service", 503).code("ServiceUnavailable").maybe_applied(0),
            ),
            row(
                "504 with HTML, the request is processed",
                html_after(504),
                success(2, ONE_RETRY),
                server_error("Service", 504).maybe_applied(1),
            ),
            row(
                "408 `RequestTimeoutException`",
                Fault::error(408, "RequestTimeoutException", "Request timed out."),
                success(2, ONE_RETRY),
                server_error("RequestTimeoutException", 408).code("RequestTimeoutException").timeout().maybe_applied(0),
            ),
        ],
    }
}

fn throttling() -> Section {
    Section {
        title: "Throttling",
        remedy: "Send fewer requests, or have the quota raised. The call waits for a `Retry-After` of up to five minutes if its\n\
                     operation timeout (240 s by default) allows it. A longer one is returned in the error:\n\
                     [`retry_after`](crate::Error::retry_after).",
        rows: vec![
            row(
                "429 `ThrottlingException`",
                Fault::error(429, "ThrottlingException", "Rate exceeded"),
                success(2, ONE_SLOW_RETRY),
                throttled(429).code("ThrottlingException"),
            ),
            row("429 with HTML", html(429), success(2, ONE_SLOW_RETRY), throttled(429)),
            row("429 with an empty body", Fault::response(429, ""), success(2, ONE_SLOW_RETRY), throttled(429)),
            row(
                "400 `ThrottlingException`",
                Fault::error(400, "ThrottlingException", "Rate exceeded"),
                success(2, ONE_SLOW_RETRY),
                throttled(400).code("ThrottlingException"),
            ),
            Row {
                name: "429 for a minute",
                is_of: any,
                once: Some((Inject::ForAMinute(Fault::response(429, "")), throttled(429))),
                always: None,
            },
            Row {
                name: "429 for a minute, with `Retry-After: 60`",
                is_of: any,
                once: Some((Inject::ForAMinute(throttled_for("60")), success(2, 60_000).no_sooner(60_000))),
                always: Some((
                    throttled_for("60").into(),
                    error("ThrottlingException", 3, 120_000)
                        .status(429)
                        .throttling()
                        .retry_after(60)
                        .no_sooner(120_000),
                )),
            },
            row("429 with `Retry-After: 600`", throttled_for("600"), too_long(), too_long()),
        ],
    }
}

fn unusable_responses() -> Section {
    Section {
        title: "Unusable responses",
        remedy: "Repeat the call later; repeat a start with the client token of its error. If a response is too large, raise\n\
                     [`max_response_size`](crate::ClientBuilder::max_response_size).",
        rows: vec![
            row(
                "200 with an empty body, without a request id",
                Fault::EmptyBody,
                success(2, ONE_RETRY),
                undecodable().maybe_applied(1),
            ),
            row(
                "200 with an empty body, with a request id",
                empty_of_the_service(),
                success(2, ONE_RETRY),
                undecodable().maybe_applied(1),
            )
            .of(|operation| !is_deletion(operation)),
            row(
                "the same of `BatchDeleteReadSet`, which means success",
                empty_of_the_service(),
                success(1, NONE),
                success(1, NONE),
            )
            .of(is_deletion),
            row("200 with a truncated body", Fault::TruncatedBody, success(2, ONE_RETRY), reset().maybe_applied(1)),
            row(
                "200 with a body that is not JSON",
                Fault::MalformedBody,
                success(2, ONE_RETRY),
                undecodable().maybe_applied(1),
            ),
            row("200 with the login page of a proxy", html(200), success(2, ONE_RETRY), undecodable().maybe_applied(0)),
            row(
                "200 with JSON of another server",
                foreign_json(),
                success(2, ONE_RETRY),
                undecodable().maybe_applied(0),
            ),
            row("`Content-Length` too large", WrongLength::TooLong, success(2, ONE_RETRY), reset().maybe_applied(1)),
            row(
                "`Content-Length` too small",
                WrongLength::TooShort,
                success(2, ONE_RETRY),
                undecodable().maybe_applied(1),
            ),
            row("a body of 64 MB", Fault::LargeBody(64 << 20), too_large(), too_large()),
        ],
    }
}

fn other_servers() -> Section {
    Section {
        title: "Responses of other servers",
        remedy: "Find out which server it is: [`body_excerpt`](crate::error::ServiceError::body_excerpt) has the start of its\n\
                     response. Redirects are not followed: the other host receives no request and no signature.",
        rows: vec![
            row(
                "403 with HTML, from a proxy",
                html(403),
                error("AccessDeniedException", 1, NONE).status(403),
                error("AccessDeniedException", 1, NONE).status(403),
            ),
            row(
                "307 to another host",
                Inject::Redirect,
                error("Service", 1, NONE).status(307),
                error("Service", 1, NONE).status(307),
            ),
        ],
    }
}

fn clock_and_credentials() -> Section {
    Section {
        title: "Clock and credentials",
        remedy: "Set the clock of the machine; check the source of the credentials.",
        rows: vec![
            Row {
                name: "the client's clock is two hours behind",
                is_of: any,
                once: Some((Inject::Clocks(7_200), success(2, NONE))),
                always: None,
            },
            Row {
                name: "the client's clock is two hours ahead",
                is_of: any,
                once: Some((Inject::Clocks(-7_200), success(2, NONE))),
                always: None,
            },
            Row {
                name: "a rejected signature with a `Date` of 1994",
                is_of: any,
                once: Some((rejected_signature_with_old_date().into(), success(3, NONE))),
                always: Some((rejected_signature_with_old_date().into(), skewed())),
            },
            row(
                "a successful response with a `Date` two hours ahead",
                Fault::DateOffset(7_200),
                success(1, NONE),
                success(1, NONE),
            ),
            row(
                "`ExpiredTokenException`",
                Inject::ExpiredCredentials,
                success(2, NONE),
                error("Service", 2, NONE).status(403).code("ExpiredTokenException"),
            ),
        ],
    }
}

fn unknown_values() -> Section {
    let expecting = |expected| success(1, NONE).expecting(expected);
    let created = Expected::Created(datetime!(2022-11-23 01:36:38.158 UTC));
    Section {
        title: "Unknown values",
        remedy: "Nothing needs to be done: unknown values are kept as they are, and unknown fields are ignored.",
        rows: vec![
            row(
                "an unknown status",
                Inject::ByOperation(unknown_status),
                expecting(Expected::Status("PONDERING")),
                expecting(Expected::Status("PONDERING")),
            ),
            row(
                "unknown fields",
                Inject::ByOperation(unknown_fields),
                expecting(created.clone()),
                expecting(created.clone()),
            ),
            row(
                "times as seconds since 1970",
                Inject::ByOperation(epoch),
                expecting(created.clone()),
                expecting(created.clone()),
            ),
            row(
                "times with an offset from UTC",
                Inject::ByOperation(offset),
                expecting(created.clone()),
                expecting(created),
            ),
        ],
    }
}
