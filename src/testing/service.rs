//! The local service in process, under a paused clock, with failures that last for a time or affect single jobs.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use http_body_util::BodyExt as _;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::{builder, into_http, response};
use crate::config::ClientBuilder;
use crate::http::{Body, HttpClient, HttpError, HttpErrorKind, HttpFuture};
use crate::local::{LocalJob, LocalService, Pace, Quotas, SeedReadSet};
use crate::model::{FileType, SequenceStoreId};
use crate::{Client, Credentials};

pub(crate) const STORE: &str = "1111111111";

/// The read set of jobs that tests start by [`Service::with_jobs`].
const READ_SET: &str = "5000000000";

/// A service whose clock starts at 1970, and the HTTP client that calls it.
#[derive(Clone, Debug)]
pub(crate) struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    begun: Instant,
    settings: Mutex<Settings>,
    local: OnceLock<LocalService>,
    /// When which requests were sent.
    requests: Mutex<Vec<(Operation, Duration)>>,
}

/// A kind of operation: `Start`, `Get` or `List`.
type Operation = &'static str;

/// What the service does, by the time since it began.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How long a job takes that is started by a request.
    pub(crate) job_takes: Duration,
    /// The indices of jobs that lists do not contain.
    pub(crate) hidden: BTreeSet<usize>,
    pub(crate) lists_denied: bool,
    /// The store does not exist, as in another account.
    pub(crate) store_unknown: bool,
    /// The start of this number, from 1, and all later ones are refused with 403.
    pub(crate) starts_denied_from: usize,
    /// Connections are refused until then.
    pub(crate) down_until: Duration,
    /// Connections are refused between these times.
    pub(crate) down_from: Option<(Duration, Duration)>,
    /// The status of all responses after `down_until`, for so long.
    pub(crate) error_after_outage: Option<(u16, Duration)>,
    /// The status and body of lists until a time.
    pub(crate) broken_lists: Option<(u16, &'static str, Duration)>,
    /// Jobs are not found before.
    pub(crate) visible_after: Duration,
    /// How many of the first items of each activation job need no work: they finish as soon as the job runs.
    pub(crate) settled: usize,
    /// The quota of jobs that have not ended.
    pub(crate) jobs_at_once: u32,
    /// The quota of requests of one operation within a second.
    pub(crate) requests_a_second: u32,
    /// The response to every so many-th start is lost after the work.
    pub(crate) lost_starts: Option<usize>,
    /// The ids of read sets whose items fail.
    pub(crate) failing: BTreeSet<String>,
}

/// The id of a job that was started by [`Service::with_jobs`]: the local service issues the same ids in every run.
pub(crate) fn id(index: usize) -> String {
    // The first id is that of the read set.
    format!("{:010}", (index as u64 + 2) * 2_718_281_829 % 10_000_000_000)
}

/// The creation time of a job.
pub(crate) fn created(since_begin: Duration) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + since_begin
}

impl Service {
    pub(crate) fn new() -> Self {
        let settings = Settings {
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
            jobs_at_once: u32::MAX,
            requests_a_second: u32::MAX,
            lost_starts: None,
            failing: BTreeSet::new(),
        };
        Self(Arc::new(Inner {
            begun: Instant::now(),
            settings: Mutex::new(settings),
            local: OnceLock::new(),
            requests: Mutex::default(),
        }))
    }

    /// A service with export jobs that were created a second after one another, and end after these times.
    pub(crate) fn with_jobs(ends: impl IntoIterator<Item = Duration>) -> Self {
        let service = Self::new();
        let local = service.local();
        for (end, seconds) in ends.into_iter().zip(0..) {
            local.set_pace(Pace::Time(end));
            local.set_clock_offset(seconds);
            let now = SystemTime::from(created(Duration::from_secs(seconds.unsigned_abs())));
            let client = local.client_builder().time_source(move || now).build().unwrap();
            let call = client.start_read_set_export_job().sequence_store_id(STORE).destination("s3://bucket/");
            let call = call.role_arn("arn:aws:iam::123456789012:role/Omics").sources([READ_SET]);
            ready(call.send()).unwrap();
        }
        local.set_clock_offset(0);
        service
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.0.settings.lock().unwrap());
        self
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(builder())
    }

    /// A client with the clock of the service.
    pub(crate) fn client_with(&self, builder: ClientBuilder) -> Client {
        let begun = self.0.begun;
        let builder = builder.time_source(move || SystemTime::UNIX_EPOCH + begun.elapsed());
        builder.http_client(self.clone()).build().unwrap()
    }

    pub(crate) fn jobs(&self) -> Vec<LocalJob> {
        self.local().jobs()
    }

    /// When requests of an operation were sent.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Duration> {
        let requests = self.0.requests.lock().unwrap();
        requests.iter().filter(|(name, _)| *name == operation).map(|(_, at)| *at).collect()
    }

    /// Asserts that no second of any length had more requests of one operation than an account may make.
    pub(crate) fn assert_pace(&self) {
        for operation in ["Start", "Get", "List"] {
            let times = self.requests(operation);
            let too_fast = times.windows(6).filter(|six| six[5] < six[0] + Duration::from_secs(1)).count();
            assert_eq!(too_fast, 0, "{operation}: more than 5 requests in a second");
        }
    }

    /// The local service, which is created by the settings at first use.
    fn local(&self) -> &LocalService {
        self.0.local.get_or_init(|| {
            let settings = self.0.settings.lock().unwrap();
            let quotas =
                Quotas::none().jobs_at_once(settings.jobs_at_once).requests_per_second(settings.requests_a_second);
            let local = LocalService::builder().quotas(quotas).start_time(SystemTime::UNIX_EPOCH).in_process();
            for token in [None, Some("token".to_owned())] {
                let access_key_id = if token.is_some() { "AKIDPROVIDER" } else { "AKIDEXAMPLE" };
                local.accept_credentials(Credentials::new(access_key_id, "secret", token, None, "test"));
            }
            for read_set in &settings.failing {
                local.fail_item(read_set, "it fails here");
            }
            if !settings.store_unknown {
                local.seed_read_set(&STORE.into(), SeedReadSet::active(FileType::Bam).id(READ_SET));
            }
            local
        })
    }

    /// Creates the read sets that a job of this request needs; those of the first items are active.
    fn seed_sources(&self, body: &[u8], active: usize) {
        let body: Value = serde_json::from_slice(body).unwrap();
        let store = SequenceStoreId::from(STORE);
        for (index, source) in body["sources"].as_array().unwrap().iter().enumerate() {
            let id = source["readSetId"].as_str().unwrap();
            if self.local().read_set_status(&store, &id.into()).is_none() {
                let new = if index < active { SeedReadSet::active } else { SeedReadSet::archived };
                self.local().seed_read_set(&store, new(FileType::Bam).id(id));
            }
        }
    }
}

impl Settings {
    /// The result of a request that fails, at this time and as the start of this number.
    fn failure(
        &self,
        operation: Operation,
        now: Duration,
        starts: usize,
    ) -> Option<Result<http::Response<Body>, HttpError>> {
        if now < self.down_until || self.down_from.is_some_and(|(from, until)| (from..until).contains(&now)) {
            return Some(Err(failed(HttpErrorKind::Connect)));
        }
        if let Some((status, time)) = self.error_after_outage
            && now < self.down_until + time
        {
            return Some(Ok(into_http(response(status, &[], ""))));
        }
        if let Some((status, body, until)) = self.broken_lists
            && operation == "List"
            && now < until
        {
            return Some(Ok(into_http(response(status, &[], body))));
        }
        let is_visible = now >= self.visible_after;
        match operation {
            "Start" if starts >= self.starts_denied_from => Some(Ok(error(403, "AccessDeniedException"))),
            "List" if self.lists_denied => Some(Ok(error(403, "AccessDeniedException"))),
            "List" if !is_visible => {
                Some(Ok(into_http(response(200, &[], r#"{"exportJobs":[],"activationJobs":[]}"#))))
            }
            "Get" if !is_visible => Some(Ok(error(404, "ResourceNotFoundException"))),
            _ => None,
        }
    }
}

impl HttpClient for Service {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let path = request.uri().path();
        let is_list = path.rsplit('/').next().unwrap().ends_with("jobs");
        let operation = match (is_list, request.method() == http::Method::POST) {
            (true, _) => "List",
            (false, true) => "Start",
            (false, false) => "Get",
        };
        let now = self.0.begun.elapsed();
        self.0.requests.lock().unwrap().push((operation, now));
        let starts = if operation == "Start" { self.requests("Start").len() } else { 0 };
        let local = self.local();

        let settings = self.0.settings.lock().unwrap();
        if let Some(failure) = settings.failure(operation, now, starts) {
            return Box::pin(async { failure });
        }
        let loses_response =
            operation == "Start" && settings.lost_starts.is_some_and(|every| starts.is_multiple_of(every));
        let hidden: Vec<_> = settings.hidden.iter().map(|index| id(*index)).collect();
        if operation == "Start" {
            local.set_pace(Pace::Time(settings.job_takes));
            let active = if path.ends_with("/activationjob") { settings.settled } else { usize::MAX };
            self.seed_sources(request.body().as_bytes().unwrap(), active);
        }
        let response = local.http_client().send(request);
        Box::pin(async move {
            let response = response.await?;
            if loses_response {
                return Err(failed(HttpErrorKind::Interrupted));
            }
            if is_list && !hidden.is_empty() { Ok(without_jobs(response, &hidden).await) } else { Ok(response) }
        })
    }
}

/// A list of jobs without some of them.
async fn without_jobs(list: http::Response<Body>, ids: &[String]) -> http::Response<Body> {
    let (head, body) = list.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    let jobs = body["exportJobs"].as_array_mut().unwrap();
    jobs.retain(|job| ids.iter().all(|id| job["id"] != id.as_str()));
    http::Response::from_parts(head, Body::from(body.to_string()))
}

fn error(status: u16, code: &str) -> http::Response<Body> {
    into_http(response(status, &[("x-amzn-errortype", code)], ""))
}

fn failed(kind: HttpErrorKind) -> HttpError {
    HttpError::new(kind, "injected".to_owned(), None)
}

/// The output of a future that does not wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    // Tokio makes a task wait that has done much without waiting.
    match pin!(tokio::task::unconstrained(future)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the future waits"),
    }
}
