//! Endpoints from URL and region.

use crate::config::endpoint::EndpointConfig;
use crate::config::signing_region;
use crate::protocol::request::HostPrefix;

const PATH: &str = "/sequencestore/1234567890/exportjob";

/// Endpoints: a byte of flags, a region up to the first newline, a URL.
pub fn endpoint(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let (region, url) = text.split_once('\n').map_or((&*text, None), |(region, url)| (region, Some(url)));
    let flag = |bit: u8| flags & bit != 0;
    let config = EndpointConfig {
        region: Some(region.to_owned()),
        url: url.map(str::to_owned),
        use_fips: flag(1),
        use_dual_stack: flag(2),
        prefix_custom_host: flag(4),
    };
    if let Ok(label) = signing_region(Some(region.to_owned())) {
        assert!(label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
    let endpoint = match config.resolve() {
        Ok(endpoint) => endpoint,
        Err(error) => return super::checks::assert_one_line(&error.to_string()),
    };
    let uri = endpoint.host(HostPrefix::ControlStorage).uri(PATH, "").unwrap_or_else(|error| panic!("{error}"));
    let found = url::Url::parse(&uri.to_string()).unwrap_or_else(|error| panic!("{uri}: {error}"));
    assert!(matches!(found.scheme(), "http" | "https"));
    assert!(found.username().is_empty() && found.password().is_none(), "{found}");
    assert!(found.query().is_none() && found.fragment().is_none(), "{found}");
    assert!(found.path().ends_with(PATH), "{found}");
    let host = found.host_str().unwrap_or_default();
    assert!(!host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic()), "{found}");
    if url.is_none() {
        assert_eq!((found.scheme(), found.port(), found.path()), ("https", None, PATH));
        assert!(host.starts_with("control-storage-omics"), "{found}");
        let suffix = host.split_once(&format!(".{region}.")).map(|(_, suffix)| suffix);
        let known = [
            "amazonaws.com",
            "api.aws",
            "amazonaws.com.cn",
            "api.amazonwebservices.com.cn",
            "amazonaws.eu",
            "api.amazonwebservices.eu",
            "c2s.ic.gov",
            "sc2s.sgov.gov",
            "cloud.adc-e.uk",
            "csp.hci.ic.gov",
        ];
        assert!(suffix.is_some_and(|suffix| known.contains(&suffix)), "{found}");
    }
}
