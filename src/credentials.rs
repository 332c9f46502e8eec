//! Credentials, kept until shortly before they expire.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use crate::sign::SigningKey;

/// Credentials are renewed this long before they expire, so that none expires between the signature and the service.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_mins(1);

/// How long a renewal may take while the credentials at hand are still valid.
const LONGEST_RENEWAL: Duration = Duration::from_secs(5);

/// Credentials, and the key that was made of them last.
#[derive(Debug)]
pub(crate) struct SigningIdentity {
    pub(crate) credentials: Credentials,
    pub(crate) key: SigningKey,
}

impl SigningIdentity {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, key: SigningKey::default() }
    }

    fn is_fresh(&self, now: SystemTime, margin: Duration) -> bool {
        let until = now.checked_add(margin);
        self.credentials.expiry().is_none_or(|expiry| until.is_some_and(|until| expiry > until))
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
    /// Whether the provider has ever returned credentials.
    provided: AtomicBool,
    /// Whether the provider's last credentials have an expiry, so that it is expected to renew them.
    expiring: AtomicBool,
    /// Whether the service has ever accepted credentials of this provider.
    accepted: AtomicBool,
}

impl CredentialsCache {
    pub(crate) fn new(provider: SharedCredentialsProvider) -> Self {
        Self {
            provider,
            current: RwLock::default(),
            refresh: Mutex::default(),
            refreshes: AtomicU64::new(0),
            provided: AtomicBool::new(false),
            expiring: AtomicBool::new(false),
            accepted: AtomicBool::new(false),
        }
    }

    /// Credentials that are fresh, or the freshest that can be had.
    ///
    /// The provider is asked by the call that comes first, within that call's time-outs; if it is cancelled, the next
    /// one asks.
    pub(crate) async fn get(&self, now: SystemTime) -> Result<Arc<SigningIdentity>, Arc<CredentialsError>> {
        let seen = self.refreshes.load(Ordering::Acquire);
        if let Some(fresh) = self.current().filter(|current| current.is_fresh(now, RENEW_BEFORE_EXPIRY)) {
            return Ok(fresh);
        }
        let mut failure = self.refresh.lock().await;
        if self.refreshes.load(Ordering::Acquire) != seen {
            // Somebody has asked the provider meanwhile: what it said holds for this call too.
            match (&*failure, self.current()) {
                (Some(error), _) => return Err(Arc::clone(error)),
                (None, Some(current)) => return Ok(current),
                (None, None) => {}
            }
        }
        let valid = self.current().filter(|current| current.is_fresh(now, Duration::ZERO));
        let answer = self.ask(valid.is_some()).await;
        self.refreshes.fetch_add(1, Ordering::Release);
        *failure = None;
        match (answer, valid) {
            (Ok(credentials), _) => {
                self.expiring.store(credentials.expiry().is_some(), Ordering::Relaxed);
                self.provided.store(true, Ordering::Relaxed);
                let identity = Arc::new(SigningIdentity::new(credentials));
                self.store(Some(Arc::clone(&identity)));
                Ok(identity)
            }
            (Err(error), Some(valid)) => {
                tracing::warn!(%error, "credentials could not be renewed, those at hand are still valid");
                Ok(valid)
            }
            (Err(error), None) => Err(Arc::clone(failure.insert(Arc::new(error)))),
        }
    }

    /// With valid credentials at hand, the provider gets little time.
    async fn ask(&self, can_do_without: bool) -> provider::Result {
        let work = self.provider.provide_credentials();
        if !can_do_without {
            return work.await;
        }
        let limited = tokio::time::timeout(LONGEST_RENEWAL, work).await;
        limited.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(LONGEST_RENEWAL)))
    }

    /// Drops credentials that the service calls expired, unless they were replaced meanwhile.
    pub(crate) fn forget(&self, used: &Arc<SigningIdentity>) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, used)) {
            *current = None;
        }
    }

    /// Whether the provider has ever returned credentials: what fails now has worked before, and may work again.
    pub(crate) fn were_provided(&self) -> bool {
        self.provided.load(Ordering::Relaxed)
    }

    /// The service has accepted a request that was signed with credentials of this provider.
    pub(crate) fn set_accepted(&self) {
        if !self.accepted.load(Ordering::Relaxed) {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }

    /// Whether credentials that the service calls expired may yet be replaced: the provider's have worked before, and
    /// they have an expiry, so that the provider is expected to renew them.
    pub(crate) fn may_be_renewed(&self) -> bool {
        self.accepted.load(Ordering::Relaxed) && self.expiring.load(Ordering::Relaxed)
    }

    fn current(&self) -> Option<Arc<SigningIdentity>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn store(&self, identity: Option<Arc<SigningIdentity>>) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }
}
