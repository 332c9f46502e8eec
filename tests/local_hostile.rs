//! The local service and hostile callers: it listens on loopback, and survives malformed HTTP, large requests, and slow
//! or idle connections.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use healthomics::local::LocalService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Longer than any machine needs for what should happen immediately.
const TIMEOUT: Duration = Duration::from_mins(1);
const GET: &str = "GET /sequencestore/1234567890/exportjob/1234567890 HTTP/1.1\r\nhost: x\r\n";

async fn connect(local: &LocalService) -> TcpStream {
    TcpStream::connect(local.address().unwrap()).await.unwrap()
}

/// What the service sends until it closes the connection, which may be before everything was sent to it.
async fn exchange(local: &LocalService, bytes: &[u8]) -> String {
    let (mut from, mut to) = connect(local).await.into_split();
    let sending = async {
        let _ = to.write_all(bytes).await;
        let _ = to.shutdown().await;
    };
    let mut response = Vec::new();
    let reading = timeout(TIMEOUT, from.read_to_end(&mut response));
    // A connection that is closed with bytes in flight is reset, which is an end, too.
    let ((), ended) = tokio::join!(sending, reading);
    assert!(ended.is_ok(), "the connection hangs: {:.200}", String::from_utf8_lossy(bytes));
    String::from_utf8_lossy(&response).into_owned()
}

/// Asserts that a valid call succeeds.
async fn assert_available(local: &LocalService) {
    let store = local.create_sequence_store();
    let client = local.client_builder().max_attempts(1).build().unwrap();
    let page = client.list_read_sets().sequence_store_id(&store).send().await;
    assert!(page.is_ok(), "{page:?}");
}

#[tokio::test]
async fn it_listens_on_loopback_unless_configured_otherwise() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "10.0.0.1:80", "[::ffff:127.0.0.1]:0", "[2001:db8::1]:0"] {
        let error = LocalService::builder().address(address.parse().unwrap()).start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{address}");
        let message = error.to_string();
        assert!(message.contains("is not a loopback address, see allow_non_loopback()"), "{message}");
    }
    let local = LocalService::builder().address("127.0.0.7:0".parse().unwrap()).start().await;
    // Not every system has more than one address of its own.
    assert!(local.is_ok_and(|local| local.address().unwrap().ip().is_loopback()) || cfg!(not(target_os = "linux")));
    let usual = LocalService::start().await.unwrap();
    assert!(usual.address().unwrap().ip().is_loopback());

    let open =
        LocalService::builder().address("0.0.0.0:0".parse().unwrap()).allow_non_loopback().start().await.unwrap();
    assert!(open.address().unwrap().ip().is_unspecified());
    assert!(open.endpoint_url().starts_with("http://127.0.0.1:"));
    assert_available(&open).await;
}

#[tokio::test]
async fn malformed_http_is_refused() {
    let local = LocalService::start().await.unwrap();
    let cases: &[&[u8]] = &[
        b"\r\n\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\nhost x\n\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n bad: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nb\0d: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"CONNECT example.org:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET http://example.org/sequencestore/1/exportjob/2 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /%zz%00/../.. HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nauthorization: \xff\xfe\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade, close\r\n\r\n",
        b"DELETE",
        b"",
    ];
    for case in cases {
        let response = exchange(&local, case).await;
        let refused = response.is_empty() || response.split("HTTP/1.").skip(1).all(|part| part[2..].starts_with('4'));
        assert!(refused, "{:?} has the response {response}", String::from_utf8_lossy(case));
    }
    assert!(local.requests().iter().all(|request| !request.applied));
    assert_available(&local).await;
}

#[tokio::test]
async fn too_large_requests_are_refused_before_they_are_kept() {
    let local = LocalService::start().await.unwrap();
    let megabyte = "a".repeat(1 << 20);
    for head in [
        format!("{GET}x-long: {megabyte}\r\n\r\n"),
        format!("{GET}{}\r\n", "x: y\r\n".repeat(200_000)),
        format!("GET /{megabyte} HTTP/1.1\r\nhost: x\r\n\r\n"),
        format!("{GET}{megabyte}"),
        megabyte.clone(),
    ] {
        let response = exchange(&local, head.as_bytes()).await;
        assert!(response.is_empty() || response.starts_with("HTTP/1.1 4"), "{response:.200}");
    }
    assert!(local.requests().is_empty(), "none of it counts as a request");

    // By what it announces, without a byte of it.
    for announced in [33_554_433_u64, 1 << 40, 1 << 62] {
        let mut stream = connect(&local).await;
        let head =
            format!("POST /sequencestore/1/exportjob HTTP/1.1\r\nhost: x\r\ncontent-length: {announced}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut response = String::new();
        timeout(TIMEOUT, stream.read_to_string(&mut response)).await.unwrap().unwrap();
        assert!(response.starts_with("HTTP/1.1 413 ") && response.contains("RequestEntityTooLarge"), "{response}");
    }
    // By the bytes received, if no length is announced.
    let (mut from, mut to) = connect(&local).await.into_split();
    to.write_all(b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = format!("10000\r\n{}\r\n", "a".repeat(0x1_0000));
    let endless = async {
        let mut sent = 0_usize;
        while to.write_all(chunk.as_bytes()).await.is_ok() {
            sent += chunk.len();
            assert!(sent < 64 << 20, "it reads on and on");
        }
    };
    let mut response = Vec::new();
    let both = async { tokio::join!(endless, from.read_to_end(&mut response)) };
    drop(timeout(TIMEOUT, both).await.unwrap());

    let kept: usize = local.requests().iter().map(|request| request.body.len()).sum();
    assert_eq!(kept, 0, "no such body is kept");
    assert_available(&local).await;
}

/// Reads with a pause of thirty seconds on the service's clock; whether the connection is closed.
async fn is_closed(stream: &mut TcpStream, response: &mut Vec<u8>) -> bool {
    match timeout(Duration::from_secs(30), stream.read_buf(response)).await {
        Ok(Ok(0) | Err(_)) => true,
        Ok(Ok(_)) | Err(_) => false,
    }
}

/// The clock is paused: it jumps to the next timeout whenever nothing moves.
#[tokio::test(start_paused = true)]
async fn slow_senders_are_disconnected() {
    let local = LocalService::start().await.unwrap();
    let post = "POST /sequencestore/1234567890/exportjob HTTP/1.1\r\nhost: x\r\ncontent-length: 90\r\n\r\n{";
    for (start, drip, expected) in [
        ("", "", ""),
        ("GET /sequ", "", ""),
        ("GET /sequ", "e", ""),
        (GET, "x: y\r\n", ""),
        (post, "", "HTTP/1.1 408 "),
        (post, " ", "HTTP/1.1 408 "),
        // One whole request, and then nothing.
        (&format!("{GET}\r\n"), "", "HTTP/1.1 403 "),
    ] {
        let started = Instant::now();
        let mut stream = connect(&local).await;
        stream.write_all(start.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        while !is_closed(&mut stream, &mut response).await {
            drop(stream.write_all(drip.as_bytes()).await);
            assert!(started.elapsed() < Duration::from_mins(5), "{start:?} is waited for");
        }
        let response = String::from_utf8(response).unwrap();
        assert!(response.starts_with(expected), "{start:?}: {response}");
        assert!(started.elapsed() >= Duration::from_secs(50), "{start:?} had its time");
    }
}

/// The test runs in a process of its own, which may have enough files open.
#[test]
fn a_thousand_idle_connections_do_not_prevent_calls() {
    if std::env::var_os("TEST_FILES_RAISED").is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(call_next_to_a_thousand_idle_connections());
        return;
    }
    let name = "a_thousand_idle_connections_do_not_prevent_calls";
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new("sh");
    let raise = "ulimit -n 8192 2>/dev/null || ulimit -n \"$(ulimit -H -n)\"; exec \"$0\" \"$@\"";
    child.args(["-c", raise]).arg(program).args([name, "--exact", "--test-threads=1"]).env("TEST_FILES_RAISED", "1");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

async fn call_next_to_a_thousand_idle_connections() {
    let local = LocalService::start().await.unwrap();
    let mut idle = Vec::new();
    for number in 0..1_000 {
        let mut stream = connect(&local).await;
        // Some send nothing, some a part of a request, some stay after a call, some never read the response.
        let said = match number % 4 {
            0 => String::new(),
            1 => "POST /sequ".to_owned(),
            2 => format!("{GET}\r\n"),
            _ => format!("{GET}\r\n").repeat(50),
        };
        stream.write_all(said.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let started = std::time::Instant::now();
    for _ in 0..20 {
        assert_available(&local).await;
    }
    assert!(started.elapsed() < TIMEOUT, "calls take {:?}", started.elapsed() / 20);
    // All of them are still there.
    for stream in idle.iter_mut().skip(2).step_by(4) {
        let mut start = [0; 12];
        timeout(TIMEOUT, stream.read_exact(&mut start)).await.unwrap().unwrap();
        assert_eq!(&start, b"HTTP/1.1 403");
    }
    drop(idle);
    assert_available(&local).await;
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = taken.local_addr().unwrap();
    let error = LocalService::builder().address(address).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}
