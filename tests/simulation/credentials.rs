//! The credentials of a simulated machine.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future;
use fastrand::Rng;
use healthomics::{Credentials, ProvideCredentials};

/// Credentials that expire, from a provider that fails now and then.
pub(crate) struct Provider {
    pub(crate) credentials: Credentials,
    pub(crate) expires_in: Duration,
    pub(crate) clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    pub(crate) random: Mutex<Rng>,
    pub(crate) has_outages: bool,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provider")
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        if self.has_outages && self.random.lock().unwrap().bool() {
            return future::ProvideCredentials::ready(Err(CredentialsError::provider_error("it is down")));
        }
        let mut credentials = self.credentials.clone();
        *credentials.expiry_mut() = Some((self.clock)() + self.expires_in);
        future::ProvideCredentials::ready(Ok(credentials))
    }
}
