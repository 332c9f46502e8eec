//! Fault injection of the local service, and its handling of callers that break the protocol.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod local_support;

use std::fmt::Write;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use healthomics::local::{Fault, LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use local_support::{Call, ROLE, bare, call};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const START: &str = "StartReadSetExportJob";

async fn service() -> (LocalService, Call) {
    let service = LocalService::start().await.unwrap();
    let store = service.create_sequence_store();
    let set = service.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let body = json!({"destination": "s3://bucket/", "roleArn": ROLE, "sources": [{"readSetId": set}]});
    let call = call(&service, "POST", &format!("/sequencestore/{store}/exportjob"), &body);
    (service, call)
}

/// How many jobs there are, whether the last request was applied, and the status of its response.
fn outcome(service: &LocalService) -> (usize, bool, Option<u16>) {
    let last = service.requests().pop().unwrap();
    assert_eq!(last.operation, Some(START));
    (service.jobs().len(), last.applied, last.status)
}

#[tokio::test]
async fn errors_and_raw_responses_are_sent_before_or_after_the_work() {
    let (service, call) = service().await;
    let html = || vec![("content-type".to_owned(), "text/html".to_owned())];
    service.queue_fault(START, Fault::error(500, "InternalServerException", "oops"));
    service.queue_fault(START, Fault::Response { status: 502, headers: html(), body: b"<html>".to_vec() });
    service.queue_fault(START, Fault::ResponseAfter { status: 504, headers: html(), body: b"<html>".to_vec() });

    let reply = call.send().await;
    assert_eq!((reply.status, reply.code(), reply.message().as_str()), (500, "InternalServerException", "oops"));
    assert_eq!(outcome(&service), (0, false, Some(500)));
    let reply = call.send().await;
    assert_eq!((reply.status, reply.header("content-type"), reply.text.as_str()), (502, Some("text/html"), "<html>"));
    assert_eq!(reply.header("x-amzn-requestid"), None);
    assert_eq!(outcome(&service), (0, false, Some(502)));
    assert_eq!(call.send().await.status, 504);
    assert_eq!(outcome(&service), (1, true, Some(504)));
    assert_eq!(call.send().await.status, 200);
    assert_eq!(outcome(&service), (2, true, Some(200)));
}

#[tokio::test]
async fn connections_are_reset_and_bodies_truncated() {
    let (service, call) = service().await;
    for (fault, jobs, applied, status) in [
        (Fault::ResetBefore, 0, false, None),
        (Fault::ResetAfter, 1, true, None),
        (Fault::TruncatedBody, 2, true, Some(200)),
    ] {
        service.queue_fault(START, fault.clone());
        assert!(call.try_send().await.is_err(), "{fault:?}");
        assert_eq!(outcome(&service), (jobs, applied, status), "{fault:?}");
    }
}

/// Sends a signed request over a plain socket and reads to the end.
async fn raw(service: &LocalService, call: &Call) -> (String, std::io::Result<usize>) {
    let mut stream = TcpStream::connect(service.address().unwrap()).await.unwrap();
    let mut head = format!("POST {} HTTP/1.1\r\nhost: {}\r\n", call.path, service.address().unwrap());
    for (name, value) in call.headers.iter().chain(&call.signature()) {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", call.body.len()).unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&call.body).await.unwrap();
    let mut response = Vec::new();
    let end = stream.read_to_end(&mut response).await;
    (String::from_utf8(response).unwrap(), end)
}

#[tokio::test]
async fn a_reset_and_a_truncated_body_differ_on_the_socket() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::ResetAfter);
    let (response, end) = raw(&service, &call).await;
    assert_eq!((response.as_str(), end.unwrap_err().kind()), ("", ErrorKind::ConnectionReset));

    service.queue_fault(START, Fault::TruncatedBody);
    let (response, end) = raw(&service, &call).await;
    assert!(end.is_ok());
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(body.len(), length.parse::<usize>().unwrap() / 2);
    assert!(body.starts_with('{'), "{body}");
}

#[tokio::test]
async fn responses_are_delayed_or_never_sent() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::Delay(Duration::from_millis(50)));
    let start = Instant::now();
    assert_eq!(call.send().await.status, 200);
    assert!(start.elapsed() >= Duration::from_millis(50));
    assert_eq!(outcome(&service), (1, true, Some(200)));

    for (fault, jobs, applied) in [(Fault::HangBefore, 1, false), (Fault::HangAfter, 2, true)] {
        service.queue_fault(START, fault);
        let before = service.requests().len();
        tokio::select! {
            response = call.try_send() => panic!("there is a response: {:?}", response.map(|reply| reply.status)),
            () = async { while service.requests().len() == before { tokio::task::yield_now().await } } => {}
        }
        assert_eq!(outcome(&service), (jobs, applied, None));
    }
}

#[tokio::test]
async fn a_body_is_sent_byte_by_byte() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::SlowBody(Duration::from_millis(1)));
    let start = Instant::now();
    let reply = call.send().await;
    assert!(start.elapsed() >= Duration::from_millis(reply.text.len() as u64), "{:?}", start.elapsed());
    assert_eq!((reply.status, reply.json()["status"].as_str()), (200, Some("SUBMITTED")));
    assert_eq!(reply.header("content-length"), Some(&*reply.text.len().to_string()));
    assert_eq!(outcome(&service), (1, true, Some(200)));
}

#[tokio::test]
async fn a_body_has_any_size() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::LargeBody(100_000));
    let reply = call.send().await;
    assert_eq!((reply.status, reply.json()["status"].as_str()), (200, Some("SUBMITTED")));
    assert_eq!(reply.text.len() - reply.text.trim_start().len(), 100_000);
    assert_eq!(outcome(&service), (1, true, Some(200)));
}

#[tokio::test]
async fn responses_are_malformed_empty_or_merged() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::MalformedBody);
    service.queue_fault(START, Fault::EmptyBody);
    service.queue_fault(START, Fault::merge(r#"{"status": "PONDERING", "id": null, "novelty": {"a": [1]}}"#));
    let reply = call.send().await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&reply.text).is_err());
    let reply = call.send().await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    let reply = call.send().await.json();
    assert_eq!((&reply["status"], &reply["novelty"]), (&json!("PONDERING"), &json!({"a": [1]})));
    assert_eq!(reply.get("id"), None);
    assert_eq!(outcome(&service), (3, true, Some(200)));
}

#[tokio::test]
async fn the_date_of_a_response_can_be_wrong() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::DateOffset(-86_400 * 366));
    let reply = call.send().await;
    assert_eq!(reply.status, 200);
    let year = time::OffsetDateTime::from(call.time).year();
    assert!(!reply.header("date").unwrap().contains(&year.to_string()));
}

#[tokio::test]
async fn permanent_faults_stay_until_they_are_cleared() {
    let (service, call) = service().await;
    service.fault_always(START, Fault::response(503, ""));
    service.queue_fault(START, Fault::response(429, ""));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(call.send().await.status);
    }
    service.clear_faults();
    statuses.push(call.send().await.status);
    assert_eq!(statuses, [429, 503, 503, 200]);
    service.clear_requests();
    assert!(service.requests().is_empty());
}

#[tokio::test]
async fn a_fault_is_injected_before_the_signature_is_checked() {
    let (service, call) = service().await;
    service.queue_fault(START, Fault::response(500, ""));
    assert_eq!(call.send_with(Vec::new()).await.unwrap().status, 500);
    assert_eq!(call.send_with(Vec::new()).await.unwrap().status, 403);
}

#[tokio::test]
#[should_panic(expected = "\"StartExport\" is not implemented")]
async fn a_fault_of_an_unknown_operation_panics() {
    service().await.0.queue_fault("StartExport", Fault::EmptyBody);
}

#[tokio::test]
async fn requests_are_kept_as_they_were_received() {
    let (service, call) = service().await;
    call.send().await;
    let request = service.requests().pop().unwrap();
    assert_eq!((request.method.as_str(), &request.path, &request.body[..]), ("POST", &call.path, &call.body[..]));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert!(request.header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 Credential="));
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let (service, mut call) = service().await;
    call.body = vec![b' '; (32 << 20) + 1];
    // It may also break the connection, as the rest is not read.
    if let Ok(reply) = call.try_send().await {
        assert_eq!((reply.status, reply.code()), (413, "RequestEntityTooLarge"));
    }
    assert_eq!(outcome(&service), (0, false, Some(413)));
}

#[tokio::test]
async fn the_service_survives_callers_that_break_the_protocol() {
    let (service, call) = service().await;
    let mut idle = Vec::new();
    for bytes in [
        &b"\x16\x03\x01\x02\x00garbage\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"POST /sequencestore/1/exportjob HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf",
        b"GET /sequ",
        b"",
    ] {
        let mut stream = TcpStream::connect(service.address().unwrap()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        idle.push(stream);
    }
    assert_eq!(call.send().await.status, 200);
    drop(idle);
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn other_addresses_than_loopback_have_to_be_allowed() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = LocalService::builder().address(everywhere).start().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let service = LocalService::builder().address(everywhere).allow_non_loopback().start().await.unwrap();
    assert!(service.endpoint_url().starts_with("http://127.0.0.1:"));
    assert_eq!(bare(&service, "GET", "/").send_with(Vec::new()).await.unwrap().status, 403);
}

#[tokio::test]
async fn a_dropped_service_closes_its_connections() {
    let (service, _) = service().await;
    let address = service.address().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).await.unwrap();
    drop(service);
    let mut rest = Vec::new();
    // Ends, one way or the other.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(address).await.is_err());
}
