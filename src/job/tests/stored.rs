//! Tokens, summaries and progress that are written and read by serde.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::macros::datetime;

use super::*;
use crate::testing::service::created;

fn assert_lossless<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let stored = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&stored).unwrap(), value, "{stored}");
    let tree = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_value::<T>(tree).unwrap(), value);
}

fn import_job(status: &str) -> GetReadSetImportJobOutput {
    let job = json!({
        "id": "1234567890",
        "sequenceStoreId": "1111111111",
        "status": status,
        "statusMessage": "The job completed with failures.",
        "creationTime": "2026-11-21T12:00:00.123Z",
        "completionTime": "2026-11-21T13:00:00Z",
        "sources": [
            { "sourceFiles": { "source1": "s3://b/1" }, "status": "FINISHED", "readSetId": "5000000000" },
            { "sourceFiles": { "source1": "s3://b/2" }, "status": "FAILED", "statusMessage": "File validation failed" },
            { "sourceFiles": { "source1": "s3://b/3" }, "status": "NEW" },
        ],
    });
    serde_json::from_value(job).unwrap()
}

#[test]
fn a_job_serializes_as_its_token() {
    let client = Script::new([state("SUBMITTED", &[])]).client();
    let job = client.import_job("1111111111", "1234567890");
    let stored = serde_json::to_value(&job).unwrap();
    let expected = json!({
        "kind": "import", "sequenceStoreId": "1111111111", "jobId": "1234567890", "knownToExist": false,
    });
    assert_eq!(stored, expected);
    assert_eq!(serde_json::to_value(job.token()).unwrap(), expected);

    let started = job.created_at(created(Duration::from_nanos(1))).known_to_exist();
    let token: JobToken<Import> = serde_json::from_value(serde_json::to_value(&started).unwrap()).unwrap();
    assert_lossless(&token);
    assert_eq!(&token, started.token());
    let resumed = client.job(&token);
    assert_eq!(resumed.token(), started.token());
    assert_eq!(resumed.to_string(), "import job 1234567890");
}

#[test]
fn optional_and_unknown_fields_of_a_token_are_ignored() {
    let stored = json!({ "kind": "export", "sequenceStoreId": "1111111111", "jobId": "1234567890", "version": 2 });
    let token: JobToken<Export> = serde_json::from_value(stored).unwrap();
    let client = Script::new([state("SUBMITTED", &[])]).client();
    assert_eq!(&token, client.export_job("1111111111", "1234567890").token());
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let client = Script::new([state("SUBMITTED", &[])]).client();
    let stored = serde_json::to_string(&client.export_job("1111111111", "1234567890")).unwrap();
    let error = serde_json::from_str::<JobToken<Activation>>(&stored).unwrap_err().to_string();
    assert!(error.starts_with("the token has the kind `export`, not `activation`"), "{error}");
    assert!(serde_json::from_str::<JobToken<Import>>(&stored).is_err());
    assert!(serde_json::from_str::<JobToken<Export>>(&stored).is_ok());
    for missing in ["kind", "sequenceStoreId", "jobId"] {
        let mut fields: Value = serde_json::from_str(&stored).unwrap();
        fields.as_object_mut().unwrap().remove(missing);
        assert!(serde_json::from_value::<JobToken<Export>>(fields).unwrap_err().to_string().contains(missing));
    }
}

#[test]
fn a_summary_has_what_the_outcome_has() {
    let outcome = Outcome::<Import>::of(import_job("COMPLETED_WITH_FAILURES")).unwrap();
    let summary = outcome.summary();
    assert_eq!((summary.kind.as_str(), summary.job_id.as_str()), ("import", "1234567890"));
    assert_eq!(summary.sequence_store_id, "1111111111");
    assert_eq!(summary.status, JobStatus::CompletedWithFailures);
    assert_eq!(summary.status_message.as_deref(), Some("The job completed with failures."));
    assert_eq!(summary.creation_time, Some(datetime!(2026-11-21 12:00:00.123 UTC)));
    assert_eq!(summary.completion_time, Some(datetime!(2026-11-21 13:00 UTC)));
    let finished: Vec<_> = summary.finished_items().map(|item| item.read_set_id.as_ref().unwrap().as_str()).collect();
    assert_eq!(finished, ["5000000000"]);
    let failed: Vec<_> = summary.failed_items().map(|item| item.name.as_str()).collect();
    assert_eq!(failed, ["s3://b/2", "s3://b/3"]);
    assert_eq!(summary.items[1].status_message.as_deref(), Some("File validation failed"));
    assert_lossless(&summary);

    let item = json!({ "id": "5000000001", "status": "FINISHED" });
    let job = json!({ "id": "1234567890", "sequenceStoreId": "1", "status": "COMPLETED", "readSets": [item] });
    let summary = Outcome::<Export>::Completed(serde_json::from_value(job).unwrap()).summary();
    assert_eq!(summary.kind, "export");
    assert_eq!((summary.items[0].name.as_str(), summary.items[0].status_message.as_ref()), ("5000000001", None));
    assert_eq!(summary.items[0].read_set_id.as_ref().unwrap(), "5000000001");
    assert_lossless(&summary);

    let item = json!({ "readSetId": "5000000002", "status": "FAILED" });
    let job = json!({ "id": "1234567890", "sequenceStoreId": "1", "status": "FAILED", "sources": [item] });
    let summary = Outcome::<Activation>::Failed(serde_json::from_value(job).unwrap()).summary();
    assert_eq!((summary.kind.as_str(), summary.items[0].name.as_str()), ("activation", "5000000002"));
    assert_lossless(&summary);
}

#[test]
fn a_summary_with_the_required_fields_only_is_read() {
    let required = json!({ "kind": "export", "sequenceStoreId": "1", "jobId": "2", "status": "CANCELLED" });
    let summary: OutcomeSummary = serde_json::from_value(required.clone()).unwrap();
    assert_eq!((summary.items.len(), summary.creation_time, summary.status), (0, None, JobStatus::Cancelled));
    for field in ["kind", "sequenceStoreId", "jobId", "status"] {
        let mut fields = required.clone();
        fields.as_object_mut().unwrap().remove(field);
        assert!(serde_json::from_value::<OutcomeSummary>(fields).is_err(), "{field}");
    }
}

#[test]
fn states_and_outcomes_are_compared_and_stored() {
    let job = import_job("COMPLETED");
    assert_lossless(&job);
    let outcome = Outcome::<Import>::of(job.clone()).unwrap();
    assert_eq!(outcome, Outcome::Completed(job.clone()));
    assert_ne!(outcome, Outcome::Failed(job));
}

#[test]
fn progress_is_stored_without_loss() {
    let retrying: Retrying =
        serde_json::from_value(json!({ "since": "2026-11-28T06:00:00.000000001+01:00", "error": "HTTP 503" })).unwrap();
    assert_lossless(&retrying);
    let progress = Progress::of(Some(&import_job("IN_PROGRESS")), Duration::new(5, 7), Some(retrying.clone()));
    assert_lossless(&progress);
    assert_eq!(
        serde_json::to_value(&progress).unwrap(),
        json!({
            "status": "IN_PROGRESS", "total": 3, "finished": 1, "failed": 1, "inProgress": 1, "notStarted": 0,
            "settled": 2, "elapsed": { "secs": 5, "nanos": 7 },
            "retrying": { "since": "2026-11-28T05:00:00.000000001Z", "error": "HTTP 503" },
        })
    );
    let default = Progress::default();
    assert_lossless(&default);
    assert_eq!(serde_json::from_str::<Progress>("{}").unwrap(), default);

    let watch = WatchProgress { total: 3, running: 1, ended: 2, elapsed: Duration::MAX, retrying: Some(retrying) };
    assert_lossless(&watch);
    assert_eq!(serde_json::from_str::<WatchProgress>("{}").unwrap(), WatchProgress::default());

    for invalid in [json!({ "error": "no time" }), json!({ "since": "yesterday", "error": "" })] {
        assert!(serde_json::from_value::<Retrying>(invalid).is_err());
    }
}
