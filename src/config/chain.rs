//! The default chain of AWS, over the HTTP client and the TLS of the rest of the crate.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::os_shim_internal::{Env, Fs};
use bytes::Bytes;

use crate::error::ConfigurationError;
use crate::transport::{
    BUNDLE_VARIABLE, HttpTransport, Limits, Roots, TLS_COMPILED_IN, TransportError, TransportErrorKind,
};

/// The largest answer with credentials.
const MAX_RESPONSE_SIZE: usize = 1 << 20;

/// The whole default chain. Credentials are fetched before profiles are known here, so that of root certificates only
/// the environment's count for them.
pub(crate) async fn default_chain() -> Result<SdkConfig, ConfigurationError> {
    let mut roots = Roots::default();
    if let Some(path) = std::env::var_os(BUNDLE_VARIABLE).filter(|path| !path.is_empty()) {
        roots.bundle(path);
    }
    let over_proxy = Arc::new(HttpTransport::new(None, true, TLS_COMPILED_IN, &roots)?);
    let client = ChainClient { over_proxy, direct: Arc::new(HttpTransport::new(None, false, false, &roots)?) };
    check_profile().await?;
    Ok(aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(client).load().await)
}

/// The chain itself would pass over a profile that does not exist, and name whatever it misses in the end.
#[expect(clippy::default_trait_access, reason = "the type is of a crate that is no dependency")]
async fn check_profile() -> Result<(), ConfigurationError> {
    // The default profile need not exist: containers and instances have none.
    let named = std::env::var("AWS_PROFILE").ok().filter(|profile| !profile.is_empty() && profile != "default");
    let Some(profile) = named else { return Ok(()) };
    let files = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await;
    // Files that can't be read are reported by the provider that needs them.
    let is_unknown = files.is_ok_and(|profiles| profiles.get_profile(&profile).is_none());
    if is_unknown { Err(ConfigurationError::UnknownProfile { profile }) } else { Ok(()) }
}

/// Endpoints of the machine itself speak plain HTTP, and no proxy can reach them.
#[derive(Clone, Debug)]
struct ChainClient {
    over_proxy: Arc<HttpTransport>,
    direct: Arc<HttpTransport>,
}

impl HttpClient for ChainClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let limits = Limits {
            connect_timeout: settings.connect_timeout(),
            read_timeout: settings.read_timeout(),
            max_response_size: MAX_RESPONSE_SIZE,
            fresh_connection: false,
        };
        SharedHttpConnector::new(Connector { client: self.clone(), limits })
    }
}

#[derive(Debug)]
struct Connector {
    client: ChainClient,
    limits: Limits,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, limits) = (self.client.clone(), self.limits);
        HttpConnectorFuture::new(async move {
            let request = plain(request)?;
            let is_https = request.url().scheme() == "https";
            let transport = if is_https { client.over_proxy } else { client.direct };
            let raw = transport.execute(request, limits, &mut None).await.map_err(connector_error)?;
            let mut response =
                HttpResponse::new(raw.status.as_u16().try_into().map_err(user)?, SdkBody::from(raw.body));
            for (name, value) in &raw.headers {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                response.headers_mut().try_append(name.as_str().to_owned(), value).map_err(user)?;
            }
            Ok(response)
        })
    }
}

fn plain(request: HttpRequest) -> Result<reqwest::Request, ConnectorError> {
    let request = request.try_into_http1x().map_err(user)?;
    let body = request.body().bytes().map(Bytes::copy_from_slice);
    let body = body.ok_or_else(|| user("a body that is a stream"))?;
    reqwest::Request::try_from(request.map(|_| body)).map_err(user)
}

fn user(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn connector_error(error: TransportError) -> ConnectorError {
    use TransportErrorKind::{Connect, ConnectTimeout, Interrupted, ReadTimeout, StaleConnection, TooLarge, Untrusted};
    let kind = error.kind;
    let told: Box<dyn std::error::Error + Send + Sync> = error.what.into();
    match kind {
        ConnectTimeout | ReadTimeout => ConnectorError::timeout(told),
        Connect | Interrupted | StaleConnection => ConnectorError::io(told),
        Untrusted | TooLarge => ConnectorError::other(told, None),
    }
}
