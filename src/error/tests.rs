use std::error::Error as _;

use serde_json::Value;

use super::*;
use crate::Client;
use crate::http::HttpErrorKind;
use crate::testing::{Script, Step, builder, respond};

async fn start(script: &Script) -> Error {
    let client = script.client_with(builder().max_attempts(1)).unwrap();
    let call = client.start_read_set_export_job().sequence_store_id("1234567890").sources(["5000000001"]);
    let call = call.destination("s3://bucket").role_arn("arn:aws:iam::123456789012:role/OmicsExport");
    call.client_token("my-token").send().await.unwrap_err()
}

fn variant(error: &Error) -> &'static str {
    match error {
        Error::ValidationException(_) => "ValidationException",
        Error::ServiceQuotaExceededException(_) => "ServiceQuotaExceededException",
        Error::AccessDeniedException(_) => "AccessDeniedException",
        Error::ResourceNotFoundException(_) => "ResourceNotFoundException",
        Error::NotSupportedOperationException(_) => "NotSupportedOperationException",
        Error::RequestTimeoutException(_) => "RequestTimeoutException",
        Error::ConflictException(_) => "ConflictException",
        Error::RangeNotSatisfiableException(_) => "RangeNotSatisfiableException",
        Error::ThrottlingException(_) => "ThrottlingException",
        Error::InternalServerException(_) => "InternalServerException",
        Error::Service(_) => "Service",
        other => panic!("not an error of the service: {other:?}"),
    }
}

#[tokio::test]
async fn every_error_response_becomes_the_right_variant() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../tests/fixtures/error_responses.json")).unwrap();
    assert!(cases.len() >= 50);
    for case in &cases {
        let (name, expect) = (case["name"].as_str().unwrap(), &case["expect"]);
        let pairs = case["headers"].as_array().unwrap();
        let headers: Vec<_> = pairs.iter().map(|h| (h[0].as_str().unwrap(), h[1].as_str().unwrap())).collect();
        let repeated = case.get("body_repeat").map(|body| {
            let times = usize::try_from(body["times"].as_u64().unwrap()).unwrap();
            body["text"].as_str().unwrap().repeat(times)
        });
        let body = repeated.as_deref().unwrap_or_else(|| case["body"].as_str().unwrap());
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();

        let error = start(&Script::new([respond(status, &headers, body)])).await;

        assert_eq!(variant(&error), expect["variant"], "{name}");
        assert_eq!(error.status(), Some(status), "{name}");
        assert_eq!(error.code(), expect["code"].as_str(), "{name}");
        assert_eq!(error.message(), expect["message"].as_str(), "{name}");
        assert_eq!(error.request_id(), expect["request_id"].as_str(), "{name}");
        assert_eq!(error.is_retryable(), expect["retryable"].as_bool().unwrap(), "{name}");
        assert_eq!(error.is_throttling(), expect["throttling"].as_bool().unwrap(), "{name}");
        assert_eq!(error.operation(), Some("StartReadSetExportJob"), "{name}");
        assert_eq!(error.client_token().map(ClientToken::as_str), Some("my-token"), "{name}");
        assert_eq!(error.may_have_been_applied(), expect["may_have_been_applied"].as_bool().unwrap(), "{name}");
        let line = error.to_string();
        assert!(!line.contains('\n') && !line.contains("my-token"), "{name}: {line}");
        assert!(line.len() < 3_000, "{name}: {line}");
        let summary = error.summary();
        assert_eq!(summary.code.as_deref(), expect["code"].as_str(), "{name}");
        assert_eq!(summary.status, Some(status), "{name}");
        assert_eq!(summary.request_id.as_deref(), expect["request_id"].as_str(), "{name}");
        assert_eq!(summary.retryable, expect["retryable"].as_bool().unwrap(), "{name}");
        assert_eq!(summary.throttling, expect["throttling"].as_bool().unwrap(), "{name}");
        assert_eq!(summary.may_have_been_applied, expect["may_have_been_applied"].as_bool().unwrap(), "{name}");
        assert_eq!((summary.timeout, summary.to_string()), (error.is_timeout(), line), "{name}");
        assert_summary_is_lossless(&error);
    }
}

fn assert_summary_is_lossless(error: &Error) {
    let summary = error.summary();
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<ErrorSummary>(&json).unwrap(), summary, "{json}");
}

#[tokio::test(start_paused = true)]
async fn the_summary_of_an_error_without_a_response_has_its_causes_and_flags() {
    let error = start(&Script::new([Step::Fail(HttpErrorKind::Interrupted)])).await;
    let summary = ErrorSummary::from(&error);
    assert_eq!((&summary.code, summary.status, &summary.request_id), (&None, None, &None));
    assert_eq!(summary.text, error.report().to_string());
    assert!(!summary.text.contains('\n'));
    assert!(summary.retryable && summary.may_have_been_applied && !summary.throttling && !summary.timeout);
    assert_summary_is_lossless(&error);

    let error = start(&Script::new([Step::Hang])).await;
    assert!(error.summary().timeout, "{error}");
    assert_summary_is_lossless(&error);

    let error = Error::from(ConfigurationError::MissingRegion);
    assert!(!error.summary().retryable, "{error}");
    assert_summary_is_lossless(&error);
}

#[test]
fn the_json_of_a_summary_is_in_camel_case_and_flags_may_be_absent() {
    let json = r#"{"text":"no network","mayHaveBeenApplied":true,"requestId":"4f6c","later":[1]}"#;
    let summary: ErrorSummary = serde_json::from_str(json).unwrap();
    let expected = ErrorSummary {
        code: None,
        status: None,
        request_id: Some("4f6c".to_owned()),
        text: "no network".to_owned(),
        retryable: false,
        may_have_been_applied: true,
        throttling: false,
        timeout: false,
    };
    assert_eq!(summary, expected);
    let written = r#"{"requestId":"4f6c","text":"no network","retryable":false,"mayHaveBeenApplied":true,"#;
    let written = format!(r#"{written}"throttling":false,"timeout":false}}"#);
    assert_eq!(serde_json::to_string(&summary).unwrap(), written);
    assert!(serde_json::from_str::<ErrorSummary>("{}").is_err(), "the text is required");
}

/// Every line that a call can fail with: what it was about, what happened, and what to do.
#[tokio::test(start_paused = true)]
async fn a_line_says_what_a_person_needs() {
    let code = |status: u16, code: &'static str, message: &'static str| {
        let body = format!(r#"{{"message":"{message}"}}"#);
        respond(status, &[("x-amzn-requestid", "4f6c"), ("x-amzn-errortype", code)], &body)
    };
    let id = ("x-amzn-requestid", "4f6c");
    let about = "StartReadSetExportJob (store 1234567890): ";
    for (step, expected) in [
        (
            code(400, "ValidationException", "no such bucket"),
            "ValidationException (400): no such bucket [request 4f6c, 1 attempt]",
        ),
        (
            code(401, "NotAuthorized", "no"),
            "NotAuthorized (401): no; check the credentials of the caller [request 4f6c, 1 attempt]",
        ),
        (
            code(402, "ServiceQuotaExceededException", "20 jobs"),
            "ServiceQuotaExceededException (402): 20 jobs; wait for running export jobs to end, or request a higher \
             quota L-473E274D [request 4f6c, 1 attempt]",
        ),
        (
            code(403, "AccessDeniedException", "no"),
            "AccessDeniedException (403): no; the IAM policy of the caller must allow omics:StartReadSetExportJob and \
             iam:PassRole for the role of the job [request 4f6c, 1 attempt]",
        ),
        (
            code(403, "ExpiredTokenException", "The security token is expired"),
            "ExpiredTokenException (403): The security token is expired; renew the credentials, they have expired \
             [request 4f6c, 2 attempts]",
        ),
        (
            code(403, "InvalidSignatureException", "does not match"),
            "InvalidSignatureException (403): does not match; check access key, secret and session token, and the clock \
             of this machine [request 4f6c, 1 attempt]",
        ),
        (
            code(404, "ResourceNotFoundException", r"No\nstore"),
            "ResourceNotFoundException (404): No store; check the id, and region and account of the client \
             [request 4f6c, 1 attempt]",
        ),
        (
            code(405, "NotSupportedOperationException", "no"),
            "NotSupportedOperationException (405): no [request 4f6c, 1 attempt]",
        ),
        (
            code(408, "RequestTimeoutException", "slow"),
            "RequestTimeoutException (408): slow [request 4f6c, 1 attempt, no attempts left, may have been applied]",
        ),
        (code(409, "ConflictException", "busy"), "ConflictException (409): busy [request 4f6c, 1 attempt]"),
        (
            code(429, "ThrottlingException", "Rate exceeded"),
            "ThrottlingException (429): Rate exceeded [request 4f6c, 1 attempt, no attempts left]",
        ),
        (
            code(500, "InternalServerException", "oops"),
            "InternalServerException (500): oops [request 4f6c, 1 attempt, no attempts left, may have been applied]",
        ),
        (
            respond(403, &[], "<html>blocked</html>"),
            "HTTP 403 Forbidden without an error code: \"<html>blocked</html>\"; check the proxy and the endpoint URL \
             [1 attempt]",
        ),
        (
            respond(502, &[], "<html>\n  Bad gateway</html>"),
            "HTTP 502 Bad Gateway without an error code: \"<html> Bad gateway</html>\" \
             [1 attempt, no attempts left, may have been applied]",
        ),
        (
            respond(301, &[("location", "https://elsewhere.example")], ""),
            "HTTP 301 Moved Permanently, redirects are not followed [1 attempt]",
        ),
        (
            respond(200, &[id], ""),
            "the response is empty [request 4f6c, 1 attempt, no attempts left, may have been applied]",
        ),
        (
            respond(200, &[id], r#"{"status":"SUBMITTED"}"#),
            "the response has no id [request 4f6c, 1 attempt, may have been applied]",
        ),
        (Step::Fail(HttpErrorKind::Connect), "scripted [1 attempt, no attempts left]"),
        (Step::Hang, "no response within the read timeout of 30s [1 attempt, no attempts left, may have been applied]"),
    ] {
        assert_eq!(start(&Script::new([step])).await.to_string(), format!("{about}{expected}"));
    }
}

#[tokio::test]
async fn a_line_names_the_job_or_read_set() {
    let missing = || respond(404, &[("x-amzn-errortype", "ResourceNotFoundException")], "");
    let client = Script::new([missing()]).client();
    let tail = "ResourceNotFoundException (404); check the id, and region and account of the client [1 attempt]";
    let job = client.get_read_set_export_job().sequence_store_id("1234567890").id("5555555555").send().await;
    let expected = format!("GetReadSetExportJob (store 1234567890, job 5555555555): {tail}");
    assert_eq!(job.unwrap_err().to_string(), expected);
    let read_set = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555").send().await;
    let expected = format!("GetReadSetMetadata (store 1234567890, read set 5555555555): {tail}");
    assert_eq!(read_set.unwrap_err().to_string(), expected);
    let list = client.list_read_sets().sequence_store_id("1234567890").send().await;
    assert_eq!(list.unwrap_err().to_string(), format!("ListReadSets (store 1234567890): {tail}"));
}

/// An id of any length leaves the line bounded, with parameter validation off.
#[tokio::test]
async fn an_id_of_any_length_leaves_the_line_bounded() {
    let client = Script::new([respond(404, &[], "")]).client_with(builder().parameter_validation(false)).unwrap();
    let call = client.get_read_set_metadata().sequence_store_id("1".repeat(10_000)).id("2".repeat(10_000));
    let line = call.send().await.unwrap_err().to_string();
    assert!(line.len() < 300, "{line}");
}

#[tokio::test(start_paused = true)]
async fn a_report_does_not_repeat_causes() {
    use aws_credential_types::provider::error::CredentialsError;
    use aws_credential_types::provider::{ProvideCredentials, future};

    #[derive(Debug)]
    struct Failing(fn() -> CredentialsError);

    impl ProvideCredentials for Failing {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::ready(Err((self.0)()))
        }
    }

    for (provider, expected) in [
        (
            Failing(|| CredentialsError::not_loaded("no profile")),
            "GetReadSetMetadata (store 1234567890, read set 5555555555): there are no credentials, check the environment \
             or profile that the credentials provider reads [1 attempt]: the credential provider was not enabled: no \
             profile",
        ),
        (
            Failing(|| CredentialsError::invalid_configuration("profile `typo` was not defined")),
            "GetReadSetMetadata (store 1234567890, read set 5555555555): the credentials provider is not configured \
             correctly, check its profile or settings [1 attempt]: the credentials provider was not properly configured: \
             profile `typo` was not defined",
        ),
    ] {
        let script = Script::new([respond(200, &[], "")]);
        let client = script.client_with(builder().credentials_provider(provider)).unwrap();
        let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
        let error = call.send().await.unwrap_err();
        assert_eq!(error.report().to_string(), expected);
    }
}

#[tokio::test]
async fn the_echo_of_a_rejected_signature_is_cut_off() {
    let body = r#"{"message":"The signature does not match. The Canonical String for this request should have been 'x-amz-security-token:SECRET'"}"#;
    let error = start(&Script::new([respond(403, &[("x-amzn-errortype", "InvalidSignatureException")], body)])).await;
    assert_eq!(error.message(), Some("The signature does not match."));
    assert!(!format!("{error:?} {error}").contains("SECRET"));
}

#[tokio::test]
async fn no_response_breaks_the_line_or_makes_it_long() {
    let text = format!(r#"{{"code":"Evil\nLINE","message":"{}"}}"#, "x\\u001b[31m\\n".repeat(100_000));
    let error = start(&Script::new([respond(400, &[], &text)])).await;
    let line = error.to_string();
    assert!(line.len() < 1_000 && !line.contains(char::is_control), "{line}");
    assert_eq!(error.code(), None, "what is no name is no code");
    assert!(error.message().is_some_and(|message| message.len() > 100_000), "the whole message is there");

    let echo = "The Canonical String should have been x-amz-security-token:SECRET";
    let error = start(&Script::new([respond(403, &[], echo)])).await;
    assert!(!format!("{error:?} {error}").contains("SECRET"), "{error}");
}

#[tokio::test]
async fn no_message_repeats_its_cause() {
    for step in [respond(200, &[], "{\"id\":"), respond(200, &[], "{\"id\":5}"), respond(500, &[], "")] {
        let error = start(&Script::new([step])).await;
        let mut outer: &dyn std::error::Error = &error;
        while let Some(cause) = outer.source() {
            assert!(!outer.to_string().contains(&cause.to_string()), "{outer} / {cause}");
            outer = cause;
        }
    }
    let error = start(&Script::new([respond(200, &[], "{\"id\":")])).await;
    assert!(error.source().is_some());
    assert!(error.report().to_string().starts_with(&error.to_string()));
    assert!(error.report().to_string().contains("EOF while parsing"));
}

#[tokio::test]
async fn only_redirects_are_named_redirects() {
    for (status, is_redirect) in
        [(300, false), (301, true), (302, true), (303, true), (304, false), (305, false), (307, true), (308, true)]
    {
        let error = start(&Script::new([respond(status, &[("location", "https://elsewhere.example/")], "")])).await;
        assert_eq!(error.to_string().contains("redirects are not followed"), is_redirect, "{error}");
        assert_eq!(error.status(), Some(status));
    }
}

#[test]
fn errors_travel() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
    assert_eq!(size_of::<Error>(), 2 * size_of::<usize>());
}

#[tokio::test]
async fn no_message_breaks_the_line_or_changes_its_direction() {
    let body = r#"{"message":"one\r\ntwo\u2028three \u202eevil\u2069 \u001b[2J\u200f."}"#;
    let client = Script::new([respond(400, &[], body)]).client();
    let call = client.get_read_set_export_job().sequence_store_id("1234567890").id("1234567890");
    let error = call.send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetReadSetExportJob (store 1234567890, job 1234567890): HTTP 400 Bad Request without an error code: one two three  evil   [2J . [1 attempt]"
    );
}

#[tokio::test]
async fn debug_is_the_report_and_clones_are_equal_to_it() {
    let script = Script::new([respond(200, &[("x-amzn-requestid", "4f6c")], r#"{"id":"#)]);
    let error = start(&script).await;
    assert_eq!(format!("{error:?}"), error.report().to_string());
    assert!(format!("{error:?}").contains("EOF while parsing"), "{error:?}");
    assert_eq!(error.clone().report().to_string(), error.report().to_string());

    let error = Client::builder().build().unwrap_err();
    assert_eq!(format!("{error:?}"), "no region: set AWS_REGION, or call region() on the builder");
}
