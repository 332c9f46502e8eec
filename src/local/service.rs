//! The service: what happens between a request and its response, with or without a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::auth::{AcceptedCredentials, RawRequest};
use super::clock::{Clock, RequestTime};
use super::faults::{self, Fault, Faults};
use super::operations::{self, Labels, Operation, Route};
use super::pace::Pace;
use super::quotas::{Quotas, RecentRequests};
use super::request_log::{ReceivedRequest, RequestLog};
use super::response::{Delivery, Response};
use super::schema;
use super::service_error::ServiceError;
use super::state::State;

/// More than the largest valid request: an import of 100 sources with 50 tags each, where everything has its maximum
/// length and every character is escaped in JSON, has 27 million bytes.
const MAX_BODY_SIZE: usize = 32 << 20;

/// The service, which its handle and its connections share.
pub(crate) struct Service {
    pub(crate) region: String,
    pub(crate) quotas: Quotas,
    inner: Mutex<Inner>,
}

/// Everything that changes.
pub(crate) struct Inner {
    pub(crate) state: State,
    pub(crate) credentials: AcceptedCredentials,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
    pub(crate) clock: Clock,
    recent_requests: RecentRequests,
}

impl Service {
    pub(crate) fn new(region: String, pace: Pace, quotas: Quotas, clock: Clock) -> Self {
        let inner = Inner {
            state: State::new(&region, pace, quotas.jobs_at_once),
            credentials: AcceptedCredentials::default(),
            faults: Faults::default(),
            requests: RequestLog::default(),
            clock,
            recent_requests: RecentRequests::default(),
        };
        Self { region, quotas, inner: Mutex::new(inner) }
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
        let mut inner = self.lock();
        let path = head.uri.path();
        let route = operations::route(head.method.as_str(), path);
        let fault = match (&route, &body) {
            (Some(Route::Implemented(operation, _)), Ok(_)) => inner.faults.take(operation.name),
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
        inner.credentials.verify(request, &self.region, now.wall_clock)?;
        let (operation, labels) = match route {
            Some(Route::Implemented(operation, labels)) => (operation, labels),
            Some(Route::NotImplemented(name)) => return Err(ServiceError::not_implemented(name)),
            None => return Err(ServiceError::unknown_operation()),
        };
        if let Some(quota) = self.quotas.requests_per_second {
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
        let service = Service::new("us-east-1".to_owned(), Pace::default(), Quotas::none(), Clock::default());
        let (parts, ()) = http::Request::new(()).into_parts();
        let buffer = Bytes::from(vec![b' '; 1 << 20]);
        drop(service.handle(&parts, Ok(buffer.slice(..10))));
        assert_eq!(service.lock().requests.all()[0].body.len(), 10);
        assert!(buffer.is_unique(), "a small body keeps a large buffer");
    }
}
