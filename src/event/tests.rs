use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::job::Started as _;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/events/", $name, ".json"))
    };
}

fn client() -> Client {
    let builder = Client::builder().region("us-west-2").endpoint_url("http://127.0.0.1:9");
    builder.credentials(crate::Credentials::new("AKID", "secret", None, None, "test")).build().unwrap()
}

#[test]
fn the_documented_event_of_a_read_set_is_read() {
    let event: Event = fixture!("read_set_status_change").parse().unwrap();
    assert_eq!(event.id.as_deref(), Some("5c1f2a70-1d6e-4c38-8f0b-92b7a6d0e513"));
    assert_eq!((event.source.as_str(), event.detail_type.as_str()), ("aws.omics", "Read Set Status Change"));
    assert_eq!((event.account.as_deref(), event.region.as_deref()), (Some("123456789012"), Some("eu-west-2")));
    assert_eq!(event.time, Some(datetime!(2026-11-20 08:15:30 UTC)));
    let arn = "arn:aws:omics:eu-west-2:123456789012:sequenceStore/0987654321/readSet/5555555555";
    assert_eq!(event.resources, [arn]);
    let expected = ReadSetChange {
        id: "5555555555".into(),
        sequence_store_id: "0987654321".into(),
        status: ReadSetStatus::ProcessingUpload,
        status_message: None,
        arn: Some(arn.into()),
        creation_job_id: None,
        omics_version: Some("1.0.0".to_owned()),
    };
    assert_eq!(event.change, Change::ReadSet(expected));
}

#[test]
fn an_event_of_each_kind_of_job_identifies_its_job() {
    let client = client();
    let event: Event = fixture!("import_job_status_change").parse().unwrap();
    let Change::ImportJob(change) = event.change else { panic!("{event:?}") };
    assert_eq!(change.to_string(), "import job 0123456789 is COMPLETED_WITH_FAILURES");
    assert_eq!(change.status_message.as_deref(), Some("The job completed with failures."));
    let job = change.job(&client);
    assert!(job.token().is_known_to_exist());
    assert_eq!((job.to_string(), job.sequence_store_id().as_str()), ("import job 0123456789".into(), "1234567890"));

    let event = Event::from_slice(fixture!("export_job_status_change").as_bytes()).unwrap();
    let Change::ExportJob(change) = event.change else { panic!("{event:?}") };
    assert!(change.status.is_terminal());
    assert_eq!(change.job(&client).to_string(), "export job 2345678901");

    let event: Event = serde_json::from_str(fixture!("activation_job_status_change")).unwrap();
    let Change::ActivationJob(change) = event.change else { panic!("{event:?}") };
    assert_eq!((&change.status, change.status_message.as_deref()), (&JobStatus::Submitted, None));
    assert_eq!(change.job(&client).to_string(), "activation job 3456789012");
}

#[test]
fn events_of_other_kinds_and_services_are_kept() {
    let event: Event = fixture!("run_status_change").parse().unwrap();
    let Change::Other(detail) = &event.change else { panic!("{event:?}") };
    assert_eq!(detail["runId"], "7654321");
    let foreign = json!({ "source": "my.app", "detail-type": "Read Set Import Job Status Change", "detail": [1] });
    assert_eq!(Event::try_from(foreign).unwrap().change, Change::Other(json!([1])));
}

#[test]
fn unknown_and_malformed_fields_do_not_lose_an_event() {
    let event = json!({
        "source": "aws.omics", "detail-type": "Read Set Export Job Status Change", "replay-name": "unknown",
        "id": 5, "account": null, "time": "soon", "resources": "none", "region": "",
        "detail": { "id": "1", "sequenceStoreId": "2", "status": "PAUSED", "statusMessage": "", "more": {} },
    });
    let event = Event::try_from(event).unwrap();
    assert_eq!((&event.id, &event.account, &event.time, &event.region), (&None, &None, &None, &None));
    assert!(event.resources.is_empty());
    let Change::ExportJob(change) = event.change else { panic!("{event:?}") };
    assert_eq!((change.status.as_str(), change.status_message), ("PAUSED", None));
    assert!(!change.status.is_terminal());
}

#[test]
fn invalid_events_are_refused_with_the_reason() {
    let known = "Read Set Import Job Status Change";
    let with = |detail: Value| json!({ "source": "aws.omics", "detail-type": known, "detail": detail }).to_string();
    for (text, reason) in [
        (String::new(), "not JSON"),
        ("[]".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "it has no source"),
        (json!({ "source": "aws.omics" }).to_string(), "it has no detail-type"),
        (json!({ "source": "aws.omics", "detail-type": known }).to_string(), "it has no detail"),
        (with(json!(["1", "2", "COMPLETED"])), "it has no detail"),
        (with(json!({ "sequenceStoreId": "2", "status": "COMPLETED" })), "it has no detail.id"),
        (with(json!({ "id": "1", "status": "COMPLETED" })), "it has no detail.sequenceStoreId"),
        (with(json!({ "id": "1", "sequenceStoreId": "2", "status": 3 })), "it has no detail.status"),
    ] {
        let line = text.parse::<Event>().unwrap_err().to_string();
        assert!(line.starts_with("not an event of EventBridge") && line.ends_with(reason), "{text}: {line}");
        assert!(serde_json::from_str::<Event>(&text).is_err(), "{text}");
    }
}
