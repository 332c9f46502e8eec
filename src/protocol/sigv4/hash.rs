//! SHA-256 and HMAC-SHA256 of the signature: by the crates `sha2` and `hmac`, or by the module of the feature `fips`.

use crate::model::BoxError;

pub(super) type Hash = [u8; 32];

pub(super) use library::{hmac, sha256};

#[cfg(not(feature = "fips"))]
mod library {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    use sha2::{Digest as _, Sha256};

    use super::{BoxError, Hash};

    #[allow(clippy::unnecessary_wraps, reason = "the other library can fail here")]
    pub(in super::super) fn sha256(data: &[u8]) -> Result<Hash, BoxError> {
        Ok(Sha256::digest(data).into())
    }

    pub(in super::super) fn hmac(key: &[u8], data: &[u8]) -> Result<Hash, BoxError> {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key)?;
        hmac.update(data);
        Ok(hmac.finalize().into_bytes().into())
    }
}

#[cfg(feature = "fips")]
mod library {
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};

    use super::{BoxError, Hash};

    pub(in super::super) fn sha256(data: &[u8]) -> Result<Hash, BoxError> {
        Ok(digest(&SHA256, data).as_ref().try_into()?)
    }

    pub(in super::super) fn hmac(key: &[u8], data: &[u8]) -> Result<Hash, BoxError> {
        Ok(sign(&Key::new(HMAC_SHA256, key), data).as_ref().try_into()?)
    }
}
