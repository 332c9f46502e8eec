//! Waits and watches while the credentials provider fails, under a paused clock.

use aws_credential_types::provider::error::CredentialsError;

use super::*;
use crate::Client;
use crate::testing::provider::Provider;
use crate::testing::service::{STORE, Service, id};

const MINUTE: Duration = Duration::from_mins(1);

fn provider_error() -> CredentialsError {
    CredentialsError::provider_error("the credentials endpoint responded with 503")
}

fn unhandled() -> CredentialsError {
    CredentialsError::unhandled("an unexpected response")
}

fn export(client: &Client, index: usize) -> Job<Export> {
    client.export_job(STORE, id(index))
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_for_hours_is_retried() {
    // The credentials of an hour expire during the outage.
    let outage = 30 * MINUTE..4 * HOUR;
    for provider in [
        Provider::failing(outage.clone(), provider_error),
        Provider::failing(outage.clone(), unhandled),
        Provider::hanging(outage),
    ] {
        let service = Service::with_jobs([5 * HOUR; 5]);
        let client = service.client_with(provider.builder());
        assert!(export(&client, 0).wait().await.unwrap().is_completed());
    }

    let provider = Provider::failing(30 * MINUTE..4 * HOUR, provider_error);
    let service = Service::with_jobs([5 * HOUR; 5]);
    let client = service.client_with(provider.builder());
    let mut watch = client.watch((0..5).map(|index| export(&client, index)));
    for _ in 0..5 {
        let (_, outcome) = watch.next().await.unwrap();
        assert!(outcome.unwrap().is_completed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_worked_is_final_after_the_attempts_of_one_call() {
    let always = Duration::ZERO..100 * HOUR;
    for provider in [Provider::failing(always.clone(), provider_error), Provider::hanging(always)] {
        let service = Service::with_jobs([HOUR; 50]);
        let client = service.client_with(provider.builder());
        let start = Instant::now();

        let error = export(&client, 0).wait().await.unwrap_err();
        let error = error.call_error().unwrap();
        assert_eq!((error.attempts(), error.is_retryable()), (3, true), "{error}");
        assert_eq!(provider.asked(), 3);
        assert!(start.elapsed() < 5 * MINUTE, "{:?}", start.elapsed());

        let mut watch = client.watch((0..50).map(|index| export(&client, index)));
        for _ in 0..50 {
            let (_, outcome) = watch.next().await.unwrap();
            assert!(outcome.unwrap_err().call_error().is_some());
        }
        assert_eq!(provider.asked(), 6, "one call was enough for all jobs");
        assert!(start.elapsed() < 10 * MINUTE, "{:?}", start.elapsed());
        assert!(service.requests("Get").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn missing_credentials_are_a_permanent_error() {
    let not_loaded: fn() -> CredentialsError = || CredentialsError::not_loaded("no provider has any");
    let misconfigured: fn() -> CredentialsError = || CredentialsError::invalid_configuration("a broken profile");
    for error in [not_loaded, misconfigured] {
        let provider = Provider::failing(30 * MINUTE..100 * HOUR, error);
        let service = Service::with_jobs([5 * HOUR]);
        let client = service.client_with(provider.builder());
        let start = Instant::now();
        let error = export(&client, 0).wait().await.unwrap_err();
        assert!(matches!(error.call_error(), Some(Error::Credentials(_))), "{error}");
        assert_eq!((error.call_error().unwrap().attempts(), error.call_error().unwrap().is_retryable()), (1, false));
        assert!((HOUR..HOUR + MINUTE).contains(&start.elapsed()), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_that_the_provider_keeps_returning_are_an_outage_if_others_worked() {
    let expired = || error(403, "ExpiredTokenException");
    let never = Duration::ZERO..Duration::ZERO;
    let running = state("IN_PROGRESS", &[]);
    let steps = [running].into_iter().chain((0..100).map(|_| expired())).chain([state("COMPLETED", &[])]);
    let script = Script::new(steps);
    let client = script.client_with(Provider::failing(never.clone(), provider_error).builder()).unwrap();
    assert!(client.import_job("1111111111", "1234567890").wait().await.unwrap().is_completed());

    // None of them worked.
    let script = Script::new([expired()]);
    let client = script.client_with(Provider::failing(never, provider_error).builder()).unwrap();
    let error = client.import_job("1111111111", "1234567890").wait().await.unwrap_err();
    assert_eq!(error.call_error().unwrap().code(), Some("ExpiredTokenException"));
    assert_eq!(script.sent().len(), 2);
}
