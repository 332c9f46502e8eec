//! Spans tell operation, attempt, status, request id and duration, and never a secret.
#![allow(clippy::unwrap_used)]

use std::io;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use healthomics::local::{Fault, LocalService};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Buffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// One test in one file: the subscriber is the process's.
#[tokio::test]
async fn a_traced_call_tells_everything_but_secrets() {
    let buffer = Buffer::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(buffer.clone())
        .with_ansi(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let secrets = Credentials::new("AKIDCANARY", "SECRETCANARY", Some("SESSIONCANARY".to_owned()), None, "test");
    let local = LocalService::builder().credentials(secrets).start().await.unwrap();
    let store = local.create_sequence_store();
    local.queue_fault("StartReadSetActivationJob", Fault::error(500, "InternalServerException", "An error"));
    let client = local.client().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5000000001"]);
    let job = call.client_token("TOKENCANARY").send().await.unwrap();
    let missing = client.get_read_set_activation_job().sequence_store_id(&store).id("1234567890");
    let error = missing.send().await.unwrap_err();

    let text = buffer.text();
    let span = |name: &str, parts: &[&str]| {
        let found = text.lines().any(|line| line.contains(name) && parts.iter().all(|part| line.contains(part)));
        assert!(found, "no {name} with {parts:?} in\n{text}");
    };
    let of_start = "operation=\"StartReadSetActivationJob\"";
    span("healthomics.attempt{", &[of_start, "attempt=1", "status=500", "request_id=", "duration_ms="]);
    span("healthomics.attempt{", &[of_start, "attempt=2", "status=200", "request_id=", "duration_ms="]);
    let request_id = format!("request_id=\"{}\"", job.request_id.unwrap());
    span("healthomics.call{", &[of_start, "attempts=2", "status=200", &request_id, "duration_ms="]);
    let failed = format!("error={error}");
    span("healthomics.call{", &["operation=\"GetReadSetActivationJob\"", "attempts=1", "status=404", &failed]);

    let own: Vec<_> = text.lines().filter(|line| line.contains("healthomics")).collect();
    assert!(own.len() > 5);
    let signature = local.requests()[0].header("authorization").unwrap().rsplit_once('=').unwrap().1.to_owned();
    for secret in ["SECRETCANARY", "SESSIONCANARY", "TOKENCANARY", &signature] {
        assert!(!text.contains(secret), "{secret} is in the trace\n{text}");
    }
}
