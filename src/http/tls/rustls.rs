//! TLS by `rustls`: with the FIPS module or `aws-lc-rs` if such a feature is enabled, and else with `ring`.

#[cfg(not(feature = "webpki-roots"))]
mod system_roots;

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
#[cfg(not(feature = "webpki-roots"))]
use system_roots::SystemRoots;

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
    #[cfg(feature = "fips")]
    return rustls::crypto::default_fips_provider();
    #[cfg(all(feature = "rustls-aws-lc-rs", not(feature = "fips")))]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(any(feature = "rustls-aws-lc-rs", feature = "fips")))]
    return rustls::crypto::ring::default_provider();
}

/// The TLS configuration, which several HTTP clients share.
#[derive(Clone, Debug)]
pub(crate) struct Tls(ClientConfig);

impl Tls {
    pub(crate) fn new(trust: &Trust) -> Result<Self, ConfigurationError> {
        let config = config(trust).map_err(|error| ConfigurationError::HttpClient(error.into()))?;
        #[cfg(feature = "fips")]
        check_fips(&config)?;
        Ok(Self(config))
    }

    pub(crate) fn set_up(&self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        builder.tls_backend_preconfigured(self.0.clone())
    }
}

#[cfg(any(feature = "fips", test))]
fn check_fips(config: &ClientConfig) -> Result<(), ConfigurationError> {
    if config.fips() {
        Ok(())
    } else {
        Err(ConfigurationError::NotInFipsMode { reason: "the TLS configuration is not" })
    }
}

fn config(trust: &Trust) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(provider())).with_safe_default_protocol_versions()?;
    #[cfg(not(feature = "webpki-roots"))]
    if trust.system {
        let verifier = SystemRoots::new(Arc::clone(config.crypto_provider()), Arc::clone(&trust.certificates))?;
        return Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth());
    }
    let mut roots = RootCertStore::empty();
    #[cfg(feature = "webpki-roots")]
    if trust.system {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for certificate in trust.certificates.iter() {
        roots.add(certificate.clone())?;
    }
    Ok(config.with_root_certificates(roots).with_no_client_auth())
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

#[cfg(test)]
mod tests {
    use rustls::crypto::ring;

    use super::*;

    #[test]
    fn a_configuration_of_another_module_is_not_in_fips_mode() {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let error = check_fips(&config).unwrap_err();
        assert!(matches!(error, ConfigurationError::NotInFipsMode { .. }), "{error}");
    }

    #[cfg(feature = "webpki-roots")]
    #[test]
    fn the_compiled_roots_include_those_of_the_service() {
        let names = webpki_roots::TLS_SERVER_ROOTS.iter().map(|root| String::from_utf8_lossy(&root.subject));
        assert_eq!(names.filter(|name| name.contains("Amazon Root CA ")).count(), 4);
    }
}

#[cfg(all(test, feature = "fips"))]
mod fips_tests {
    use super::super::Roots;
    use super::*;

    #[test]
    fn connections_are_in_fips_mode() {
        let Tls(config) = Tls::new(&Roots::default().read(true).unwrap()).unwrap();
        assert!(config.fips());
    }
}
