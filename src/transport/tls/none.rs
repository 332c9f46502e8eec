//! No TLS: plain `http` only.

use super::Trust;
use crate::error::{BoxError, ConfigurationError};

/// There are none.
pub(super) type Certificate = std::convert::Infallible;

pub(super) fn certificates(_pem: &[u8]) -> impl Iterator<Item = Result<Certificate, BoxError>> {
    std::iter::empty()
}

#[allow(clippy::unnecessary_wraps, reason = "the libraries can fail here")]
pub(crate) fn set_up(
    _trust: &Trust,
    builder: reqwest::ClientBuilder,
    _tls: bool,
) -> Result<reqwest::ClientBuilder, ConfigurationError> {
    Ok(builder)
}

pub(crate) fn is_untrusted(_: &reqwest::Error) -> bool {
    false
}
