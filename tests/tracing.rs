//! Spans have operation, attempt, status, request id and duration, and no secrets. Spans of the caller are not changed.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use healthomics::local::{Fault, LocalService, Pace};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

/// Every value of every field of a span, in the order of recording.
#[derive(Clone, Debug)]
struct Recorded {
    name: &'static str,
    fields: HashMap<&'static str, Vec<String>>,
}

impl Visit for Recorded {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.entry(field.name()).or_default().push(format!("{value:?}"));
    }
}

impl Recorded {
    /// The only value of a field.
    fn one(&self, field: &str) -> &str {
        let values = self.fields.get(field).unwrap_or_else(|| panic!("no {field} in {self:?}"));
        assert_eq!(values.len(), 1, "{field} in {self:?}");
        values[0].trim_matches('"')
    }
}

#[derive(Clone, Default)]
struct Recorder {
    spans: Arc<Mutex<Vec<(Id, Recorded)>>>,
    /// Everything that a subscriber receives, from any crate.
    text: Arc<Mutex<String>>,
}

impl Recorder {
    fn spans(&self, name: &str) -> Vec<Recorded> {
        let spans = self.spans.lock().unwrap();
        spans.iter().filter(|(_, span)| span.name == name).map(|(_, span)| span.clone()).collect()
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        let mut span = Recorded { name: attributes.metadata().name(), fields: HashMap::new() };
        attributes.record(&mut span);
        write!(self.text.lock().unwrap(), "{span:?}").unwrap();
        self.spans.lock().unwrap().push((id.clone(), span));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.spans.lock().unwrap();
        // Ids are reused: the newest span has it.
        let (_, span) = spans.iter_mut().rev().find(|(known, _)| known == id).unwrap();
        values.record(span);
        write!(self.text.lock().unwrap(), "{span:?}").unwrap();
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut recorded = Recorded { name: event.metadata().name(), fields: HashMap::new() };
        event.record(&mut recorded);
        write!(self.text.lock().unwrap(), "{recorded:?}").unwrap();
    }
}

#[tokio::test]
async fn the_spans_of_a_call_have_everything_but_secrets() {
    let recorder = Recorder::default();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(recorder.clone()));

    let secrets = Credentials::new("AKIDCANARY", "SECRETCANARY", Some("SESSIONCANARY".to_owned()), None, "test");
    let local = LocalService::builder().credentials(secrets).start().await.unwrap();
    let store = local.create_sequence_store();
    local.queue_fault("StartReadSetActivationJob", Fault::error(500, "InternalServerException", "An error"));
    let client = local.client().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5000000001"]);
    let job = call.client_token("TOKENCANARY").send().await.unwrap();
    let missing = client.get_read_set_activation_job().sequence_store_id(&store).id("1234567890");
    let error = missing.send().await.unwrap_err();
    drop(guard);

    let calls = recorder.spans("healthomics.call");
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].one("operation"), "StartReadSetActivationJob");
    assert_eq!((calls[0].one("attempts"), calls[0].one("status")), ("2", "200"));
    assert_eq!(Some(calls[0].one("request_id")), job.request_id.as_deref());
    assert!(calls[0].one("duration_ms").parse::<u64>().is_ok());
    assert!(!calls[0].fields.contains_key("error"));
    assert_eq!(calls[1].one("operation"), "GetReadSetActivationJob");
    assert_eq!((calls[1].one("attempts"), calls[1].one("status")), ("1", "404"));
    assert_eq!(Some(calls[1].one("request_id")), error.request_id());
    assert_eq!(calls[1].one("error"), error.to_string());

    let attempts = recorder.spans("healthomics.attempt");
    let attempts_and_statuses: Vec<_> = attempts.iter().map(|span| (span.one("attempt"), span.one("status"))).collect();
    assert_eq!(attempts_and_statuses, [("1", "500"), ("2", "200"), ("1", "404")]);
    assert!(attempts.iter().all(|span| span.one("request_id").len() == 36 && !span.one("duration_ms").is_empty()));

    let text = recorder.text.lock().unwrap().clone();
    let signature = local.requests()[0].header("authorization").unwrap().rsplit_once('=').unwrap().1.to_owned();
    for secret in ["SECRETCANARY", "SESSIONCANARY", "TOKENCANARY", &signature] {
        assert!(!text.contains(secret), "{secret} is in the trace\n{text}");
    }
    assert!(text.contains("attempt failed, retrying"), "events are recorded");
}

#[tokio::test]
async fn the_spans_of_the_caller_are_not_changed() {
    let recorder = Recorder::default();
    let only_the_users = tracing_subscriber::filter::filter_fn(|metadata| metadata.target() == "user");
    let subscriber = tracing_subscriber::registry().with(recorder.clone().with_filter(only_the_users));
    let guard = tracing::subscriber::set_default(subscriber);

    let local = LocalService::start().await.unwrap();
    let store = local.create_sequence_store();
    let client = local.client().unwrap();
    let empty = tracing::field::Empty;
    let span = tracing::info_span!(target: "user", "request", request_id = empty, status = empty, attempts = empty);
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5000000001"]);
    tracing::Instrument::instrument(call.send(), span).await.unwrap();
    drop(guard);

    let users = recorder.spans("request");
    assert_eq!(users.len(), 1);
    assert!(users[0].fields.is_empty(), "{users:?}");
}

#[tokio::test]
async fn an_outage_is_a_warning_when_it_begins_and_when_its_cause_changes() {
    let recorder = Recorder::default();
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(recorder.clone()));
    let count = |message: &str| recorder.text.lock().unwrap().matches(message).count();

    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(50))).start().await.unwrap();
    let store = local.create_sequence_store();
    let client = local.client_builder().max_attempts(1).requests_per_second(None).build().unwrap();
    let (every, fail) = (Duration::from_millis(1), |operation: &str, status, code, times| {
        (0..times).for_each(|_| local.queue_fault(operation, Fault::error(status, code, "later")));
    });
    fail("GetReadSetActivationJob", 503, "ServiceUnavailable", 3);
    fail("GetReadSetActivationJob", 429, "ThrottlingException", 2);
    let start = || client.start_read_set_activation_job().sequence_store_id(&store).sources(["5000000001"]);
    let job = client.job(&start().send().await.unwrap());
    drop(job.wait().poll_every(every).await.unwrap());
    assert_eq!((count("the job can't be seen at present, retrying"), count("the job is seen again")), (2, 1));

    fail("ListReadSetActivationJobs", 503, "ServiceUnavailable", 2);
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(client.job(&start().send().await.unwrap()));
    }
    let mut watch = client.watch(jobs).poll_every(every);
    while watch.next().await.is_some() {}
    assert_eq!((count("jobs can't be seen at present, retrying"), count("all jobs are seen again")), (1, 1));

    fail("StartReadSetActivationJob", 503, "ServiceUnavailable", 1);
    let run = client.activate_read_sets().run_id("r").sequence_store_id(&store).read_sets(["5000000001"]).prepare();
    drop(run.unwrap().poll_every(every).run().await.unwrap());
    assert_eq!((count("jobs can't be started at present, retrying"), count("jobs can be started again")), (1, 1));
    drop(guard);
}
