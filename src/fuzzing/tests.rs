//! The targets with generated input, with altered responses of the service, and with the stored corpus.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use super::*;

type Target = fn(&[u8]);

const TARGETS: &[(&str, Target)] = &[
    ("responses", responses),
    ("errors", errors),
    ("times", times),
    ("enums", enums),
    ("endpoint", endpoint),
    ("journal", journal),
    ("manifest", manifest),
    #[cfg(feature = "local")]
    ("local_request", local_request),
    #[cfg(feature = "local")]
    ("local_signature", local_signature),
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn the_stored_corpus_passes() {
    // The package has neither the programs of the targets nor their corpus.
    if !folder("fuzz").exists() {
        return;
    }
    for (name, target) in TARGETS {
        let corpus = files(&folder("tests/fixtures/corpus").join(name));
        assert!(corpus.len() >= 5, "{name} has {} files", corpus.len());
        for data in &corpus {
            target(data);
        }
    }
}

/// The target `responses` with a body as the response of each operation.
fn responses_of_each_operation(body: &[u8]) {
    for selector in 0..OPERATIONS.len() {
        responses(&[&[u8::try_from(selector).unwrap()], body].concat());
    }
}

/// A response in the form of the service.
fn fixture() -> impl Strategy<Value = Vec<u8>> {
    let all = files(&folder("tests/fixtures/responses"));
    assert!(all.len() > 100);
    select(all)
}

/// A value of a type or content that a field does not expect.
fn hostile_value() -> impl Strategy<Value = Value> {
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        hostile_text().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[null, {}, "x"]])),
        Just(json!({"id": {"id": []}})),
        Just(deep),
    ]
}

fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "",
            "..",
            "/",
            "%2f",
            "a\r\nb",
            "\0",
            "😀",
            "\u{202e}",
            "\u{feff}",
            "9999-12-31T23:59:60Z",
            "+1",
            "-0",
            "0000-00-00T00:00:00Z",
            "2022-11-23T01:36:38.158+99:99",
            "1e999",
            "COMPLETED ",
            "completed",
        ])
        .prop_map(str::to_owned),
        (0..7_000_usize).prop_map(|length| "x".repeat(length)),
        "\\PC{0,60}",
    ]
}

/// Every place in a value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, &format!("{at}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// A fixture with some of its values replaced.
fn changed_json(original: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (original, vec((any::<Index>(), hostile_value()), 1..4)).prop_map(|(original, changes)| {
        let mut value: Value = serde_json::from_slice(&original).unwrap_or_default();
        for (index, change) in changes {
            let mut found = Vec::new();
            places(&value, "", &mut found);
            if let Some(place) = value.pointer_mut(&found[index.index(found.len())]) {
                *place = change;
            }
        }
        value.to_string().into_bytes()
    })
}

/// Input with bytes removed, inserted and overwritten.
fn damaged(original: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![vec(any::<u8>(), 0..8), hostile_text().prop_map(String::into_bytes)];
    (original, vec((any::<Index>(), 0..40_usize, piece), 1..5)).prop_map(|(mut data, edits)| {
        for (index, length, piece) in edits {
            let start = index.index(data.len() + 1);
            let end = (start + length).min(data.len());
            data.splice(start..end, piece);
        }
        data
    })
}

fn error_response() -> impl Strategy<Value = Vec<u8>> {
    let header = select(vec![
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-amz-request-id",
        "retry-after",
        "x-amz-retry-after",
        "date",
        "age",
        "content-type",
    ]);
    let value = prop_oneof![
        hostile_text(),
        any::<u64>().prop_map(|number| number.to_string()),
        select(vec!["ThrottlingException:http://x", "ns#ExpiredToken", "Fri, 31 Dec 9999 23:59:59 GMT"])
            .prop_map(str::to_owned),
    ];
    let field = select(vec!["message", "Message", "errorMessage", "code", "__type"]);
    let body = prop_oneof![
        vec((field, hostile_value()), 0..6).prop_map(|fields| {
            let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
            Value::Object(fields.collect()).to_string().into_bytes()
        }),
        vec(any::<u8>(), 0..400),
        hostile_text().prop_map(|text| format!("<html>{text}").into_bytes()),
    ];
    (100..1_000_u16, vec((header, value), 0..8), body).prop_map(|(status, headers, body)| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("\n{name}: {value}")).collect();
        [format!("{status}{}\n\n", headers.concat()).as_bytes(), &body].concat()
    })
}

fn journal_line() -> impl Strategy<Value = Vec<u8>> {
    let whole = select(vec![
        json!({"line": "starting", "group": 1, "token": "x"}),
        json!({"line": "started", "group": 3, "job": "0000000013"}),
        json!({"line": "ended", "group": 3, "job": "1", "status": "FAILED", "items": [{"position": 6, "status": "X"}]}),
        json!({"line": "refused", "group": 4, "error": "no"}),
        json!({"line": "unknown kind", "group": 4}),
    ]);
    changed_json(whole.prop_map(|line| line.to_string().into_bytes()))
}

fn source() -> impl Strategy<Value = Vec<u8>> {
    let source = json!({
        "sourceFiles": {"source1": "s3://bucket/a", "source2": "s3://bucket/b"},
        "sourceFileType": "FASTQ",
        "subjectId": "subject",
        "sampleId": "sample",
        "referenceArn": "arn:x",
        "tags": {"k": "v", "l": ""},
    });
    Just(source.to_string().into_bytes())
}

#[cfg(feature = "local")]
fn local_message() -> impl Strategy<Value = Vec<u8>> {
    let store = crate::local::fuzzing::STORE;
    let start = json!({
        "clientToken": "token",
        "destination": "s3://bucket/",
        "roleArn": "arn:aws:iam::123456789012:role/r",
        "sources": [{
            "readSetId": "5436563658",
            "sourceFiles": {"source1": "s3://bucket/a"},
            "sourceFileType": "UBAM",
            "subjectId": "subject",
            "sampleId": "sample",
            "tags": {"k": "v"},
        }],
    });
    let list = json!({"filter": {"status": "ACTIVE", "createdAfter": "1970-01-01T00:00:00Z"}});
    let body = changed_json(select(vec![start.clone(), list]).prop_map(|body| body.to_string().into_bytes()));
    let body = prop_oneof![1 => Just(start.to_string().into_bytes()), 3 => body];
    let target = prop_oneof![
        select(vec![
            "exportjob",
            "importjob",
            "activationjob",
            "exportjobs",
            "importjobs",
            "activationjobs",
            "readsets"
        ])
        .prop_map(move |last| format!("POST /sequencestore/{store}/{last}")),
        Just(format!("GET /sequencestore/{store}/readset/5436563658/metadata")),
        "GET /sequencestore/[0-9%a-f./]{0,20}/exportjob/[0-9]{0,12}",
    ];
    let query = prop_oneof![Just(String::new()), "\\?(maxResults|nextToken)=[0-9a-f%+&=-]{0,80}"];
    (target, query, body).prop_map(|(target, query, body)| [format!("{target}{query}\n\n").as_bytes(), &body].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(data in vec(any::<u8>(), 0..300)) {
        for (_, target) in TARGETS {
            target(&data);
        }
    }

    #[test]
    fn any_text(data in "(\\PC|[\\r\\n\\t]){0,200}") {
        for (_, target) in TARGETS {
            target(data.as_bytes());
        }
    }

    #[test]
    fn responses_with_other_values(data in changed_json(fixture())) {
        responses_of_each_operation(&data);
    }

    #[test]
    fn damaged_responses(data in damaged(fixture())) {
        responses_of_each_operation(&data);
    }

    #[test]
    fn all_kinds_of_error_responses(data in error_response()) {
        errors(&data);
    }

    #[test]
    fn all_kinds_of_times(text in "\"?[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|[+-][0-9]{2}:?[0-9]{2})?\"?") {
        times(text.as_bytes());
    }

    #[test]
    fn all_kinds_of_numbers_as_times(float in any::<f64>(), whole in any::<i64>()) {
        times(float.to_string().as_bytes());
        times(whole.to_string().as_bytes());
    }

    #[test]
    fn near_misses_of_enums(known in select(vec!["COMPLETED", "FASTQ", "FASTQ_MD5up", "ACTIVE"]), change in damaged(Just(Vec::new()))) {
        enums(known.as_bytes());
        enums(&[known.as_bytes(), &change].concat());
        enums(serde_json::to_string(known).unwrap().as_bytes());
    }

    #[test]
    fn all_kinds_of_regions(flags in 0..8_u8, region in "[a-z]{2}(-[a-z]{1,4}){0,2}-[a-z]{1,9}-[0-9]{1,3}[./@#?: \\\\a-z]{0,9}") {
        endpoint(&[&[flags], region.as_bytes()].concat());
    }

    #[test]
    fn all_kinds_of_urls(flags in 0..8_u8, url in "(http|https|file|HTTP)?:?/{0,3}([a-z0-9.%:@\\[\\]-]{0,20})(:[0-9]{0,6})?([/\\\\.%a-z0-9?# \\r\\n\\t😀\u{202e}]{0,20})") {
        endpoint(&[&[flags], "us-east-1\n".as_bytes(), url.as_bytes()].concat());
    }

    #[test]
    fn manifests_with_other_values(data in changed_json(source())) {
        manifest(&data);
    }

    #[test]
    fn damaged_manifests(data in damaged(source())) {
        manifest(&data);
    }

    #[test]
    fn journals_with_other_values(lines in vec(journal_line(), 0..6)) {
        journal(&[b"+", lines.join(&b'\n').as_slice(), b"\n"].concat());
    }

    #[test]
    fn damaged_journals(data in damaged(vec(journal_line(), 0..6).prop_map(|lines| lines.join(&b'\n')))) {
        journal(&[b"+", data.as_slice()].concat());
        let plan = journal_fuzzing::plan().unwrap();
        journal(&[&journal_fuzzing::header(&plan), data.as_slice()].concat());
    }
}

#[cfg(feature = "local")]
proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_kinds_of_requests(data in local_message()) {
        local_request(&data);
        local_signature(&data);
    }

    #[test]
    fn damaged_requests(data in damaged(local_message())) {
        local_request(&data);
        local_signature(&data);
    }
}
