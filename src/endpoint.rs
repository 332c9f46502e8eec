//! From region, partition, FIPS, dual stack and custom URL to where a request goes. Pure.

use url::{Host, Url};

use crate::error::ConfigurationError;

/// A part of AWS with names of its own.
struct Partition {
    id: &'static str,
    /// What its regions start with: one of these, a word, a number, with hyphens between.
    regions: &'static [&'static str],
    suffix: &'static str,
    dual_stack_suffix: Option<&'static str>,
}

const PARTITIONS: &[Partition] = &[
    Partition {
        id: "aws",
        regions: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
        suffix: "amazonaws.com",
        dual_stack_suffix: Some("api.aws"),
    },
    Partition {
        id: "aws-cn",
        regions: &["cn"],
        suffix: "amazonaws.com.cn",
        dual_stack_suffix: Some("api.amazonwebservices.com.cn"),
    },
    Partition { id: "aws-us-gov", regions: &["us-gov"], suffix: "amazonaws.com", dual_stack_suffix: Some("api.aws") },
    Partition {
        id: "aws-eusc",
        regions: &["eusc-de"],
        suffix: "amazonaws.eu",
        dual_stack_suffix: Some("api.amazonwebservices.eu"),
    },
    Partition { id: "aws-iso", regions: &["us-iso"], suffix: "c2s.ic.gov", dual_stack_suffix: None },
    Partition { id: "aws-iso-b", regions: &["us-isob"], suffix: "sc2s.sgov.gov", dual_stack_suffix: None },
    Partition { id: "aws-iso-e", regions: &["eu-isoe"], suffix: "cloud.adc-e.uk", dual_stack_suffix: None },
    Partition { id: "aws-iso-f", regions: &["us-isof"], suffix: "csp.hci.ic.gov", dual_stack_suffix: None },
];

/// What decides where requests go.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndpointConfig {
    pub(crate) region: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) use_fips: bool,
    pub(crate) use_dual_stack: bool,
    /// Put the operation's host prefix before a custom host too, as the official SDKs do.
    pub(crate) prefix_custom_host: bool,
}

/// Where requests go, found once for a client.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    base: Url,
    with_prefix: bool,
}

impl EndpointConfig {
    pub(crate) fn resolve(&self) -> Result<Endpoint, ConfigurationError> {
        match &self.url {
            Some(url) => self.custom(url),
            None => self.regional(),
        }
    }

    fn custom(&self, text: &str) -> Result<Endpoint, ConfigurationError> {
        if self.use_fips {
            return Err(ConfigurationError::FipsWithCustomEndpoint);
        }
        if self.use_dual_stack {
            return Err(ConfigurationError::DualStackWithCustomEndpoint);
        }
        let refuse = |reason: &'static str| ConfigurationError::InvalidEndpoint { reason };
        let base = Url::parse(text).map_err(|_| refuse("it is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(refuse("it must start with http:// or https://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refuse("it must not carry a user name or password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(refuse("it must not carry a query or fragment"));
        }
        if self.prefix_custom_host && !matches!(base.host(), Some(Host::Domain(_))) {
            return Err(refuse("a host prefix can't be put before an IP address"));
        }
        Ok(Endpoint { base, with_prefix: self.prefix_custom_host })
    }

    fn regional(&self) -> Result<Endpoint, ConfigurationError> {
        let region = self.region.as_deref().filter(|region| !region.is_empty());
        let region = region.ok_or(ConfigurationError::MissingRegion)?;
        let partition =
            partition_of(region).ok_or_else(|| ConfigurationError::UnknownRegion { region: region.to_owned() })?;
        let fips = if self.use_fips { "-fips" } else { "" };
        let suffix = if self.use_dual_stack {
            partition.dual_stack_suffix.ok_or(ConfigurationError::NoDualStack { partition: partition.id })?
        } else {
            partition.suffix
        };
        let base = Url::parse(&format!("https://omics{fips}.{region}.{suffix}"))
            .map_err(|_| ConfigurationError::UnknownRegion { region: region.to_owned() })?;
        Ok(Endpoint { base, with_prefix: true })
    }
}

impl Endpoint {
    /// The URL of one request; `path` is encoded and starts with a slash.
    pub(crate) fn url(&self, host_prefix: &str, path: &str) -> Result<Url, ConfigurationError> {
        let invalid = ConfigurationError::InvalidEndpoint { reason: "no host prefix can be put before its host" };
        let mut url = self.base.clone();
        if self.with_prefix {
            let host = format!("{host_prefix}{}", url.host_str().unwrap_or_default());
            url.set_host(Some(&host)).map_err(|_| invalid)?;
        }
        let full_path = format!("{}{path}", self.base.path().trim_end_matches('/'));
        url.set_path(&full_path);
        Ok(url)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base.scheme() == "https"
    }
}

fn partition_of(region: &str) -> Option<&'static Partition> {
    PARTITIONS.iter().find(|partition| partition.regions.iter().any(|start| is_region_of(start, region)))
}

/// `start-word-number`, as `us-east-1` is of `us`.
fn is_region_of(start: &str, region: &str) -> bool {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    region
        .strip_prefix(start)
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(word, number)| is_word(word) && is_number(number))
}
