//! No secret is in any `Debug`, `Display`, trace, log, panic message or journal.
//!
//! Secrets are the secret access key, the session token and the signatures. The access key id is not a secret: it is in
//! every request and in CloudTrail, and it is not removed from a response that repeats it.
//!
//! A client token is not a credential: it is of no use without the permission to start jobs. Callers repeat starts with
//! it, so that it is a field of outputs and errors, and bulk runs are resumed with it, so that it is in their journals.
//! Its own `Display` shows it. No other `Debug` or `Display` and no trace contains a token that a caller chose.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod shown;
mod types;

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, Once};

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use healthomics::local::{Fault, LocalService, Pace};
use healthomics::{Client, Credentials, Error};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

const SECRET: &str = "SECRETCANARYsecretcanary0123456789abcdef";
const SESSION: &str = "SESSIONCANARYsessioncanary/0123456789+abcdef==";
const TOKEN: &str = "TOKENCANARYtokencanary";

fn canary() -> Credentials {
    Credentials::new("AKIDCANARY", SECRET, Some(SESSION.to_owned()), None, "canary")
}

/// A service that accepts the canaries, and a client that has them.
async fn service() -> (LocalService, Client) {
    let local = LocalService::builder().credentials(canary()).pace(Pace::Polls(1)).start().await.unwrap();
    let client = local.client().unwrap();
    (local, client)
}

/// The signatures of all requests that were received.
fn signatures(local: &LocalService) -> Vec<String> {
    let signatures: Vec<_> = local
        .requests()
        .iter()
        .filter_map(|request| Some(request.header("authorization")?.rsplit_once("Signature=")?.1.to_owned()))
        .collect();
    assert!(signatures.iter().all(|signature| signature.len() == 64));
    signatures
}

/// Bytes as `Debug` formats them, to find a body in a trace, too.
fn as_numbers(text: &str) -> String {
    text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn assert_clean(what: &str, text: &str, signatures: &[String]) {
    let fixed = [SECRET, SESSION, TOKEN].map(str::to_owned);
    let encoded = [SESSION.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D")];
    for secret in fixed.iter().chain(&encoded).chain(signatures) {
        for form in [secret.clone(), as_numbers(secret)] {
            let Some(at) = text.find(&form) else { continue };
            let start = text.floor_char_boundary(at.saturating_sub(300));
            panic!("{what} contains {form:?}: …{}", &text[start..at + form.len()]);
        }
    }
}

#[track_caller]
fn assert_lacks(value: &str, text: &str) {
    assert!(!text.contains(value) && !text.contains(&as_numbers(value)), "{value} is in the text");
}

/// Everything that any crate traces or logs while one test runs, at every level. It has no output of other tests, as
/// the runtime of each test has one thread, on which its local service runs, too.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "  {}={value:?}", field.name()).unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "span {} {}", attributes.metadata().target(), attributes.metadata().name()).unwrap();
        attributes.record(&mut Fields(&mut text));
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "event {} {}", event.metadata().target(), event.metadata().level()).unwrap();
        event.record(&mut Fields(&mut text));
    }
}

thread_local! {
    /// The recorder of the test on this thread.
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// The logger of the process: it passes each line to the recorder of the thread.
struct ByThread;

impl log::Log for ByThread {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        RECORDER.with_borrow(|recorder| {
            if let Some(Recorder(text)) = recorder {
                writeln!(text.lock().unwrap(), "log {} {}", record.target(), record.args()).unwrap();
            }
        });
    }

    fn flush(&self) {}
}

/// Records one test. When it is dropped, it asserts that no secret and no client token was traced or logged.
struct RecordedTest {
    recorder: Recorder,
    _subscriber: DefaultGuard,
}

fn record() -> RecordedTest {
    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_boxed_logger(Box::new(ByThread)).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
    });
    let recorder = Recorder::default();
    RECORDER.set(Some(recorder.clone()));
    let subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(recorder.clone()));
    RecordedTest { recorder, _subscriber: subscriber }
}

impl RecordedTest {
    fn text(&self) -> String {
        self.recorder.0.lock().unwrap().clone()
    }
}

impl Drop for RecordedTest {
    fn drop(&mut self) {
        RECORDER.set(None);
        if !std::thread::panicking() {
            assert_clean("the trace", &self.text(), &[]);
        }
    }
}

fn start(
    client: &Client,
    store: &str,
) -> healthomics::CallFuture<healthomics::read_set::StartReadSetActivationJobOutput> {
    let call = client.start_read_set_activation_job().sequence_store_id(store).sources(["5000000001"]);
    call.client_token(TOKEN).send()
}

#[tokio::test]
async fn traces_and_logs_have_no_secrets() {
    let recorded = record();
    let (local, client) = service().await;
    let store = local.create_sequence_store().to_string();
    for fault in [
        Fault::error(500, "InternalServerException", "An error"),
        Fault::error(429, "ThrottlingException", "Rate exceeded"),
        Fault::ResetAfter,
        Fault::TruncatedBody,
        Fault::MalformedBody,
        Fault::response(502, "<html>bad gateway</html>"),
        Fault::DateOffset(4_000),
    ] {
        local.queue_fault("StartReadSetActivationJob", fault);
    }
    for _ in 0..4 {
        drop(start(&client, &store).await);
    }
    let job = start(&client, &store).await.unwrap();
    drop(client.job(&job).wait().await.unwrap());
    drop(client.list_read_sets().sequence_store_id(&store).next_token("page").send().await.unwrap_err());

    local.expire_credentials("AKIDCANARY");
    let error = start(&client, &store).await.unwrap_err();
    assert_eq!(error.code(), Some("ExpiredTokenException"));
    let broken = Credentials::new("AKIDCANARY", SECRET, Some(format!("{SESSION}\r\nx: y")), None, "broken");
    let error = start(&local.client_builder().credentials(broken).build().unwrap(), &store).await.unwrap_err();
    assert!(matches!(error, Error::Signing(_)), "{error}");
    assert_clean("an error of signing", &format!("{error:?} {}", error.report()), &[]);

    let text = recorded.text();
    assert_clean("the trace", &text, &signatures(&local));
    for expected in ["event healthomics", "span healthomics", "event hyper", "log reqwest"] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text:.9000}");
    }
    // Traces have the ids that a request is about, and not its body.
    assert_lacks("5000000001", &text);
}

/// A gateway repeats the headers of requests that it rejects.
#[tokio::test]
async fn secrets_that_a_response_repeats_are_redacted() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let recorded = record();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = tokio::spawn(async move {
        let mut seen = Vec::new();
        for as_json in [false, true, false] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.unwrap());
            }
            let request = String::from_utf8(request).unwrap();
            let header = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
            let (authorization, session) = (header("authorization: "), header("x-amz-security-token: "));
            let body = if as_json {
                format!("{{\"message\": \"{authorization} and {session}\"}}")
            } else {
                format!("you sent {session} and {authorization}")
            };
            let signature = authorization.rsplit_once("Signature=").unwrap().1.to_owned();
            let response = format!(
                "HTTP/1.1 400 No\r\nx-amzn-requestid: {signature}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(response.as_bytes()).await.unwrap();
            seen.push(signature);
        }
        seen
    });
    let client = Client::builder().endpoint_url(&url).region("us-east-1").credentials(canary()).use_system_proxy(false);
    let client = client.build().unwrap();
    let mut shown = String::new();
    for _ in 0..3 {
        let error = client.get_read_set_export_job().sequence_store_id("1234567890").id("1234567890").send().await;
        let error = error.unwrap_err();
        write!(shown, "{error} {error:?} {} {:?} {:?}", error.report(), error.message(), error.request_id()).unwrap();
    }
    let signatures = gateway.await.unwrap();
    assert_clean("an error", &shown, &signatures);
    assert!(shown.contains("you sent (redacted)"), "{shown}");
    // An access key id is not a secret: it is not removed from errors and traces.
    let traced = recorded.text();
    assert_clean("the trace", &traced, &signatures);
    for (what, text) in [("the errors", shown), ("the trace", traced)] {
        assert!(text.contains("Credential=AKIDCANARY/"), "the key id is not in {what}: {text:.9000}");
    }
}

/// A credentials provider whose `Debug` shows its secret.
#[derive(Debug)]
struct ShowsSecret {
    #[allow(dead_code, reason = "Debug shows it")]
    secret: &'static str,
}

impl ProvideCredentials for ShowsSecret {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nothing there")))
    }
}

#[tokio::test]
async fn the_debug_output_of_a_client_does_not_have_its_provider() {
    let _recorded = record();
    let builder = Client::builder().region("us-east-1").credentials_provider(ShowsSecret { secret: SECRET });
    let client = builder.clone().build().unwrap();
    let call = client.get_read_set_export_job().sequence_store_id("1234567890").id("1234567890");
    let shown = format!("{builder:?} {client:?} {call:?}");
    assert_clean("a client", &shown, &[]);
    let error = call.send().await.unwrap_err();
    assert!(matches!(error, Error::Credentials(_)));
    assert_clean("an error", &format!("{error} {error:?} {}", error.report()), &[]);
}

#[tokio::test]
async fn journals_have_no_secrets() {
    let _recorded = record();
    let (local, client) = service().await;
    let store = local.create_sequence_store();
    let path = std::env::temp_dir().join(format!("healthomics-secrets-{}.jsonl", std::process::id()));
    local.queue_fault("StartReadSetActivationJob", Fault::error(400, "ValidationException", "not so"));
    let run = client.activate_read_sets().run_id("canary").sequence_store_id(&store);
    let run = run.read_sets((0..60).map(|n| format!("{:010}", 5_000_000_000_u64 + n))).prepare().unwrap();
    let report = run.journal(&path).run().await.unwrap();
    let journal = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(journal.contains("\"line\":\"refused\"") && journal.lines().count() > 2, "{journal}");
    assert_clean("the journal", &journal, &signatures(&local));
    let reasons: String = report.items().filter_map(|item| item.reason.map(str::to_owned)).collect();
    assert_clean("the report", &format!("{report} {report:?} {reasons}"), &signatures(&local));
}

#[tokio::test]
async fn panic_messages_have_no_secrets() {
    let _recorded = record();
    let (local, _) = service().await;
    let message = |work: &dyn Fn()| {
        let payload = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
        payload.downcast_ref::<String>().cloned().unwrap_or_default()
    };
    for text in [
        message(&|| local.queue_fault("NoSuchOperation", Fault::ResetAfter)),
        message(&|| local.fault_always("ListReadSets", Fault::response(99, "x"))),
    ] {
        assert!(!text.is_empty());
        assert_clean("a panic", &text, &[]);
    }
}
