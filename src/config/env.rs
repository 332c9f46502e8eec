//! The configuration from environment variables.

use aws_credential_types::Credentials;

use super::ClientBuilder;
use crate::error::{ConfigurationError, Error};
use crate::http::tls::BUNDLE_VARIABLE;

impl ClientBuilder {
    /// Reads the environment variables that all AWS SDKs share:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `AWS_REGION`, then `AWS_DEFAULT_REGION` | the region |
    /// | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | the credentials |
    /// | `AWS_ENDPOINT_URL_OMICS`, then `AWS_ENDPOINT_URL` | an endpoint URL |
    /// | `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` | `true` ignores both endpoint URLs |
    /// | `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` | `true` or `false` |
    /// | `AWS_MAX_ATTEMPTS` | a number from 1 |
    /// | `AWS_RETRY_MODE` | `standard`; `adaptive` and `legacy` are treated as `standard`, with a warning |
    /// | `AWS_SDK_UA_APP_ID` | the app name |
    /// | `AWS_CA_BUNDLE` | a file of root certificates to trust instead of those of the system; read by [`build`](Self::build), for `https` |
    ///
    /// An empty variable counts as unset. Profiles, SSO, containers and instances need the feature `aws-config`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for a variable with an invalid value, or one of the two keys without the other.
    ///
    /// ```
    /// use healthomics::ClientBuilder;
    ///
    /// match ClientBuilder::from_env().and_then(|builder| builder.max_attempts(5).build()) {
    ///     Ok(client) => println!("{client:?}"),
    ///     Err(error) => println!("{error}"), // names the variable
    /// }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self::from_variables(&|name| std::env::var(name).ok())?)
    }

    fn from_variables(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigurationError> {
        // A secret that was read from a file often ends in a newline.
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let mut builder = Self::default();
        builder.endpoint.region = get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION"));
        if !flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", &get)? {
            builder.endpoint.url = get("AWS_ENDPOINT_URL_OMICS").or_else(|| get("AWS_ENDPOINT_URL"));
        }
        builder.endpoint.use_fips = flag("AWS_USE_FIPS_ENDPOINT", &get)?;
        builder.endpoint.use_dual_stack = flag("AWS_USE_DUALSTACK_ENDPOINT", &get)?;
        if let Some(count) = get("AWS_MAX_ATTEMPTS") {
            builder.retry.max_attempts = match count.parse() {
                Ok(number) if number > 0 => number,
                _ => return Err(invalid("AWS_MAX_ATTEMPTS", count, "a number from 1")),
            };
        }
        if let Some(mode) = get("AWS_RETRY_MODE") {
            match mode.to_ascii_lowercase().as_str() {
                "standard" => {}
                "adaptive" | "legacy" => tracing::warn!(mode, "AWS_RETRY_MODE is treated as \"standard\""),
                _ => return Err(invalid("AWS_RETRY_MODE", mode, "standard, adaptive or legacy")),
            }
        }
        builder.app_name = get("AWS_SDK_UA_APP_ID");
        if let Some(path) = get(BUNDLE_VARIABLE) {
            builder.roots.bundle(path);
        }
        let [id, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        match (get(id), get(secret)) {
            (Some(id), Some(secret)) => {
                let token = get("AWS_SESSION_TOKEN");
                Ok(builder.credentials(Credentials::new(id, secret, token, None, "environment")))
            }
            (None, None) => Ok(builder),
            (Some(_), None) => Err(ConfigurationError::IncompleteCredentials { missing: secret }),
            (None, Some(_)) => Err(ConfigurationError::IncompleteCredentials { missing: id }),
        }
    }
}

fn flag(name: &'static str, get: &impl Fn(&str) -> Option<String>) -> Result<bool, ConfigurationError> {
    match get(name) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
        Some(value) => Err(invalid(name, value, "true or false")),
    }
}

fn invalid(setting: &'static str, value: String, expected: &'static str) -> ConfigurationError {
    ConfigurationError::InvalidSetting { setting, value, expected }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "secret")];

    fn read(variables: &[(&str, &str)]) -> Result<ClientBuilder, ConfigurationError> {
        let variables: HashMap<_, _> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        ClientBuilder::from_variables(&|name| variables.get(name).cloned())
    }

    #[test]
    fn the_first_variable_that_is_set_wins() {
        let url = "AWS_ENDPOINT_URL";
        let own = "AWS_ENDPOINT_URL_OMICS";
        let ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
        for (variables, region, endpoint) in [
            (vec![], None, None),
            (vec![("AWS_REGION", "us-east-1")], Some("us-east-1"), None),
            (vec![("AWS_DEFAULT_REGION", "us-west-2")], Some("us-west-2"), None),
            (vec![("AWS_REGION", "a"), ("AWS_DEFAULT_REGION", "b")], Some("a"), None),
            (vec![("AWS_REGION", " "), ("AWS_DEFAULT_REGION", "b")], Some("b"), None),
            (vec![(url, "http://a")], None, Some("http://a")),
            (vec![(url, "http://a"), (own, "http://b")], None, Some("http://b")),
            (vec![(url, "http://a"), (own, "")], None, Some("http://a")),
            (vec![(url, "http://a"), (own, "http://b"), (ignore, "true")], None, None),
            (vec![(url, "http://a"), (ignore, "FALSE")], None, Some("http://a")),
        ] {
            let builder = read(&variables).unwrap();
            assert_eq!(builder.endpoint.region.as_deref(), region, "{variables:?}");
            assert_eq!(builder.endpoint.url.as_deref(), endpoint, "{variables:?}");
        }
    }

    #[test]
    fn the_rest_is_read() {
        let variables = [
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "True"),
            ("AWS_MAX_ATTEMPTS", "7"),
            ("AWS_RETRY_MODE", "adaptive"),
            ("AWS_SDK_UA_APP_ID", "app"),
        ];
        let builder = read(&variables).unwrap();
        assert!(builder.endpoint.use_fips && builder.endpoint.use_dual_stack);
        assert_eq!(builder.retry.max_attempts, 7);
        assert_eq!(builder.retry.backoff, Duration::from_millis(50));
        assert_eq!(builder.app_name.as_deref(), Some("app"));
        assert!(builder.credentials.is_none());
        assert!(read(&KEYS).unwrap().credentials.is_some());
        assert!(read(&[("AWS_RETRY_MODE", "Standard\n")]).is_ok());
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for (name, value) in [
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", "-1"),
            ("AWS_MAX_ATTEMPTS", "three"),
            ("AWS_RETRY_MODE", "eager"),
            ("AWS_USE_FIPS_ENDPOINT", "yes"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            let line = error.to_string();
            assert!(matches!(error, ConfigurationError::InvalidSetting { setting, .. } if setting == name), "{line}");
            assert!(line.starts_with(&format!("{name} is {value:?}, ")), "{line}");
        }
        for (given, missing) in [(KEYS[0], KEYS[1].0), (KEYS[1], KEYS[0].0)] {
            let error = read(&[given]).unwrap_err();
            assert_eq!(error.to_string(), format!("incomplete credentials: {missing} is not set"));
        }
    }

    #[test]
    fn a_client_needs_region_and_credentials() {
        let error = read(&KEYS).unwrap().build().unwrap_err();
        assert_eq!(error.to_string(), "no region: set AWS_REGION, or call region() on the builder");
        let error = read(&[("AWS_REGION", "us-east-1")]).unwrap().build().unwrap_err();
        assert!(error.to_string().starts_with("no credentials: set AWS_ACCESS_KEY_ID"), "{error}");
        let both = [KEYS[0], KEYS[1], ("AWS_REGION", "us-east-1")];
        assert_eq!(read(&both).unwrap().build().unwrap().region(), "us-east-1");
        let odd = read(&both).unwrap().endpoint_url("http://127.0.0.1:9").region("us-east-1\r\nx: y").build();
        assert!(odd.unwrap_err().to_string().contains("is not known"));
        for name in ["", "two words", &"x".repeat(51), "ü", "a\nb"] {
            assert!(read(&both).unwrap().app_name(name).build().is_err(), "{name:?}");
        }
        assert!(read(&both).unwrap().app_name("x".repeat(50)).build().is_ok());
    }
}
