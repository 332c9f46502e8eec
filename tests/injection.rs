//! Hostile values of string fields and settings: a value is either rejected before anything is sent, with the name of
//! its field, or it arrives unchanged, and no other part of the request changes.
#![allow(clippy::unwrap_used)]

use healthomics::local::{Fault, LocalService, ReceivedRequest};
use healthomics::read_set::{FileType, ImportReadSetSource, JobFilter, ReadSetFilter, SourceFiles};
use healthomics::{Client, Credentials, Error};
use percent_encoding::percent_decode_str;
use serde_json::Value;

const STORE: &str = "1234567890";
const ID: &str = "5555555555";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";

fn hostile() -> Vec<String> {
    let short = [
        "",
        ".",
        "..",
        "../..",
        "/",
        "//evil.example",
        "a/b",
        "/../../x",
        "\\",
        "%2f",
        "%2F..%2F",
        "%2e%2e",
        "%00",
        "%",
        "%0d%0ax-evil:%201",
        "a\r\nx-evil: 1",
        "a\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
        "\r",
        "a\nb",
        "\0",
        "a\0b",
        "\u{7f}",
        "\u{1b}[2J",
        "😀",
        "👩‍👩‍👧‍👦",
        "\u{202e}gnp.exe",
        "\u{200f}",
        "\u{feff}",
        "\u{2028}",
        "é",
        "e\u{301}",
        "\u{e000}",
        "?x=1",
        "#x",
        "&maxResults=1",
        "a=b",
        "+",
        " ",
        "  a  ",
        "@evil.example",
        ":8080",
        "http://evil.example/",
        "\"",
        "\",\"roleArn\":\"x",
        "{\"a\":1}",
        "';--",
        "${jndi:ldap://x}",
        "{}",
        "{id}",
        "null",
        "١٢٣٤٥٦٧٨٩٠",
        "0x1234567890",
        "-1234567890",
        "1234567890 ",
        "1234567890\n",
    ];
    let long =
        [("a", 127), ("a", 128), ("a", 6_144), ("a", 6_145), ("😀", 127), ("😀", 4_000), ("😀", 6_144), ("%", 6_144)];
    let long = long.map(|(piece, count)| piece.repeat(count));
    short.iter().map(|text| (*text).to_owned()).chain(long).collect()
}

type Sent = Result<(), Error>;

/// A call with one field set to a value.
macro_rules! call {
    ($client:ident, $($call:tt)+) => { $client.$($call)+.send().await.map(drop) };
}

fn source(change: impl FnOnce(ImportReadSetSource) -> ImportReadSetSource) -> [ImportReadSetSource; 1] {
    let source = ImportReadSetSource::builder().source_files("s3://bucket/a").source_file_type(FileType::Fastq);
    let source = source.subject_id("S").sample_id("s").name("n").description("d").generated_from("g");
    [change(source.reference_arn("arn:x").tag("k", "v").build())]
}

async fn import(client: &Client, change: impl FnOnce(ImportReadSetSource) -> ImportReadSetSource) -> Sent {
    let call = client.start_read_set_import_job().sequence_store_id(STORE).role_arn(ROLE).client_token("t");
    call.sources(source(change)).send().await.map(drop)
}

async fn export(client: &Client, store: &str, destination: &str, role: &str, token: &str, id: &str) -> Sent {
    let call = client.start_read_set_export_job().sequence_store_id(store).destination(destination).role_arn(role);
    call.client_token(token).sources([id]).send().await.map(drop)
}

async fn read_sets(client: &Client, filter: ReadSetFilter) -> Sent {
    client.list_read_sets().sequence_store_id(STORE).filter(filter).send().await.map(drop)
}

/// Sends an operation with one field set to a value.
#[allow(clippy::too_many_lines, reason = "a line for each field")]
async fn send(c: &Client, operation: &str, field: &str, v: &str) -> Sent {
    let full =
        || ReadSetFilter::new().name("n").reference_arn("arn:x").sample_id("s").subject_id("S").generated_from("g");
    match (operation, field) {
        ("StartReadSetExportJob", "sequenceStoreId") => export(c, v, "s3://bucket/", ROLE, "t", ID).await,
        ("StartReadSetExportJob", "destination") => export(c, STORE, v, ROLE, "t", ID).await,
        ("StartReadSetExportJob", "roleArn") => export(c, STORE, "s3://bucket/", v, "t", ID).await,
        ("StartReadSetExportJob", "clientToken") => export(c, STORE, "s3://bucket/", ROLE, v, ID).await,
        ("StartReadSetExportJob", "sources[0].readSetId") => export(c, STORE, "s3://bucket/", ROLE, "t", v).await,
        ("StartReadSetActivationJob", "sequenceStoreId") => {
            call!(c, start_read_set_activation_job().sequence_store_id(v).client_token("t").sources([ID]))
        }
        ("StartReadSetActivationJob", "clientToken") => {
            call!(c, start_read_set_activation_job().sequence_store_id(STORE).client_token(v).sources([ID]))
        }
        ("StartReadSetActivationJob", "sources[0].readSetId") => {
            call!(c, start_read_set_activation_job().sequence_store_id(STORE).client_token("t").sources([v]))
        }
        ("StartReadSetImportJob", "sequenceStoreId") => {
            let call = c.start_read_set_import_job().sequence_store_id(v).role_arn(ROLE).client_token("t");
            call.sources(source(|source| source)).send().await.map(drop)
        }
        ("StartReadSetImportJob", "roleArn") => {
            let call = c.start_read_set_import_job().sequence_store_id(STORE).role_arn(v).client_token("t");
            call.sources(source(|source| source)).send().await.map(drop)
        }
        ("StartReadSetImportJob", "clientToken") => {
            let call = c.start_read_set_import_job().sequence_store_id(STORE).role_arn(ROLE).client_token(v);
            call.sources(source(|source| source)).send().await.map(drop)
        }
        ("StartReadSetImportJob", "sources[0].sourceFiles.source1") => {
            import(c, |mut source| {
                source.source_files = SourceFiles::source1(v);
                source
            })
            .await
        }
        ("StartReadSetImportJob", "sources[0].sourceFiles.source2") => {
            import(c, |mut source| {
                source.source_files = SourceFiles::source1("s3://bucket/a").source2(v);
                source
            })
            .await
        }
        ("StartReadSetImportJob", field) => {
            import(c, |mut source| {
                match field {
                    "sources[0].sourceFileType" => source.source_file_type = v.into(),
                    "sources[0].subjectId" => source.subject_id = v.into(),
                    "sources[0].sampleId" => source.sample_id = v.into(),
                    "sources[0].generatedFrom" => source.generated_from = Some(v.into()),
                    "sources[0].referenceArn" => source.reference_arn = Some(v.into()),
                    "sources[0].name" => source.name = Some(v.into()),
                    "sources[0].description" => source.description = Some(v.into()),
                    "sources[0].tags[key]" => source.tags = Some([(v.to_owned(), "v".to_owned())].into()),
                    "sources[0].tags[value]" => source.tags = Some([("k".to_owned(), v.to_owned())].into()),
                    _ => panic!("{field}"),
                }
                source
            })
            .await
        }
        ("GetReadSetExportJob", "sequenceStoreId") => call!(c, get_read_set_export_job().sequence_store_id(v).id(ID)),
        ("GetReadSetExportJob", "id") => call!(c, get_read_set_export_job().sequence_store_id(STORE).id(v)),
        ("GetReadSetImportJob", "sequenceStoreId") => call!(c, get_read_set_import_job().sequence_store_id(v).id(ID)),
        ("GetReadSetImportJob", "id") => call!(c, get_read_set_import_job().sequence_store_id(STORE).id(v)),
        ("GetReadSetActivationJob", "sequenceStoreId") => {
            call!(c, get_read_set_activation_job().sequence_store_id(v).id(ID))
        }
        ("GetReadSetActivationJob", "id") => call!(c, get_read_set_activation_job().sequence_store_id(STORE).id(v)),
        ("GetReadSetMetadata", "sequenceStoreId") => call!(c, get_read_set_metadata().sequence_store_id(v).id(ID)),
        ("GetReadSetMetadata", "id") => call!(c, get_read_set_metadata().sequence_store_id(STORE).id(v)),
        ("BatchDeleteReadSet", "sequenceStoreId") => call!(c, batch_delete_read_set().sequence_store_id(v).ids([ID])),
        ("BatchDeleteReadSet", "ids[0]") => call!(c, batch_delete_read_set().sequence_store_id(STORE).ids([v])),
        ("ListReadSetExportJobs", "sequenceStoreId") => {
            call!(c, list_read_set_export_jobs().sequence_store_id(v).next_token("t"))
        }
        ("ListReadSetExportJobs", "nextToken") => {
            call!(c, list_read_set_export_jobs().sequence_store_id(STORE).next_token(v))
        }
        ("ListReadSetImportJobs", "sequenceStoreId") => {
            call!(c, list_read_set_import_jobs().sequence_store_id(v).next_token("t"))
        }
        ("ListReadSetImportJobs", "nextToken") => {
            call!(c, list_read_set_import_jobs().sequence_store_id(STORE).next_token(v))
        }
        ("ListReadSetImportJobs", "filter.status") => {
            let filter = JobFilter::new().status(v);
            call!(c, list_read_set_import_jobs().sequence_store_id(STORE).next_token("t").filter(filter))
        }
        ("ListReadSetActivationJobs", "sequenceStoreId") => {
            call!(c, list_read_set_activation_jobs().sequence_store_id(v).next_token("t"))
        }
        ("ListReadSetActivationJobs", "nextToken") => {
            call!(c, list_read_set_activation_jobs().sequence_store_id(STORE).next_token(v))
        }
        ("ListReadSets", "sequenceStoreId") => call!(c, list_read_sets().sequence_store_id(v).next_token("t")),
        ("ListReadSets", "nextToken") => {
            call!(c, list_read_sets().sequence_store_id(STORE).max_results(7).next_token(v))
        }
        ("ListReadSets", "filter.name") => read_sets(c, full().name(v)).await,
        ("ListReadSets", "filter.status") => read_sets(c, full().status(v)).await,
        ("ListReadSets", "filter.referenceArn") => read_sets(c, full().reference_arn(v)).await,
        ("ListReadSets", "filter.sampleId") => read_sets(c, full().sample_id(v)).await,
        ("ListReadSets", "filter.subjectId") => read_sets(c, full().subject_id(v)).await,
        ("ListReadSets", "filter.generatedFrom") => read_sets(c, full().generated_from(v)).await,
        ("ListReadSets", "filter.creationType") => read_sets(c, full().creation_type(v)).await,
        _ => panic!("{operation} {field}"),
    }
}

/// Operation, field, and a valid value of the field.
#[rustfmt::skip]
const FIELDS: &[(&str, &str, &str)] = &[
    ("StartReadSetExportJob", "sequenceStoreId", STORE), ("StartReadSetExportJob", "destination", "s3://bucket/"),
    ("StartReadSetExportJob", "roleArn", ROLE), ("StartReadSetExportJob", "clientToken", "t"),
    ("StartReadSetExportJob", "sources[0].readSetId", ID),
    ("StartReadSetImportJob", "sequenceStoreId", STORE), ("StartReadSetImportJob", "roleArn", ROLE),
    ("StartReadSetImportJob", "clientToken", "t"), ("StartReadSetImportJob", "sources[0].sourceFiles.source1", "s3://bucket/a"),
    ("StartReadSetImportJob", "sources[0].sourceFiles.source2", "s3://bucket/b"),
    ("StartReadSetImportJob", "sources[0].sourceFileType", "FASTQ"), ("StartReadSetImportJob", "sources[0].subjectId", "S"),
    ("StartReadSetImportJob", "sources[0].sampleId", "s"), ("StartReadSetImportJob", "sources[0].generatedFrom", "g"),
    ("StartReadSetImportJob", "sources[0].referenceArn", "arn:x"), ("StartReadSetImportJob", "sources[0].name", "n"),
    ("StartReadSetImportJob", "sources[0].description", "d"), ("StartReadSetImportJob", "sources[0].tags[key]", "k"),
    ("StartReadSetImportJob", "sources[0].tags[value]", "v"),
    ("StartReadSetActivationJob", "sequenceStoreId", STORE), ("StartReadSetActivationJob", "clientToken", "t"),
    ("StartReadSetActivationJob", "sources[0].readSetId", ID),
    ("GetReadSetExportJob", "sequenceStoreId", STORE), ("GetReadSetExportJob", "id", ID),
    ("GetReadSetImportJob", "sequenceStoreId", STORE), ("GetReadSetImportJob", "id", ID),
    ("GetReadSetActivationJob", "sequenceStoreId", STORE), ("GetReadSetActivationJob", "id", ID),
    ("GetReadSetMetadata", "sequenceStoreId", STORE), ("GetReadSetMetadata", "id", ID),
    ("BatchDeleteReadSet", "sequenceStoreId", STORE), ("BatchDeleteReadSet", "ids[0]", ID),
    ("ListReadSetExportJobs", "sequenceStoreId", STORE), ("ListReadSetExportJobs", "nextToken", "t"),
    ("ListReadSetImportJobs", "sequenceStoreId", STORE), ("ListReadSetImportJobs", "nextToken", "t"),
    ("ListReadSetImportJobs", "filter.status", "FAILED"),
    ("ListReadSetActivationJobs", "sequenceStoreId", STORE), ("ListReadSetActivationJobs", "nextToken", "t"),
    ("ListReadSets", "sequenceStoreId", STORE), ("ListReadSets", "nextToken", "t"), ("ListReadSets", "filter.name", "n"),
    ("ListReadSets", "filter.status", "ACTIVE"), ("ListReadSets", "filter.referenceArn", "arn:x"),
    ("ListReadSets", "filter.sampleId", "s"), ("ListReadSets", "filter.subjectId", "S"),
    ("ListReadSets", "filter.generatedFrom", "g"), ("ListReadSets", "filter.creationType", "IMPORT"),
];

/// The hostile values, alone and as a part of a valid value.
fn values(good: &str) -> Vec<String> {
    let mut values = hostile();
    if let Some(kind) = ["arn:", "s3://"].into_iter().find(|kind| good.starts_with(kind)) {
        let start = if kind == "arn:" { "arn:aws:iam::123456789012:role/" } else { "s3://bucket/" };
        for value in hostile() {
            values.extend([format!("{kind}{value}"), format!("{start}{value}"), format!("{start}{value}/")]);
        }
    }
    if good.bytes().all(|byte| byte.is_ascii_digit()) {
        values.extend(hostile().into_iter().map(|value| format!("{good}{value}")));
    }
    values.retain(|value| value != good);
    values
}

fn names(request: &ReceivedRequest) -> Vec<&str> {
    let mut names: Vec<_> = request.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

/// The value of the field in a request, and the request's query and body without it.
fn value_and_rest(request: &ReceivedRequest, field: &str) -> (Option<String>, String, Value) {
    let mut query = request.query.clone().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if field == "nextToken" {
        let pairs: Vec<_> = query.split('&').map(str::to_owned).collect();
        let (own, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|pair| pair.starts_with("nextToken="));
        assert_eq!(own.len(), 1, "{query}");
        query = others.join("&");
        let value = percent_decode_str(own[0].split_once('=').unwrap().1).decode_utf8().unwrap().into_owned();
        return (Some(value), query, body);
    }
    if let Some(what) = field.strip_prefix("sources[0].tags") {
        let tags = body.pointer_mut("/sources/0/tags").unwrap().take();
        let (key, value) = tags.as_object().unwrap().iter().next().unwrap();
        assert_eq!(tags.as_object().unwrap().len(), 1);
        return (Some(if what == "[key]" { key.clone() } else { value.as_str().unwrap().to_owned() }), query, body);
    }
    let pointer = format!("/{}", field.replace("[0]", "/0").replace('.', "/"));
    let value = body.pointer_mut(&pointer).map(Value::take);
    (value.and_then(|value| value.as_str().map(str::to_owned)), query, body)
}

#[tokio::test]
async fn no_field_changes_another_part_of_the_request() {
    let local = LocalService::start().await.unwrap();
    let client = local.client_builder().max_attempts(1).build().unwrap();
    let (mut refused, mut arrived) = (0, 0);
    for (operation, field, good) in FIELDS {
        let at = format!("{operation} {field}");
        local.clear_requests();
        drop(send(&client, operation, field, good).await);
        let usual = local.requests().pop().unwrap();
        assert_eq!(usual.operation, Some(*operation), "{at}");
        for value in values(good) {
            local.clear_requests();
            let result = send(&client, operation, field, &value).await;
            let requests = local.requests();
            if let Err(Error::InvalidInput(error)) = &result {
                assert!(requests.is_empty(), "{at}: {value:?} was sent");
                let named = field.split(".tags[").next().unwrap();
                let fields: Vec<_> = error.violations().iter().map(healthomics::error::Violation::field).collect();
                assert!(!fields.is_empty() && fields.iter().all(|field| field.starts_with(named)), "{at}: {fields:?}");
                let shown = error.to_string();
                assert!(!shown.contains(char::is_control) && shown.len() < 4_000, "{at}: {shown:?}");
                refused += 1;
                continue;
            }
            assert!(matches!(result, Ok(()) | Err(_)) && requests.len() == 1, "{at}: {value:?} {result:?}");
            let request = &requests[0];
            assert_eq!((&request.method, &request.path), (&usual.method, &usual.path), "{at}: {value:?}");
            assert_eq!(names(request), names(&usual), "{at}: {value:?}");
            assert_eq!(request.header("host"), usual.header("host"), "{at}: {value:?}");
            let (arrived_as, query, body) = value_and_rest(request, field);
            let (_, usual_query, usual_body) = value_and_rest(&usual, field);
            assert_eq!(arrived_as.as_deref(), Some(&*value), "{at}");
            assert_eq!((query, body), (usual_query, usual_body), "{at}: {value:?}");
            // The service understood the same: its signature check and its own reading of the input passed.
            let code = result.as_ref().err().and_then(Error::code).unwrap_or_default().to_owned();
            assert!(matches!(&*code, "" | "ResourceNotFoundException"), "{at}: {value:?} {result:?}");
            arrived += 1;
        }
    }
    assert!(refused > 1_500 && arrived > 300, "{refused} refused, {arrived} arrived");
}

#[tokio::test]
async fn no_setting_changes_another_part_of_the_request() {
    let local = LocalService::start().await.unwrap();
    let url = local.endpoint_url();
    let host = format!("scheme: \"http\", authority: {},", url.strip_prefix("http://").unwrap());
    let get = async |client: Client| client.get_read_set_export_job().sequence_store_id(STORE).id(ID).send().await;
    for value in hostile() {
        let region = local.client_builder().region(value.clone()).build();
        let is_label =
            !value.is_empty() && value.len() <= 63 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        assert_eq!(region.is_ok(), is_label, "{value:?}");

        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_name = (1..=50).contains(&value.len()) && value.bytes().all(is_token);
        assert_eq!(local.client_builder().app_name(value.clone()).build().is_ok(), is_name, "{value:?}");

        for endpoint in [format!("{url}{value}"), format!("{url}/{value}")] {
            let built = local.client_builder().endpoint_url(endpoint.clone()).build();
            let Ok(client) = built else { continue };
            let shown = format!("{client:?}");
            assert!(shown.contains(&host), "{endpoint:?}: {shown}");
        }
    }
    local.clear_requests();
    for value in hostile() {
        for credentials in [
            Credentials::new(format!("AKID{value}"), "secret", None, None, "hostile"),
            Credentials::new("AKID", format!("secret{value}"), None, None, "hostile"),
            Credentials::new("AKID", "secret", Some(format!("token{value}")), None, "hostile"),
        ] {
            local.clear_requests();
            let client = local.client_builder().credentials(credentials).max_attempts(1).build().unwrap();
            let error = get(client).await.unwrap_err();
            let requests = local.requests();
            let Some(request) = requests.first() else {
                let unsent = matches!(error, Error::Signing(_) | Error::Transport(_));
                assert!(unsent, "{value:?}: {error}");
                continue;
            };
            assert_eq!(request.path, format!("/sequencestore/{STORE}/exportjob/{ID}"), "{value:?}");
            assert!(request.header("x-evil").is_none() && requests.len() == 1, "{value:?}");
            assert!(!request.applied && request.status == Some(403), "{value:?}");
        }
    }
}

#[tokio::test]
async fn text_of_the_service_stays_on_one_line() {
    let local = LocalService::start().await.unwrap();
    let (client, store) = (local.client().unwrap(), local.create_sequence_store());
    let call = client.start_read_set_import_job().sequence_store_id(&store).role_arn(ROLE);
    let job = call.sources(source(|source| source)).send().await.unwrap();
    let says = |patch: &str| local.queue_fault("GetReadSetImportJob", Fault::merge(patch));
    let evil = r#"{"status":"FAILED","statusMessage":"a\nERROR b\u202ec\u2028d","sources":[]}"#;
    says(evil);
    let failed = client.job(&job).wait().await.unwrap().into_completed().unwrap_err().to_string();
    assert!(failed.ends_with("is FAILED: a ERROR b c d"), "{failed:?}");

    says(r#"{"status":"NEW\r\nERROR b"}"#);
    local.queue_fault("GetReadSetImportJob", Fault::error(403, "AccessDeniedException", "no"));
    let wait = client.job(&job).wait().poll_every(std::time::Duration::from_millis(1));
    let ended = wait.await.unwrap_err().to_string();
    assert!(ended.contains("last seen NEW ERROR b with 0 of 1 items"), "{ended:?}");
}
