//! The hosts that requests are sent to.

use std::fmt;

use http::HeaderValue;
use url::{Position, Url};

use super::request::{HostPrefix, Request};
use super::sigv4::UnsignedRequest;

/// The hosts of a client, resolved when it is built.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    control_storage: Host,
}

/// The host of all requests with the same host prefix.
#[derive(Clone)]
pub(crate) struct Host {
    base: Url,
    /// The `Host` header.
    pub(crate) header: HeaderValue,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str())
    }
}

impl Endpoint {
    /// `None` if a host prefix can't be put before the host.
    pub(crate) fn new(base: &Url, with_prefix: bool) -> Option<Self> {
        let host = |prefix: HostPrefix| Host::new(base.clone(), if with_prefix { prefix.as_str() } else { "" });
        Some(Self { control_storage: host(HostPrefix::ControlStorage)? })
    }

    pub(crate) fn unsigned(&self, request: Request) -> UnsignedRequest {
        let host = self.host(request.host_prefix);
        UnsignedRequest {
            method: request.method,
            url: host.url(&request.path, &request.query),
            host: host.header.clone(),
            content_type: request.content_type,
            body: request.body,
        }
    }

    pub(crate) fn host(&self, prefix: HostPrefix) -> &Host {
        match prefix {
            HostPrefix::ControlStorage => &self.control_storage,
        }
    }

    pub(crate) fn is_https(&self) -> bool {
        self.control_storage.base.scheme() == "https"
    }
}

/// Host and port, without the default port of the scheme.
pub(crate) fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

impl Host {
    /// `None` if the prefix can't be put before the host.
    pub(crate) fn new(mut base: Url, prefix: &str) -> Option<Self> {
        if !prefix.is_empty() {
            let host = format!("{prefix}{}", base.host_str().unwrap_or_default());
            base.set_host(Some(&host)).ok()?;
        }
        let header = HeaderValue::from_str(authority(&base)).ok()?;
        Some(Self { base, header })
    }

    /// The URL of one request: `path` is encoded and starts with a slash, `query` is encoded.
    pub(crate) fn url(&self, path: &str, query: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(Some(query).filter(|query| !query.is_empty()));
        url
    }
}
