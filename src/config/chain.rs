//! The default chain of `aws-config`, with the HTTP client and TLS of this crate.

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
use crate::http::reqwest::ReqwestClient;
use crate::http::tls::{self, BUNDLE_VARIABLE, Roots};
use crate::http::{self as http_client, Body, ConnectOptions, HttpError, HttpErrorKind, ResponseLimits};

/// The size of the largest response with credentials, in bytes.
const MAX_RESPONSE_SIZE: usize = 1 << 20;

/// Loads the default chain. Its root certificates can only come from the environment, as the profiles that could have
/// others are not read yet.
pub(crate) async fn default_chain() -> Result<SdkConfig, ConfigurationError> {
    let mut roots = Roots::default();
    if let Some(path) = std::env::var_os(BUNDLE_VARIABLE).filter(|path| !path.is_empty()) {
        roots.bundle(path);
    }
    let client = ChainClient {
        with_proxy: ReqwestClient::new(None, true, tls::COMPILED_IN, &roots)?,
        direct: ReqwestClient::new(None, false, false, &roots)?,
    };
    check_profile().await?;
    Ok(aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(client).load().await)
}

/// Without this check, the chain would ignore a profile that does not exist and report another cause in the end.
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

/// The metadata endpoints of the machine use plain HTTP, and no proxy can reach them.
#[derive(Clone, Debug)]
struct ChainClient {
    with_proxy: ReqwestClient,
    direct: ReqwestClient,
}

impl HttpClient for ChainClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let connect = ConnectOptions { timeout: settings.connect_timeout(), new_connection: false };
        let limits = ResponseLimits { read_timeout: settings.read_timeout(), max_size: MAX_RESPONSE_SIZE };
        SharedHttpConnector::new(Connector { client: self.clone(), connect, limits })
    }
}

#[derive(Debug)]
struct Connector {
    client: ChainClient,
    connect: ConnectOptions,
    limits: ResponseLimits,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.client.clone();
        let connect = self.connect;
        let limits = self.limits;
        HttpConnectorFuture::new(async move {
            let mut request = request.try_into_http1x().map_err(user)?;
            request.extensions_mut().insert(connect);
            let body = request.body().bytes().map(Bytes::copy_from_slice);
            let body = body.ok_or_else(|| user("the body of the request is a stream"))?;
            let is_https = request.uri().scheme_str() == Some("https");
            let client = if is_https { client.with_proxy } else { client.direct };
            let request = request.map(|_| Body::from(body));
            let received = http_client::send(&client, request, limits, &mut None).await.map_err(connector_error)?;
            let mut response =
                HttpResponse::new(received.status.as_u16().try_into().map_err(user)?, SdkBody::from(received.body));
            for (name, value) in &received.headers {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                response.headers_mut().try_append(name.as_str().to_owned(), value).map_err(user)?;
            }
            Ok(response)
        })
    }
}

fn user(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn connector_error(error: HttpError) -> ConnectorError {
    match error.kind() {
        HttpErrorKind::ConnectTimeout | HttpErrorKind::ReadTimeout => ConnectorError::timeout(error.into()),
        HttpErrorKind::Connect | HttpErrorKind::Interrupted | HttpErrorKind::StaleConnection => {
            ConnectorError::io(error.into())
        }
        HttpErrorKind::Untrusted | HttpErrorKind::TooLarge => ConnectorError::other(error.into(), None),
    }
}
