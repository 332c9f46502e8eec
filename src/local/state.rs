//! Everything behind the lock, and what one request does to it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::answer::{Answer, Manner, ServiceError};
use super::auth::{Keyring, Signed};
use super::fault::{self, Fault, Faults};
use super::record::{ReceivedRequest, Record};
use super::route::{self, Labels, Now, Operation, Route};
use super::schema;
use super::world::World;

/// Bounds that the real service sets per account. None of them is on by default.
///
/// ```
/// use healthomics::local::{LocalService, Quotas};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let local = LocalService::builder().quotas(Quotas::none().jobs_at_once(1)).start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// call.clone().send().await?;
/// // Each `send` makes a token of its own: this would be a second job.
/// let error = call.send().await.unwrap_err();
/// assert!(matches!(error, healthomics::Error::ServiceQuotaExceededException(_)));
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Requests within any second, of each operation. One more is answered with a `ThrottlingException`. Of
    /// `BatchDeleteReadSet` one a second is allowed at most, as in an account.
    pub requests_per_second: Option<u32>,
    /// Jobs of a kind that have not ended. One more is answered with a `ServiceQuotaExceededException`.
    pub jobs_at_once: Option<u32>,
}

impl Quotas {
    /// No bounds.
    pub fn none() -> Self {
        Self::default()
    }

    /// The defaults of a new account: 5 requests a second and 20 jobs of a kind.
    pub fn of_new_account() -> Self {
        Self { requests_per_second: Some(5), jobs_at_once: Some(20) }
    }

    /// Bounds the requests within any second, of each operation.
    #[must_use]
    pub fn requests_per_second(self, limit: u32) -> Self {
        Self { requests_per_second: Some(limit), ..self }
    }

    /// Bounds the jobs of a kind that have not ended.
    #[must_use]
    pub fn jobs_at_once(self, limit: u32) -> Self {
        Self { jobs_at_once: Some(limit), ..self }
    }
}

/// What the server and its handle share.
pub(crate) struct Shared {
    pub(crate) region: String,
    pub(crate) requests_per_second: Option<u32>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) keys: Keyring,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    /// How far the service's clock is off the machine's, in seconds.
    pub(crate) clock_offset: i64,
    /// When the requests of the last second came, by operation.
    recent: HashMap<&'static str, VecDeque<Instant>>,
}

/// What the connection does with a request.
pub(crate) enum Reply {
    Answer { answer: Answer, after: Duration },
    Reset,
    Hang,
}

/// More would leave the years that timestamps can have.
const FARTHEST_CLOCK: i64 = 1_000 * 365 * 24 * 60 * 60;

impl State {
    /// The time of now on the service's clock.
    pub(crate) fn clock(&self) -> OffsetDateTime {
        let offset = self.clock_offset.clamp(-FARTHEST_CLOCK, FARTHEST_CLOCK);
        OffsetDateTime::now_utc() + time::Duration::seconds(offset)
    }
}

impl Shared {
    pub(crate) fn new(region: String, quotas: Quotas, mut state: State) -> Self {
        state.world.jobs_at_once = quotas.jobs_at_once;
        state.world.region.clone_from(&region);
        Self { region, requests_per_second: quotas.requests_per_second, state: Mutex::new(state) }
    }

    /// The state with its jobs up to date. Never to be held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done by a panic that would matter to a test service.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.world.settle(Instant::now());
        state
    }

    /// Everything between a request and its answer. A body that did not arrive comes as the refusal it deserves.
    pub(crate) fn reply(&self, request: &Parts, body: Result<Bytes, ServiceError>) -> Reply {
        let mut state = self.state();
        let path = request.uri.path();
        let routed = route::route(request.method.as_str(), path);
        let (body, refusal) = match body {
            Ok(body) => (body, None),
            Err(refusal) => (Bytes::new(), Some(refusal)),
        };
        let number = state.record.push(ReceivedRequest {
            operation: routed.as_ref().map(Route::operation),
            method: request.method.to_string(),
            path: path.to_owned(),
            query: request.uri.query().map(str::to_owned),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            // A copy: the body as it came holds on to the whole buffer that it was read into.
            body: Bytes::copy_from_slice(&body),
            received_at: Instant::now().into_std(),
            applied: false,
            status: None,
        });
        let signed = Signed {
            method: request.method.as_str(),
            path,
            query: request.uri.query(),
            headers: &request.headers,
            body: &body,
        };
        let (reply, applied) = match (refusal, routed) {
            (Some(refusal), _) => (refusal.into(), false),
            (None, Some(Route::Served(operation, labels))) => {
                let fault = state.faults.take(operation.name);
                faulty(fault, || self.perform(&mut state, operation, labels, &signed))
            }
            (None, Some(Route::NotImplemented(name))) => {
                (self.refuse(&state, &signed, ServiceError::not_implemented(name)).into(), false)
            }
            (None, None) => (self.refuse(&state, &signed, ServiceError::unknown_operation()).into(), false),
        };
        if let Some(record) = state.record.get_mut(number) {
            record.applied = applied;
            if let Reply::Answer { answer, .. } = &reply {
                record.status = Some(answer.status);
            }
        }
        reply
    }

    /// How a request is refused that asks for nothing that is served: for its signature, if that is not good.
    fn refuse(&self, state: &State, signed: &Signed<'_>, refusal: ServiceError) -> ServiceError {
        state.keys.verify(signed, &self.region, state.clock()).err().unwrap_or(refusal)
    }

    fn perform(
        &self,
        state: &mut State,
        operation: &Operation,
        labels: Labels,
        signed: &Signed<'_>,
    ) -> Result<Value, ServiceError> {
        let now = Now { wall: state.clock(), instant: Instant::now() };
        state.keys.verify(signed, &self.region, now.wall)?;
        if let Some(limit) = self.requests_per_second {
            let limit = operation.requests_per_second.map_or(limit, |most| most.min(limit));
            throttle(state.recent.entry(operation.name).or_default(), limit, now.instant)?;
        }
        run(&mut state.world, operation, labels, signed, now)
    }
}

/// Reads the input of a request that may be made, checks it and does what it asks for.
pub(crate) fn run(
    world: &mut World,
    operation: &Operation,
    labels: Labels,
    request: &Signed<'_>,
    now: Now,
) -> Result<Value, ServiceError> {
    let mut members = schema::parse_body(request.body)?;
    schema::take_query(operation.input, request.query.unwrap_or_default(), &mut members)?;
    members.extend(labels.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))));
    let input = schema::check(operation.input, &Value::Object(members))?;
    (operation.run)(world, &input, now)
}

impl From<ServiceError> for Reply {
    fn from(refusal: ServiceError) -> Self {
        Self::Answer { answer: refusal.into(), after: Duration::ZERO }
    }
}

/// Does the work or not, and answers or not, as the fault has it; and tells whether the work was done.
fn faulty(fault: Option<Fault>, work: impl FnOnce() -> Result<Value, ServiceError>) -> (Reply, bool) {
    let before = |answer| (Reply::Answer { answer, after: Duration::ZERO }, false);
    match fault {
        Some(Fault::Error { status, code, message }) => return before(Answer::error(status, &code, &message)),
        Some(Fault::Answer { status, headers, body }) => return before(fault::raw_answer(status, &headers, body)),
        Some(Fault::ResetBefore) => return (Reply::Reset, false),
        Some(Fault::HangBefore) => return (Reply::Hang, false),
        _ => {}
    }
    let (mut answer, applied) = match work() {
        Ok(body) => (Answer::ok(&body), true),
        Err(refusal) => (refusal.into(), false),
    };
    let mut after = Duration::ZERO;
    match fault {
        Some(Fault::AnswerAfter { status, headers, body }) => answer = fault::raw_answer(status, &headers, body),
        Some(Fault::ResetAfter) => return (Reply::Reset, applied),
        Some(Fault::HangAfter) => return (Reply::Hang, applied),
        Some(Fault::Delay(delay)) => after = delay,
        Some(Fault::CutBody) => answer.manner = Manner::Cut,
        Some(Fault::Drip(pause)) => answer.manner = Manner::Dripping(pause),
        Some(Fault::LargeBody(padding)) => answer.manner = Manner::Padded(padding),
        Some(Fault::GarbageBody) => answer = fault::garbage(),
        Some(Fault::EmptyBody) => answer = Answer::raw(200, Vec::new(), Bytes::new()),
        Some(Fault::Merge(patch)) => fault::merge_into(&mut answer, &patch),
        Some(Fault::DateOffset(seconds)) => answer.date_offset = seconds,
        _ => {}
    }
    (Reply::Answer { answer, after }, applied)
}

fn throttle(recent: &mut VecDeque<Instant>, limit: u32, now: Instant) -> Result<(), ServiceError> {
    while recent.front().is_some_and(|earlier| now.duration_since(*earlier) >= Duration::from_secs(1)) {
        recent.pop_front();
    }
    if recent.len() >= limit as usize {
        return Err(ServiceError::throttled());
    }
    recent.push_back(now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::world::JobKind;
    use super::*;

    #[test]
    fn the_record_does_not_hold_on_to_read_buffers() {
        let shared = Shared::new("us-east-1".to_owned(), Quotas::none(), State::default());
        let (parts, ()) = hyper::Request::new(()).into_parts();
        let buffer = Bytes::from(vec![b' '; 1 << 20]);
        drop(shared.reply(&parts, Ok(buffer.slice(..10))));
        assert_eq!(shared.state().record.all()[0].body.len(), 10);
        assert!(buffer.is_unique(), "a small body keeps a large buffer");
    }

    #[test]
    fn what_is_due_is_done_once_however_many_jobs_there_are() {
        let mut state = State::default();
        state.world.pace = super::super::Pace::Time(Duration::from_secs(100));
        let store = state.world.create_store();
        let start = Instant::now();
        let at = |seconds| Now { wall: OffsetDateTime::UNIX_EPOCH, instant: start + Duration::from_secs(seconds) };
        let input = serde_json::json!({ "sequenceStoreId": store, "sources": [{ "readSetId": "0000000001" }] });
        for _ in 0..1_000 {
            assert!(super::super::job::start(&mut state.world, JobKind::Activation, &input, at(0)).is_ok());
        }
        assert_eq!(state.world.running_of(JobKind::Activation), 1_000);
        // One thing is noted for each job, and none for those that have ended.
        for (seconds, due, running) in [(0, 1_000, 1_000), (10, 1_000, 1_000), (99, 1_000, 1_000), (100, 0, 0)] {
            state.world.settle(at(seconds).instant);
            assert_eq!((state.world.count_due(), state.world.running_of(JobKind::Activation)), (due, running));
        }
    }

    #[test]
    fn throttling_looks_back_one_second() {
        let mut recent = VecDeque::new();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        for millis in [0, 500] {
            assert!(throttle(&mut recent, 2, at(millis)).is_ok());
        }
        assert!(throttle(&mut recent, 2, at(999)).is_err());
        assert!(throttle(&mut recent, 2, at(1000)).is_ok());
        assert!(throttle(&mut recent, 2, at(1001)).is_err());
    }
}
