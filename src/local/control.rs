//! The control path: what tests do with [`LocalService`](super::LocalService), as HTTP requests for other processes.
//!
//! Each entry of the table is a request, which calls what the method of `LocalService` calls.

mod messages;

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use url::form_urlencoded;

use self::messages::{
    CredentialsMessage, ExpireCredentials, FailItem, InjectFault, ItemKey, JobId, NoFields, OperationFilter,
    SetClientTokens, SetClockOffset, SetJobStatus, SetPace, SetReadSetStatus, StoreId,
};
use super::quotas::Quotas;
use super::request_log::ReceivedRequest;
use super::response::Response;
use super::seed::Seed;
use super::service::Service;
use super::service_error::ServiceError;
use super::state::{Job, StateError};

/// No path of the service starts with it: all of its paths start with a letter.
pub(crate) const PREFIX: &str = "/_local/";

type Handler = fn(&Service, &Input<'_>) -> Result<Value, Refusal>;

/// The requests: method, path after the prefix, and what it does.
static REQUESTS: [(&str, &str, Handler); 22] = [
    ("GET", "health", health),
    ("GET", "stores", stores),
    ("GET", "read-sets", read_sets),
    ("GET", "jobs", jobs),
    ("GET", "requests", requests),
    ("GET", "request-count", request_count),
    ("POST", "clear-requests", clear_requests),
    ("POST", "reset", reset),
    ("POST", "seed", seed),
    ("POST", "set-read-set-status", set_read_set_status),
    ("POST", "finish-job", finish_job),
    ("POST", "set-job-status", set_job_status),
    ("POST", "fail-item", fail_item),
    ("POST", "clear-item-failure", clear_item_failure),
    ("POST", "inject-fault", inject_fault),
    ("POST", "clear-faults", clear_faults),
    ("POST", "set-pace", set_pace),
    ("POST", "set-quotas", set_quotas),
    ("POST", "set-client-tokens", set_client_tokens),
    ("POST", "accept-credentials", accept_credentials),
    ("POST", "expire-credentials", expire_credentials),
    ("POST", "set-clock-offset", set_clock_offset),
];

/// Why a request is refused.
struct Refusal {
    status: u16,
    message: String,
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into() }
    }
}

/// The fields of a request: its query if it is a GET, or else its body.
struct Input<'a> {
    is_get: bool,
    query: &'a str,
    body: &'a [u8],
}

impl Input<'_> {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let parsed = if self.is_get {
            let fields = form_urlencoded::parse(self.query.as_bytes());
            let fields = fields.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
            serde_json::from_value(Value::Object(fields.collect()))
        } else if self.body.is_empty() {
            serde_json::from_value(Value::Object(Map::new()))
        } else {
            serde_json::from_slice(self.body)
        };
        let part = if self.is_get { "query" } else { "body" };
        parsed.map_err(|error| Refusal::invalid(format!("the {part} is not valid: {error}")))
    }
}

/// Handles a control request, whose path after the prefix is `name`.
pub(crate) fn handle(service: &Service, head: &Parts, name: &str, body: Result<Bytes, ServiceError>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(error) => return error.into(),
    };
    let method = head.method.as_str();
    let input = Input { is_get: method == "GET", query: head.uri.query().unwrap_or_default(), body: &body };
    let request = REQUESTS.iter().find(|(known_method, known_name, _)| *known_method == method && *known_name == name);
    let result = request.map_or_else(|| Err(unknown(method, name)), |(_, _, handler)| handler(service, &input));
    match result {
        Ok(body) => Response::ok(&body),
        Err(refusal) => Response::error(refusal.status, "InvalidControlRequest", &refusal.message),
    }
}

fn unknown(method: &str, name: &str) -> Refusal {
    let known: Vec<_> = REQUESTS.iter().map(|(method, name, _)| format!("{method} {PREFIX}{name}")).collect();
    let message = format!("{method} {PREFIX}{name} is not a control request; there are {}", known.join(", "));
    Refusal { status: 404, message }
}

/// The response to a request without output.
fn done() -> Value {
    json!({})
}

fn changed(result: Result<(), StateError>, what: &str) -> Result<Value, Refusal> {
    match result {
        Ok(()) => Ok(done()),
        Err(error) => {
            Err(Refusal { status: ServiceError::from(error).status, message: format!("{what}: {}", error.message()) })
        }
    }
}

fn health(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let NoFields {} = input.parse()?;
    Ok(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "region": service.settings.region }))
}

fn stores(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let NoFields {} = input.parse()?;
    Ok(json!({ "stores": service.lock().state.store_ids().collect::<Vec<_>>() }))
}

fn read_sets(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let StoreId { sequence_store_id: id } = input.parse()?;
    let service = service.lock();
    match service.state.store(&id) {
        Ok(store) => {
            Ok(json!({ "readSets": store.read_sets().map(|read_set| &read_set.snapshot).collect::<Vec<_>>() }))
        }
        Err(error) => changed(Err(error), &format!("store {id}")),
    }
}

fn jobs(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let NoFields {} = input.parse()?;
    Ok(json!({ "jobs": service.lock().state.jobs().iter().map(Job::snapshot).collect::<Vec<_>>() }))
}

fn requests(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let filter: OperationFilter = input.parse()?;
    let service = service.lock();
    let requests = service.requests.iter().filter(|request| filter.includes(request.operation));
    Ok(json!({ "requests": requests.map(describe).collect::<Vec<_>>() }))
}

fn describe(request: &ReceivedRequest) -> Value {
    json!({
        "operation": request.operation,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers_without_secrets().collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(&request.body),
        "applied": request.applied,
        "status": request.status,
    })
}

fn request_count(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let filter: OperationFilter = input.parse()?;
    let service = service.lock();
    let count = service.requests.iter().filter(|request| filter.includes(request.operation)).count();
    Ok(json!({ "count": count }))
}

fn clear_requests(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let NoFields {} = input.parse()?;
    service.lock().requests.clear();
    Ok(done())
}

fn reset(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let NoFields {} = input.parse()?;
    service.reset();
    Ok(done())
}

fn seed(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let seed: Seed = input.parse()?;
    Ok(json!({ "stores": service.lock().seed(seed) }))
}

fn set_read_set_status(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let SetReadSetStatus { sequence_store_id: store, id, status } = input.parse()?;
    let result = service.lock().state.set_read_set_status(&store, &id, status);
    changed(result, &format!("read set {id} of store {store}"))
}

fn finish_job(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let JobId { id } = input.parse()?;
    changed(service.lock().finish_job(&id), &format!("job {id}"))
}

fn set_job_status(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let SetJobStatus { id, status } = input.parse()?;
    changed(service.lock().set_job_status(&id, status), &format!("job {id}"))
}

fn fail_item(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let FailItem { key, message, times } = input.parse()?;
    service.lock().state.fail_item(key, message, times);
    Ok(done())
}

fn clear_item_failure(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let ItemKey { key } = input.parse()?;
    service.lock().state.clear_item_failure(&key);
    Ok(done())
}

fn inject_fault(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let message: InjectFault = input.parse()?;
    service.lock().inject_fault(message.into()).map_err(Refusal::invalid)?;
    Ok(done())
}

fn clear_faults(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let NoFields {} = input.parse()?;
    service.lock().clear_faults();
    Ok(done())
}

fn set_pace(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let message: SetPace = input.parse()?;
    let pace = message.pace().ok_or_else(|| Refusal::invalid("polls, timeMs or both are needed"))?;
    let state = &mut service.lock().state;
    match message.kind {
        Some(kind) => state.set_pace_of(kind, pace),
        None => state.set_pace(pace),
    }
    Ok(done())
}

fn set_quotas(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let quotas: Quotas = input.parse()?;
    service.lock().set_quotas(quotas);
    Ok(done())
}

fn set_client_tokens(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let message: SetClientTokens = input.parse()?;
    service.lock().state.set_client_tokens(message.into());
    Ok(done())
}

fn accept_credentials(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let message: CredentialsMessage = input.parse()?;
    service.lock().credentials.accept(message.into());
    Ok(done())
}

fn expire_credentials(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let ExpireCredentials { access_key_id, at } = input.parse()?;
    let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    if !service.lock().credentials.expire_at(&access_key_id, at) {
        let message = format!("the service accepts no credentials of {access_key_id:?}");
        return Err(Refusal { status: 404, message });
    }
    Ok(done())
}

fn set_clock_offset(service: &Service, input: &Input<'_>) -> Result<Value, Refusal> {
    let SetClockOffset { seconds } = input.parse()?;
    service.lock().clock.set_offset(seconds);
    Ok(done())
}
