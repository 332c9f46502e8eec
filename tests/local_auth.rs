//! What the local service thinks of signatures, made by the signer of the AWS SDK.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod local_support;

use std::time::Duration;

use aws_credential_types::Credentials;
use healthomics::local::LocalService;
use local_support::{Call, Reply, bare, call, header_mut};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";

async fn service() -> LocalService {
    LocalService::start().await.unwrap()
}

/// A call that gets as far as the store that is not there.
fn get(service: &LocalService) -> Call {
    bare(service, "GET", "/sequencestore/0123456789/exportjob/0123456789")
}

fn post(service: &LocalService) -> Call {
    let body = json!({"sources": [{"readSetId": "0123456789"}]});
    call(service, "POST", "/sequencestore/0123456789/activationjob", &body)
}

#[track_caller]
fn assert_authentic(reply: &Reply) {
    assert_eq!((reply.status, reply.code()), (404, "ResourceNotFoundException"), "{}", reply.text);
}

#[track_caller]
fn assert_refused(reply: &Reply, code: &str, message: &str) {
    assert_eq!((reply.status, reply.code(), reply.message().as_str()), (403, code, message));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.header("x-amzn-requestid").is_some());
    assert!(reply.header("date").is_some());
}

#[tokio::test]
async fn valid_signatures_are_accepted() {
    let service = service().await;
    assert_authentic(&get(&service).send().await);
    assert_authentic(&post(&service).send().await);
    let mut odd = get(&service);
    odd.headers.push(("x-odd".to_owned(), "a   b  c".to_owned()));
    assert_authentic(&odd.send().await);
    odd.path.push_str("?b=x%20y&a=%2F%2B&a=1&c");
    assert_authentic(&odd.send().await);
}

#[tokio::test]
async fn paths_are_encoded_twice_for_signatures() {
    let service = service().await;
    for path in ["/sequencestore/01%2034/exportjob/0123456789", "/sequencestore/a%2Fb/exportjob/%C3%A9~"] {
        let reply = bare(&service, "GET", path).send().await;
        assert_eq!(reply.code(), "ValidationException", "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_request_without_authorization_is_refused() {
    let service = service().await;
    let reply = get(&service).send_with(Vec::new()).await.unwrap();
    assert_refused(&reply, "MissingAuthenticationTokenException", "Missing Authentication Token");
}

#[tokio::test]
async fn incomplete_signatures_are_refused_with_what_is_missing() {
    let service = service().await;
    let code = "IncompleteSignatureException";
    let call = get(&service);
    let good = call.signature();

    let mut bad = good.clone();
    bad.retain(|(name, _)| !name.eq_ignore_ascii_case("x-amz-date"));
    let reply = call.send_with(bad).await.unwrap();
    assert_refused(&reply, code, "Authorization header requires existence of an 'X-Amz-Date' header.");

    for (authorization, message) in [
        ("Bearer x", "Unsupported AWS 'algorithm': 'Bearer'."),
        (
            "AWS4-HMAC-SHA256 Credential=a",
            "Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' \
             parameter.",
        ),
        ("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00", "Authorization header requires 'Credential' parameter."),
        (
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=x-amz-date, Signature=00",
            "'Host' must be a 'SignedHeader' in the AWS Authorization header.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host;x-amz-date;x-amz-date, Signature=00",
            "'SignedHeaders' must be in alphabetical order, each once.",
        ),
        (
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=x-amz-date;host, Signature=00",
            "'SignedHeaders' must be in alphabetical order, each once.",
        ),
    ] {
        let mut bad = good.clone();
        *header_mut(&mut bad, "authorization") = authorization.to_owned();
        assert_refused(&call.send_with(bad).await.unwrap(), code, message);
    }

    let mut bad = good;
    *header_mut(&mut bad, "x-amz-date") = "yesterday".to_owned();
    let reply = call.send_with(bad).await.unwrap();
    assert_refused(&reply, code, "Date must be in ISO-8601 'basic format'. Got 'yesterday'.");
}

#[tokio::test]
async fn unknown_and_expired_access_keys_are_refused() {
    let service = service().await;
    let unknown = ("UnrecognizedClientException", "The security token included in the request is invalid.");
    let mut call = post(&service);
    call.credentials = Credentials::new("AKIDOTHER", "secret", None, None, "test");
    assert_refused(&call.send().await, unknown.0, unknown.1);
    service.accept_credentials(call.credentials.clone());
    assert_authentic(&call.send().await);
    assert_authentic(&post(&service).send().await);
    service.expire_credentials("AKIDOTHER");
    let expired = ("ExpiredTokenException", "The security token included in the request is expired");
    assert_refused(&call.send().await, expired.0, expired.1);
    assert_authentic(&post(&service).send().await);
    service.accept_credentials(call.credentials.clone());
    assert_authentic(&call.send().await);
}

#[tokio::test]
async fn session_tokens_must_match_and_be_signed() {
    let service = service().await;
    let unknown = ("UnrecognizedClientException", "The security token included in the request is invalid.");
    let session = |token: Option<&str>| Credentials::new("AKIDSESSION", "s", token.map(str::to_owned), None, "test");
    service.accept_credentials(session(Some("token")));
    let mut call = get(&service);
    call.credentials = session(Some("token"));
    assert_authentic(&call.send().await);
    for token in [None, Some("other")] {
        call.credentials = session(token);
        assert_refused(&call.send().await, unknown.0, unknown.1);
    }
    // There, but not signed.
    call.credentials = session(None);
    let mut signature = call.signature();
    signature.push(("x-amz-security-token".to_owned(), "token".to_owned()));
    assert_refused(&call.send_with(signature).await.unwrap(), "InvalidSignatureException", MISMATCH);
}

#[tokio::test]
async fn every_change_of_a_signed_request_is_refused() {
    let service = service().await;
    let mut wrong_secret = post(&service);
    wrong_secret.credentials = Credentials::new(LocalService::ACCESS_KEY_ID, "wrong", None, None, "test");
    assert_refused(&wrong_secret.send().await, "InvalidSignatureException", MISMATCH);

    let original = post(&service);
    let signature = original.signature();
    let mut body = post(&service);
    body.body.push(b' ');
    let mut path = post(&service);
    path.path = "/sequencestore/0123456788/activationjob".to_owned();
    let mut query = post(&service);
    query.path.push_str("?a=b");
    let mut header = post(&service);
    *header_mut(&mut header.headers, "content-type") = "application/xml".to_owned();
    for changed in [body, path, query, header] {
        let reply = changed.send_with(signature.clone()).await.unwrap();
        assert_refused(&reply, "InvalidSignatureException", MISMATCH);
    }
    let mut other_host = signature.clone();
    other_host.push(("host".to_owned(), "example.org".to_owned()));
    assert_refused(&original.send_with(other_host).await.unwrap(), "InvalidSignatureException", MISMATCH);
    assert_authentic(&original.send_with(signature).await.unwrap());
    assert!(service.requests().iter().all(|request| !request.applied));
}

#[tokio::test]
async fn old_and_future_signatures_are_refused() {
    let service = service().await;
    let mut call = get(&service);
    let now = call.time;
    for (off, good) in [(-290, true), (-310, false), (290, true), (310, false)] {
        let by = Duration::from_secs(i64::unsigned_abs(off));
        call.time = if off < 0 { now - by } else { now + by };
        let reply = call.send().await;
        if good {
            assert_authentic(&reply);
            continue;
        }
        assert_eq!((reply.status, reply.code()), (403, "InvalidSignatureException"));
        let (start, end) =
            if off < 0 { ("Signature expired: ", " - 5 min.)") } else { ("Signature not yet current: ", " + 5 min.)") };
        let message = reply.message();
        assert!(message.starts_with(start) && message.ends_with(end), "{message}");
    }
}

#[tokio::test]
async fn the_clock_of_the_service_can_be_wrong() {
    let service = service().await;
    service.set_clock_offset(-3600);
    let mut call = get(&service);
    let reply = call.send().await;
    assert!(reply.message().starts_with("Signature not yet current: "), "{}", reply.text);
    call.time -= Duration::from_hours(1);
    let reply = call.send().await;
    assert_authentic(&reply);
    let date = OffsetDateTime::parse(reply.header("date").unwrap(), &Rfc2822).unwrap();
    let off = date - OffsetDateTime::from(call.time);
    assert!(off.abs() < Duration::from_mins(1), "{off}");
}

#[tokio::test]
async fn the_credential_scope_is_checked() {
    let service = LocalService::builder().region("eu-west-2").start().await.unwrap();
    let code = "InvalidSignatureException";
    assert_authentic(&get(&service).send().await);
    let mut call = get(&service);
    call.region = "us-east-1".to_owned();
    assert_refused(&call.send().await, code, "Credential should be scoped to a valid region.");
    let mut call = get(&service);
    call.service = "s3".to_owned();
    assert_refused(&call.send().await, code, "Credential should be scoped to correct service: 'omics'.");
}

#[tokio::test]
async fn a_repeated_header_of_the_signature_is_refused() {
    let service = service().await;
    for name in ["authorization", "x-amz-date", "x-amz-content-sha256"] {
        let mut call = get(&service);
        if name == "x-amz-content-sha256" {
            call.headers.push((name.to_owned(), EMPTY_SHA256.to_owned()));
        }
        let mut headers = call.signature();
        let twice = headers.iter().chain(&call.headers).find(|(given, _)| given.eq_ignore_ascii_case(name)).unwrap();
        headers.push(twice.clone());
        let message = format!("The header '{name}' must not be given more than once.");
        assert_refused(&call.send_with(headers).await.unwrap(), "IncompleteSignatureException", &message);
    }
}

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[tokio::test]
async fn a_missing_signed_header_is_refused() {
    let service = service().await;
    let mut signer = get(&service);
    signer.headers.push(("x-odd".to_owned(), String::new()));
    let signature = signer.signature();
    assert_authentic(&signer.send_with(signature.clone()).await.unwrap());
    signer.headers.clear();
    let message = "The header 'x-odd' is signed, but the request does not have it.";
    assert_refused(&signer.send_with(signature).await.unwrap(), "InvalidSignatureException", message);
}

#[tokio::test]
async fn the_checksum_of_the_body_is_checked() {
    let service = service().await;
    let mut call = get(&service);
    call.headers.push(("x-amz-content-sha256".to_owned(), EMPTY_SHA256.to_owned()));
    assert_authentic(&call.send().await);
    for wrong in ["UNSIGNED-PAYLOAD", "", &EMPTY_SHA256.replace('e', "f")] {
        wrong.clone_into(&mut call.headers[0].1);
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        assert_refused(&call.send().await, "InvalidSignatureException", message);
    }
}
