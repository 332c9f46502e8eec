//! Settings from the configuration that all AWS SDKs for Rust share.

use std::time::Duration;

use aws_smithy_types::retry::{RetryConfig, RetryMode};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::ClientBuilder;

/// What `RetryConfig` holds when nobody has set a backoff: this crate then keeps its own.
const SDK_INITIAL_BACKOFF: Duration = Duration::from_secs(1);

impl ClientBuilder {
    /// Settings by an `SdkConfig`, from `aws_config` or by hand.
    ///
    /// Honoured: region, credentials provider, endpoint URL (with a service-specific one, `AWS_ENDPOINT_URL_OMICS` or
    /// a profile's, before a general one, and one set in code before both), FIPS, dual stack, retry attempts and
    /// backoff, time-outs, app name, time source, and whether clock skew is corrected. The rest (HTTP client, sleep,
    /// identity cache, …) needs the official SDK's runtime and is left alone.
    pub fn from_sdk_config(config: &SdkConfig) -> Self {
        let mut builder = Self::default();
        builder.endpoint.region = config.region().map(ToString::to_string);
        builder.endpoint.url = endpoint_url(config);
        builder.endpoint.use_fips = config.use_fips().unwrap_or_default();
        builder.endpoint.use_dual_stack = config.use_dual_stack().unwrap_or_default();
        builder.credentials = config.credentials_provider();
        builder.app_name = config.app_name().map(ToString::to_string);
        builder.correct_clock_skew = !config.disable_clock_skew_correction().unwrap_or_default();
        if let Some(source) = config.time_source() {
            builder.time_source = source;
        }
        if let Some(retry) = config.retry_config() {
            builder.take_retry(retry);
        }
        if let Some(timeouts) = config.timeout_config() {
            builder.take_timeouts(timeouts);
        }
        builder
    }

    fn take_retry(&mut self, retry: &RetryConfig) {
        if retry.mode() == RetryMode::Adaptive {
            tracing::warn!("retry mode \"adaptive\" is taken as \"standard\"");
        }
        self.retry.max_attempts = retry.max_attempts();
        self.retry.max_backoff = retry.max_backoff();
        if retry.initial_backoff() != SDK_INITIAL_BACKOFF {
            self.retry.backoff = retry.initial_backoff();
            self.retry.throttling_backoff = retry.initial_backoff();
        }
    }

    /// What is not set keeps this crate's default.
    fn take_timeouts(&mut self, timeouts: &TimeoutConfig) {
        let own = self.timeouts;
        self.timeouts.connect = timeouts.connect_timeout().or(own.connect);
        self.timeouts.read = timeouts.read_timeout().or(own.read);
        self.timeouts.attempt = timeouts.operation_attempt_timeout().or(own.attempt);
        self.timeouts.operation = timeouts.operation_timeout().or(own.operation);
    }
}

fn endpoint_url(config: &SdkConfig) -> Option<String> {
    let general = || config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general();
    }
    // Also honours AWS_IGNORE_CONFIGURED_ENDPOINT_URLS, and the profile's own.
    let key = ServiceConfigKey::builder().service_id("Omics").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let specific = key.ok().and_then(|key| config.service_config().and_then(|source| source.load_config(key)));
    specific.or_else(general)
}

/// The whole default chain, over the same TLS as the rest of the crate.
#[cfg(feature = "aws-config")]
pub(crate) async fn default_chain() -> SdkConfig {
    use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(http).load().await
}
