//! Errors of the configuration of a client.

use super::readable_debug;
use crate::model::BoxError;

/// The further remedy in a program that is built with the feature `aws-config`.
const DEFAULT_CHAIN: &str = if cfg!(feature = "aws-config") {
    ", or make the client by Client::from_default_chain() for profiles, SSO, containers and instances"
} else {
    ""
};

/// Why a client could not be built, or can't be used here. Nothing was sent.
///
/// ```
/// use healthomics::error::ConfigurationError;
/// use healthomics::{Client, Error};
///
/// match Client::builder().region("mars-1").build() {
///     Err(Error::Configuration(error)) => {
///         assert!(matches!(*error, ConfigurationError::UnknownRegion { .. }))
///     }
///     other => panic!("{other:?}"),
/// }
/// let error = Client::builder().build().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "no region: set AWS_REGION, or call region() on the builder"
/// );
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// No region was given.
    #[error("no region: set AWS_REGION, or call region() on the builder")]
    MissingRegion,
    /// The config and credentials files have no profile with this name, which is that of `AWS_PROFILE` or was set in code.
    #[error(
        "the profile {profile:?} is in neither the config nor the credentials file: check AWS_PROFILE, or the given name"
    )]
    #[non_exhaustive]
    UnknownProfile {
        /// The name of the profile.
        profile: String,
    },
    /// The region is in no partition of AWS that this version of the crate knows.
    #[error("region {region:?} is not known: check its spelling, or set the endpoint URL of a new region by hand")]
    #[non_exhaustive]
    UnknownRegion {
        /// The region that was set.
        region: String,
    },
    /// The endpoint URL can't be used. The message does not quote it, as it may have a password.
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
        /// The name of the partition, such as `aws-iso`.
        partition: &'static str,
    },
    /// Neither credentials nor a credentials provider were set.
    #[error(
        "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or call credentials_provider() on the \
         builder{DEFAULT_CHAIN}"
    )]
    MissingCredentials,
    /// Only one of the two keys was set.
    #[error("incomplete credentials: {missing} is not set")]
    #[non_exhaustive]
    IncompleteCredentials {
        /// The environment variable that is not set.
        missing: &'static str,
    },
    /// A setting has an invalid value.
    #[error("{setting} is {value:?}, but must be {expected}")]
    #[non_exhaustive]
    InvalidSetting {
        /// The environment variable or builder method.
        setting: &'static str,
        /// Its value.
        value: String,
        /// The values that it can have.
        expected: &'static str,
    },
    /// The root certificates can't be used.
    #[error("{setting}: {reason}")]
    #[non_exhaustive]
    InvalidRootCertificates {
        /// The environment variable or builder method that they were set with.
        setting: &'static str,
        /// What is wrong with them.
        reason: String,
        /// The error of reading them.
        source: Option<BoxError>,
    },
    /// The endpoint is `https` or root certificates were set, and the crate was built without TLS.
    #[error("https endpoints and root certificates need TLS: enable the feature `rustls` of healthomics")]
    TlsNotCompiledIn,
    /// The cryptographic module of the feature `fips` can't be used in FIPS mode.
    #[error("the feature `fips` of healthomics needs its cryptographic module in FIPS mode: {reason}")]
    #[non_exhaustive]
    NotInFipsMode {
        /// What is not in FIPS mode.
        reason: &'static str,
    },
    /// The HTTP client could not be built, usually because the machine has no certificate store.
    #[error("the HTTP client could not be built")]
    HttpClient(#[source] BoxError),
    /// A call was awaited outside a Tokio runtime. It needs the timers and sockets of one (`enable_all` of its builder).
    #[error(
        "no Tokio runtime: await this inside one (`#[tokio::main]`), or use `healthomics::blocking` (feature `blocking`)"
    )]
    OutsideRuntime,
}

readable_debug!(ConfigurationError);
