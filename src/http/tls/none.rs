//! No TLS: plain `http` only.

use super::Trust;
use crate::error::ConfigurationError;
use crate::model::BoxError;

/// There are no certificates without TLS.
pub(super) type Certificate = std::convert::Infallible;

pub(super) fn certificates(_pem: &[u8]) -> impl Iterator<Item = Result<Certificate, BoxError>> {
    std::iter::empty()
}

/// Has nothing to configure.
#[derive(Clone, Debug)]
pub(crate) struct Tls;

impl Tls {
    #[allow(clippy::unnecessary_wraps, reason = "TLS libraries can fail here")]
    pub(crate) fn new(_trust: &Trust) -> Result<Self, ConfigurationError> {
        Ok(Self)
    }

    #[allow(clippy::unused_self, reason = "TLS libraries need it")]
    pub(crate) fn set_up(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder
    }
}

pub(crate) fn is_untrusted(_: &reqwest::Error) -> bool {
    false
}
