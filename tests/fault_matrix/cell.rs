//! One operation, one fault, once or always: what happens is compared with what is written.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use healthomics::local::{Fault, LocalService};
use healthomics::{Client, ClientBuilder, Error, ProvideCredentials};
use tokio::net::TcpSocket;
use tokio::time::Instant;

use super::calls::{Operation, Seen, Target};
use super::end::{End, Failed, Kind, Sees};
use super::front::{Front, Root};
use super::rows::Inject;

/// What the work itself may take on the clock of these tests, the waits aside.
const WORK: Duration = Duration::from_secs(1);

/// Where a cell runs and what stands about.
struct Scene {
    local: Arc<LocalService>,
    front: Option<Front>,
    /// Whom a redirect leads to.
    elsewhere: Option<TcpListener>,
    nobody: Option<TcpSocket>,
    /// When the fault is over, if it is a matter of time.
    over_at: Option<Instant>,
}

/// What is not as it is written.
pub async fn run(operation: Operation, inject: &Inject, always: bool, end: &End, root: Option<&Root>) -> Vec<String> {
    let local = Arc::new(LocalService::start().await.unwrap());
    let target = operation.prepare(&local).await;
    let needs_front = root.is_some() || matches!(inject, Inject::Lie(_));
    let front = if needs_front { Some(Front::start(local.address(), root).await) } else { None };
    let mut scene = Scene { local, front, elsewhere: None, nobody: None, over_at: None };
    let client = scene.set(operation, inject, always, root);

    let begun = Instant::now();
    let outcome = Box::pin(operation.call(&client, &target, None)).await;
    let took = begun.elapsed();

    let mut wrong = scene.compare(operation, &target, end, &outcome);
    let mut check = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    check(took <= end.waits + WORK && took >= end.no_sooner, format!("took {took:?}"));
    if let Err(error) = &outcome {
        let again = scene.repeat(operation, &target, error).await;
        check(again.is_none(), again.unwrap_or_default());
    }
    wrong
}

impl Scene {
    /// Sets the trap, and makes the client that walks into it.
    fn set(&mut self, operation: Operation, inject: &Inject, always: bool, root: Option<&Root>) -> Client {
        let local = &Arc::clone(&self.local);
        let mut builder = local.client_builder();
        if let Some(front) = &self.front {
            builder = builder.endpoint_url(front.url());
        }
        if let Some(root) = root {
            let pem = if matches!(inject, Inject::Stranger) { &Root::new().pem } else { &root.pem };
            builder = builder.only_root_certificates(pem);
        }
        let fault = match inject {
            Inject::Fault(fault) => Some(fault.clone()),
            Inject::Shaped(fault) => Some(fault(operation)),
            Inject::Redirect => Some(self.redirect()),
            Inject::Lie(lie) => {
                let front = self.front.as_ref().unwrap();
                if always {
                    front.lie_always(*lie);
                } else {
                    front.lie(*lie);
                }
                None
            }
            Inject::Minute(fault) => {
                local.fault_always(&operation.name(), fault.clone());
                let until = Instant::now() + Duration::from_mins(1);
                let local = Arc::clone(local);
                tokio::spawn(async move {
                    tokio::time::sleep_until(until).await;
                    local.clear_faults();
                });
                self.over_at = Some(until);
                return builder.build().unwrap();
            }
            Inject::Clocks(seconds) => {
                local.set_clock_offset(*seconds);
                None
            }
            Inject::ExpiredKeys => {
                builder = expired_keys(local, builder, always);
                None
            }
            Inject::Stranger => None,
            Inject::Nobody => {
                // Bound, so that it is nobody else's, and not listened on.
                let socket = TcpSocket::new_v4().unwrap();
                socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
                let closed = socket.local_addr().unwrap();
                self.nobody = Some(socket);
                let scheme = if root.is_some() { "https" } else { "http" };
                builder = builder.endpoint_url(format!("{scheme}://{closed}"));
                None
            }
        };
        match fault {
            Some(fault) if always => local.fault_always(&operation.name(), fault),
            Some(fault) => local.queue_fault(&operation.name(), fault),
            None => {}
        }
        builder.build().unwrap()
    }

    fn redirect(&mut self) -> Fault {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let location = format!("http://localhost:{}/sequencestore", listener.local_addr().unwrap().port());
        self.elsewhere = Some(listener);
        Fault::Answer { status: 307, headers: vec![("location".to_owned(), location)], body: Vec::new() }
    }

    fn compare(&self, operation: Operation, target: &Target, end: &End, outcome: &Result<Seen, Error>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        match (&end.kind, outcome) {
            (Kind::Answer(wanted), Ok(seen)) => {
                check(self.is_true(operation, target, wanted, seen), format!("brought {seen:?}"));
            }
            (Kind::Error(expected), Err(error)) => {
                let mut expected = expected.clone();
                expected.may_have_been_applied &= operation.mutates();
                let failed = failed(error);
                check(failed == expected, format!("ended with {failed:?}"));
                check(error.attempts() == end.attempts, format!("{} attempts", error.attempts()));
                check(error.operation() == Some(&*operation.name()), format!("of {:?}", error.operation()));
                check(
                    error.client_token().is_some() == operation.is_start(),
                    "no token, or a token of a read".to_owned(),
                );
                let line = error.report().to_string();
                let leaks = line.contains('\n') || line.contains(LocalService::SECRET_ACCESS_KEY);
                check(!leaks && line.starts_with(&operation.name()), line);
            }
            (_, Ok(seen)) => check(false, format!("was answered {seen:?}")),
            (_, Err(error)) => check(false, format!("failed: {}", error.report())),
        }
        let requests = self.local.requests();
        let arrived = if matches!(&end.kind, Kind::Error(f) if f.variant == "Transport" && !f.may_have_been_applied) {
            0
        } else {
            end.attempts as usize
        };
        check(requests.len() == arrived, format!("{} requests arrived", requests.len()));
        if let Some(effects) = operation.effects(&self.local, target) {
            check(effects == end.jobs, format!("{effects} jobs or deletions"));
        }
        if operation.is_start() {
            let token = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).unwrap()["clientToken"].clone();
            let same = requests.windows(2).all(|pair| token(&pair[0].body) == token(&pair[1].body));
            check(same && requests.iter().all(|request| token(&request.body).is_string()), "other tokens".to_owned());
        }
        if let Some(elsewhere) = &self.elsewhere {
            check(elsewhere.accept().is_err(), "somebody came to the other host".to_owned());
        }
        wrong
    }

    fn is_true(&self, operation: Operation, target: &Target, wanted: &Sees, seen: &Seen) -> bool {
        if operation == Operation::BatchDeleteReadSet {
            return operation.effects(&self.local, target) == Some(1);
        }
        match wanted {
            Sees::Truth => {
                let token = self.local.jobs().first().and_then(|job| job.client_token.clone());
                Some(&seen.id) == operation.expected_id(&self.local, target).as_ref()
                    && seen.created.is_some()
                    && (!operation.is_start() || seen.client_token == token)
            }
            Sees::Status(status) => seen.status == *status,
            Sees::Created(time) => seen.created == Some(*time),
        }
    }

    /// The remedy of every error: once its cause is gone, the same call brings the answer, and a start with the token of
    /// its error finds the job that there may be.
    async fn repeat(&self, operation: Operation, target: &Target, error: &Error) -> Option<String> {
        if let Some(over_at) = self.over_at {
            tokio::time::sleep_until(over_at + Duration::from_millis(100)).await;
        }
        self.local.clear_faults();
        let client = self.local.client().unwrap();
        let again = Box::pin(operation.call(&client, target, error.client_token())).await;
        let effects = operation.effects(&self.local, target);
        match again {
            Ok(seen)
                if self.is_true(operation, target, &Sees::Truth, &seen)
                    && effects.is_none_or(|effects| effects == 1) =>
            {
                None
            }
            Ok(seen) => Some(format!("repeated, it brought {seen:?} and {effects:?} jobs or deletions")),
            Err(error) => Some(format!("repeated, it failed: {}", error.report())),
        }
    }
}

fn failed(error: &Error) -> Failed {
    // `Debug` begins with the name of the variant.
    let variant = format!("{error:?}").split('(').next().unwrap_or_default().to_owned();
    Failed {
        variant,
        status: error.status(),
        code: error.code().map(str::to_owned),
        stopped: error.stop_reason(),
        retryable: error.is_retryable(),
        throttling: error.is_throttling(),
        timeout: error.is_timeout(),
        may_have_been_applied: error.may_have_been_applied(),
        retry_after: error.retry_after(),
    }
}

/// Gives expired keys at first, or always.
#[derive(Debug)]
struct Keys {
    expired: Credentials,
    good: Credentials,
    left: AtomicUsize,
}

impl ProvideCredentials for Keys {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        Provided::ready(Ok(if left.is_ok() { self.expired.clone() } else { self.good.clone() }))
    }
}

fn expired_keys(local: &LocalService, builder: ClientBuilder, always: bool) -> ClientBuilder {
    let expired = Credentials::new("ASIAEXPIRED", "secret", Some("token".to_owned()), None, "test");
    local.accept_credentials(expired.clone());
    local.expire_credentials("ASIAEXPIRED");
    let left = AtomicUsize::new(if always { usize::MAX } else { 1 });
    builder.credentials_provider(Keys { expired, good: local.credentials(), left })
}
