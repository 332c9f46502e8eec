//! Entry points for fuzzing: the local service without sockets.

use bytes::Bytes;
use http::request::Parts;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::auth::{AcceptedCredentials, RawRequest};
use super::clock::RequestTime;
use super::operations::{self, Route};
use super::response::{Delivery, Response};
use super::seed::SeedReadSet;
use super::service::run;
use super::state::State;
use super::{LocalService, Pace};
use crate::Credentials;
use crate::model::FileType;

/// The only store of the service, which has an active and an archived read set.
pub(crate) const STORE: &str = "2718281829";

/// The credentials that are accepted.
pub(crate) fn credentials(session_token: Option<&str>) -> Credentials {
    let access_key_id = LocalService::ACCESS_KEY_ID;
    let secret_access_key = LocalService::SECRET_ACCESS_KEY;
    Credentials::new(access_key_id, secret_access_key, session_token.map(str::to_owned), None, "fuzzing")
}

fn state() -> State {
    let mut state = State::new(LocalService::REGION, Pace::Polls(1), None);
    let store = state.create_store();
    assert_eq!(store, STORE);
    for seed in [SeedReadSet::active(FileType::Bam), SeedReadSet::archived(FileType::Fastq)] {
        state.seed(&store, seed, OffsetDateTime::UNIX_EPOCH);
    }
    state
}

/// A request that reached an operation, and the response.
pub(crate) struct Handled {
    pub(crate) operation: &'static str,
    /// The last label of the path.
    pub(crate) id: String,
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Sends a request as it is, then without the check of its signature.
pub(crate) fn request(parts: &Parts, body: &Bytes) -> Option<Handled> {
    let local = LocalService::builder().pace(Pace::Polls(1)).credentials(credentials(None)).in_process();
    let Delivery::Respond { response, .. } = local.service.handle(parts, Ok(body.clone())) else { return None };
    assert!(response.status >= 400, "nothing is done without a signature");
    drop(response.into_http(OffsetDateTime::UNIX_EPOCH));

    let mut state = state();
    let now = RequestTime { wall_clock: OffsetDateTime::UNIX_EPOCH, instant: Instant::now() };
    let request = RawRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        body,
    };
    let Some(Route::Implemented(operation, labels)) = operations::route(request.method, request.path) else {
        return None;
    };
    let (_, id) = labels.last()?.clone();
    // Twice: a job that was started is found again, and a job that was read has ended.
    let first = run(&mut state, operation, labels.clone(), &request, now);
    let second = run(&mut state, operation, labels, &request, now);
    assert_eq!(first.is_ok(), second.is_ok());
    for job in 0..state.jobs().len() {
        state.read_job(job, now);
        assert!(state.job(job).is_ok_and(|job| job.snapshot().items.len() <= 100));
    }
    let response = second.map_or_else(Response::from, |body| Response::ok(&body));
    let handled = Handled { operation: operation.name, id, status: response.status, body: response.body.clone() };
    drop(response.into_http(OffsetDateTime::UNIX_EPOCH));
    Some(handled)
}

/// Whether a request is signed with the credentials at this time.
pub(crate) fn is_signed(parts: &Parts, body: &[u8], credentials: Credentials, now: OffsetDateTime) -> bool {
    let mut accepted = AcceptedCredentials::default();
    accepted.accept(credentials);
    let request = RawRequest {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        body,
    };
    accepted.verify(&request, LocalService::REGION, now).is_ok()
}
