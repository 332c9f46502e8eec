//! The checks of a request before it is sent, with parameter validation on and off.
#![allow(clippy::unwrap_used)]

use healthomics::bulk::BulkError;
use healthomics::local::LocalService;
use healthomics::read_set::{FileType, ImportReadSetSource, SourceFiles};
use healthomics::{Client, Error};

const ROLE: &str = "arn:aws:iam::123456789012:role/OmicsImport";
const REFERENCE: &str = "arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/1234567890";

fn source(file_type: FileType, source2: bool, reference: bool) -> ImportReadSetSource {
    ImportReadSetSource::builder()
        .source_files(SourceFiles::source1("s3://my-bucket/1").source2(source2.then_some("s3://my-bucket/2")))
        .source_file_type(file_type)
        .subject_id("subject")
        .sample_id("sample")
        .reference_arn(reference.then_some(REFERENCE))
        .build()
}

async fn import(client: &Client, store: &str, source: ImportReadSetSource) -> Result<(), Error> {
    let call = client.start_read_set_import_job().sequence_store_id(store).role_arn(ROLE);
    call.sources([source]).send().await.map(drop)
}

/// The violations of a call that fails before it is sent.
fn violations(result: Result<(), Error>) -> Vec<String> {
    let error = result.unwrap_err();
    error.violations().unwrap_or_else(|| panic!("{error}")).iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_violation_of_the_user_guide_names_the_setting_that_skips_the_check() {
    let local = LocalService::start().await.unwrap();
    let store = local.create_sequence_store();
    let client = local.client().unwrap();
    let unchecked = local.client_builder().parameter_validation(false).build().unwrap();
    for (file_type, source2, reference, field) in [
        (FileType::Bam, false, false, Some("sources[0].referenceArn")),
        (FileType::Cram, false, false, Some("sources[0].referenceArn")),
        (FileType::Bam, true, true, Some("sources[0].sourceFiles.source2")),
        (FileType::Ubam, true, false, Some("sources[0].sourceFiles.source2")),
        (FileType::Bam, false, true, None),
        (FileType::Ubam, false, false, None),
        (FileType::Fastq, true, false, None),
    ] {
        let source = source(file_type, source2, reference);
        let result = import(&client, store.as_str(), source.clone()).await;
        match field {
            None => assert!(result.is_ok(), "{source:?}"),
            Some(field) => {
                let found = violations(result);
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].starts_with(field) && found[0].contains("parameter_validation(false)"), "{found:?}");
            }
        }
        import(&unchecked, store.as_str(), source).await.unwrap();
    }
}

#[tokio::test]
async fn a_violation_names_the_part_that_is_invalid() {
    let client = LocalService::start().await.unwrap().client().unwrap();
    for (uri, part) in [
        ("s3://my_bucket/key", r#"the bucket "my_bucket""#),
        ("s3://my-bucket/", "the key of 1 to 1024 characters"),
        ("https://my-bucket/key", "must be s3://bucket/key"),
    ] {
        let mut source = source(FileType::Ubam, false, false);
        source.source_files = uri.into();
        let found = violations(import(&client, "1234567890", source).await);
        assert!(found[0].contains(part), "{found:?}");
    }
    for (destination, part) in
        [("s3://my_bucket/exports/", r#"the bucket "my_bucket""#), ("s3://my-bucket/exports", "(ends in /)")]
    {
        let call = client.start_read_set_export_job().sequence_store_id("1234567890").destination(destination);
        let result = call.role_arn(ROLE).sources(["5555555555"]).send().await.map(drop);
        let found = violations(result);
        assert!(found[0].contains(part), "{found:?}");
    }
}

#[tokio::test]
async fn without_parameter_validation_the_service_checks_lengths_counts_and_patterns() {
    let local = LocalService::start().await.unwrap();
    let client = local.client_builder().parameter_validation(false).build().unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id("12a").sources([""; 0]);
    let error = call.send().await.unwrap_err();
    assert_eq!((error.status(), local.requests().len()), (Some(400), 1), "{error}");

    // A bulk call follows the client. The sizes of its groups are of the service's model all the same.
    let call = client.activate_read_sets().run_id("run").sequence_store_id("1234567890").read_sets(["new-id"]);
    assert_eq!(call.clone().plan().unwrap().item_count(), 1);
    assert!(matches!(call.group_size(21).plan(), Err(BulkError::InvalidGroupSize { .. })));
    let call = local.client().unwrap().activate_read_sets().run_id("run").sequence_store_id("1234567890");
    assert!(matches!(call.read_sets(["new-id"]).plan(), Err(BulkError::InvalidInput(_))));
}

#[tokio::test]
async fn a_malformed_request_is_never_sent() {
    let local = LocalService::start().await.unwrap();
    let client = local.client_builder().parameter_validation(false).build().unwrap();
    let long = "1".repeat(501);
    for id in ["", ".", "..", "a\nb", "a\u{7f}", &long] {
        for (store, id) in [(id, "5555555555"), ("1234567890", id)] {
            let result = client.get_read_set_metadata().sequence_store_id(store).id(id).send().await.map(drop);
            assert_eq!(violations(result).len(), 1, "{store:?} {id:?}");
        }
    }
    let token = "\u{20ac}".repeat(10_000);
    let result = client.list_read_sets().sequence_store_id("1234567890").next_token(token).send().await.map(drop);
    assert_eq!(violations(result).len(), 1);
    assert!(local.requests().is_empty());

    // The longest that is sent fits into a URL.
    let id = "\u{20ac}".repeat(500 / 3);
    let token = "\u{20ac}".repeat(20_000 / 3);
    let call = client.list_read_sets().sequence_store_id(id).next_token(token);
    assert_eq!(call.send().await.unwrap_err().status(), Some(400));
}
