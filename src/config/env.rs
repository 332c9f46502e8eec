//! Settings from environment variables.

use aws_credential_types::Credentials;

use super::ClientBuilder;
use crate::error::{ConfigurationError, Error};

impl ClientBuilder {
    /// Settings by the environment variables that every AWS SDK knows:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `AWS_REGION`, then `AWS_DEFAULT_REGION` | the region |
    /// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the credentials |
    /// | `AWS_ENDPOINT_URL_OMICS`, then `AWS_ENDPOINT_URL` | an endpoint URL |
    /// | `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` | `true` silences both |
    /// | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` | `true` or `false` |
    /// | `AWS_MAX_ATTEMPTS` | a number from 1 |
    /// | `AWS_RETRY_MODE` | `standard`; `adaptive` and `legacy` are taken as `standard`, with a warning |
    /// | `AWS_SDK_UA_APP_ID` | the app name |
    ///
    /// An empty variable counts as unset. Profiles, SSO, containers and instances need the feature `aws-config`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a variable that means nothing, or half a pair of keys.
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::from_variables(&|name| std::env::var(name).ok())?)
    }

    fn from_variables(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let mut builder = Self::default();
        builder.endpoint.region = get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION"));
        if !flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &get)? {
            builder.endpoint.url = get("AWS_ENDPOINT_URL_OMICS").or_else(|| get("AWS_ENDPOINT_URL"));
        }
        builder.endpoint.use_fips = flag("AWS_USE_FIPS_ENDPOINT", &get)?;
        builder.endpoint.use_dual_stack = flag("AWS_USE_DUALSTACK_ENDPOINT", &get)?;
        if let Some(count) = get("AWS_MAX_ATTEMPTS") {
            builder.retry.max_attempts = match count.trim().parse() {
                Ok(number) if number > 0 => number,
                _ => return Err(invalid("AWS_MAX_ATTEMPTS", count, "a number from 1")),
            };
        }
        if let Some(mode) = get("AWS_RETRY_MODE") {
            match mode.trim() {
                "standard" => {}
                "adaptive" | "legacy" => tracing::warn!(mode, "AWS_RETRY_MODE is taken as \"standard\""),
                _ => return Err(invalid("AWS_RETRY_MODE", mode, "standard, adaptive or legacy")),
            }
        }
        builder.app_name = get("AWS_SDK_UA_APP_ID");
        match (get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => {
                let token = get("AWS_SESSION_TOKEN");
                Ok(builder.credentials(Credentials::new(id, secret, token, None, "environment")))
            }
            (None, None) => Ok(builder),
            (Some(_), None) | (None, Some(_)) => Err(ConfigurationError::MissingCredentials),
        }
    }
}

fn flag(name: &'static str, get: &impl Fn(&str) -> Option<String>) -> Result<bool, ConfigurationError> {
    match get(name) {
        None => Ok(false),
        Some(value) if value.trim().eq_ignore_ascii_case("true") => Ok(true),
        Some(value) if value.trim().eq_ignore_ascii_case("false") => Ok(false),
        Some(value) => Err(invalid(name, value, "true or false")),
    }
}

fn invalid(setting: &'static str, value: String, expected: &'static str) -> ConfigurationError {
    ConfigurationError::InvalidSetting { setting, value, expected }
}
