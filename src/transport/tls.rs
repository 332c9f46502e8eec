//! Whose word a server's certificate may rest on.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

#[cfg(feature = "aws-config")]
pub(crate) use with_rustls::read_bundle;
#[cfg(feature = "rustls")]
pub(crate) use with_rustls::{Trust, is_untrusted};
#[cfg(not(feature = "rustls"))]
pub(crate) use without_rustls::{Trust, is_untrusted};

pub(crate) const BUNDLE_VARIABLE: &str = "AWS_CA_BUNDLE";

/// Root certificates as they were given. They are read when a client is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    base: Base,
    added: Vec<Pem>,
}

#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "rustls"), allow(dead_code, reason = "nobody reads what there is no use for"))]
enum Base {
    #[default]
    System,
    Only(Pem),
    /// The environment names a file.
    Bundle(PathBuf),
}

#[derive(Clone)]
struct Pem(Arc<[u8]>);

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({} bytes)", self.0.len())
    }
}

impl Roots {
    pub(crate) fn add(&mut self, pem: &[u8]) {
        self.added.push(Pem(pem.into()));
    }

    pub(crate) fn only(&mut self, pem: &[u8]) {
        *self = Self { base: Base::Only(Pem(pem.into())), added: Vec::new() };
    }

    pub(crate) fn bundle(&mut self, path: impl Into<PathBuf>) {
        self.base = Base::Bundle(path.into());
    }
}

#[cfg(feature = "rustls")]
mod with_rustls {
    use std::error::Error as StdError;
    use std::io;
    use std::path::Path;
    use std::sync::Arc;

    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use rustls::{ClientConfig, RootCertStore};
    use rustls_platform_verifier::BuilderVerifierExt;

    use super::{BUNDLE_VARIABLE, Base, Pem, Roots};
    use crate::error::{BoxError, ConfigurationError};

    /// What TLS is set up by.
    #[derive(Clone, Debug)]
    pub(crate) struct Trust {
        system: bool,
        certificates: Arc<[CertificateDer<'static>]>,
    }

    impl Roots {
        /// `tls` tells whether TLS can come up: a file of the environment is nobody's concern otherwise.
        pub(crate) fn read(&self, tls: bool) -> Result<Trust, ConfigurationError> {
            let (system, mut certificates) = match &self.base {
                Base::Only(Pem(pem)) => (false, parse("only_root_certificates()", pem)?),
                Base::Bundle(path) if tls => (false, parse(BUNDLE_VARIABLE, &read_bundle(path)?)?),
                Base::System | Base::Bundle(_) => (true, Vec::new()),
            };
            for Pem(pem) in &self.added {
                certificates.extend(parse("add_root_certificates()", pem)?);
            }
            Ok(Trust { system, certificates: certificates.into() })
        }
    }

    /// A file of root certificates that can be used.
    pub(crate) fn read_bundle(path: &Path) -> Result<Vec<u8>, ConfigurationError> {
        let pem = std::fs::read(path);
        let pem = pem.map_err(|error| {
            invalid(BUNDLE_VARIABLE, format!("{} can't be read", path.display()), Some(error.into()))
        })?;
        parse(BUNDLE_VARIABLE, &pem).map(|_| pem)
    }

    /// Every certificate, and at least one.
    fn parse(setting: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigurationError> {
        let mut certificates = Vec::new();
        for (index, found) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let garbled = |error| invalid(setting, format!("certificate {} is garbled", index + 1), Some(error));
            let certificate = found.map_err(|error| garbled(error.into()))?;
            RootCertStore::empty().add(certificate.clone()).map_err(|error| garbled(error.into()))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(invalid(setting, "there is no certificate in PEM form".to_owned(), None));
        }
        Ok(certificates)
    }

    fn invalid(setting: &'static str, reason: String, source: Option<BoxError>) -> ConfigurationError {
        ConfigurationError::InvalidRootCertificates { setting, reason, source }
    }

    impl Trust {
        /// Reading the system's root store takes milliseconds: only where TLS can come up.
        pub(crate) fn set_up(
            &self,
            builder: reqwest::ClientBuilder,
            tls: bool,
        ) -> Result<reqwest::ClientBuilder, ConfigurationError> {
            let failed = |error: rustls::Error| ConfigurationError::HttpClient(error.into());
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config = config.map_err(failed)?;
            let config = if !tls || !self.system {
                let mut roots = RootCertStore::empty();
                for certificate in self.certificates.iter() {
                    roots.add(certificate.clone()).map_err(failed)?;
                }
                config.with_root_certificates(roots)
            } else if self.certificates.is_empty() {
                config.with_platform_verifier().map_err(failed)?
            } else {
                let verifier = self.beside_the_system(config.crypto_provider()).map_err(failed)?;
                config.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            };
            Ok(builder.tls_backend_preconfigured(config.with_no_client_auth()))
        }

        #[cfg(not(target_os = "android"))]
        fn beside_the_system(
            &self,
            provider: &Arc<rustls::crypto::CryptoProvider>,
        ) -> Result<rustls_platform_verifier::Verifier, rustls::Error> {
            let certificates = self.certificates.iter().cloned();
            rustls_platform_verifier::Verifier::new_with_extra_roots(certificates, Arc::clone(provider))
        }

        #[cfg(target_os = "android")]
        fn beside_the_system(
            &self,
            _: &Arc<rustls::crypto::CryptoProvider>,
        ) -> Result<rustls_platform_verifier::Verifier, rustls::Error> {
            Err(rustls::Error::General(
                "Android takes no roots beside its own: use only_root_certificates()".to_owned(),
            ))
        }
    }

    /// Whether there is no connection because nobody vouches for the server.
    pub(crate) fn is_untrusted(error: &reqwest::Error) -> bool {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = cause {
            if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
                return true;
            }
            // An I/O error passes over what it is made of when it is asked for its source.
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            cause = inner.map(|inner| inner as _).or_else(|| error.source());
        }
        false
    }
}

#[cfg(not(feature = "rustls"))]
mod without_rustls {
    use super::{Base, Roots};
    use crate::error::ConfigurationError;

    #[derive(Clone, Debug)]
    pub(crate) struct Trust;

    impl Roots {
        pub(crate) fn read(&self, _tls: bool) -> Result<Trust, ConfigurationError> {
            // What the environment names may be meant for other programs.
            let given = matches!(self.base, Base::Only(_)) || !self.added.is_empty();
            if given { Err(ConfigurationError::TlsNotCompiledIn) } else { Ok(Trust) }
        }
    }

    impl Trust {
        #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the other one needs it and can fail")]
        pub(crate) fn set_up(
            &self,
            builder: reqwest::ClientBuilder,
            _tls: bool,
        ) -> Result<reqwest::ClientBuilder, ConfigurationError> {
            Ok(builder)
        }
    }

    pub(crate) fn is_untrusted(_: &reqwest::Error) -> bool {
        false
    }
}
