//! Credentials, and the signing key that is derived from them for a day, a region and the service.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use aws_credential_types::Credentials;

use super::hash::{Hash, HmacKey, hmac, hmac_key};
use crate::model::BoxError;

/// Credentials, and the signing key that was derived from them last.
pub(crate) struct SigningIdentity {
    pub(crate) credentials: Credentials,
    /// The key and its scope. It is kept, as deriving it takes four times as long as a signature with it.
    key: RwLock<Option<(String, HmacKey)>>,
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

    /// The signature of a text. The scope is like `20150830/us-east-1/omics/aws4_request`.
    pub(super) fn sign(&self, scope: &str, text: &str) -> Result<Hash, BoxError> {
        let cached = self.key.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((cached_scope, key)) = &*cached
            && cached_scope == scope
        {
            return hmac(key, text.as_bytes());
        }
        drop(cached);
        let key = self.derive_key(scope)?;
        let signature = hmac(&key, text.as_bytes());
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some((scope.to_owned(), key));
        signature
    }

    /// Hashes the parts of the scope, each with the hash of the one before as its key.
    fn derive_key(&self, scope: &str) -> Result<HmacKey, BoxError> {
        let secret = format!("AWS4{}", self.credentials.secret_access_key());
        let mut key = hmac_key(secret.as_bytes())?;
        for part in scope.split('/') {
            key = hmac_key(&hmac(&key, part.as_bytes())?)?;
        }
        Ok(key)
    }
}
