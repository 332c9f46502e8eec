//! Runs one operation with one fault, once or always, and compares the result with the expected one.

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
use super::end::{End, Expected, Failed, Kind};
use super::proxy::{Proxy, Root};
use super::rows::Inject;

/// The processing time that a call may take on the clock of these tests, apart from waiting.
const WORK: Duration = Duration::from_secs(1);

/// The local service of a cell, and what is around it.
struct Environment {
    local: Arc<LocalService>,
    proxy: Option<Proxy>,
    /// The host that a redirect leads to.
    redirect_target: Option<TcpListener>,
    /// Reserves a port on which no process listens.
    unused_port: Option<TcpSocket>,
    /// When the fault ends, if it lasts for a time.
    over_at: Option<Instant>,
}

/// Returns what differs from the expected result.
pub async fn run(operation: Operation, inject: &Inject, always: bool, end: &End, root: Option<&Root>) -> Vec<String> {
    let local = Arc::new(LocalService::start().await.unwrap());
    let target = operation.prepare(&local).await;
    let needs_proxy = root.is_some() || matches!(inject, Inject::WrongLength(_));
    let proxy = if needs_proxy { Some(Proxy::start(local.address().unwrap(), root).await) } else { None };
    let mut environment = Environment { local, proxy, redirect_target: None, unused_port: None, over_at: None };
    let client = environment.prepare(operation, inject, always, root);

    let started = Instant::now();
    let outcome = Box::pin(operation.call(&client, &target, None)).await;
    let took = started.elapsed();

    let mut wrong = environment.compare(operation, &target, end, &outcome);
    let mut check = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    check(took <= end.waits + WORK && took >= end.no_sooner, format!("took {took:?}"));
    if let Err(error) = &outcome {
        let again = environment.repeat(operation, &target, error).await;
        check(again.is_none(), again.unwrap_or_default());
    }
    wrong
}

impl Environment {
    /// Prepares the fault, and makes a client.
    fn prepare(&mut self, operation: Operation, inject: &Inject, always: bool, root: Option<&Root>) -> Client {
        let local = &Arc::clone(&self.local);
        let mut builder = local.client_builder();
        if let Some(proxy) = &self.proxy {
            builder = builder.endpoint_url(proxy.url());
        }
        if let Some(root) = root {
            let pem = if matches!(inject, Inject::UntrustedRoot) { &Root::new().pem } else { &root.pem };
            builder = builder.only_root_certificates(pem);
        }
        let fault = match inject {
            Inject::Fault(fault) => Some(fault.clone()),
            Inject::ByOperation(fault) => Some(fault(operation)),
            Inject::Redirect => Some(self.redirect()),
            Inject::WrongLength(wrong) => {
                let proxy = self.proxy.as_ref().unwrap();
                if always {
                    proxy.always_wrong_length(*wrong);
                } else {
                    proxy.wrong_length_once(*wrong);
                }
                None
            }
            Inject::ForAMinute(fault) => {
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
            Inject::ExpiredCredentials => {
                builder = expired_credentials(local, builder, always);
                None
            }
            Inject::UntrustedRoot => None,
            Inject::NoListener => {
                // It is bound, so that no other process gets the port, and does not listen.
                let socket = TcpSocket::new_v4().unwrap();
                socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
                let closed = socket.local_addr().unwrap();
                self.unused_port = Some(socket);
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
        self.redirect_target = Some(listener);
        Fault::Response { status: 307, headers: vec![("location".to_owned(), location)], body: Vec::new() }
    }

    fn compare(&self, operation: Operation, target: &Target, end: &End, outcome: &Result<Seen, Error>) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        match (&end.kind, outcome) {
            (Kind::Success(expected), Ok(seen)) => {
                check(self.is_expected(operation, target, expected, seen), format!("returned {seen:?}"));
            }
            (Kind::Error(expected), Err(error)) => {
                let mut expected = expected.clone();
                expected.may_have_been_applied &= operation.mutates();
                let failed = failed(error);
                check(failed == expected, format!("ended with {failed:?}"));
                check(error.attempts() == end.attempts, format!("{} attempts", error.attempts()));
                check(
                    error.operation() == Some(&*operation.name()),
                    format!("the operation is {:?}", error.operation()),
                );
                check(
                    error.client_token().is_some() == operation.is_start(),
                    "a start without a token, or a read with one".to_owned(),
                );
                let line = error.report().to_string();
                let leaks = line.contains('\n') || line.contains(LocalService::SECRET_ACCESS_KEY);
                check(!leaks && line.starts_with(&operation.name()), line);
            }
            (_, Ok(seen)) => check(false, format!("succeeded with {seen:?}")),
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
            check(
                same && requests.iter().all(|request| token(&request.body).is_string()),
                "attempts with different tokens".to_owned(),
            );
        }
        if let Some(redirect_target) = &self.redirect_target {
            check(redirect_target.accept().is_err(), "the other host received a request".to_owned());
        }
        wrong
    }

    fn is_expected(&self, operation: Operation, target: &Target, expected: &Expected, seen: &Seen) -> bool {
        if operation == Operation::BatchDeleteReadSet {
            return operation.effects(&self.local, target) == Some(1);
        }
        match expected {
            Expected::ServiceState => {
                let token = self.local.jobs().first().and_then(|job| job.client_token.clone());
                Some(&seen.id) == operation.expected_id(&self.local, target).as_ref()
                    && seen.created.is_some()
                    && (!operation.is_start() || seen.client_token == token)
            }
            Expected::Status(status) => seen.status == *status,
            Expected::Created(time) => seen.created == Some(*time),
        }
    }

    /// The remedy of every error: when its cause is gone, the same call succeeds, and a start with the client token of
    /// its error returns the job that may have been started.
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
                if self.is_expected(operation, target, &Expected::ServiceState, &seen)
                    && effects.is_none_or(|effects| effects == 1) =>
            {
                None
            }
            Ok(seen) => Some(format!("the repeated call returned {seen:?} with {effects:?} jobs or deletions")),
            Err(error) => Some(format!("the repeated call failed: {}", error.report())),
        }
    }
}

fn failed(error: &Error) -> Failed {
    Failed {
        variant: variant(error).to_owned(),
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

/// The name of the variant.
fn variant(error: &Error) -> &'static str {
    match error {
        Error::ValidationException(_) => "ValidationException",
        Error::ServiceQuotaExceededException(_) => "ServiceQuotaExceededException",
        Error::AccessDeniedException(_) => "AccessDeniedException",
        Error::ResourceNotFoundException(_) => "ResourceNotFoundException",
        Error::NotSupportedOperationException(_) => "NotSupportedOperationException",
        Error::RequestTimeoutException(_) => "RequestTimeoutException",
        Error::ConflictException(_) => "ConflictException",
        Error::RangeNotSatisfiableException(_) => "RangeNotSatisfiableException",
        Error::ThrottlingException(_) => "ThrottlingException",
        Error::InternalServerException(_) => "InternalServerException",
        Error::Service(_) => "Service",
        Error::InvalidInput(_) => "InvalidInput",
        Error::Configuration(_) => "Configuration",
        Error::Credentials(_) => "Credentials",
        Error::Signing(_) => "Signing",
        Error::Transport(_) => "Transport",
        Error::Timeout(_) => "Timeout",
        Error::UndecodableResponse(_) => "UndecodableResponse",
        Error::AmbiguousStart(_) => "AmbiguousStart",
        _ => "a variant that is not in this list",
    }
}

/// Provides expired credentials at first, or always.
#[derive(Debug)]
struct ExpiredAtFirst {
    expired: Credentials,
    valid: Credentials,
    left: AtomicUsize,
}

impl ProvideCredentials for ExpiredAtFirst {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        Provided::ready(Ok(if left.is_ok() { self.expired.clone() } else { self.valid.clone() }))
    }
}

fn expired_credentials(local: &LocalService, builder: ClientBuilder, always: bool) -> ClientBuilder {
    let expired = Credentials::new("ASIAEXPIRED", "secret", Some("token".to_owned()), None, "test");
    local.accept_credentials(expired.clone());
    local.expire_credentials("ASIAEXPIRED");
    let left = AtomicUsize::new(if always { usize::MAX } else { 1 });
    builder.credentials_provider(ExpiredAtFirst { expired, valid: local.credentials(), left })
}
