//! The local service without its sockets.

use bytes::Bytes;
use hyper::http::request::Parts;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::answer::{Answer, ServiceError};
use super::auth::{Keyring, Signed};
use super::route::{self, Now, Route};
use super::state::{Quotas, Reply, Shared, State, run};
use super::world::SeedReadSet;
use super::{LocalService, Pace};
use crate::Credentials;
use crate::model::FileType;

/// The one store of the service, which has an active and an archived read set.
pub(crate) const STORE: &str = "2718281829";

/// The credentials that are accepted.
pub(crate) fn credentials(session_token: Option<&str>) -> Credentials {
    let (key, secret) = (LocalService::ACCESS_KEY_ID, LocalService::SECRET_ACCESS_KEY);
    Credentials::new(key, secret, session_token.map(str::to_owned), None, "fuzzing")
}

fn state() -> State {
    let mut state = State::default();
    state.world.pace = Pace::Polls(1);
    state.keys.accept(credentials(None));
    let store = state.world.create_store();
    assert_eq!(store, STORE);
    for seed in [SeedReadSet::active(FileType::Bam), SeedReadSet::archived(FileType::Fastq)] {
        state.world.seed(&store, seed, OffsetDateTime::UNIX_EPOCH);
    }
    state
}

/// Sends a request as it is, then what it asks for past the signature check, and gives back what that comes to.
pub(crate) fn request(parts: &Parts, body: &Bytes) -> Option<(u16, Bytes)> {
    let shared = Shared::new(LocalService::REGION.to_owned(), Quotas::none(), state());
    let Reply::Answer { answer, .. } = shared.reply(parts, Ok(body.clone())) else { return None };
    assert!(answer.status >= 400, "nothing is done without a signature");
    drop(answer.into_response(OffsetDateTime::UNIX_EPOCH));

    let mut world = state().world;
    let (method, path, query) = (parts.method.as_str(), parts.uri.path(), parts.uri.query());
    let now = Now { wall: OffsetDateTime::UNIX_EPOCH, instant: Instant::now() };
    let signed = Signed { method, path, query, headers: &parts.headers, body };
    let Some(Route::Served(operation, labels)) = route::route(method, path) else { return None };
    // Twice: a job that was started is found again, and one that is looked at ends.
    let first = run(&mut world, operation, labels.clone(), &signed, now);
    let second = run(&mut world, operation, labels, &signed, now);
    assert_eq!(first.is_ok(), second.is_ok());
    for job in 0..world.jobs.len() {
        world.read(job, now);
        assert!(world.jobs.get(job).is_some_and(|job| job.snapshot().items.len() <= 100));
    }
    let answer = answer_of(second);
    let told = (answer.status, answer.body.clone());
    drop(answer.into_response(OffsetDateTime::UNIX_EPOCH));
    Some(told)
}

fn answer_of(result: Result<Value, ServiceError>) -> Answer {
    result.map_or_else(Answer::from, |body| Answer::ok(&body))
}

/// Whether a request counts as signed with the credentials, now.
pub(crate) fn is_signed(parts: &Parts, body: &[u8], credentials: Credentials, now: OffsetDateTime) -> bool {
    let mut keys = Keyring::default();
    keys.accept(credentials);
    let signed = Signed {
        method: parts.method.as_str(),
        path: parts.uri.path(),
        query: parts.uri.query(),
        headers: &parts.headers,
        body,
    };
    keys.verify(&signed, LocalService::REGION, now).is_ok()
}
