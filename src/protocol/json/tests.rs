//! Bodies of responses: what is read leniently, what is an error, and what the error says.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::datetime;

use super::json_struct;
use crate::Error;
use crate::read_set::GetReadSetImportJobOutput;
use crate::testing::{Script, respond};

const ITEM: &str = r#"{"sourceFiles":{"source1":"s3://bucket/key"},"status":"FINISHED"}"#;

async fn get(sources: &str) -> Result<GetReadSetImportJobOutput, Error> {
    let body = format!(r#"{{"id":"1234567890","status":"COMPLETED","sources":{sources}}}"#);
    let client = Script::new([respond(200, &[], &body)]).client();
    client.get_read_set_import_job().sequence_store_id("1234567890").id("1234567890").send().await
}

/// An item with further fields.
fn item(fields: &str) -> String {
    ITEM.replacen('{', &format!("{{{fields},"), 1)
}

#[tokio::test]
async fn a_list_that_would_fill_the_memory_is_refused() {
    let items = |item: &str, count| format!("[{}]", vec![item; count].join(","));
    assert_eq!(get(&items(ITEM, 10_000)).await.unwrap().sources.len(), 10_000);
    assert_eq!(get(&items("null", 200_000)).await.unwrap().sources.len(), 0);
    let error = get(&items("{}", 10_001)).await.unwrap_err();
    assert!(matches!(error, Error::UndecodableResponse(_)) && !error.is_retryable(), "{error}");
    assert!(error.report().to_string().contains("a list of more than 10000 items"), "{}", error.report());
}

#[tokio::test]
async fn no_message_quotes_a_megabyte() {
    let error = get(&format!(r#"[{{"tags":"{}"}}]"#, "é".repeat(1_000_000))).await.unwrap_err();
    let report = error.report().to_string();
    assert!(report.contains("the field sources[0].tags of the response can't be read"), "{report}");
    assert!(report.contains("at line 1 column"), "{report}");
    assert!(report.len() < 1_000 && format!("{error:?}").len() < 1_000, "{error:?}");
}

#[tokio::test]
async fn an_undecodable_response_names_the_field() {
    for (sources, expected) in [
        (r#"{"sourceId":"1"}"#, "the field sources of the response can't be read"),
        (r#"[null,"x"]"#, "the field sources[1] of the response can't be read"),
        ("\n[\n  null,\n  {\"tags\":[\"}\\\"]\"]}]", "the field sources[1].tags of the response can't be read"),
        (r#"[{"tags":{"patient name":7}}]"#, "the field sources[0].tags.… of the response can't be read"),
        (r#"[{"sampleId":"a","sampleId":"b"}]"#, "the field sources[0].sampleId of the response can't be read"),
        (r#"[{"sampleId":"a"},{"sampleId":"b"#, "not complete JSON, from sources[1].sampleId on"),
        (r#"[],"evil\u001b[2J":[1,"#, "not complete JSON, from …"),
    ] {
        let error = get(sources).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let client = Script::new([respond(200, &[], r#"{"readSets":[5]}"#)]).client();
    let error = client.list_read_sets().sequence_store_id("1234567890").send().await.unwrap_err();
    assert!(error.to_string().contains("the field readSets[0] of the response can't be read"), "{error}");
    let client = Script::new([respond(200, &[], r#"{"status":"ACTIVE"}"#)]).client();
    let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5000000001");
    assert!(call.send().await.unwrap_err().to_string().contains("the response has no id"));
}

#[tokio::test]
async fn a_field_that_is_given_twice_is_an_error() {
    let error = get(&format!("[{}]", item(r#""sampleId":"a","sampleId":"b""#))).await.unwrap_err();
    assert!(error.report().to_string().contains("duplicate field `sampleId`"), "{}", error.report());
}

#[tokio::test]
async fn names_and_values_may_be_escaped() {
    let job = get(&format!("[{}]", item(r#""sample\u0049d":"a\tb","tags":{"\u00e9":"\u00fc","none":null}"#))).await;
    let source = job.unwrap().sources.remove(0);
    assert_eq!(source.sample_id.as_ref().map(|id| id.as_str()), Some("a\tb"));
    assert_eq!(source.tags.into_iter().collect::<Vec<_>>(), [("é".to_owned(), "ü".to_owned())]);
}

#[tokio::test]
async fn a_value_of_another_type_costs_its_item_nothing_else() {
    let fields = r#""sourceFileType":[[1]],"name":{"a":[]},"subjectId":5.5,"sampleId":"s""#;
    let source = get(&format!("[{}]", item(fields))).await.unwrap().sources.remove(0);
    assert_eq!(source.sample_id.as_ref().map(|id| id.as_str()), Some("s"));
    assert_eq!((&source.source_file_type, &source.name, &source.subject_id), (&None, &None, &None));
}

#[tokio::test]
async fn an_item_that_is_no_object_is_an_error() {
    for items in ["[1]", r#"["s3://bucket/key"]"#, "[true]", r#"[["s3://bucket/key"]]"#, "[[]]"] {
        let error = get(items).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)), "{items}: {error}");
    }
}

#[tokio::test]
async fn an_item_without_its_files_or_status_is_left_out() {
    let items = format!(r#"[{{"status":"FINISHED"}},{{"sourceFiles":{{"source1":"s3://bucket/key"}}}},{ITEM}]"#);
    assert_eq!(get(&items).await.unwrap().sources.len(), 1);
}

#[tokio::test]
async fn an_output_is_the_same_after_it_was_stored() {
    let fields = r#""sourceFileType":"NEW","creationTime":"2026-11-22T01:36:38.158Z","tags":{"k":"v"}"#;
    let job = get(&format!("[{ITEM},{}]", item(fields))).await.unwrap();
    let stored = serde_json::to_string(&job).unwrap();
    assert_eq!(serde_json::from_str::<GetReadSetImportJobOutput>(&stored).unwrap(), job);
}

json_struct! {
    #[derive(Serialize, Deserialize)]
    struct Holder {
        at: Option<OffsetDateTime>,
    }
}

fn read_time(json: &str) -> serde_json::Result<Option<OffsetDateTime>> {
    serde_json::from_str::<Holder>(&format!("{{\"at\":{json}}}")).map(|holder| holder.at)
}

#[test]
fn every_format_of_a_time_is_read() {
    for (json, expected) in [
        (r#""2022-11-23T01:36:38.158Z""#, datetime!(2022-11-23 01:36:38.158 UTC)),
        (r#""2022-11-23T01:36:38Z""#, datetime!(2022-11-23 01:36:38 UTC)),
        (r#""2022-11-23T01:36:38.123456Z""#, datetime!(2022-11-23 01:36:38.123456 UTC)),
        (r#""2022-11-23T01:36:38.123456789Z""#, datetime!(2022-11-23 01:36:38.123456789 UTC)),
        (r#""2022-11-23T01:36:38+00:00""#, datetime!(2022-11-23 01:36:38 UTC)),
        (r#""2022-11-23T07:06:38.5+05:30""#, datetime!(2022-11-23 01:36:38.5 UTC)),
        (r#""2022-11-23T07:06:38+0530""#, datetime!(2022-11-23 01:36:38 UTC)),
        (r#""2022-11-22T17:36:38-08:00""#, datetime!(2022-11-23 01:36:38 UTC)),
        ("1669167398", datetime!(2022-11-23 01:36:38 UTC)),
        ("1669167398.158", datetime!(2022-11-23 01:36:38.158 UTC)),
        ("-1", datetime!(1969-12-31 23:59:59 UTC)),
        ("0", datetime!(1970-01-01 00:00 UTC)),
    ] {
        assert_eq!(read_time(json).unwrap(), Some(expected), "{json}");
    }
}

#[test]
fn an_absent_time_is_none() {
    assert_eq!(read_time("null").unwrap(), None);
    assert_eq!(read_time("\"\"").unwrap(), None);
    assert_eq!(serde_json::from_str::<Holder>("{}").unwrap().at, None);
}

#[test]
fn text_that_is_not_a_time_is_none() {
    for json in [
        r#""yesterday""#,
        r#""2022-13-01T00:00:00Z""#,
        r#""2022-11-23""#,
        "true",
        "[]",
        "1e300",
        "{\"seconds\":1}",
        r#""1""#,
        r#""é""#,
        "99999999999999999999",
    ] {
        assert_eq!(read_time(json).unwrap(), None, "{json}");
    }
}
