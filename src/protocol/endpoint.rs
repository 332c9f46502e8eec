//! The hosts that requests are sent to.

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use url::{Position, Url};

use super::request::{HostPrefix, Request};
use super::sigv4::UnsignedRequest;

/// The hosts of a client, resolved when it is built.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    control_storage: Host,
}

/// The host of all requests with the same host prefix.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    scheme: Scheme,
    authority: Authority,
    /// The path of an endpoint URL, without a slash at its end.
    path: String,
    /// The `Host` header.
    pub(crate) header: HeaderValue,
}

impl Endpoint {
    /// `None` if a host prefix can't be put before the host.
    pub(crate) fn new(base: &Url, with_prefix: bool) -> Option<Self> {
        let host = |prefix: HostPrefix| Host::new(base, if with_prefix { prefix.as_str() } else { "" });
        Some(Self { control_storage: host(HostPrefix::ControlStorage)? })
    }

    pub(crate) fn unsigned(&self, request: Request) -> Result<UnsignedRequest, http::Error> {
        let host = self.host(request.host_prefix);
        Ok(UnsignedRequest {
            method: request.method,
            uri: host.uri(&request.path, &request.query)?,
            host: host.header.clone(),
            content_type: request.content_type,
            body: request.body,
        })
    }

    pub(crate) fn host(&self, prefix: HostPrefix) -> &Host {
        match prefix {
            HostPrefix::ControlStorage => &self.control_storage,
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.control_storage.scheme == Scheme::HTTPS
    }
}

impl Host {
    /// `None` if the prefix can't be put before the host.
    pub(crate) fn new(base: &Url, prefix: &str) -> Option<Self> {
        // Without the default port of the scheme.
        let host = &base[Position::BeforeHost..Position::AfterPort];
        // The prefix can make a host invalid that has labels written from right to left.
        url::Host::parse(&format!("{prefix}{}", base.host_str()?)).ok()?;
        let authority = Authority::try_from(format!("{prefix}{host}")).ok()?;
        Some(Self {
            scheme: base.scheme().parse().ok()?,
            header: HeaderValue::from_str(authority.as_str()).ok()?,
            authority,
            path: base.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The URI of one request: `path` is encoded and starts with a slash, `query` is encoded.
    pub(crate) fn uri(&self, path: &str, query: &str) -> Result<Uri, http::Error> {
        let separator = if query.is_empty() { "" } else { "?" };
        let path_and_query = [&self.path, path, separator, query].concat();
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path_and_query)
            .build()
    }
}
