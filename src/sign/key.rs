//! The key that a secret gives for a day, a region and a service.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Kept for the scope that it was made for last: making it takes four times as long as a signature by it.
#[derive(Default)]
pub(crate) struct SigningKey(RwLock<Option<(String, Hmac<Sha256>)>>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(redacted)")
    }
}

impl SigningKey {
    /// The signature of a text. `scope` is `day/region/service/aws4_request`, and the secret always the same.
    pub(super) fn sign(&self, secret: &str, scope: &str, text: &str) -> Result<[u8; 32], InvalidLength> {
        let key = match self.kept(scope) {
            Some(key) => key,
            None => self.make(secret, scope)?,
        };
        Ok(tag(key, text))
    }

    fn kept(&self, scope: &str) -> Option<Hmac<Sha256>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(of, _)| of == scope).map(|(_, key)| key.clone())
    }

    fn make(&self, secret: &str, scope: &str) -> Result<Hmac<Sha256>, InvalidLength> {
        let mut key = Hmac::new_from_slice(format!("AWS4{secret}").as_bytes())?;
        for part in scope.split('/') {
            key = Hmac::new_from_slice(&tag(key, part))?;
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((scope.to_owned(), key.clone()));
        Ok(key)
    }
}

fn tag(key: Hmac<Sha256>, text: &str) -> [u8; 32] {
    key.chain_update(text).finalize().into_bytes().into()
}
