//! The service: what happens between a request and its response, with or without a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::auth::{AcceptedCredentials, RawRequest};
use super::clock::{Clock, RequestTime};
use super::control;
use super::fault_rules::{FaultRule, FaultRules, Target};
use super::faults::{self, Fault};
use super::operations::{self, Labels, Operation, Route};
use super::pace::Pace;
use super::quotas::{Quotas, RecentRequests};
use super::request_log::{ReceivedRequest, RequestLog};
use super::response::{Delivery, Response};
use super::schema;
use super::seed::{Seed, SeededStore};
use super::service_error::ServiceError;
use super::state::{State, StateError};
use crate::model::JobStatus;

/// More than the largest valid request: an import of 100 sources with 50 tags each, where everything has its maximum
/// length and every character is escaped in JSON, has 27 million bytes.
const MAX_BODY_SIZE: usize = 32 << 20;

/// What a service has at its start and after a reset.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) pace: Pace,
    pub(crate) quotas: Quotas,
    pub(crate) seed: Seed,
    pub(crate) has_control_path: bool,
    /// Whether it is called over a socket, not in process.
    pub(crate) has_socket: bool,
}

/// The service, which its handle and its connections share.
pub(crate) struct Service {
    pub(crate) settings: Settings,
    inner: Mutex<Inner>,
}

/// Everything that changes.
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) credentials: AcceptedCredentials,
    pub(crate) requests: RequestLog,
    pub(crate) clock: Clock,
    faults: FaultRules,
    has_socket: bool,
    quotas: Quotas,
    recent_requests: RecentRequests,
}

impl Inner {
    fn new(settings: &Settings, clock: Clock) -> Self {
        let mut inner = Self {
            state: State::new(&settings.region, settings.pace, settings.quotas.jobs_at_once),
            credentials: AcceptedCredentials::default(),
            requests: RequestLog::default(),
            clock,
            faults: FaultRules::default(),
            has_socket: settings.has_socket,
            quotas: settings.quotas,
            recent_requests: RecentRequests::default(),
        };
        inner.credentials.accept(settings.credentials.clone());
        inner.seed(settings.seed.clone());
        inner
    }

    pub(crate) fn quotas(&self) -> Quotas {
        self.quotas
    }

    pub(crate) fn set_quotas(&mut self, quotas: Quotas) {
        self.quotas = quotas;
        self.state.set_max_jobs(quotas.jobs_at_once);
    }

    /// Creates stores and puts read sets into them.
    pub(crate) fn seed(&mut self, seed: Seed) -> Vec<SeededStore> {
        let now = self.clock.now();
        seed.stores.into_iter().map(|store| self.state.seed_store(store, now)).collect()
    }

    /// Adds a rule for later requests, or returns why it can't be applied.
    pub(crate) fn inject_fault(&mut self, rule: FaultRule) -> Result<(), String> {
        if let Some(reason) = rule.invalid_reason(self.has_socket) {
            return Err(reason);
        }
        self.faults.add(rule);
        Ok(())
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn finish_job(&mut self, id: &str) -> Result<(), StateError> {
        let now = self.clock.request_time();
        self.state.finish_job(id, now)
    }

    pub(crate) fn set_job_status(&mut self, id: &str, status: JobStatus) -> Result<(), StateError> {
        let now = self.clock.request_time();
        self.state.set_job_status(id, status, now)
    }
}

impl Service {
    pub(crate) fn new(settings: Settings, clock: Clock) -> Self {
        let inner = Mutex::new(Inner::new(&settings, clock));
        Self { settings, inner }
    }

    /// Replaces everything that changes by what it was at the start.
    pub(crate) fn reset(&self) {
        let mut inner = self.lock();
        let clock = Clock::new(inner.clock.source());
        *inner = Inner::new(&self.settings, clock);
    }

    /// Locks the service after moving its jobs forward to the current time. Must not be held across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic leaves nothing behind that matters to a test service.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.state.advance_by_time(Instant::now());
        inner
    }

    /// The time on the service's clock.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.lock().clock.now()
    }

    /// Handles a request. A body that could not be read is the error to refuse the request with.
    pub(crate) fn handle(&self, head: &Parts, body: Result<Bytes, ServiceError>) -> Delivery {
        let path = head.uri.path();
        if self.settings.has_control_path
            && let Some(action) = path.strip_prefix(control::PREFIX)
        {
            return control::handle(self, head, action, body).into();
        }
        let mut inner = self.lock();
        let route = operations::route(head.method.as_str(), path);
        let fault = match (&route, &body) {
            (Some(Route::Implemented(operation, labels)), Ok(body)) => {
                inner.faults.take(&Target { operation: operation.name, labels, body })
            }
            _ => None,
        };
        if fault == Some(Fault::ConnectionRefused) {
            return Delivery::RefuseConnection;
        }
        let operation = route.as_ref().map(Route::operation_name);
        let number = inner.requests.push(received(head, operation, body.as_ref().ok()));
        let (delivery, applied) = match body {
            Err(error) => (Response::from(error).into(), false),
            Ok(body) => {
                let request = RawRequest {
                    method: head.method.as_str(),
                    path,
                    query: head.uri.query(),
                    headers: &head.headers,
                    body: &body,
                };
                faults::inject(fault, || self.perform(&mut inner, route, &request))
            }
        };
        if let Some(received) = inner.requests.get_mut(number) {
            received.applied = applied;
            if let Delivery::Respond { response, .. } = &delivery {
                received.status = Some(response.status);
            }
        }
        delivery
    }

    /// Checks the signature and the request rate, and does what the request asks for.
    fn perform(
        &self,
        inner: &mut Inner,
        route: Option<Route>,
        request: &RawRequest<'_>,
    ) -> Result<Value, ServiceError> {
        let now = inner.clock.request_time();
        inner.credentials.verify(request, &self.settings.region, now.wall_clock)?;
        let (operation, labels) = match route {
            Some(Route::Implemented(operation, labels)) => (operation, labels),
            Some(Route::NotImplemented(name)) => return Err(ServiceError::not_implemented(name)),
            None => return Err(ServiceError::unknown_operation()),
        };
        if let Some(quota) = inner.quotas.requests_per_second {
            let limit = operation.max_requests_per_second.map_or(quota, |max| max.min(quota));
            if !inner.recent_requests.try_count(operation.name, limit, now.instant) {
                return Err(ServiceError::throttling());
            }
        }
        run(&mut inner.state, operation, labels, request, now)
    }
}

/// Reads and checks the input of a request, and does what the request asks for.
pub(crate) fn run(
    state: &mut State,
    operation: &Operation,
    labels: Labels,
    request: &RawRequest<'_>,
    now: RequestTime,
) -> Result<Value, ServiceError> {
    let mut fields = schema::parse_body(request.body)?;
    schema::take_query(operation.input, request.query.unwrap_or_default(), &mut fields)?;
    fields.extend(labels.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))));
    let input = schema::check(operation.input, &Value::Object(fields))?;
    (operation.handler)(state, input, now)
}

fn received(head: &Parts, operation: Option<&'static str>, body: Option<&Bytes>) -> ReceivedRequest {
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    ReceivedRequest {
        operation,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers,
        // A copy, as the body itself keeps the whole buffer that it was read into.
        body: body.map(|body| Bytes::copy_from_slice(body)).unwrap_or_default(),
        received_at: Instant::now().into_std(),
        applied: false,
        status: None,
    }
}

/// Reads the body of a request: the body, or the error to refuse the request with.
///
/// # Errors
///
/// The caller has broken the connection.
pub(crate) async fn read_body<B>(
    body: B,
) -> Result<Result<Bytes, ServiceError>, Box<dyn std::error::Error + Send + Sync>>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // A body that is announced as too large is not read.
    if body.size_hint().lower() > MAX_BODY_SIZE as u64 {
        return Ok(Err(ServiceError::body_too_large()));
    }
    match Limited::new(body, MAX_BODY_SIZE).collect().await {
        Ok(body) => Ok(Ok(body.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(Err(ServiceError::body_too_large())),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_log_does_not_keep_read_buffers() {
        let local = crate::local::LocalService::in_process();
        let service = &local.service;
        let (parts, ()) = http::Request::new(()).into_parts();
        let buffer = Bytes::from(vec![b' '; 1 << 20]);
        drop(service.handle(&parts, Ok(buffer.slice(..10))));
        assert_eq!(local.requests()[0].body.len(), 10);
        assert!(buffer.is_unique(), "a small body keeps a large buffer");
    }
}
