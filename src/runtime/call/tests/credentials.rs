//! Credentials: fetched once, renewed in time, replaced when the service calls them expired.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{self, ProvideCredentials};

use super::*;
use crate::config::ClientBuilder;
use crate::testing::provider::Provider;

/// Hands out keys `AKID1`, `AKID2`, … and counts.
#[derive(Debug, Clone, Default)]
struct Counting {
    asked: Arc<AtomicU32>,
    lifetime: Option<Duration>,
    delay: Duration,
    fails: bool,
}

impl Counting {
    async fn next(&self) -> provider::Result {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::time::sleep(self.delay).await;
        if self.fails {
            return Err(CredentialsError::provider_error("the metadata service is down"));
        }
        let expiry = self.lifetime.map(|lifetime| SystemTime::now() + lifetime);
        Ok(Credentials::new(format!("AKID{number}"), "secret", Some(format!("token{number}")), expiry, "test"))
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ProvideCredentials for Counting {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.next())
    }
}

fn with_provider(provider: &Counting) -> ClientBuilder {
    builder().credentials_provider(provider.clone())
}

fn key_of(sent: &Sent) -> &str {
    let authorization = sent.header("authorization").unwrap();
    authorization.split_once("Credential=").unwrap().1.split_once('/').unwrap().0
}

#[tokio::test(start_paused = true)]
async fn session_tokens_are_sent_and_signed() {
    let script = Script::new([ok()]);
    start(&script.client_with(with_provider(&Counting::default())).unwrap()).await.unwrap();
    let sent = &script.sent()[0];
    assert_eq!(sent.header("x-amz-security-token"), Some("token1"));
    assert!(sent.header("authorization").unwrap().contains("x-amz-date;x-amz-security-token, "));
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_fetch_credentials_once() {
    let provider = Counting { delay: Duration::from_millis(100), ..Counting::default() };
    let client = Script::new([ok()]).client_with(with_provider(&provider)).unwrap();
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(start_owned(client.clone()))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_share_one_failure_to_fetch_credentials() {
    let provider = Counting { delay: Duration::from_millis(100), fails: true, ..Counting::default() };
    let script = Script::new([ok()]);
    let client = script.client_with(with_provider(&provider).max_attempts(1)).unwrap();
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(start_owned(client.clone()))).collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Credentials(_)), "{error}");
        assert!(error.report().to_string().contains("the metadata service is down"), "{}", error.report());
        assert!(!error.may_have_been_applied());
    }
    assert_eq!(provider.asked(), 1);
    assert!(start(&client).await.is_err());
    assert_eq!(provider.asked(), 2, "a later call asks again");
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_is_asked_again_within_the_attempts_of_a_call() {
    let error: fn() -> CredentialsError = || CredentialsError::unhandled("an unexpected response");
    let always = Duration::ZERO..Duration::MAX;
    let provider = Provider::failing(always.clone(), error);
    let script = Script::new([ok()]);
    let error = start(&script.client_with(provider.builder()).unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)), "{error}");
    assert_eq!((error.attempts(), error.is_retryable(), provider.asked()), (3, true, 3));
    assert_eq!(error.stop_reason(), Some(crate::error::StopReason::AttemptsExhausted));
    assert!(!error.may_have_been_applied() && script.sent().is_empty());

    let provider =
        Provider::failing(Duration::ZERO..Duration::from_nanos(1), || CredentialsError::provider_error("503"));
    start(&script.client_with(provider.builder()).unwrap()).await.unwrap();
    assert!((2..=3).contains(&provider.asked()), "{}", provider.asked());

    for error in [CredentialsError::not_loaded_no_source, || CredentialsError::invalid_configuration("a profile")] {
        let provider = Provider::failing(always.clone(), error);
        let error = start(&script.client_with(provider.builder()).unwrap()).await.unwrap_err();
        assert_eq!((error.attempts(), error.is_retryable(), provider.asked()), (1, false, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_cancelled_fetch_the_next_call_fetches() {
    let provider = Counting { delay: Duration::from_secs(10), ..Counting::default() };
    let client = Script::new([ok()]).client_with(with_provider(&provider)).unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(1), start(&client)).await.is_err());
    start(&client).await.unwrap();
    assert_eq!(provider.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn credentials_are_renewed_a_minute_before_they_expire() {
    for (lifetime, fetches) in [(3_600, 1), (61 + 5, 1), (55, 2)] {
        let provider = Counting { lifetime: Some(Duration::from_secs(lifetime)), ..Counting::default() };
        let client = Script::new([ok()]).client_with(with_provider(&provider)).unwrap();
        start(&client).await.unwrap();
        start(&client).await.unwrap();
        assert_eq!(provider.asked(), fetches, "{lifetime}");
    }
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_fetched_again_once() {
    let expired = || respond(403, &[("x-amzn-errortype", "ExpiredTokenException")], "");
    let provider = Counting::default();
    let script = Script::new([expired(), ok()]);
    let client = script.client_with(with_provider(&provider)).unwrap();
    let started = Instant::now();
    start(&client).await.unwrap();
    assert!(started.elapsed().is_zero(), "nothing to wait for");
    assert_eq!(script.sent().iter().map(key_of).collect::<Vec<_>>(), ["AKID1", "AKID2"]);
    assert_eq!(client.call().runtime.quota.tokens(), Some(500));

    let provider = Counting::default();
    let script = Script::new([expired()]);
    let error = start(&script.client_with(with_provider(&provider)).unwrap()).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Some("ExpiredTokenException"), 2));
    assert!(!error.is_retryable());

    let provider = Counting::default();
    let script = Script::new([expired(), ok()]);
    start(&script.client_with(with_provider(&provider).max_attempts(1)).unwrap()).await.unwrap();
    assert_eq!(script.sent().len(), 2, "no retry was allowed, and this is none");
}

#[tokio::test(start_paused = true)]
async fn the_error_names_a_provider_that_hangs() {
    let provider = Counting { delay: Duration::from_secs(1_000_000), ..Counting::default() };
    let script = Script::new([ok()]);
    let client = script.client_with(with_provider(&provider).max_attempts(1)).unwrap();
    let error = start(&client).await.unwrap_err();
    assert!(error.to_string().contains("no credentials within the attempt timeout of 60s"), "{error}");
    assert!(!error.may_have_been_applied() && script.sent().is_empty());
}

/// Gives credentials that are valid for a little while, then hangs.
#[derive(Debug)]
struct HangsLater(AtomicU32);

impl ProvideCredentials for HangsLater {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async {
            if self.0.fetch_add(1, Ordering::Relaxed) > 0 {
                std::future::pending::<()>().await;
            }
            let expiry = SystemTime::now() + Duration::from_secs(55);
            Ok(Credentials::new("AKID1", "secret", None, Some(expiry), "test"))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_still_valid_are_used_while_a_renewal_hangs() {
    let script = Script::new([ok()]);
    let client = script.client_with(builder().credentials_provider(HangsLater(AtomicU32::new(0)))).unwrap();
    let started = Instant::now();
    start(&client).await.unwrap();
    start(&client).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_provided_expired_are_not_fetched_by_every_call() {
    let provider =
        Counting { delay: Duration::from_millis(100), lifetime: Some(Duration::ZERO), ..Counting::default() };
    let client = Script::new([ok()]).client_with(with_provider(&provider)).unwrap();
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(start_owned(client.clone()))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(provider.asked(), 1);
}
