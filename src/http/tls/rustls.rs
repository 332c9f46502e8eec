//! TLS by `rustls`, with `aws-lc-rs` if that feature is enabled, and else with `ring`.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::{BuilderVerifierExt as _, Verifier};

use super::Trust;
use crate::error::ConfigurationError;
use crate::model::BoxError;

pub(super) type Certificate = CertificateDer<'static>;

pub(super) fn certificates(pem: &[u8]) -> impl Iterator<Item = Result<Certificate, BoxError>> {
    CertificateDer::pem_slice_iter(pem).map(|found| {
        let certificate = found?;
        RootCertStore::empty().add(certificate.clone())?;
        Ok(certificate)
    })
}

fn provider() -> CryptoProvider {
    #[cfg(feature = "rustls-aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "rustls-aws-lc-rs"))]
    return rustls::crypto::ring::default_provider();
}

/// The TLS configuration, which several HTTP clients share.
#[derive(Clone, Debug)]
pub(crate) struct Tls(ClientConfig);

impl Tls {
    /// `tls` says whether TLS can be used. Without it, the root store of the system is not read, which takes milliseconds.
    pub(crate) fn new(trust: &Trust, tls: bool) -> Result<Self, ConfigurationError> {
        config(trust, tls).map(Self).map_err(|error| ConfigurationError::HttpClient(error.into()))
    }

    pub(crate) fn set_up(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.tls_backend_preconfigured(self.0.clone())
    }
}

fn config(trust: &Trust, tls: bool) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider())).with_safe_default_protocol_versions()?;
    let config = if !tls || !trust.system {
        let mut roots = RootCertStore::empty();
        for certificate in trust.certificates.iter() {
            roots.add(certificate.clone())?;
        }
        config.with_root_certificates(roots)
    } else if trust.certificates.is_empty() {
        config.with_platform_verifier()?
    } else {
        let verifier = verifier_with_system_roots(trust, config.crypto_provider())?;
        config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
    };
    Ok(config.with_no_client_auth())
}

#[cfg(not(target_os = "android"))]
fn verifier_with_system_roots(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(trust.certificates.iter().cloned(), Arc::clone(provider))
}

#[cfg(target_os = "android")]
fn verifier_with_system_roots(_: &Trust, _: &Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    Err(rustls::Error::General(
        "on Android, root certificates can't be added to those of the system: use only_root_certificates()".to_owned(),
    ))
}

/// Whether the certificate of the server is not trusted.
pub(crate) fn is_untrusted(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // The source of an I/O error is that of the error inside, which must be checked, too.
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = inner.map(|inner| inner as _).or_else(|| error.source());
    }
    false
}
