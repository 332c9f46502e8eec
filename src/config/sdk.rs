//! The configuration from an `SdkConfig`, which all AWS SDKs for Rust share.

use std::time::Duration;

use aws_smithy_types::retry::{RetryConfig, RetryMode};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::app_name::AppName;
use aws_types::service_config::ServiceConfigKey;

use super::{ClientBuilder, MAX_APP_NAME_LENGTH};
use crate::http::tls::BUNDLE_VARIABLE;
use crate::runtime::Timeouts;

/// The backoff of a `RetryConfig` in which none was set. This crate then keeps its own default.
const SDK_INITIAL_BACKOFF: Duration = Duration::from_secs(1);

impl ClientBuilder {
    /// Reads an `SdkConfig`, from `aws_config` or built by hand. Needs the feature `sdk-config`.
    ///
    /// It uses region, credentials provider, endpoint URL (one that is set in code before a
    /// service-specific one, `AWS_ENDPOINT_URL_OMICS` or in a profile, and that before a general one), FIPS, dual stack, retry attempts and
    /// backoff, timeouts, app name, time source, whether clock skew is corrected, and root certificates
    /// (`AWS_CA_BUNDLE`, or `ca_bundle` of a profile). The rest (HTTP client, sleep, identity cache, …) is part of
    /// the runtime of the official SDKs and has no effect.
    ///
    /// ```
    /// use aws_types::{SdkConfig, region::Region};
    /// use healthomics::{ClientBuilder, Credentials};
    ///
    /// # fn main() -> Result<(), healthomics::Error> {
    /// // Usually: `aws_config::load_defaults(BehaviorVersion::latest()).await`
    /// let config = SdkConfig::builder().region(Region::new("eu-west-2")).build();
    /// let builder = ClientBuilder::from_sdk_config(&config);
    /// // Set what the configuration does not have, or replace what it has:
    /// let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "example");
    /// let client = builder.region("eu-central-1").credentials(credentials).build()?;
    /// assert_eq!(client.region(), "eu-central-1");
    /// # Ok(()) }
    /// ```
    pub fn from_sdk_config(config: &SdkConfig) -> Self {
        let mut builder = Self::default();
        builder.endpoint.region = config.region().map(ToString::to_string);
        builder.endpoint.url = endpoint_url(config);
        builder.endpoint.use_fips = config.use_fips().unwrap_or_default();
        builder.endpoint.use_dual_stack = config.use_dual_stack().unwrap_or_default();
        builder.credentials = config.credentials_provider();
        builder.app_name = config.app_name().map(app_name);
        builder.correct_clock_skew = !config.disable_clock_skew_correction().unwrap_or_default();
        if let Some(path) = specific(config, BUNDLE_VARIABLE, "ca_bundle") {
            builder.roots.bundle(path);
        }
        if let Some(source) = config.time_source() {
            builder.time_source = source;
        }
        if let Some(retry) = config.retry_config() {
            builder.set_retry(retry);
        }
        if let Some(timeouts) = config.timeout_config() {
            builder.set_timeouts(timeouts);
        }
        builder
    }

    fn set_retry(&mut self, retry: &RetryConfig) {
        if retry.mode() == RetryMode::Adaptive {
            tracing::warn!("retry mode \"adaptive\" is treated as \"standard\"");
        }
        self.retry.max_attempts = retry.max_attempts();
        self.retry.max_backoff = retry.max_backoff();
        if retry.initial_backoff() != SDK_INITIAL_BACKOFF {
            self.retry.backoff = retry.initial_backoff();
            self.retry.throttling_backoff = retry.initial_backoff();
        }
    }

    /// A timeout that is not set keeps this crate's default, and one that is disabled is disabled.
    fn set_timeouts(&mut self, timeouts: &TimeoutConfig) {
        let own = self.timeouts;
        let mut defaults = TimeoutConfig::builder();
        defaults.set_connect_timeout(own.connect).set_read_timeout(own.read);
        defaults.set_operation_attempt_timeout(own.attempt).set_operation_timeout(own.operation);
        let mut timeouts = timeouts.clone();
        timeouts.take_defaults_from(&defaults.build());
        self.timeouts = Timeouts {
            connect: timeouts.connect_timeout(),
            read: timeouts.read_timeout(),
            attempt: timeouts.operation_attempt_timeout(),
            operation: timeouts.operation_timeout(),
        };
    }
}

/// An `AppName` may be longer than the longest that is sent.
fn app_name(name: &AppName) -> String {
    let name = name.to_string();
    if name.len() > MAX_APP_NAME_LENGTH {
        tracing::warn!(name, "the app name is cut to {MAX_APP_NAME_LENGTH} characters");
    }
    name.chars().take(MAX_APP_NAME_LENGTH).collect()
}

fn endpoint_url(config: &SdkConfig) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    // This also applies AWS_IGNORE_CONFIGURED_ENDPOINT_URLS and the setting of the profile.
    specific(config, "AWS_ENDPOINT_URL", "endpoint_url").or_else(general)
}

/// A setting of the environment or the profile, for this service or else for all.
fn specific(config: &SdkConfig, env: &str, profile: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("Omics").env(env).profile(profile).build();
    config.service_config()?.load_config(key.ok()?).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_async::time::StaticTimeSource;
    use aws_types::app_name::AppName;
    use aws_types::origin::Origin;
    use aws_types::region::Region;
    use aws_types::service_config::LoadServiceConfig;

    use super::*;

    #[derive(Debug)]
    struct Profile;

    impl LoadServiceConfig for Profile {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            assert_eq!(key.service_id(), "Omics");
            match (key.env(), key.profile()) {
                ("AWS_ENDPOINT_URL", "endpoint_url") => Some("http://specific".to_owned()),
                ("AWS_CA_BUNDLE", "ca_bundle") => Some("/nowhere/roots.pem".to_owned()),
                other => panic!("unknown key {other:?}"),
            }
        }
    }

    #[test]
    fn everything_that_can_be_honoured_is() {
        let credentials = Credentials::new("AKID", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .region(Region::new("eu-west-2"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .use_fips(true)
            .use_dual_stack(true)
            .app_name(AppName::new("my-app").unwrap())
            .time_source(StaticTimeSource::from_secs(1_000))
            .disable_clock_skew_correction(true)
            .retry_config(RetryConfig::standard().with_max_attempts(9).with_max_backoff(Duration::from_secs(5)))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(1))
                    .read_timeout(Duration::from_secs(2))
                    .operation_attempt_timeout(Duration::from_secs(3))
                    .operation_timeout(Duration::from_secs(4))
                    .build(),
            )
            .build();
        let builder = ClientBuilder::from_sdk_config(&config);
        assert_eq!(builder.endpoint.region.as_deref(), Some("eu-west-2"));
        assert!(builder.endpoint.use_fips && builder.endpoint.use_dual_stack && builder.credentials.is_some());
        assert_eq!(builder.app_name.as_deref(), Some("my-app"));
        assert_eq!(builder.time_source.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
        assert!(!builder.correct_clock_skew);
        assert_eq!(builder.retry.max_attempts, 9);
        assert_eq!(builder.retry.max_backoff, Duration::from_secs(5));
        assert_eq!(builder.retry.backoff, Duration::from_millis(50), "none was set");
        let seconds = |timeout: Option<Duration>| timeout.map(|timeout| timeout.as_secs());
        let timeouts = builder.timeouts;
        assert_eq!(seconds(timeouts.connect), Some(1));
        assert_eq!(seconds(timeouts.read), Some(2));
        assert_eq!(seconds(timeouts.attempt), Some(3));
        assert_eq!(seconds(timeouts.operation), Some(4));
        assert!(crate::Client::new(&config).is_ok());
    }

    #[test]
    fn what_is_not_set_keeps_the_defaults() {
        let builder = ClientBuilder::from_sdk_config(&SdkConfig::builder().build());
        let default = ClientBuilder::default();
        assert_eq!(builder.timeouts, default.timeouts);
        assert_eq!(builder.retry, default.retry);
        assert!(builder.endpoint.region.is_none() && builder.credentials.is_none() && builder.correct_clock_skew);
        let error = crate::Client::new(&SdkConfig::builder().build()).unwrap_err();
        assert!(error.to_string().starts_with("no region"), "{error}");
    }

    #[test]
    fn what_is_disabled_is() {
        let config = SdkConfig::builder().timeout_config(TimeoutConfig::disabled()).build();
        let none = Timeouts { connect: None, read: None, attempt: None, operation: None };
        assert_eq!(ClientBuilder::from_sdk_config(&config).timeouts, none);
    }

    #[test]
    fn an_app_name_that_is_legal_there_is_no_error_here() {
        let config = SdkConfig::builder().app_name(AppName::new("x".repeat(60)).unwrap()).build();
        assert_eq!(ClientBuilder::from_sdk_config(&config).app_name, Some("x".repeat(50)));
    }

    #[test]
    fn a_backoff_of_ones_own_is_taken() {
        let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(300));
        let config = SdkConfig::builder().retry_config(retry).build();
        let builder = ClientBuilder::from_sdk_config(&config);
        assert_eq!(builder.retry.backoff, Duration::from_millis(300));
        let disabled = SdkConfig::builder().retry_config(RetryConfig::disabled()).build();
        assert_eq!(ClientBuilder::from_sdk_config(&disabled).retry.max_attempts, 1);
    }

    #[test]
    fn an_endpoint_url_is_taken_by_its_origin() {
        let build = |origin: Origin, with_profile: bool| {
            let mut builder = SdkConfig::builder().endpoint_url("http://general");
            builder.insert_origin("endpoint_url", origin);
            let builder = if with_profile { builder.service_config(Profile) } else { builder };
            endpoint_url(&builder.build())
        };
        let (general, specific) = (Some("http://general".to_owned()), Some("http://specific".to_owned()));
        assert_eq!(build(Origin::shared_config(), true), general, "set in code");
        assert_eq!(build(Origin::shared_environment_variable(), true), specific);
        assert_eq!(build(Origin::shared_profile_file(), true), specific);
        assert_eq!(build(Origin::shared_environment_variable(), false), general);
        assert_eq!(endpoint_url(&SdkConfig::builder().service_config(Profile).build()), specific);
    }
}
