//! SHA-256 and HMAC-SHA256 of the signature: by the crates `sha2` and `hmac`, or by the module of the feature `fips`.

use crate::model::BoxError;

pub(super) use library::{HmacKey, hmac, hmac_key, sha256};

pub(super) type Hash = [u8; 32];

#[cfg(not(feature = "fips"))]
mod library {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Digest as _, Sha256};

    use super::{BoxError, Hash};

    pub(in super::super) type HmacKey = Hmac<Sha256>;

    #[allow(clippy::unnecessary_wraps, reason = "the other library can fail here")]
    pub(in super::super) fn sha256(data: &[u8]) -> Result<Hash, BoxError> {
        Ok(Sha256::digest(data).into())
    }

    pub(in super::super) fn hmac_key(key: &[u8]) -> Result<HmacKey, BoxError> {
        Ok(Hmac::new_from_slice(key)?)
    }

    #[allow(clippy::unnecessary_wraps, reason = "the other library can fail here")]
    pub(in super::super) fn hmac(key: &HmacKey, data: &[u8]) -> Result<Hash, BoxError> {
        Ok(key.clone().chain_update(data).finalize().into_bytes().into())
    }
}

#[cfg(feature = "fips")]
mod library {
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

    use super::{BoxError, Hash};

    pub(in super::super) type HmacKey = Key;

    pub(in super::super) fn sha256(data: &[u8]) -> Result<Hash, BoxError> {
        Ok(digest(&SHA256, data).as_ref().try_into()?)
    }

    #[allow(clippy::unnecessary_wraps, reason = "the other library can fail here")]
    pub(in super::super) fn hmac_key(key: &[u8]) -> Result<HmacKey, BoxError> {
        Ok(Key::new(HMAC_SHA256, key))
    }

    pub(in super::super) fn hmac(key: &HmacKey, data: &[u8]) -> Result<Hash, BoxError> {
        Ok(sign(key, data).as_ref().try_into()?)
    }
}
