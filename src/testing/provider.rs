//! A credentials provider with outages, by tokio's clock, which may be paused.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as Provided;
use aws_credential_types::provider::{self, ProvideCredentials};
use tokio::time::Instant;

use super::builder;
use crate::config::ClientBuilder;

/// When the tests begin.
const BEGIN: SystemTime = SystemTime::UNIX_EPOCH;

type Failing = fn() -> CredentialsError;

/// Returns credentials that are valid for an hour, and fails during its outage.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    started: Instant,
    outage: Range<Duration>,
    error: Option<Failing>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    /// Fails during the outage, which is measured from now.
    pub(crate) fn failing(outage: Range<Duration>, error: Failing) -> Self {
        Self { started: Instant::now(), outage, error: Some(error), asked: Arc::default() }
    }

    /// Does not return during the outage.
    pub(crate) fn hanging(outage: Range<Duration>) -> Self {
        Self { started: Instant::now(), outage, error: None, asked: Arc::default() }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// A client by this provider, with a clock that follows tokio's.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let started = self.started;
        builder().credentials_provider(self.clone()).time_source(move || BEGIN + started.elapsed())
    }

    async fn provide(&self) -> provider::Result {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let elapsed = self.started.elapsed();
        match self.error {
            Some(error) if self.outage.contains(&elapsed) => return Err(error()),
            None if self.outage.contains(&elapsed) => std::future::pending().await,
            _ => {}
        }
        let expiry = BEGIN + elapsed + Duration::from_hours(1);
        Ok(Credentials::new("AKIDPROVIDER", "secret", Some("token".to_owned()), Some(expiry), "test"))
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(self.provide())
    }
}
