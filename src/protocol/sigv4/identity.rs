//! Credentials, and the signing key that is derived from them for a day, a region and the service.

use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};

type Key = [u8; 32];

/// Credentials, and the signing key that was derived from them last.
pub(crate) struct SigningIdentity {
    pub(crate) credentials: Credentials,
    /// The key and its scope. It is kept, as deriving it takes four times as long as a signature with it.
    key: RwLock<Option<(String, Key)>>,
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningIdentity(redacted)")
    }
}

/// What a key is valid for.
pub(super) struct Scope<'a> {
    /// `20150830/us-east-1/omics/aws4_request`.
    pub(super) text: &'a str,
    pub(super) time: SystemTime,
    pub(super) region: &'a str,
}

impl SigningIdentity {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, key: RwLock::default() }
    }

    /// The signature of a text, in hexadecimal digits.
    pub(super) fn sign(&self, scope: &Scope<'_>, text: &str) -> String {
        let key = self.cached_key(scope.text).unwrap_or_else(|| self.derive_key(scope));
        calculate_signature(key, text.as_bytes())
    }

    fn cached_key(&self, scope: &str) -> Option<Key> {
        let cached = self.key.read().unwrap_or_else(PoisonError::into_inner);
        cached.as_ref().filter(|(cached_scope, _)| cached_scope == scope).map(|(_, key)| *key)
    }

    fn derive_key(&self, scope: &Scope<'_>) -> Key {
        let secret = self.credentials.secret_access_key();
        let mut key = Key::default();
        key.copy_from_slice(generate_signing_key(secret, scope.time, scope.region, super::SIGNING_NAME).as_ref());
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Some((scope.text.to_owned(), key));
        key
    }
}
