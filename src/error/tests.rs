use std::error::Error as _;

use serde_json::Value;

use super::*;
use crate::testing::{Script, Step, answer, builder};
use crate::transport::TransportErrorKind;

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
        other => panic!("not an answer of the service: {other:?}"),
    }
}

#[tokio::test]
async fn every_raw_answer_becomes_the_right_error() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../tests/fixtures/error_answers.json")).unwrap();
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

        let error = start(&Script::new([answer(status, &headers, body)])).await;

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
    }
}

#[tokio::test]
async fn a_line_says_what_a_person_needs() {
    let id = ("x-amzn-requestid", "4f6c");
    for (step, expected) in [
        (
            answer(429, &[id, ("x-amzn-errortype", "ThrottlingException")], r#"{"message":"Rate exceeded"}"#),
            "StartReadSetExportJob: ThrottlingException (429): Rate exceeded [request 4f6c, 1 attempt, no attempts left]",
        ),
        (
            answer(404, &[id, ("x-amzn-errortype", "ResourceNotFoundException")], r#"{"message":"No\nstore"}"#),
            "StartReadSetExportJob: ResourceNotFoundException (404): No store [request 4f6c, 1 attempt]",
        ),
        (
            answer(502, &[], "<html>\n  Bad gateway</html>"),
            "StartReadSetExportJob: HTTP 502 Bad Gateway without an error code: \"<html> Bad gateway</html>\" \
             [1 attempt, no attempts left, may have been applied]",
        ),
        (
            answer(301, &[("location", "https://elsewhere.example")], ""),
            "StartReadSetExportJob: HTTP 301 Moved Permanently, redirects are not followed [1 attempt]",
        ),
        (
            answer(200, &[id], ""),
            "StartReadSetExportJob: the response is empty [request 4f6c, 1 attempt, no attempts left, may have been applied]",
        ),
        (
            answer(200, &[id], r#"{"status":"SUBMITTED"}"#),
            "StartReadSetExportJob: the response has no id [request 4f6c, 1 attempt, may have been applied]",
        ),
        (Step::Fail(TransportErrorKind::Connect), "StartReadSetExportJob: scripted [1 attempt, no attempts left]"),
    ] {
        assert_eq!(start(&Script::new([step])).await.to_string(), expected);
    }
}

#[tokio::test]
async fn the_echo_of_a_refused_signature_is_cut_off() {
    let body = r#"{"message":"The signature does not match. The Canonical String for this request should have been 'x-amz-security-token:SECRET'"}"#;
    let error = start(&Script::new([answer(403, &[("x-amzn-errortype", "InvalidSignatureException")], body)])).await;
    assert_eq!(error.message(), Some("The signature does not match."));
    assert!(!format!("{error:?} {error}").contains("SECRET"));
}

#[tokio::test]
async fn nothing_from_outside_breaks_the_line_or_floods_it() {
    let text = format!(r#"{{"code":"Evil\nLINE","message":"{}"}}"#, "x\\u001b[31m\\n".repeat(100_000));
    let error = start(&Script::new([answer(400, &[], &text)])).await;
    let line = error.to_string();
    assert!(line.len() < 1_000 && !line.contains(char::is_control), "{line}");
    assert_eq!(error.code(), None, "what is no name is no code");
    assert!(error.message().is_some_and(|message| message.len() > 100_000), "the whole message is there");

    let echo = "The Canonical String should have been x-amz-security-token:SECRET";
    let error = start(&Script::new([answer(403, &[], echo)])).await;
    assert!(!format!("{error:?} {error}").contains("SECRET"), "{error}");
}

#[tokio::test]
async fn no_message_repeats_its_cause() {
    for step in [answer(200, &[], "{\"id\":"), answer(200, &[], "{\"id\":5}"), answer(500, &[], "")] {
        let error = start(&Script::new([step])).await;
        let mut outer: &dyn StdError = &error;
        while let Some(cause) = outer.source() {
            assert!(!outer.to_string().contains(&cause.to_string()), "{outer} / {cause}");
            outer = cause;
        }
    }
    let error = start(&Script::new([answer(200, &[], "{\"id\":")])).await;
    assert!(error.source().is_some());
    assert!(error.report().to_string().starts_with(&error.to_string()));
    assert!(error.report().to_string().contains("EOF while parsing"));
}

#[tokio::test]
async fn only_a_redirect_is_called_one() {
    for (status, is_redirect) in
        [(300, false), (301, true), (302, true), (303, true), (304, false), (305, false), (307, true), (308, true)]
    {
        let error = start(&Script::new([answer(status, &[("location", "https://elsewhere.example/")], "")])).await;
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
async fn nothing_in_a_message_breaks_or_turns_the_line() {
    let body = r#"{"message":"one\r\ntwo\u2028three \u202eevil\u2069 \u001b[2J\u200f."}"#;
    let client = Script::new([answer(400, &[], body)]).client();
    let call = client.get_read_set_export_job().sequence_store_id("1234567890").id("1234567890");
    let error = call.send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetReadSetExportJob: HTTP 400 Bad Request without an error code: one two three  evil   [2J . [1 attempt]"
    );
}
