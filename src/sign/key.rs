//! The key that a secret gives for a day, a region and a service.

use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};

type Key = [u8; 32];

/// Kept for the scope that it was made for last: making it takes four times as long as a signature by it.
#[derive(Default)]
pub(crate) struct SigningKey(RwLock<Option<(String, Key)>>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

/// What a key is for, beside the secret, which is always the same here.
pub(super) struct Scope<'a> {
    /// `20150830/us-east-1/omics/aws4_request`.
    pub(super) text: &'a str,
    pub(super) time: SystemTime,
    pub(super) region: &'a str,
}

impl SigningKey {
    /// The signature of a text, in hexadecimal digits.
    pub(super) fn sign(&self, secret: &str, scope: &Scope<'_>, text: &str) -> String {
        let key = self.kept(scope.text).unwrap_or_else(|| self.make(secret, scope));
        calculate_signature(key, text.as_bytes())
    }

    fn kept(&self, scope: &str) -> Option<Key> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, _)| of == scope).map(|(_, key)| *key)
    }

    fn make(&self, secret: &str, scope: &Scope<'_>) -> Key {
        let mut key = Key::default();
        key.copy_from_slice(generate_signing_key(secret, scope.time, scope.region, super::SIGNING_NAME).as_ref());
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((scope.text.to_owned(), key));
        key
    }
}
