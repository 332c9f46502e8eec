//! Everything that goes wrong, and how it is to end. The page of the documentation is made of this.

use std::time::Duration;

use healthomics::error::StopReason;
use healthomics::local::Fault;
use serde_json::{Value, json};
use time::macros::datetime;

use super::calls::Operation;
use super::end::{End, Sees, answer, error};
use super::front::Lie;

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
    /// The operations that end so.
    pub is_of: fn(Operation) -> bool,
}

impl Row {
    fn of(self, is_of: fn(Operation) -> bool) -> Self {
        Self { is_of, ..self }
    }
}

pub type Cell = (Inject, End);

/// How something is made to go wrong.
#[derive(Clone, Debug)]
pub enum Inject {
    Fault(Fault),
    /// One that needs to know what the answer looks like.
    Shaped(fn(Operation) -> Fault),
    Lie(Lie),
    /// For a minute, not for a number of requests.
    Minute(Fault),
    /// The clocks of both sides are so many seconds apart.
    Clocks(i64),
    /// The service calls the keys expired; those that are fetched next are good, or are no better.
    ExpiredKeys,
    /// The answer leads to another host, which must not hear of it.
    Redirect,
    /// Nobody listens.
    Nobody,
    /// The root of the server's certificate is not trusted. There is no such thing without TLS.
    Stranger,
}

impl Inject {
    pub fn needs_tls(&self) -> bool {
        matches!(self, Self::Stranger)
    }
}

fn row(name: &'static str, inject: impl Into<Inject>, once: End, always: End) -> Row {
    let inject = inject.into();
    Row { name, once: Some((inject.clone(), once)), always: Some((inject, always)), is_of: any }
}

fn any(_: Operation) -> bool {
    true
}

/// Of these a success has no body, if all was deleted.
fn is_deletion(operation: Operation) -> bool {
    operation == Operation::BatchDeleteReadSet
}

impl From<Fault> for Inject {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Lie> for Inject {
    fn from(lie: Lie) -> Self {
        Self::Lie(lie)
    }
}

// How long a call waits with the client's defaults, in milliseconds.
const NOT: u64 = 0;
/// A backoff.
const ONE_RETRY: u64 = 50;
/// And another, twice as long.
const TWO_RETRIES: u64 = 150;
/// A backoff after throttling.
const ONE_SLOW_RETRY: u64 = 1_000;
/// And another, twice as long.
const TWO_SLOW_RETRIES: u64 = 3_000;
const READ_TIMEOUT: u64 = 30_000;
const ATTEMPT_TIMEOUT: u64 = 60_000;

const HTML: &str = "<html><body><h1>Sorry</h1></body></html>";

fn html(status: u16) -> Fault {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Fault::Answer { status, headers, body: HTML.into() }
}

fn html_after(status: u16) -> Fault {
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    Fault::AnswerAfter { status, headers, body: HTML.into() }
}

/// What a captive portal or a health check says, with a status of success.
fn foreign_json() -> Fault {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Fault::Answer { status: 200, headers, body: br#"{"message":"session expired, log in"}"#.to_vec() }
}

/// What AWS documents as the success of a deletion.
fn empty_of_the_service() -> Fault {
    let headers = vec![("x-amzn-requestid".to_owned(), "cf7f6bf9-7d2a-4e5c-9a34-0123456789ab".to_owned())];
    Fault::AnswerAfter { status: 200, headers, body: Vec::new() }
}

fn throttled_for(seconds: &str) -> Fault {
    let headers = vec![("retry-after".to_owned(), seconds.to_owned())];
    Fault::Answer { status: 429, headers, body: br#"{"message":"Rate exceeded"}"#.to_vec() }
}

/// A refused signature in an answer of another age.
fn refused_by_another_clock() -> Fault {
    let headers = [("x-amzn-errortype", "InvalidSignatureException"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Fault::Answer { status: 403, headers, body: br#"{"message":"Signature expired"}"#.to_vec() }
}

/// Lays something over the job or read set of an answer, or over the only one in its list.
fn over(operation: Operation, patch: &Value) -> Fault {
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
    over(operation, &json!({"status": "PONDERING"}))
}

fn unknown_members(operation: Operation) -> Fault {
    let novelty =
        json!({"novelty": {"a": [1, null, {"b": "c"}]}, "statusReason": 7, "creationTime": "2022-11-23T01:36:38.158Z"});
    over(operation, &novelty)
}

fn epoch(operation: Operation) -> Fault {
    over(operation, &json!({"creationTime": 1_669_167_398.158}))
}

fn offset(operation: Operation) -> Fault {
    over(operation, &json!({"creationTime": "2022-11-23T03:36:38.158000+02:00"}))
}

pub fn sections() -> Vec<Section> {
    vec![
        connection(),
        silence(),
        failing_service(),
        too_many_requests(),
        unusable_answers(),
        somebody_else(),
        clock_and_keys(),
        tomorrow(),
    ]
}

fn reset() -> End {
    error("Transport", 3, TWO_RETRIES).retryable()
}

fn silent() -> End {
    error("Timeout", 3, 3 * READ_TIMEOUT + TWO_RETRIES).retryable().timeout()
}

fn failing(variant: &str, status: u16) -> End {
    error(variant, 3, TWO_RETRIES).status(status).retryable()
}

fn throttled(status: u16) -> End {
    error("ThrottlingException", 3, TWO_SLOW_RETRIES).status(status).throttling()
}

fn garbled() -> End {
    error("UndecodableResponse", 3, TWO_RETRIES).retryable()
}

fn too_long() -> End {
    error("ThrottlingException", 1, NOT).status(429).throttling().retry_after(600).stopped(StopReason::DelayTooLong)
}

fn too_large() -> End {
    error("UndecodableResponse", 1, NOT).maybe(1)
}

fn skewed() -> End {
    error("Service", 2, NOT).status(403).code("InvalidSignatureException")
}

fn connection() -> Section {
    Section {
        title: "The connection breaks",
        remedy: "Repeat the call later, a start with the token of its error. Waiting does not help against a \
                     certificate:\nsee [`add_root_certificates`](crate::ClientBuilder::add_root_certificates).",
        rows: vec![
            row("reset, nothing done", Fault::ResetBefore, answer(2, ONE_RETRY), reset().maybe(0)),
            row("reset, the work done", Fault::ResetAfter, answer(2, ONE_RETRY), reset().maybe(1)),
            Row {
                name: "nobody listens",
                is_of: any,
                once: None,
                always: Some((Inject::Nobody, error("Transport", 3, TWO_RETRIES).retryable())),
            },
            Row {
                name: "a certificate that nobody vouches for",
                is_of: any,
                once: None,
                always: Some((Inject::Stranger, error("Transport", 1, NOT))),
            },
        ],
    }
}

fn silence() -> Section {
    Section {
        title: "Silence",
        remedy: "Repeat the call later, a start with the token of its error. If the network is slow, raise the \
                     timeout that the\nmessage names.",
        rows: vec![
            row("no answer, nothing done", Fault::HangBefore, answer(2, READ_TIMEOUT + ONE_RETRY), silent().maybe(0)),
            row("no answer, the work done", Fault::HangAfter, answer(2, READ_TIMEOUT + ONE_RETRY), silent().maybe(1)),
            row("an answer that stops inside", Lie::Stalls, answer(2, READ_TIMEOUT + ONE_RETRY), silent().maybe(1)),
            row(
                "an answer that drips, 10 ms a byte",
                Fault::Drip(Duration::from_millis(10)),
                answer(1, 10_000).no_sooner(500),
                answer(1, 10_000).no_sooner(500),
            ),
            row(
                "an answer that drips, 20 s a byte",
                Fault::Drip(Duration::from_secs(20)),
                answer(2, ATTEMPT_TIMEOUT + ONE_RETRY),
                error("Timeout", 3, 3 * ATTEMPT_TIMEOUT + TWO_RETRIES).retryable().timeout().maybe(1),
            ),
        ],
    }
}

fn failing_service() -> Section {
    Section {
        title: "The service fails",
        remedy: "Repeat the call later, a start with the token of its error. If it goes on, tell AWS support the \
                     request id.",
        rows: vec![
            row(
                "500 `InternalServerException`, nothing done",
                Fault::error(500, "InternalServerException", "An unexpected error occurred."),
                answer(2, ONE_RETRY),
                failing("InternalServerException", 500).code("InternalServerException").maybe(0),
            ),
            row(
                "500 in HTML, the work done",
                html_after(500),
                answer(2, ONE_RETRY),
                failing("InternalServerException", 500).maybe(1),
            ),
            row("502 in HTML, nothing done", html(502), answer(2, ONE_RETRY), failing("Service", 502).maybe(0)),
            row(
                "503 `ServiceUnavailable`",
                Fault::error(503, "ServiceUnavailable", "Please try again."),
                answer(2, ONE_RETRY),
                failing("Service", 503).code("ServiceUnavailable").maybe(0),
            ),
            row("504 in HTML, the work done", html_after(504), answer(2, ONE_RETRY), failing("Service", 504).maybe(1)),
            row(
                "408 `RequestTimeoutException`",
                Fault::error(408, "RequestTimeoutException", "Request timed out."),
                answer(2, ONE_RETRY),
                failing("RequestTimeoutException", 408).code("RequestTimeoutException").timeout().maybe(0),
            ),
        ],
    }
}

fn too_many_requests() -> Section {
    Section {
        title: "Too many requests",
        remedy: "Send less, or have the quota raised. A `Retry-After` of up to five minutes is waited out if the \
                     call has the time, 240 s by\ndefault; a longer one is yours to wait: \
                     [`retry_after`](crate::Error::retry_after).",
        rows: vec![
            row(
                "429 `ThrottlingException`",
                Fault::error(429, "ThrottlingException", "Rate exceeded"),
                answer(2, ONE_SLOW_RETRY),
                throttled(429).code("ThrottlingException"),
            ),
            row("429 in HTML", html(429), answer(2, ONE_SLOW_RETRY), throttled(429)),
            row("429, empty", Fault::answer(429, ""), answer(2, ONE_SLOW_RETRY), throttled(429)),
            row(
                "400 `ThrottlingException`",
                Fault::error(400, "ThrottlingException", "Rate exceeded"),
                answer(2, ONE_SLOW_RETRY),
                throttled(400).code("ThrottlingException"),
            ),
            Row {
                name: "429 for a minute",
                is_of: any,
                once: Some((Inject::Minute(Fault::answer(429, "")), throttled(429))),
                always: None,
            },
            Row {
                name: "429 for a minute, with `Retry-After: 60`",
                is_of: any,
                once: Some((Inject::Minute(throttled_for("60")), answer(2, 60_000).no_sooner(60_000))),
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

fn unusable_answers() -> Section {
    Section {
        title: "Answers that can't be used",
        remedy: "Repeat the call later, a start with the token of its error. If an answer is too large, raise\n\
                     [`max_response_size`](crate::ClientBuilder::max_response_size).",
        rows: vec![
            row("200, empty, without a request id", Fault::EmptyBody, answer(2, ONE_RETRY), garbled().maybe(1)),
            row("200, empty, with a request id", empty_of_the_service(), answer(2, ONE_RETRY), garbled().maybe(1))
                .of(|operation| !is_deletion(operation)),
            row("the same, of `BatchDeleteReadSet`", empty_of_the_service(), answer(1, NOT), answer(1, NOT))
                .of(is_deletion),
            row("200, cut", Fault::CutBody, answer(2, ONE_RETRY), reset().maybe(1)),
            row("200, no JSON", Fault::GarbageBody, answer(2, ONE_RETRY), garbled().maybe(1)),
            row("200, a log-in page of a proxy", html(200), answer(2, ONE_RETRY), garbled().maybe(0)),
            row("200, JSON that is not of the service", foreign_json(), answer(2, ONE_RETRY), garbled().maybe(0)),
            row("`Content-Length` too large", Lie::TooLong, answer(2, ONE_RETRY), reset().maybe(1)),
            row("`Content-Length` too small", Lie::TooShort, answer(2, ONE_RETRY), garbled().maybe(1)),
            row("a body of 64 MB", Fault::LargeBody(64 << 20), too_large(), too_large()),
        ],
    }
}

fn somebody_else() -> Section {
    Section {
        title: "Somebody else answers",
        remedy: "Look who it is: [`body_excerpt`](crate::error::ServiceError::body_excerpt) has the first of what \
                     was said. No redirect is\nfollowed: the other host hears nothing, least of all a signature.",
        rows: vec![
            row(
                "403 in HTML, of a proxy",
                html(403),
                error("AccessDeniedException", 1, NOT).status(403),
                error("AccessDeniedException", 1, NOT).status(403),
            ),
            row(
                "307 to another host",
                Inject::Redirect,
                error("Service", 1, NOT).status(307),
                error("Service", 1, NOT).status(307),
            ),
        ],
    }
}

fn clock_and_keys() -> Section {
    Section {
        title: "Clock and keys",
        remedy: "Set the clock of the machine; see where the credentials come from.",
        rows: vec![
            Row {
                name: "this clock two hours behind",
                is_of: any,
                once: Some((Inject::Clocks(7_200), answer(2, NOT))),
                always: None,
            },
            Row {
                name: "this clock two hours ahead",
                is_of: any,
                once: Some((Inject::Clocks(-7_200), answer(2, NOT))),
                always: None,
            },
            Row {
                name: "a refused signature with a `Date` of 1994",
                is_of: any,
                once: Some((refused_by_another_clock().into(), answer(3, NOT))),
                always: Some((refused_by_another_clock().into(), skewed())),
            },
            row(
                "a right response with a `Date` two hours ahead",
                Fault::DateOffset(7_200),
                answer(1, NOT),
                answer(1, NOT),
            ),
            row(
                "`ExpiredTokenException`",
                Inject::ExpiredKeys,
                answer(2, NOT),
                error("Service", 2, NOT).status(403).code("ExpiredTokenException"),
            ),
        ],
    }
}

fn tomorrow() -> Section {
    let seen = |sees| answer(1, NOT).sees(sees);
    let created = Sees::Created(datetime!(2022-11-23 01:36:38.158 UTC));
    Section {
        title: "Values of tomorrow",
        remedy: "Nothing to do: what is unknown arrives as itself or is left out.",
        rows: vec![
            row(
                "an unknown status",
                Inject::Shaped(unknown_status),
                seen(Sees::Status("PONDERING")),
                seen(Sees::Status("PONDERING")),
            ),
            row("unknown members", Inject::Shaped(unknown_members), seen(created.clone()), seen(created.clone())),
            row("times as seconds since 1970", Inject::Shaped(epoch), seen(created.clone()), seen(created.clone())),
            row("times with an offset", Inject::Shaped(offset), seen(created.clone()), seen(created)),
        ],
    }
}
