//! Fleets against a service that is played in the process, under a paused clock.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::job::{Activation, Export};
use crate::model::ExportJobId;
use crate::sign::SignedRequest;
use crate::testing::{builder, raw};
use crate::transport::{Answer, Limits, Transport, TransportError, TransportErrorKind};

const STORE: &str = "1111111111";
const HOUR: Duration = Duration::from_hours(1);

/// Export jobs that were created one after another and end after some time.
#[derive(Clone, Debug)]
struct Service(Arc<Mutex<Played>>);

#[derive(Debug)]
struct Played {
    begun: Instant,
    /// When each job ends.
    ends: Vec<Duration>,
    /// Jobs that lists do not show.
    hidden: BTreeSet<usize>,
    lists_denied: bool,
    /// The service is down until then.
    down_until: Duration,
    requests: Vec<(&'static str, Duration)>,
}

impl Service {
    fn new(ends: impl IntoIterator<Item = Duration>) -> Self {
        Self(Arc::new(Mutex::new(Played {
            begun: Instant::now(),
            ends: ends.into_iter().collect(),
            hidden: BTreeSet::new(),
            lists_denied: false,
            down_until: Duration::ZERO,
            requests: Vec::new(),
        })))
    }

    fn with(self, change: impl FnOnce(&mut Played)) -> Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    fn client(&self) -> Client {
        let builder = builder();
        let endpoint = builder.endpoint().unwrap();
        builder.build_with(endpoint, Box::new(self.clone())).unwrap()
    }

    /// All of its jobs, as they are after their starts.
    fn jobs(&self, client: &Client) -> Vec<Job<Export>> {
        let count = self.0.lock().unwrap().ends.len();
        let job = |index| Job { created: Some(created(index)), ..client.export_job(&STORE.into(), &id(index)) };
        (0..count).map(job).collect()
    }

    fn requests(&self, operation: &str) -> Vec<Duration> {
        let played = self.0.lock().unwrap();
        played.requests.iter().filter(|(name, _)| *name == operation).map(|(_, at)| *at).collect()
    }

    /// No second of any length had more requests of one operation than an account may make.
    fn assert_pace(&self) {
        for operation in ["Get", "List"] {
            let times = self.requests(operation);
            let windows = times.windows(6);
            let too_fast = windows.filter(|six| six[5] - six[0] < Duration::from_secs(1)).count();
            assert_eq!(too_fast, 0, "{operation}: more than 5 requests in a second");
        }
    }
}

fn id(index: usize) -> ExportJobId {
    format!("{:010}", 5_000_000_000_u64 + index as u64).into()
}

fn created(index: usize) -> OffsetDateTime {
    datetime!(2026-11-21 12:00 UTC) + Duration::from_secs(index as u64)
}

impl Played {
    fn state(&self, index: usize) -> Value {
        let status = if self.begun.elapsed() >= self.ends[index] { "COMPLETED" } else { "IN_PROGRESS" };
        json!({ "id": id(index).as_str(), "status": status, "creationTime": crate::model::time::to_iso8601(created(index)) })
    }

    fn list(&self, url: &url::Url, body: &[u8]) -> (u16, Value) {
        if self.lists_denied {
            return (403, json!({ "code": "AccessDeniedException" }));
        }
        let body: Value = serde_json::from_slice(body).unwrap();
        let after = body["filter"]["createdAfter"].as_str().unwrap_or_default().to_owned();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let from: usize = query.get("nextToken").map_or(0, |token| token.parse().unwrap());
        let size: usize = query["maxResults"].parse().unwrap();
        let shown = (0..self.ends.len()).filter(|index| !self.hidden.contains(index)).map(|index| self.state(index));
        let shown: Vec<_> = shown.filter(|job| job["creationTime"].as_str().unwrap() > after.as_str()).collect();
        let page: Vec<_> = shown.iter().skip(from).take(size).collect();
        let next = (from + size < shown.len()).then(|| (from + size).to_string());
        (200, json!({ "exportJobs": page, "nextToken": next }))
    }

    fn get(&self, id: &str) -> (u16, Value) {
        match (0..self.ends.len()).find(|index| super::tests::id(*index).as_str() == id) {
            Some(index) => (200, self.state(index)),
            None => (404, json!({ "code": "ResourceNotFoundException" })),
        }
    }
}

impl Transport for Service {
    fn send(&self, request: SignedRequest, _: Limits) -> Answer<'_> {
        let (_, url, _, body) = request.into_parts();
        let mut played = self.0.lock().unwrap();
        let now = played.begun.elapsed();
        let last = url.path_segments().unwrap().next_back().unwrap().to_owned();
        let is_list = last == "exportjobs";
        played.requests.push((if is_list { "List" } else { "Get" }, now));
        if now < played.down_until {
            let error = TransportError::new(TransportErrorKind::Connect, "down".to_owned(), None);
            return Box::pin(async { Err(error) });
        }
        let (status, answer) = if is_list { played.list(&url, &body) } else { played.get(&last) };
        Box::pin(async move { Ok(raw(status, &[], &answer.to_string())) })
    }
}

async fn all<K: JobKind>(mut watch: Watch<K>) -> Vec<Watched<K>> {
    let mut found = Vec::new();
    while let Some(watched) = watch.next().await {
        found.push(watched);
    }
    assert!(watch.next().await.is_none());
    found
}

fn spread_over(count: usize, time: Duration) -> impl Iterator<Item = Duration> {
    (1..=count).map(move |index| time.mul_f64(index as f64 / count as f64))
}

/// The requests of the same hour with a wait for each job.
fn looks_of_single_waits(ends: &[Duration]) -> u32 {
    let looks = |end: &Duration| {
        let (mut looks, mut elapsed) = (1, Duration::ZERO);
        while elapsed < *end {
            let Step::LookAgain { after } = Schedule::default().next(Seen::Running, looks, elapsed, 0.5) else { break };
            (looks, elapsed) = (looks + 1, elapsed + after);
        }
        looks
    };
    ends.iter().map(looks).sum()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_jobs_cost_little_more_than_one_look_each() {
    for (count, most) in [(1, 160), (10, 200), (100, 300), (1_000, 2_600)] {
        let ends: Vec<_> = spread_over(count, HOUR).collect();
        let service = Service::new(ends.clone());
        let client = service.client();
        let found = all(client.watch(service.jobs(&client))).await;

        let ids: BTreeSet<_> = found.iter().map(|(job, _)| job.id().clone()).collect();
        assert_eq!(ids.len(), count);
        assert!(found.iter().all(|(_, outcome)| outcome.as_ref().is_ok_and(Outcome::is_completed)));
        let (lists, gets) = (service.requests("List").len(), service.requests("Get").len());
        let single = looks_of_single_waits(&ends);
        println!("{count} jobs: {lists} lists + {gets} gets, {single} looks by single waits");
        assert!(lists + gets <= most, "{count} jobs took {lists} lists and {gets} gets");
        service.assert_pace();
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_come_as_jobs_end() {
    let service = Service::new(spread_over(10, HOUR));
    let client = service.client();
    let mut watch = client.watch(service.jobs(&client));
    let begun = Instant::now();
    for index in 0..10 {
        let (job, _) = watch.next().await.unwrap();
        assert_eq!(*job.id(), id(index));
        let late = begun.elapsed() - HOUR.mul_f64((index + 1) as f64 / 10.0);
        assert!(late < Duration::from_secs(32), "{late:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_lists_hide_are_looked_at() {
    let service = Service::new(spread_over(20, HOUR)).with(|played| played.hidden = [3, 7].into());
    let client = service.client();
    assert_eq!(all(client.watch(service.jobs(&client))).await.len(), 20);
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_list_each_is_looked_at() {
    let service = Service::new(spread_over(5, HOUR)).with(|played| played.lists_denied = true);
    let client = service.client();
    assert_eq!(all(client.watch(service.jobs(&client))).await.len(), 5);
    assert_eq!(service.requests("List").len(), 1, "it is not tried again");
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out() {
    let service = Service::new(spread_over(50, HOUR)).with(|played| played.down_until = HOUR / 2);
    let client = service.client();
    let found = all(client.watch(service.jobs(&client))).await;
    assert!(found.len() == 50 && found.iter().all(|(_, outcome)| outcome.is_ok()));
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_not_there_does_not_stop_the_others() {
    let service = Service::new(spread_over(5, HOUR));
    let client = service.client();
    let mut jobs = service.jobs(&client);
    jobs.push(client.export_job(&STORE.into(), &"9999999999".into()));
    jobs.push(jobs[0].clone());
    let found = all(client.watch(jobs)).await;
    assert_eq!(found.len(), 6, "the one that was given twice is told of once");
    let (job, error) = &found[0];
    assert_eq!(job.id().as_str(), "9999999999");
    assert_eq!(error.as_ref().unwrap_err().call_error().unwrap().status(), Some(404));
    assert!(found[1..].iter().all(|(_, outcome)| outcome.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn when_time_is_up_the_rest_is_told_of() {
    let service = Service::new(spread_over(10, HOUR));
    let client = service.client();
    let begun = Instant::now();
    let found = all(client.watch(service.jobs(&client)).timeout(HOUR / 2)).await;
    assert_eq!(found.len(), 10);
    let late = found.iter().filter(|(_, outcome)| outcome.as_ref().is_err_and(WaitError::is_timeout)).count();
    assert_eq!(late, 5);
    assert!(begun.elapsed() < HOUR / 2 + Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_next_loses_nothing() {
    let service = Service::new(spread_over(30, Duration::from_mins(5)));
    let client = service.client();
    let mut watch = client.watch(service.jobs(&client));
    let mut found = 0;
    loop {
        match tokio::time::timeout(Duration::from_millis(70), watch.next()).await {
            Ok(Some(_)) => found += 1,
            Ok(None) => break,
            Err(_) => {}
        }
    }
    assert_eq!(found, 30);
    service.assert_pace();
}

#[tokio::test(start_paused = true)]
async fn no_jobs_are_no_requests() {
    let service = Service::new([]);
    assert!(all(service.client().watch(Vec::<Job<Activation>>::new())).await.is_empty());
    assert!(service.requests("List").is_empty());
}
