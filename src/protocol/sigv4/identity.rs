//! Credentials, and the signing key that is derived from them for a day, a region and the service.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use aws_credential_types::Credentials;

use super::hash::{Hash, hmac};
use crate::model::BoxError;

/// Credentials, and the signing key that was derived from them last.
pub(crate) struct SigningIdentity {
    pub(crate) credentials: Credentials,
    /// The key and its scope. It is kept, as deriving it takes four times as long as a signature with it.
    key: RwLock<Option<(String, Hash)>>,
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningIdentity(redacted)")
    }
}

impl SigningIdentity {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, key: RwLock::default() }
    }

    /// The signature of a text, in hexadecimal digits. The scope is like `20150830/us-east-1/omics/aws4_request`.
    pub(super) fn sign(&self, scope: &str, text: &str) -> Result<String, BoxError> {
        let key = match self.cached_key(scope) {
            Some(key) => key,
            None => self.derive_key(scope)?,
        };
        Ok(hex::encode(hmac(&key, text.as_bytes())?))
    }

    fn cached_key(&self, scope: &str) -> Option<Hash> {
        let cached = self.key.read().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().filter(|(cached_scope, _)| cached_scope == scope).map(|(_, key)| *key)
    }

    /// Hashes the parts of the scope, each with the hash of the one before as its key.
    fn derive_key(&self, scope: &str) -> Result<Hash, BoxError> {
        let mut parts = scope.split('/');
        let secret = format!("AWS4{}", self.credentials.secret_access_key());
        let mut key = hmac(secret.as_bytes(), parts.next().unwrap_or_default().as_bytes())?;
        for part in parts {
            key = hmac(&key, part.as_bytes())?;
        }
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some((scope.to_owned(), key));
        Ok(key)
    }
}
