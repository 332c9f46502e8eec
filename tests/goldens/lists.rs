//! Lists, metadata and deletions.

use time::format_description::well_known::Rfc3339;

use healthomics::read_set::{
    CreationType, ETagAlgorithm, GetReadSetMetadataOutput, JobFilter, ListReadSetActivationJobsOutput,
    ListReadSetExportJobsOutput, ListReadSetImportJobsOutput, ListReadSetsOutput, ReadSetFilter, ReadSetStatus,
};

use super::*;

const TOKEN: &str = "eyJsYXN0SWQiOiIyNDY4MDEzNTc5In0=";

fn time_of(filter: &Value, name: &str) -> Option<OffsetDateTime> {
    filter[name].as_str().map(|text| OffsetDateTime::parse(text, &Rfc3339).unwrap())
}

fn job_filter(input: &Value) -> JobFilter {
    JobFilter::new()
        .status(input["status"].as_str())
        .created_after(time_of(input, "createdAfter"))
        .created_before(time_of(input, "createdBefore"))
}

fn read_set_filter(input: &Value) -> ReadSetFilter {
    let optional = |name: &str| input[name].as_str();
    ReadSetFilter::new()
        .name(optional("name"))
        .status(optional("status"))
        .reference_arn(optional("referenceArn"))
        .created_after(time_of(input, "createdAfter"))
        .created_before(time_of(input, "createdBefore"))
        .sample_id(optional("sampleId"))
        .subject_id(optional("subjectId"))
        .generated_from(optional("generatedFrom"))
        .creation_type(optional("creationType"))
}

/// Sends the call of a list with the input that botocore had.
macro_rules! list {
    ($call:expr, $input:expr, $filter:expr) => {{
        let input: &Value = $input;
        let max_results = input["maxResults"].as_i64().map(|number| i32::try_from(number).unwrap());
        let call = $call.sequence_store_id(text(input, "sequenceStoreId")).max_results(max_results);
        let call = call.next_token(input["nextToken"].as_str());
        let filter = Some(&input["filter"]).filter(|filter| filter.is_object()).map($filter);
        call.filter(filter).send().await.map(drop)
    }};
}

pub(super) async fn call(client: &Client, operation: &str, input: &Value) -> Result<(), Error> {
    match operation {
        "ListReadSetExportJobs" => list!(client.list_read_set_export_jobs(), input, job_filter),
        "ListReadSetImportJobs" => list!(client.list_read_set_import_jobs(), input, job_filter),
        "ListReadSetActivationJobs" => list!(client.list_read_set_activation_jobs(), input, job_filter),
        "ListReadSets" => list!(client.list_read_sets(), input, read_set_filter),
        "GetReadSetMetadata" => {
            let call = client.get_read_set_metadata().sequence_store_id(text(input, "sequenceStoreId"));
            call.id(text(input, "id")).send().await.map(drop)
        }
        "BatchDeleteReadSet" => {
            let call = client.batch_delete_read_set().sequence_store_id(text(input, "sequenceStoreId"));
            let ids = input["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
            call.ids(ids).send().await.map(drop)
        }
        other => panic!("no call for {other}"),
    }
}

/// Botocore fills fractions up to six digits: `.5` is `.500000` there.
pub(super) fn same_times(mut body: Value) -> Value {
    for name in ["createdAfter", "createdBefore"] {
        let time = body.get_mut("filter").and_then(|filter| filter.get_mut(name));
        if let Some(Value::String(text)) = time {
            assert!(text.ends_with('Z'), "{text}");
            *text = OffsetDateTime::parse(text, &Rfc3339).unwrap().to_string();
        }
    }
    body
}

pub(super) async fn metadata(name: &str) -> Result<GetReadSetMetadataOutput, Error> {
    client_for(name).get_read_set_metadata().sequence_store_id("1234567890").id("5000000001").send().await
}

async fn exports(case: &str) -> ListReadSetExportJobsOutput {
    let client = client_for(&format!("list_export_jobs.{case}"));
    client.list_read_set_export_jobs().sequence_store_id("1234567890").send().await.unwrap()
}

async fn imports(case: &str) -> ListReadSetImportJobsOutput {
    let client = client_for(&format!("list_import_jobs.{case}"));
    client.list_read_set_import_jobs().sequence_store_id("1234567890").send().await.unwrap()
}

async fn activations(case: &str) -> ListReadSetActivationJobsOutput {
    let client = client_for(&format!("list_activation_jobs.{case}"));
    client.list_read_set_activation_jobs().sequence_store_id("1234567890").send().await.unwrap()
}

async fn read_sets(case: &str) -> ListReadSetsOutput {
    try_read_sets(case).await.unwrap()
}

async fn try_read_sets(case: &str) -> Result<ListReadSetsOutput, Error> {
    let client = client_for(&format!("list_read_sets.{case}"));
    client.list_read_sets().sequence_store_id("1234567890").send().await
}

/// How many items the response of a list has, by the end of its name.
fn items_in(case: &str) -> usize {
    match case {
        "empty"
        | "empty_object"
        | "empty_page_with_token"
        | "list_null"
        | "nulls_for_required_members"
        | "strings_empty" => 0,
        "full" | "last_page" | "token_null" | "token_empty" | "null_in_list" | "structures_of_other_types" => 2,
        _ => 1,
    }
}

#[tokio::test]
async fn every_list_is_read() {
    let mut read = 0;
    for operation in ["list_export_jobs", "list_import_jobs", "list_activation_jobs", "list_read_sets"] {
        for name in fixtures_of(operation) {
            let case = name.split_once('.').unwrap().1;
            let (items, next_token) = match operation {
                "list_export_jobs" => {
                    let page = exports(case).await;
                    assert!(page.export_jobs.iter().all(|job| job.sequence_store_id == "1234567890"), "{name}");
                    (page.export_jobs.len(), page.next_token)
                }
                "list_import_jobs" => {
                    let page = imports(case).await;
                    assert!(page.import_jobs.iter().all(|job| job.sequence_store_id == "1234567890"), "{name}");
                    (page.import_jobs.len(), page.next_token)
                }
                "list_activation_jobs" => {
                    let page = activations(case).await;
                    assert!(page.activation_jobs.iter().all(|job| job.sequence_store_id == "1234567890"), "{name}");
                    (page.activation_jobs.len(), page.next_token)
                }
                // The model requires the list of these.
                _ if ["empty_object", "list_null"].contains(&case) => {
                    let error = try_read_sets(case).await.unwrap_err();
                    assert!(error.to_string().contains("the response has no readSets"), "{name}: {error}");
                    read += 1;
                    continue;
                }
                _ => {
                    let page = read_sets(case).await;
                    assert!(page.read_sets.iter().all(|set| set.sequence_store_id == "1234567890"), "{name}");
                    (page.read_sets.len(), page.next_token)
                }
            };
            assert_eq!(items, items_in(case), "{name}");
            let goes_on = ["full", "empty_page_with_token", "null_in_list", "unknown_members"].contains(&case);
            assert_eq!(next_token.as_deref(), goes_on.then_some(TOKEN), "{name}");
            read += 1;
        }
    }
    assert!(read > 80, "{read}");
}

#[tokio::test]
async fn items_are_read_in_full() {
    let exports = exports("full").await;
    assert_eq!(exports.request_id.as_deref(), Some("req-1"));
    let (first, second) = (&exports.export_jobs[0], &exports.export_jobs[1]);
    assert_eq!((first.id.as_str(), &first.status), ("2468013579", &JobStatus::Completed));
    assert_eq!(first.destination.as_ref().map(|to| to.as_str()), Some("s3://example-bucket/exports/"));
    assert_eq!(first.creation_time, Some(datetime!(2022-11-23 01:36:38.158 UTC)));
    assert_eq!(first.completion_time, Some(datetime!(2022-11-23 02:11:05.902 UTC)));
    assert_eq!(
        (second.id.as_str(), &second.status, second.completion_time),
        ("0000000002", &JobStatus::Submitted, None)
    );
    let import = &imports("full").await.import_jobs[0];
    assert_eq!(import.role_arn.as_ref().map(|role| role.as_str()), Some("arn:aws:iam::123456789012:role/OmicsImport"));
    assert_eq!(activations("full").await.activation_jobs[1].id, "0000000002");

    let read_sets = read_sets("full").await.read_sets;
    let (first, second) = (&read_sets[0], &read_sets[1]);
    assert_eq!(first.subject_id.as_ref().map(|id| id.as_str()), Some("HG00146"));
    assert_eq!(first.creation_type, Some(CreationType::Import));
    let counted = first.sequence_information.as_ref().unwrap();
    assert_eq!((counted.total_read_count, counted.total_base_count), (Some(8_917_334), Some(677_717_384)));
    assert_eq!(counted.alignment.as_deref(), Some("UNALIGNED"));
    assert_eq!(first.etag.as_ref().unwrap().algorithm, Some(ETagAlgorithm::FastqMd5up));
    assert_eq!((&second.status, &second.file_type), (&ReadSetStatus::Archived, &Some(FileType::Cram)));
    assert_eq!((&second.name, &second.sequence_information, &second.etag), (&None, &None, &None));
}

#[tokio::test]
async fn an_item_without_id_or_status_is_left_out_and_the_others_are_kept() {
    let page = exports("empty_item").await;
    assert_eq!(page.export_jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>(), ["2468013579"]);
    let page = read_sets("structures_of_other_types").await;
    assert_eq!((&page.read_sets[0].sequence_information, &page.read_sets[0].etag), (&None, &None));
    assert_eq!(page.read_sets[1].sequence_information, Some(healthomics::read_set::SequenceInformation::default()));
}

#[tokio::test]
async fn values_that_this_version_does_not_know_are_listed() {
    assert_eq!(imports("unknown_enum_values").await.import_jobs[0].status.as_str(), "PAUSED");
    let read_set = read_sets("unknown_enum_values").await.read_sets.remove(0);
    assert_eq!(read_set.creation_type.unwrap().as_str(), "COPY");
    assert_eq!(read_set.etag.unwrap().algorithm.unwrap().as_str(), "VCF_BLAKE3up");
}

#[tokio::test]
async fn listed_times_in_every_format_are_the_same_time() {
    for format in ["no_fraction", "six_digits", "nine_digits", "offset", "epoch_integer", "epoch_fraction"] {
        let case = format!("time_{format}");
        let times = [
            exports(&case).await.export_jobs[0].creation_time,
            read_sets(&case).await.read_sets[0].creation_time,
            metadata(&format!("get_read_set_metadata.{case}")).await.unwrap().creation_time,
        ];
        for time in times {
            let whole = time.unwrap().replace_nanosecond(0).unwrap();
            assert_eq!(whole, datetime!(2022-11-23 01:36:38 UTC), "{case}");
        }
    }
}

#[tokio::test]
async fn metadata_is_read_in_full() {
    let read_set = metadata("get_read_set_metadata.full").await.unwrap();
    assert_eq!((read_set.id.as_str(), &read_set.status), ("5000000001", &ReadSetStatus::Active));
    assert!(read_set.arn.unwrap().as_str().ends_with("readSet/5000000001"));
    assert_eq!(read_set.creation_job_id.as_deref(), Some("3578013579"));
    assert_eq!(read_set.etag.unwrap().source2.as_deref(), Some("fedcba9876543210fedcba9876543210"));
    let files = read_set.files.unwrap();
    let file = files.source1.unwrap();
    assert_eq!((file.total_parts, file.part_size), (Some(3), Some(104_857_600)));
    assert_eq!(file.content_length, Some(310_054_739));
    assert!(file.s3_access.unwrap().s3_uri.unwrap().as_str().ends_with("/source1.fastq.gz"));
    assert_eq!(files.source2.unwrap().content_length, Some(307_846_621));
    assert_eq!(files.index, None);

    let archived = metadata("get_read_set_metadata.archived").await.unwrap();
    assert_eq!((archived.status, archived.files), (ReadSetStatus::Archived, None));
    let odd = metadata("get_read_set_metadata.structures_of_other_types").await.unwrap();
    assert_eq!((odd.etag, odd.sequence_information), (None, None));
    let files = odd.files.unwrap();
    assert_eq!((files.source1, files.source2), (None, Some(healthomics::read_set::FileInformation::default())));
}

#[tokio::test]
async fn all_violations_of_a_list_are_reported_and_nothing_is_sent() {
    let script = Script::new([respond(200, &[], "{}")]);
    let filter = ReadSetFilter::new()
        .name("")
        .status("active")
        .reference_arn("reference")
        .created_after(datetime!(9999-12-31 23:59 -1))
        .created_before(datetime!(-0001-01-01 00:00 UTC))
        .sample_id("a\tb")
        .subject_id("s".repeat(128))
        .generated_from("g".repeat(128))
        .creation_type("import");
    let call = script.client().list_read_sets().sequence_store_id("12a").max_results(101).filter(filter);
    let error = call.next_token("t".repeat(6145)).send().await.unwrap_err();
    let fields: Vec<_> = error.violations().into_iter().flat_map(Violations::iter).map(|v| v.field()).collect();
    assert_eq!(
        fields,
        [
            "sequenceStoreId",
            "maxResults",
            "nextToken",
            "filter.name",
            "filter.status",
            "filter.referenceArn",
            "filter.createdAfter",
            "filter.createdBefore",
            "filter.sampleId",
            "filter.subjectId",
            "filter.generatedFrom",
            "filter.creationType",
        ]
    );
    let filter = JobFilter::new().status("DONE").created_after(datetime!(-0001-01-01 00:00 UTC));
    let call = script.client().list_read_set_import_jobs().sequence_store_id("1234567890").filter(filter);
    let error = call.max_results(0).next_token("").send().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "ListReadSetImportJobs: invalid input, nothing was sent: maxResults: 0 must be 1 to 100; nextToken: must have \
         1 to 6144 characters, has 0; filter.status: \"DONE\" must be one of SUBMITTED, IN_PROGRESS, CANCELLING, \
         CANCELLED, FAILED, COMPLETED, COMPLETED_WITH_FAILURES; filter.createdAfter: -0001-01-01 0:00:00.0 +00:00:00 \
         must be in the years 0 to 9999 of UTC"
    );
    // As long as the model allows, and longer than a URL can be.
    let call = script.client().list_read_sets().sequence_store_id("1234567890").next_token("🔑".repeat(6144));
    let error = call.send().await.unwrap_err();
    assert!(error.to_string().ends_with("nextToken: is too long for a URL with its 24576 bytes"), "{error}");
    assert!(script.sent().is_empty());
}
