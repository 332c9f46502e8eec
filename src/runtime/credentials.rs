//! The cache of credentials, which are kept until shortly before they expire.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;

use crate::protocol::sigv4::SigningIdentity;

/// Credentials are renewed this long before they expire, so that none expires between the signature and the service.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_mins(1);

/// How long a renewal may take while the present credentials are still valid.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Whether credentials are valid for longer than a margin.
fn is_valid(identity: &SigningIdentity, now: SystemTime, margin: Duration) -> bool {
    let until = now.checked_add(margin);
    identity.credentials.expiry().is_none_or(|expiry| until.is_some_and(|until| expiry > until))
}

/// A credentials provider, and the credentials that it returned last.
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

    /// Credentials that are valid for a while, or if the provider fails, those that are still valid.
    ///
    /// The first call that needs new ones asks the provider, within its own timeouts; if it is cancelled, the next one asks.
    pub(crate) async fn get(&self, now: SystemTime) -> Result<Arc<SigningIdentity>, Arc<CredentialsError>> {
        let seen = self.refreshes.load(Ordering::Acquire);
        if let Some(valid) = self.current().filter(|current| is_valid(current, now, RENEW_BEFORE_EXPIRY)) {
            return Ok(valid);
        }
        let mut failure = self.refresh.lock().await;
        if self.refreshes.load(Ordering::Acquire) != seen {
            // Another call has asked the provider meanwhile: its result is that of this call, too.
            match (&*failure, self.current()) {
                (Some(error), _) => return Err(Arc::clone(error)),
                (None, Some(current)) => return Ok(current),
                (None, None) => {}
            }
        }
        let valid = self.current().filter(|current| is_valid(current, now, Duration::ZERO));
        let result = self.ask(valid.is_some()).await;
        self.refreshes.fetch_add(1, Ordering::Release);
        *failure = None;
        match (result, valid) {
            (Ok(credentials), _) => {
                self.expiring.store(credentials.expiry().is_some(), Ordering::Relaxed);
                self.provided.store(true, Ordering::Relaxed);
                let identity = Arc::new(SigningIdentity::new(credentials));
                self.store(Some(Arc::clone(&identity)));
                Ok(identity)
            }
            (Err(error), Some(valid)) => {
                tracing::warn!(%error, "credentials could not be renewed, the present ones are still valid");
                Ok(valid)
            }
            (Err(error), None) => Err(Arc::clone(failure.insert(Arc::new(error)))),
        }
    }

    /// While the present credentials are still valid, the provider gets little time.
    async fn ask(&self, has_valid: bool) -> provider::Result {
        let work = self.provider.provide_credentials();
        if !has_valid {
            return work.await;
        }
        let limited = tokio::time::timeout(RENEWAL_TIMEOUT, work).await;
        limited.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(RENEWAL_TIMEOUT)))
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
