//! The default chain of `aws-config`, with the HTTP client and TLS of this crate.

use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
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

use super::ClientBuilder;
use crate::error::{ConfigurationError, Error};
use crate::http::HttpClient as _;
use crate::http::reqwest::ReqwestClient;
use crate::http::tls::{self, BUNDLE_VARIABLE, Roots};
use crate::http::{self as http_client, Body, ConnectOptions, HttpError, HttpErrorKind, ResponseLimits};

/// The size of the largest response with credentials, in bytes.
const MAX_RESPONSE_SIZE: usize = 1 << 20;

impl ClientBuilder {
    /// Loads the default chain of AWS: environment, profiles, SSO, web identity, containers, instances. Needs the feature
    /// `aws-config`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if there is no profile with the name in `AWS_PROFILE`, or if the root certificates of
    /// `AWS_CA_BUNDLE` can't be read.
    ///
    /// ```no_run
    /// # // It is not run, as it reads the profiles of the machine.
    /// # async fn run() -> Result<(), healthomics::Error> {
    /// use healthomics::ClientBuilder;
    ///
    /// let client = ClientBuilder::from_default_chain().await?.region("eu-west-2").build()?;
    /// # Ok(()) }
    /// ```
    pub async fn from_default_chain() -> Result<Self, Error> {
        // The default profile need not exist: containers and instances have none.
        let named = std::env::var("AWS_PROFILE").ok().filter(|profile| !profile.is_empty() && profile != "default");
        Ok(Self::from_sdk_config(&load(named.as_deref()).await?))
    }

    /// Loads the default chain of AWS with a profile of the config and credentials files, instead of the one in
    /// `AWS_PROFILE`. Needs the feature `aws-config`.
    ///
    /// As with `--profile` of the AWS CLI, the credentials of the profile are used before those of the environment, and
    /// the other settings of the environment, such as `AWS_REGION`, before those of the profile.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if there is no such profile, or if the root certificates of `AWS_CA_BUNDLE` can't be read.
    ///
    /// ```no_run
    /// # // It is not run, as it reads the profiles of the machine.
    /// # async fn run() -> Result<(), healthomics::Error> {
    /// use healthomics::ClientBuilder;
    ///
    /// let client = ClientBuilder::from_profile("lab").await?.build()?;
    /// # Ok(()) }
    /// ```
    pub async fn from_profile(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let config = load(Some(&name)).await?;
        let region = config.region().cloned();
        let provider = ProviderConfig::without_region().with_region(region).with_http_client(chain_client()?);
        let profile = ProfileFileCredentialsProvider::builder().profile_name(name).configure(&provider).build();
        let mut builder = Self::from_sdk_config(&config);
        let chain = CredentialsProviderChain::first_try("Profile", profile);
        builder.credentials = Some(match config.credentials_provider() {
            // A profile without credentials may be one for an instance or container.
            Some(others) => SharedCredentialsProvider::new(chain.or_else("DefaultChain", others)),
            None => SharedCredentialsProvider::new(chain),
        });
        Ok(builder)
    }
}

/// Loads the default chain, with a profile that must exist.
async fn load(profile: Option<&str>) -> Result<SdkConfig, ConfigurationError> {
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest()).http_client(chain_client()?);
    if let Some(profile) = profile {
        check_profile(profile).await?;
        loader = loader.profile_name(profile);
    }
    Ok(loader.load().await)
}

/// The HTTP client of the chain. Its root certificates can only come from the environment, as the profiles that could
/// have others are not read yet.
fn chain_client() -> Result<ChainClient, ConfigurationError> {
    let mut roots = Roots::default();
    if let Some(path) = std::env::var_os(BUNDLE_VARIABLE).filter(|path| !path.is_empty()) {
        roots.bundle(path);
    }
    Ok(ChainClient {
        with_proxy: ReqwestClient::new(None, true, tls::COMPILED_IN, &roots)?,
        direct: ReqwestClient::new(None, false, false, &roots)?,
    })
}

/// Without this check, the chain would ignore a profile that does not exist and report another cause in the end.
#[expect(clippy::default_trait_access, reason = "the type is of a crate that is no dependency")]
async fn check_profile(profile: &str) -> Result<(), ConfigurationError> {
    let files = aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await;
    // Files that can't be read are reported by the provider that needs them.
    let is_unknown = files.is_ok_and(|profiles| profiles.get_profile(profile).is_none());
    if is_unknown { Err(ConfigurationError::UnknownProfile { profile: profile.to_owned() }) } else { Ok(()) }
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
            let response = client.send(request);
            let received = http_client::receive(response, limits, &mut None).await.map_err(connector_error)?;
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
