//! A service that is played in the process: jobs that take their time by tokio's clock, which may be paused.
#![allow(
    clippy::unchecked_time_subtraction,
    clippy::single_match_else,
    reason = "a test may say its figures, and panics where it is wrong"
)]

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::time::Instant;

use super::{builder, into_http, response};
use crate::Client;
use crate::config::ClientBuilder;
use crate::http::{Body, HttpClient, HttpError, HttpErrorKind, HttpFuture};
use crate::model::time::to_iso8601;

pub(crate) const STORE: &str = "1111111111";

#[derive(Clone, Debug)]
pub(crate) struct Service(Arc<Mutex<Played>>);

/// A request of one kind: `Start`, `Get` or `List`.
type Operation = &'static str;

#[derive(Debug)]
pub(crate) struct Played {
    begun: Instant,
    pub(crate) jobs: Vec<PlayedJob>,
    /// How long a job takes that is started here.
    pub(crate) job_takes: Duration,
    /// Jobs that lists do not show.
    pub(crate) hidden: BTreeSet<usize>,
    pub(crate) lists_denied: bool,
    /// Lists are refused with 404, as in another account.
    pub(crate) store_unknown: bool,
    /// The start of this number, from 1, and all later ones are refused with 403.
    pub(crate) starts_denied_from: usize,
    /// There are no responses before this time.
    pub(crate) down_until: Duration,
    /// There are no responses between these times.
    pub(crate) down_from: Option<(Duration, Duration)>,
    /// Every response after that has this status, for so long.
    pub(crate) error_after_outage: Option<(u16, Duration)>,
    /// Lists have this status and body until then.
    pub(crate) broken_lists: Option<(u16, &'static str, Duration)>,
    /// Jobs are not found before.
    pub(crate) visible_after: Duration,
    /// So many items of each running job are settled.
    pub(crate) settled: usize,
    /// More jobs are refused with 402.
    pub(crate) jobs_at_once: usize,
    /// More requests within a second are refused with 429.
    pub(crate) requests_a_second: usize,
    /// The response of every n-th start is lost after the job was started.
    pub(crate) lost_starts: Option<usize>,
    /// Items that fail.
    pub(crate) failing: BTreeSet<String>,
    pub(crate) requests: Vec<(Operation, Duration)>,
}

#[derive(Clone, Debug)]
pub(crate) struct PlayedJob {
    pub(crate) token: String,
    pub(crate) items: Vec<String>,
    /// Since the service began.
    pub(crate) created: Duration,
    pub(crate) ends: Duration,
}

pub(crate) fn id(index: usize) -> String {
    format!("{:010}", 5_000_000_000_u64 + index as u64)
}

/// What the service writes as the time of creation.
pub(crate) fn created(since_begin: Duration) -> OffsetDateTime {
    datetime!(2026-11-21 12:00 UTC) + since_begin
}

impl Service {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Played {
            begun: Instant::now(),
            jobs: Vec::new(),
            job_takes: Duration::from_mins(2),
            hidden: BTreeSet::new(),
            lists_denied: false,
            store_unknown: false,
            starts_denied_from: usize::MAX,
            down_until: Duration::ZERO,
            down_from: None,
            error_after_outage: None,
            broken_lists: None,
            visible_after: Duration::ZERO,
            settled: 0,
            jobs_at_once: usize::MAX,
            requests_a_second: usize::MAX,
            lost_starts: None,
            failing: BTreeSet::new(),
            requests: Vec::new(),
        })))
    }

    /// Jobs that were created a second after one another, and end when they end.
    pub(crate) fn with_jobs(ends: impl IntoIterator<Item = Duration>) -> Self {
        let created = (0..).map(Duration::from_secs);
        let job = |(ends, created)| PlayedJob { token: String::new(), items: Vec::new(), created, ends };
        Self::new().with(|played| played.jobs = ends.into_iter().zip(created).map(job).collect())
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut Played)) -> Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(builder())
    }

    pub(crate) fn client_with(&self, builder: ClientBuilder) -> Client {
        builder.http_client(self.clone()).build().unwrap()
    }

    pub(crate) fn jobs(&self) -> Vec<PlayedJob> {
        self.0.lock().unwrap().jobs.clone()
    }

    pub(crate) fn requests(&self, operation: &str) -> Vec<Duration> {
        let played = self.0.lock().unwrap();
        played.requests.iter().filter(|(name, _)| *name == operation).map(|(_, at)| *at).collect()
    }

    /// No second of any length had more requests of one operation than an account may make.
    pub(crate) fn assert_pace(&self) {
        for operation in ["Start", "Get", "List"] {
            let times = self.requests(operation);
            let too_fast = times.windows(6).filter(|six| six[5] - six[0] < Duration::from_secs(1)).count();
            assert_eq!(too_fast, 0, "{operation}: more than 5 requests in a second");
        }
    }
}

impl Played {
    fn state(&self, index: usize, with_items: bool) -> Value {
        let job = &self.jobs[index];
        let ended = self.begun.elapsed() >= job.ends;
        let failed = job.items.iter().filter(|item| self.failing.contains(*item)).count();
        let status = match (ended, failed) {
            (false, _) => "IN_PROGRESS",
            (true, 0) => "COMPLETED",
            (true, _) => "COMPLETED_WITH_FAILURES",
        };
        let items = job.items.iter().filter(|_| with_items).enumerate().map(|(position, item)| {
            let fails = self.failing.contains(item);
            let status = if !ended && position >= self.settled {
                "NOT_STARTED"
            } else if fails {
                "FAILED"
            } else {
                "FINISHED"
            };
            let message = if fails { "it fails here" } else { "" };
            json!({ "id": item, "readSetId": item, "status": status, "statusMessage": message })
        });
        let items: Vec<_> = items.collect();
        let created = to_iso8601(created(job.created));
        json!({ "id": id(index), "status": status, "creationTime": created, "readSets": items, "sources": items })
    }

    fn list(&self, uri: &http::Uri, body: &[u8]) -> (u16, Value) {
        if self.lists_denied {
            return (403, json!({ "code": "AccessDeniedException" }));
        }
        if self.store_unknown {
            return (404, json!({ "code": "ResourceNotFoundException" }));
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let parse = |text| OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap();
        let after = body["filter"]["createdAfter"].as_str().map(parse);
        let query: HashMap<_, _> =
            url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let from: usize = query.get("nextToken").map_or(0, |token| token.parse().unwrap());
        let size: usize = query["maxResults"].parse().unwrap();
        let visible = self.begun.elapsed() >= self.visible_after;
        let shown = (0..self.jobs.len()).filter(|index| visible && !self.hidden.contains(index));
        let shown: Vec<_> =
            shown.filter(|index| after.is_none_or(|after| created(self.jobs[*index].created) > after)).collect();
        let page: Vec<_> = shown.iter().skip(from).take(size).map(|index| self.state(*index, false)).collect();
        let next = (from + size < shown.len()).then(|| (from + size).to_string());
        (200, json!({ "exportJobs": page, "activationJobs": page, "nextToken": next }))
    }

    fn get(&self, wanted: &str) -> (u16, Value) {
        match (0..self.jobs.len()).find(|index| id(*index) == wanted) {
            _ if self.begun.elapsed() < self.visible_after => (404, json!({ "code": "ResourceNotFoundException" })),
            Some(index) => (200, self.state(index, true)),
            None => (404, json!({ "code": "ResourceNotFoundException" })),
        }
    }

    fn start(&mut self, body: &[u8]) -> (u16, Value) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let token = body["clientToken"].as_str().unwrap().to_owned();
        let index = match self.jobs.iter().position(|job| job.token == token) {
            Some(index) => index,
            None => {
                let now = self.begun.elapsed();
                if self.jobs.iter().filter(|job| job.ends > now).count() >= self.jobs_at_once {
                    return (402, json!({ "code": "ServiceQuotaExceededException" }));
                }
                let items = body["sources"].as_array().unwrap().iter();
                let items = items.map(|item| item["readSetId"].as_str().unwrap().to_owned()).collect();
                self.jobs.push(PlayedJob { token, items, created: now, ends: now + self.job_takes });
                self.jobs.len() - 1
            }
        };
        (
            200,
            json!({ "id": id(index), "status": "SUBMITTED", "creationTime": to_iso8601(created(self.jobs[index].created)) }),
        )
    }

    /// Notes a request; says whether it is one too many.
    fn throttles(&mut self, operation: Operation, now: Duration) -> bool {
        let second = self.requests.iter().rev().take_while(|(_, at)| now - *at < Duration::from_secs(1));
        let recent = second.filter(|(name, _)| *name == operation).count();
        self.requests.push((operation, now));
        recent >= self.requests_a_second
    }
}

impl HttpClient for Service {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let (head, body) = request.into_parts();
        let method = head.method;
        let body = body.into_bytes().unwrap();
        let last = head.uri.path().rsplit('/').next().unwrap().to_owned();
        let operation = if last.ends_with("jobs") {
            "List"
        } else if method == http::Method::POST {
            "Start"
        } else {
            "Get"
        };
        let mut played = self.0.lock().unwrap();
        let now = played.begun.elapsed();
        let throttles = played.throttles(operation, now);
        if now < played.down_until || played.down_from.is_some_and(|(from, until)| (from..until).contains(&now)) {
            return fail(HttpErrorKind::Connect);
        }
        if let Some((status, time)) = played.error_after_outage
            && now < played.down_until + time
        {
            return Box::pin(async move { Ok(reply(status, &[], "")) });
        }
        if let Some((status, body, until)) = played.broken_lists
            && operation == "List"
            && now < until
        {
            return Box::pin(async move { Ok(reply(status, &[], body)) });
        }
        if throttles {
            return Box::pin(async { Ok(reply(429, &[], r#"{"code":"ThrottlingException"}"#)) });
        }
        let starts = played.requests.iter().filter(|(name, _)| *name == "Start").count();
        let (status, body) = match operation {
            "Start" if starts >= played.starts_denied_from => (403, json!({ "code": "AccessDeniedException" })),
            "List" => played.list(&head.uri, &body),
            "Start" => played.start(&body),
            _ => played.get(&last),
        };
        if operation == "Start" && played.lost_starts.is_some_and(|every| starts.is_multiple_of(every)) {
            return fail(HttpErrorKind::Interrupted);
        }
        Box::pin(async move { Ok(reply(status, &[], &body.to_string())) })
    }
}

/// A response of the service.
fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> http::Response<Body> {
    into_http(response(status, headers, body))
}

fn fail(kind: HttpErrorKind) -> HttpFuture {
    Box::pin(async move { Err(HttpError::new(kind, "played".to_owned(), None)) })
}
