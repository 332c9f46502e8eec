//! Every signature equals that of `aws-sigv4`.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use proptest::prelude::*;

use super::*;
use crate::protocol::request::{HostPrefix, Request};

fn request(method: Method, url: &str, body: &str) -> UnsignedRequest {
    let url = url::Url::parse(url).unwrap();
    let host = HeaderValue::from_str(&url[url::Position::BeforeHost..url::Position::AfterPort]).unwrap();
    let uri = url.as_str().parse().unwrap();
    UnsignedRequest {
        method,
        uri,
        host,
        content_type: (!body.is_empty()).then(|| HeaderValue::from_static("application/json")),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// The headers that `aws-sigv4` adds.
fn expected(request: &UnsignedRequest, credentials: &Credentials, region: &str, time: SystemTime) -> HeaderMap {
    let identity = Identity::from(credentials.clone());
    let params = v4::SigningParams::builder().identity(&identity).region(region).name(SIGNING_NAME).time(time);
    let params = params.settings(SigningSettings::default()).build().unwrap().into();
    let host = ("host", request.host.to_str().unwrap());
    let content_type = (!request.body.is_empty()).then_some(("content-type", "application/json"));
    let headers = [host].into_iter().chain(content_type);
    let body = SignableBody::Bytes(&request.body);
    let uri = request.uri.to_string();
    let signable = SignableRequest::new(request.method.as_str(), &uri, headers, body).unwrap();
    let (instructions, _) = aws_sigv4::http_request::sign(signable, &params).unwrap().into_parts();
    let headers = instructions.into_parts().0;
    headers.iter().map(|header| (HeaderName::from_static(header.name()), header.value().parse().unwrap())).collect()
}

fn assert_equal(request: &UnsignedRequest, identity: &SigningIdentity, region: &str, time: SystemTime) {
    let signed = sign(request, HeaderMap::new(), identity, region, time).unwrap();
    let signed = signed.into_http();
    let headers = signed.headers();
    let expected = expected(request, &identity.credentials, region, time);
    assert!(expected.contains_key(AUTHORIZATION) && expected.contains_key("x-amz-date"));
    for (name, value) in &expected {
        assert_eq!(headers.get(name), Some(value), "{name} of {}", request.uri);
        assert!(headers[name].is_sensitive(), "{name}");
    }
}

fn identity(secret: &str, token: Option<&str>) -> SigningIdentity {
    SigningIdentity::new(Credentials::new("AKIDEXAMPLE", secret, token.map(str::to_owned), None, "test"))
}

const SECOND: Duration = Duration::from_secs(1);

proptest! {
    #[test]
    fn any_request_is_signed_as_by_aws_sigv4(
        post in any::<bool>(),
        base in "(/[ -~é]{0,6}){0,3}",
        segments in proptest::collection::vec("\\PC{1,12}", 1..4),
        query in proptest::collection::vec(("[a-zA-Z-]{1,4}", "\\PC{0,6}"), 0..4),
        body in "\\PC{0,40}",
        token in proptest::option::of("[ -~]{1,20}"),
        secret in "[!-~]{1,80}",
        seconds in 0..LAST_DATE.as_secs(),
    ) {
        let base = base.replace(['?', '#', '\\'], "");
        let segments: Vec<_> = segments.iter().map(String::as_str).collect();
        let mut wire = Request::get(HostPrefix::ControlStorage, &segments);
        for (name, value) in &query {
            wire = wire.with_query(name, Some(value));
        }
        let url = format!("https://omics.example:8443{base}{}?{}", wire.path, wire.query);
        let method = if post { Method::POST } else { Method::GET };
        let identity = identity(&secret, token.as_deref());
        assert_equal(&request(method, &url, &body), &identity, "eu-west-2", UNIX_EPOCH + Duration::from_secs(seconds));
    }
}

#[test]
fn a_key_is_kept_for_its_day_and_region_alone() {
    let identity = identity("secret", Some("token"));
    let request = request(Method::POST, "http://127.0.0.1:9000/sequencestore/1234567890/exportjob", "{}");
    let midnight = UNIX_EPOCH + Duration::from_hours(24) * 20_000;
    for (region, time) in [
        ("us-east-1", midnight - SECOND),
        ("us-east-1", midnight - SECOND),
        ("us-east-1", midnight),
        ("us-west-2", midnight),
        ("us-east-1", midnight - SECOND),
    ] {
        assert_equal(&request, &identity, region, time);
    }
    assert_eq!(format!("{identity:?}"), "SigningIdentity(redacted)");
}

#[test]
fn what_no_header_can_carry_is_an_error() {
    let request = request(Method::GET, "https://omics.example/", "");
    for (identity, time) in [
        (identity("secret", Some("a\nb")), UNIX_EPOCH),
        (identity("secret", None), UNIX_EPOCH - SECOND),
        (identity("secret", None), UNIX_EPOCH + LAST_DATE + SECOND),
    ] {
        assert!(sign(&request, HeaderMap::new(), &identity, "us-east-1", time).is_err());
    }
}
