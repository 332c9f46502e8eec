//! Clients for the endpoints of the local service.

use std::time::Duration;

use aws_sdk_omics::Client;
use aws_sdk_omics::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_omics::config::retry::RetryConfig;
use aws_sdk_omics::config::timeout::TimeoutConfig;
use aws_sdk_omics::config::{
    Config, ConfigBag, Credentials, Intercept, Region, RuntimeComponents, SharedAsyncSleep,
    StalledStreamProtectionConfig,
};
use aws_sdk_omics::error::BoxError;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::{Builder, Connector};
use serde_json::{Value, json};

use crate::{CommandResult, text};

pub struct Connected {
    pub client: Client,
    /// The same for waits: their 30 seconds pass quickly.
    pub hasty: Client,
}

#[derive(Default)]
pub struct Clients(Vec<Connected>);

impl Clients {
    pub fn of(&self, order: &Value) -> Result<&Connected, &'static str> {
        let number = order["client"].as_u64().and_then(|number| usize::try_from(number).ok());
        number.and_then(|number| self.0.get(number)).ok_or("there is no such client")
    }

    pub fn connect(&mut self, order: &Value) -> CommandResult {
        let token = order["session_token"].as_str().map(str::to_owned);
        let (key, secret) = (text(order, "access_key_id")?, text(order, "secret_access_key")?);
        let attempts = order["attempts"].as_u64().and_then(|attempts| attempts.try_into().ok()).unwrap_or(1);
        let mut builder = Config::builder()
            .region(Region::new(text(order, "region")?.to_owned()))
            .credentials_provider(Credentials::new(key, secret, token, None, "interop"))
            .endpoint_url(text(order, "endpoint")?)
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        builder =
            match order["proxy"].as_str() {
                Some(url) => {
                    let proxy = ProxyConfig::http(url)?;
                    builder.http_client(Builder::new().build_with_connector_fn(move |_, _| {
                        Connector::builder().proxy_config(proxy.clone()).build_http()
                    }))
                }
                None => builder.http_client(Builder::new().build_http()),
            };
        if order["host_prefix"] == false {
            builder = builder.interceptor(NoHostPrefix);
        }
        let hasty = builder.clone().sleep_impl(SharedAsyncSleep::new(Hasty));
        let hasty = hasty.timeout_config(TimeoutConfig::disabled()).retry_config(RetryConfig::disabled());
        self.0.push(Connected { client: Client::from_conf(builder.build()), hasty: Client::from_conf(hasty.build()) });
        Ok(json!({ "client": self.0.len() - 1 }))
    }
}

/// The SDK has no switch for its host prefix: this takes it off again, before the request is signed.
#[derive(Debug)]
struct NoHostPrefix;

impl Intercept for NoHostPrefix {
    fn name(&self) -> &'static str {
        "NoHostPrefix"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let uri = request.uri().replacen("://control-storage-", "://", 1);
        request.set_uri(uri)?;
        Ok(())
    }
}

/// A hundred and fifty times as fast as the clock.
#[derive(Debug)]
struct Hasty;

impl AsyncSleep for Hasty {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration / 150))
    }
}
