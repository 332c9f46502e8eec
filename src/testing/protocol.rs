//! The published cases of the restJson1 protocol that apply hold for what this crate writes and reads.
//!
//! `tests/fixtures/rest-json` has them, and the names of those that do not apply with the reason for it.
#![allow(clippy::struct_field_names, reason = "the cases have them so")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;

use super::{Script, respond};
use crate::model::FileType;
use crate::model::time::to_iso8601;
use crate::protocol::endpoint::Host;
use crate::protocol::error_response::ErrorResponse;
use crate::protocol::json::field::Place;
use crate::protocol::json::{self, Field, json_struct};
use crate::protocol::request::{HostPrefix, Request};
use crate::protocol::response::Response;
use crate::protocol::sigv4::Secrets;

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn inputs() -> Vec<Value> {
    cases(include_str!("../../tests/fixtures/rest-json/input.json"))
}

fn outputs() -> Vec<Value> {
    cases(include_str!("../../tests/fixtures/rest-json/output.json"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn every_published_case_runs_or_is_listed_as_not_applicable() {
    let left_out: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> =
        serde_json::from_str(include_str!("../../tests/fixtures/rest-json/left_out.json")).unwrap();
    for (kind, cases, published) in [("input", inputs(), 113), ("output", outputs(), 91)] {
        let names: Vec<_> = cases.iter().map(|case| text(&case["id"]).to_owned()).collect();
        let all: BTreeSet<_> = left_out[kind].values().flatten().chain(&names).collect();
        let listed: usize = left_out[kind].values().map(BTreeSet::len).sum();
        assert_eq!(all.len(), published, "{kind}");
        assert_eq!(listed + names.len(), published, "{kind}");
    }
}

/// The fields of queries and their names there, in the order of the model.
const QUERY: &[(&str, &str)] = &[
    ("queryString", "String"),
    ("queryStringList", "StringList"),
    ("queryStringSet", "StringSet"),
    ("queryByte", "Byte"),
    ("queryShort", "Short"),
    ("queryInteger", "Integer"),
    ("queryIntegerList", "IntegerList"),
    ("queryIntegerSet", "IntegerSet"),
    ("queryLong", "Long"),
    ("queryFloat", "Float"),
    ("queryDouble", "Double"),
    ("queryDoubleList", "DoubleList"),
    ("queryBoolean", "Boolean"),
    ("queryBooleanList", "BooleanList"),
    ("queryTimestamp", "Timestamp"),
    ("queryTimestampList", "TimestampList"),
    ("queryEnum", "Enum"),
    ("queryEnumList", "EnumList"),
    ("queryIntegerEnum", "IntegerEnum"),
    ("queryIntegerEnumList", "IntegerEnumList"),
    ("nullValue", "Null"),
    ("emptyString", "Empty"),
];

/// A field of a path or query as text.
fn as_text(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(seconds) if name.to_lowercase().contains("timestamp") => {
            to_iso8601(at(seconds.as_i64().unwrap()))
        }
        other => other.to_string(),
    }
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}

fn wire_request(case: &Value) -> Request {
    let (params, mut uri) = (&case["params"], text(&case["given"]["http"]["requestUri"]).split('/'));
    assert_eq!(uri.next(), Some(""));
    let segment = |segment: &str| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => as_text(name, &params[name]),
        None => segment.to_owned(),
    };
    let segments: Vec<_> = uri.map(segment).collect();
    let mut request =
        Request::get(HostPrefix::ControlStorage, &segments.iter().map(String::as_str).collect::<Vec<_>>());
    for (field, name) in QUERY {
        let values = match &params[field] {
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        };
        for value in values {
            let value = (!value.is_null()).then(|| as_text(field, value));
            request = request.with_query(name, value.as_deref());
        }
    }
    request
}

#[test]
fn paths_queries_and_hosts_are_written_as_published() {
    let mut count = 0;
    for case in inputs() {
        let expected = &case["serialized"];
        if text(&expected["method"]) == "PUT" || !text(&expected["body"]).is_empty() {
            continue;
        }
        count += 1;
        let request = wire_request(&case);
        let base = Url::parse(case["clientEndpoint"].as_str().unwrap_or("https://example.com")).unwrap();
        let host = Host::new(&base, text(&case["given"]["endpoint"]["hostPrefix"])).unwrap();
        let uri = host.uri(&request.path, &request.query).unwrap();
        assert_eq!(uri.path_and_query().unwrap().as_str(), text(&expected["uri"]), "{}", case["id"]);
        // One case has the path after the host.
        let host = expected["host"].as_str().and_then(|host| host.split('/').next()).unwrap_or("example.com");
        assert_eq!(uri.host(), Some(host), "{}", case["id"]);
    }
    assert_eq!(count, 11);
}

json_struct! {
    /// The fields that the cases have in bodies. Enumerations are open: those of the cases are values that the crate
    /// does not know.
    #[derive(Serialize, Deserialize)]
    struct Body {
        string_value: Option<String>,
        byte_value: Option<u8>,
        short_value: Option<u16>,
        integer_value: Option<u32>,
        long_value: Option<u64>,
        test_config: Option<TestConfig>,
        contents: Option<Contents>,
        normal: Option<OffsetDateTime>,
        date_time: Option<OffsetDateTime>,
        date_time_on_target: Option<OffsetDateTime>,
        epoch_seconds: Option<OffsetDateTime>,
        epoch_seconds_on_target: Option<OffsetDateTime>,
        datetime: Option<OffsetDateTime>,
        string_list: Option<Vec<String>>,
        string_set: Option<Vec<String>>,
        integer_list: Option<Vec<i32>>,
        boolean_list: Option<Vec<bool>>,
        timestamp_list: Option<Vec<Seconds>>,
        enum_list: Option<Vec<FileType>>,
        int_enum_list: Option<Vec<i32>>,
        nested_string_list: Option<Vec<Vec<String>>>,
        my_structure_list: Option<Vec<Item>>,
        dense_struct_map: Option<BTreeMap<String, Greeting>>,
        dense_number_map: Option<BTreeMap<String, i32>>,
        dense_boolean_map: Option<BTreeMap<String, bool>>,
        dense_set_map: Option<BTreeMap<String, Vec<String>>>,
        foo_enum1: Option<FileType>,
        foo_enum2: Option<FileType>,
        foo_enum3: Option<FileType>,
        foo_enum_list: Option<Vec<FileType>>,
        foo_enum_set: Option<Vec<FileType>>,
        foo_enum_map: Option<BTreeMap<String, FileType>>,
    }

    #[derive(Serialize, Deserialize)]
    struct TestConfig {
        timeout: Option<u32>,
    }

    #[derive(Serialize, Deserialize)]
    struct Contents {
        structure_value: Option<Greeting>,
    }

    #[derive(Serialize, Deserialize)]
    struct Greeting {
        hi: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    struct Item {
        value: Option<String>,
        other: Option<String>,
    }
}

/// Types that only the cases have.
macro_rules! fields_of_cases {
    ($($Type:ty)+) => {$(
        impl Field for $Type {
            const EXPECTED: &'static str = stringify!($Type);

            fn absent() -> Self {
                Self::default()
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D, _: Place) -> Result<Option<Self>, D::Error> {
                Option::deserialize(deserializer)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )+};
}

fields_of_cases! { i32 u8 u16 }

/// A time that the model writes as seconds.
struct Seconds(OffsetDateTime);

impl Field for Seconds {
    const EXPECTED: &'static str = OffsetDateTime::EXPECTED;

    fn absent() -> Self {
        Self(OffsetDateTime::UNIX_EPOCH)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D, place: Place) -> Result<Option<Self>, D::Error> {
        Ok(OffsetDateTime::read(deserializer, place)?.map(Self))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.unix_timestamp().serialize(serializer)
    }
}

/// The fields of a case with the names and formats that they have in a body.
fn as_in_body(fields: &Value) -> Value {
    let mut fields = fields.clone();
    let all = fields.as_object_mut().unwrap();
    if let Some(Value::Array(mut items)) = all.remove("structureList") {
        for item in &mut items {
            *item = json!({"value": item["a"], "other": item["b"]});
        }
        all.insert("myStructureList".to_owned(), Value::Array(items));
    }
    for (name, value) in all.iter_mut() {
        let is_time = name.to_lowercase().contains("time")
            || ["normal", "epochSeconds", "epochSecondsOnTarget"].contains(&name.as_str());
        if let (true, Some(seconds)) = (is_time, value.as_f64()) {
            #[allow(clippy::cast_possible_truncation, reason = "the cases have milliseconds at most")]
            let millis = (seconds * 1e3).round() as i64;
            *value = json!(to_iso8601(at(millis / 1000) + time::Duration::milliseconds(millis % 1000)));
        }
    }
    fields
}

#[test]
fn bodies_are_written_as_published() {
    let mut count = 0;
    for case in inputs() {
        let expected = text(&case["serialized"]["body"]);
        if expected.is_empty() {
            continue;
        }
        count += 1;
        let body: Body = serde_json::from_str(&as_in_body(&case["params"]).to_string()).unwrap();
        let written: Value = serde_json::from_slice(&serde_json::to_vec(&body).unwrap()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(expected).unwrap(), "{}", case["id"]);
    }
    assert_eq!(count, 11);
}

#[tokio::test]
async fn only_a_request_with_a_body_has_a_content_type() {
    let script = Script::new([respond(200, &[], r#"{"id":"1234567890","status":"ACTIVE","readSets":[]}"#)]);
    let client = script.client();
    client.list_read_sets().sequence_store_id("1234567890").send().await.unwrap();
    client.get_read_set_metadata().sequence_store_id("1234567890").id("1234567890").send().await.unwrap();
    let mut count = 0;
    let sent = script.sent();
    for case in inputs() {
        let expected = &case["serialized"];
        let request = match text(&case["id"]) {
            "RestJsonHttpWithEmptyBody" => &sent[0],
            "RestJsonHttpGetWithNoModeledBody" | "RestJsonHttpGetWithNoInput" => &sent[1],
            _ => continue,
        };
        count += 1;
        assert_eq!(request.body, text(&expected["body"]), "{}", case["id"]);
        assert_eq!(request.header("content-type"), expected["headers"]["Content-Type"].as_str(), "{}", case["id"]);
        for name in expected["forbidHeaders"].as_array().into_iter().flatten() {
            assert_eq!(request.header(text(name)), None, "{}", case["id"]);
        }
    }
    assert_eq!(count, 3);
}

fn response_of(case: &Value) -> Response {
    let response = &case["response"];
    let headers = response["headers"].as_object().into_iter().flatten();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), text(value))).collect();
    super::response(
        u16::try_from(response["status_code"].as_u64().unwrap()).unwrap(),
        &headers,
        text(&response["body"]),
    )
}

#[test]
fn errors_are_read_as_published() {
    let mut count = 0;
    for case in outputs() {
        let Some(code) = case["errorCode"].as_str() else { continue };
        count += 1;
        let raw = response_of(&case);
        let error = ErrorResponse::read(&raw, SystemTime::now(), &Secrets::default());
        assert_eq!(error.code.as_deref(), Some(code), "{}", case["id"]);
        assert_eq!(error.status, raw.status, "{}", case["id"]);
        assert_eq!(error.message.as_deref(), case["errorMessage"].as_str(), "{}", case["id"]);
    }
    assert_eq!(count, 12);
}

#[test]
fn responses_are_read_as_published() {
    // Fields that are not in a body, or of a type that the crate does not read.
    const NOT_READ: [&str; 5] = ["foo", "trueBooleanValue", "falseBooleanValue", "floatValue", "doubleValue"];
    let mut count = 0;
    for case in outputs().iter().filter(|case| case["errorCode"].is_null()) {
        count += 1;
        let body: Body =
            json::from_response(&response_of(case)).unwrap_or_else(|error| panic!("{}: {}", case["id"], error.what));
        let mut expected = as_in_body(&case["result"]);
        expected.as_object_mut().unwrap().retain(|name, _| !NOT_READ.contains(&name.as_str()));
        assert_eq!(serde_json::to_value(&body).unwrap(), expected, "{}", case["id"]);
    }
    assert_eq!(count, 21);
}
