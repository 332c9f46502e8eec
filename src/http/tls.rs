//! TLS: the library, and the root certificates that are trusted.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ConfigurationError;
use crate::model::BoxError;

// If several libraries are compiled in, the one is used whose feature is not on by default. `fips` comes before all others,
// as a dependency elsewhere that enables another feature must not turn it off.
#[cfg_attr(all(feature = "native-tls", not(feature = "fips")), path = "tls/native.rs")]
#[cfg_attr(all(feature = "__rustls", any(feature = "fips", not(feature = "native-tls"))), path = "tls/rustls.rs")]
#[cfg_attr(not(any(feature = "__rustls", feature = "native-tls")), path = "tls/none.rs")]
mod library;

pub(crate) use library::{Tls, is_untrusted};

/// Whether a TLS library is compiled in.
pub(crate) const COMPILED_IN: bool = cfg!(any(feature = "__rustls", feature = "native-tls"));

pub(crate) const BUNDLE_VARIABLE: &str = "AWS_CA_BUNDLE";

/// Root certificates as they were set. They are parsed when a client is built.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    base: Base,
    added: Vec<Pem>,
}

#[derive(Clone, Debug, Default)]
enum Base {
    #[default]
    System,
    Only(Pem),
    /// A file that an environment variable names.
    Bundle(PathBuf),
}

#[derive(Clone)]
struct Pem(Arc<[u8]>);

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({} bytes)", self.0.len())
    }
}

/// The parsed root certificates.
#[cfg_attr(not(any(feature = "__rustls", feature = "native-tls")), expect(dead_code, reason = "there is no TLS"))]
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    system: bool,
    certificates: Arc<[library::Certificate]>,
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

    /// `tls` says whether TLS can be used. Without it, a file that the environment names is not read.
    pub(crate) fn read(&self, tls: bool) -> Result<Trust, ConfigurationError> {
        let is_set = matches!(self.base, Base::Only(_)) || !self.added.is_empty();
        if is_set && !COMPILED_IN {
            return Err(ConfigurationError::TlsNotCompiledIn);
        }
        let (system, mut certificates) = match &self.base {
            Base::Only(Pem(pem)) => (false, parse("only_root_certificates()", pem)?),
            Base::Bundle(path) if tls && COMPILED_IN => (false, parse(BUNDLE_VARIABLE, &read_file(path)?)?),
            Base::System | Base::Bundle(_) => (true, Vec::new()),
        };
        for Pem(pem) in &self.added {
            certificates.extend(parse("add_root_certificates()", pem)?);
        }
        Ok(Trust { system, certificates: certificates.into() })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConfigurationError> {
    std::fs::read(path)
        .map_err(|error| invalid(BUNDLE_VARIABLE, format!("{} can't be read", path.display()), Some(error.into())))
}

/// Parses all certificates, of which there must be at least one.
fn parse(setting: &'static str, pem: &[u8]) -> Result<Vec<library::Certificate>, ConfigurationError> {
    let mut certificates = Vec::new();
    for (index, found) in library::certificates(pem).enumerate() {
        let malformed = |error| invalid(setting, format!("certificate {} is malformed", index + 1), Some(error));
        certificates.push(found.map_err(malformed)?);
    }
    if certificates.is_empty() {
        return Err(invalid(setting, "there is no certificate in PEM form".to_owned(), None));
    }
    Ok(certificates)
}

fn invalid(setting: &'static str, reason: String, source: Option<BoxError>) -> ConfigurationError {
    ConfigurationError::InvalidRootCertificates { setting, reason, source }
}
