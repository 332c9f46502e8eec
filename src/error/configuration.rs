//! What can be wrong with a client's settings.

use super::readable_debug;
use crate::model::BoxError;

/// What else a program can do that was built with the feature for it.
const DEFAULT_CHAIN: &str = if cfg!(feature = "aws-config") {
    ", or make the client by Client::from_default_chain() for profiles, SSO, containers and instances"
} else {
    ""
};

/// Why a client could not be built. Nothing was sent.
///
/// ```
/// use healthomics::error::ConfigurationError;
/// use healthomics::{Client, Error};
///
/// match Client::builder().region("mars-1").build() {
///     Err(Error::Configuration(error)) => assert!(matches!(*error, ConfigurationError::UnknownRegion { .. })),
///     other => panic!("{other:?}"),
/// }
/// let error = Client::builder().build().unwrap_err();
/// assert_eq!(error.to_string(), "no region: set AWS_REGION, or call region() on the builder");
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// No region was given.
    #[error("no region: set AWS_REGION, or call region() on the builder")]
    MissingRegion,
    /// The config and credentials files have no profile of the name that `AWS_PROFILE` gives.
    #[error("the profile {profile:?} of AWS_PROFILE is in neither the config nor the credentials file: check its name")]
    #[non_exhaustive]
    UnknownProfile {
        /// The profile.
        profile: String,
    },
    /// The region is in no partition of AWS that this version of the crate knows.
    #[error("region {region:?} is not known: check its spelling, or set the endpoint URL of a new region by hand")]
    #[non_exhaustive]
    UnknownRegion {
        /// The region as it was given.
        region: String,
    },
    /// The endpoint URL can't be used. It is not shown, as it might hold a password.
    #[error("the endpoint URL can't be used: {reason}")]
    #[non_exhaustive]
    InvalidEndpoint {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// FIPS was asked for together with an endpoint URL.
    #[error("FIPS and a custom endpoint URL are not supported together: drop one of them")]
    FipsWithCustomEndpoint,
    /// Dual stack was asked for together with an endpoint URL.
    #[error("dual stack and a custom endpoint URL are not supported together: drop one of them")]
    DualStackWithCustomEndpoint,
    /// The partition of the region has no dual-stack endpoints.
    #[error("partition {partition} has no dual-stack endpoints: turn dual stack off")]
    #[non_exhaustive]
    NoDualStack {
        /// The partition.
        partition: &'static str,
    },
    /// No credentials and no provider of them were given.
    #[error(
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or call credentials_provider() on the \
         builder{DEFAULT_CHAIN}"
    )]
    MissingCredentials,
    /// Half a pair of keys was given.
    #[error("half of the credentials: {missing} is not set")]
    #[non_exhaustive]
    IncompleteCredentials {
        /// The environment variable that is not set.
        missing: &'static str,
    },
    /// A setting has a value that means nothing.
    #[error("{setting} is {value:?}, {expected} is wanted")]
    #[non_exhaustive]
    InvalidSetting {
        /// The environment variable or builder method.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Root certificates that can't be used.
    #[error("{setting}: {reason}")]
    #[non_exhaustive]
    InvalidRootCertificates {
        /// The environment variable or builder method they came by.
        setting: &'static str,
        /// What is wrong with them.
        reason: String,
        /// What reading them said.
        source: Option<BoxError>,
    },
    /// An `https` endpoint or root certificates, and the crate was built without TLS.
    #[error("https endpoints and root certificates need TLS: turn the feature `rustls` of healthomics on")]
    TlsNotCompiledIn,
    /// The HTTP client could not be set up: usually no usable certificate store on this machine.
    #[error("the HTTP client could not be set up")]
    HttpClient(#[source] BoxError),
}

readable_debug!(ConfigurationError);
