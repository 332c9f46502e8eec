//! Resolves region, FIPS, dual stack and endpoint URL to an endpoint.

use std::fmt;

use url::Url;

use crate::error::ConfigurationError;
use crate::protocol::endpoint::Endpoint;

/// A partition of AWS, with its domain names.
struct Partition {
    id: &'static str,
    /// The first parts of its regions, which a word and a number follow, separated by hyphens.
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

/// The settings that an endpoint is resolved from.
#[derive(Clone, Default)]
pub(crate) struct EndpointConfig {
    pub(crate) region: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) use_fips: bool,
    pub(crate) use_dual_stack: bool,
    /// Whether the host prefix is also put before the host of an endpoint URL, as in the official SDKs.
    pub(crate) prefix_custom_host: bool,
}

impl fmt::Debug for EndpointConfig {
    /// Without the URL, which may hold a password until it is resolved.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("region", &self.region)
            .field("has_url", &self.url.is_some())
            .field("use_fips", &self.use_fips)
            .field("use_dual_stack", &self.use_dual_stack)
            .finish_non_exhaustive()
    }
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
        // The parser would remove some of them.
        if text.trim().contains(char::is_control) {
            return Err(refuse("it has a control character"));
        }
        let lowercase = text.trim().to_ascii_lowercase();
        if !lowercase.starts_with("http://") && !lowercase.starts_with("https://") {
            return Err(refuse("it must start with http:// or https://"));
        }
        let base = Url::parse(text).map_err(|_| refuse("it is not a URL"))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(refuse("it must not have a user name or password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(refuse("it must not have a query or fragment"));
        }
        if self.prefix_custom_host && !matches!(base.host(), Some(url::Host::Domain(_))) {
            return Err(refuse("a host prefix can't be put before an IP address"));
        }
        Endpoint::new(&base, self.prefix_custom_host).ok_or_else(|| refuse("no host prefix can be put before its host"))
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
        let base = Url::parse(&format!("https://omics{fips}.{region}.{suffix}")).ok();
        let endpoint = base.and_then(|base| Endpoint::new(&base, true));
        endpoint.ok_or_else(|| ConfigurationError::UnknownRegion { region: region.to_owned() })
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::protocol::request::HostPrefix;

    use super::*;

    fn config(params: &Value) -> EndpointConfig {
        let text = |name: &str| params[name].as_str().map(str::to_owned);
        EndpointConfig {
            region: text("Region"),
            url: text("Endpoint"),
            use_fips: params["UseFIPS"].as_bool().unwrap_or_default(),
            use_dual_stack: params["UseDualStack"].as_bool().unwrap_or_default(),
            prefix_custom_host: false,
        }
    }

    #[test]
    fn the_published_cases_hold() {
        let file: Value = serde_json::from_str(include_str!("../../tests/fixtures/endpoint_cases.json")).unwrap();
        let cases = file["testCases"].as_array().unwrap();
        assert_eq!(cases.len(), 21);
        for case in cases {
            let name = &case["documentation"];
            let resolved = config(&case["params"]).resolve();
            if let Some(message) = case["expect"]["error"].as_str() {
                let error = resolved.unwrap_err();
                let fits = match error {
                    ConfigurationError::FipsWithCustomEndpoint => message.contains("FIPS and custom endpoint"),
                    ConfigurationError::DualStackWithCustomEndpoint => {
                        message.contains("Dualstack and custom endpoint")
                    }
                    ConfigurationError::MissingRegion => message.contains("Missing Region"),
                    _ => false,
                };
                assert!(fits, "{name}: {error}");
                continue;
            }
            let endpoint = resolved.unwrap_or_else(|error| panic!("{name}: {error}"));
            let expected = case["expect"]["endpoint"]["url"].as_str().unwrap();
            let custom = case["params"]["Endpoint"].is_string();
            let prefixed = expected.replacen("://", "://control-storage-", 1);
            let expected = if custom { expected } else { &prefixed };
            assert_eq!(url(&endpoint, "/x"), format!("{expected}/x"), "{name}");
        }
    }

    fn url(endpoint: &Endpoint, path: &str) -> String {
        endpoint.host(HostPrefix::ControlStorage).uri(path, "").unwrap().to_string()
    }

    fn regional(region: &str) -> Result<String, ConfigurationError> {
        let config = EndpointConfig { region: Some(region.to_owned()), ..EndpointConfig::default() };
        config.resolve().map(|endpoint| url(&endpoint, "/"))
    }

    #[test]
    fn regions_are_known_by_their_partition() {
        for (region, host) in [
            ("ap-southeast-7", "omics.ap-southeast-7.amazonaws.com"),
            ("il-central-1", "omics.il-central-1.amazonaws.com"),
            ("mx-central-12", "omics.mx-central-12.amazonaws.com"),
            ("cn-northwest-1", "omics.cn-northwest-1.amazonaws.com.cn"),
            ("us-gov-west-1", "omics.us-gov-west-1.amazonaws.com"),
            ("us-isob-east-1", "omics.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", "omics.eu-isoe-west-1.cloud.adc-e.uk"),
            ("us-isof-south-1", "omics.us-isof-south-1.csp.hci.ic.gov"),
            ("eusc-de-east-1", "omics.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(regional(region).unwrap(), format!("https://control-storage-{host}/"));
        }
        for region in
            ["us-east", "us-east-1a", "moon-base-1", "us east 1", "US-EAST-1", "us-east-1.evil.example", "us--1"]
        {
            let error = regional(region).unwrap_err();
            assert!(matches!(error, ConfigurationError::UnknownRegion { .. }), "{region}: {error}");
            assert!(error.to_string().contains(&format!("{region:?}")));
        }
        assert!(matches!(regional(""), Err(ConfigurationError::MissingRegion)));
    }

    #[test]
    fn dual_stack_is_refused_where_there_is_none() {
        for region in ["us-iso-east-1", "us-isob-east-1"] {
            let config =
                EndpointConfig { region: Some(region.to_owned()), use_dual_stack: true, ..EndpointConfig::default() };
            assert!(matches!(config.resolve(), Err(ConfigurationError::NoDualStack { .. })));
        }
    }

    fn custom(url: &str, prefix_custom_host: bool) -> Result<Endpoint, ConfigurationError> {
        EndpointConfig { url: Some(url.to_owned()), prefix_custom_host, ..EndpointConfig::default() }.resolve()
    }

    #[test]
    fn custom_urls_keep_port_and_path() {
        for (base, prefixed, expected, host) in [
            ("http://127.0.0.1:9000", false, "http://127.0.0.1:9000/x", "127.0.0.1:9000"),
            ("http://localhost:80/", false, "http://localhost/x", "localhost"),
            ("https://proxy.example/omics/", false, "https://proxy.example/omics/x", "proxy.example"),
            (
                "https://vpce.example:8443",
                true,
                "https://control-storage-vpce.example:8443/x",
                "control-storage-vpce.example:8443",
            ),
            ("http://[::1]:8080", false, "http://[::1]:8080/x", "[::1]:8080"),
        ] {
            let endpoint = custom(base, prefixed).unwrap();
            assert_eq!(url(&endpoint, "/x"), expected);
            assert_eq!(endpoint.host(HostPrefix::ControlStorage).header, host);
        }
    }

    #[test]
    fn urls_that_cannot_work_are_refused_and_not_shown() {
        for url in [
            "",
            "nonsense",
            "ftp://host",
            "https://user:hunter2@host",
            "https://host/?q=1",
            "https://host/#f",
            "http://ho\r\nst",
            "http://host\t/",
            "http://",
        ] {
            let error = custom(url, false).unwrap_err();
            assert!(matches!(error, ConfigurationError::InvalidEndpoint { .. }), "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(custom("http://127.0.0.1:9000", true).is_err(), "no prefix fits before an address");
    }
}
