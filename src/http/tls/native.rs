//! TLS by the library of the system: OpenSSL, Schannel, Secure Transport.

use std::error::Error as StdError;

use super::Trust;
use crate::error::ConfigurationError;
use crate::model::BoxError;

pub(super) type Certificate = reqwest::Certificate;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Each certificate by itself, as the library reports errors of a bundle only as a whole.
pub(super) fn certificates(pem: &[u8]) -> impl Iterator<Item = Result<Certificate, BoxError>> {
    let text = String::from_utf8_lossy(pem).into_owned();
    let blocks: Vec<_> = text.split(BEGIN).skip(1).map(str::to_owned).collect();
    blocks.into_iter().map(|block| {
        let (body, _) = block.split_once(END).ok_or("it has no end")?;
        Ok(Certificate::from_pem(format!("{BEGIN}{body}{END}\n").as_bytes())?)
    })
}

/// The TLS configuration of each HTTP client.
#[derive(Clone, Debug)]
pub(crate) struct Tls(Trust);

impl Tls {
    #[allow(clippy::unnecessary_wraps, reason = "other libraries can fail here")]
    pub(crate) fn new(trust: &Trust) -> Result<Self, ConfigurationError> {
        Ok(Self(trust.clone()))
    }

    pub(crate) fn set_up(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        let builder = builder.tls_backend_native();
        let certificates = self.0.certificates.iter().cloned();
        if self.0.system { builder.tls_certs_merge(certificates) } else { builder.tls_certs_only(certificates) }
    }
}

/// Whether the certificate of the server is not trusted. The TLS libraries of the systems have no common error type for it.
pub(crate) fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("certificate") {
            return true;
        }
        cause = error.source();
    }
    false
}
