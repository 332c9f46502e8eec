//! Credentials, kept until shortly before they expire.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::identity::Identity;
use tokio::sync::Mutex;

/// Credentials are renewed this long before they expire, so that none expires between the signature and the service.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_mins(1);

/// Credentials in the form that the signer takes.
#[derive(Debug)]
pub(crate) struct SigningIdentity {
    pub(crate) identity: Identity,
    expiry: Option<SystemTime>,
}

impl SigningIdentity {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { expiry: credentials.expiry(), identity: credentials.into() }
    }

    fn is_fresh(&self, now: SystemTime, margin: Duration) -> bool {
        let until = now.checked_add(margin);
        self.expiry.is_none_or(|expiry| until.is_some_and(|until| expiry > until))
    }
}

/// A provider and what it gave last.
#[derive(Debug)]
pub(crate) struct CredentialsCache {
    provider: SharedCredentialsProvider,
    current: RwLock<Option<Arc<SigningIdentity>>>,
    /// Held while the provider is asked: one refresh at a time. Keeps the last failure for those who waited for it.
    refresh: Mutex<Option<Arc<CredentialsError>>>,
    refreshes: AtomicU64,
}

impl CredentialsCache {
    pub(crate) fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, current: RwLock::default(), refresh: Mutex::default(), refreshes: AtomicU64::new(0) }
    }

    pub(crate) async fn get(&self, now: SystemTime) -> Result<Arc<SigningIdentity>, Arc<CredentialsError>> {
        if let Some(fresh) = self.current().filter(|current| current.is_fresh(now, RENEW_BEFORE_EXPIRY)) {
            return Ok(fresh);
        }
        let seen = self.refreshes.load(Ordering::Acquire);
        let mut failure = self.refresh.lock().await;
        if self.refreshes.load(Ordering::Acquire) != seen {
            // Somebody asked the provider while this call waited: what it said holds for both.
            if let Some(error) = &*failure {
                return Err(Arc::clone(error));
            }
            if let Some(current) = self.current().filter(|current| current.is_fresh(now, Duration::ZERO)) {
                return Ok(current);
            }
        }
        let answer = self.provider.provide_credentials().await;
        self.refreshes.fetch_add(1, Ordering::Release);
        match answer {
            Ok(credentials) => {
                *failure = None;
                let identity = Arc::new(SigningIdentity::new(credentials));
                self.store(Some(Arc::clone(&identity)));
                Ok(identity)
            }
            Err(error) => match self.current().filter(|current| current.is_fresh(now, Duration::ZERO)) {
                Some(current) => {
                    tracing::warn!(%error, "credentials could not be renewed, those at hand are still valid");
                    Ok(current)
                }
                None => Err(Arc::clone(failure.insert(Arc::new(error)))),
            },
        }
    }

    /// Drops credentials that the service calls expired, unless they were replaced meanwhile.
    pub(crate) fn forget(&self, used: &Arc<SigningIdentity>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, used)) {
            *current = None;
        }
    }

    fn current(&self) -> Option<Arc<SigningIdentity>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self, identity: Option<Arc<SigningIdentity>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }
}
