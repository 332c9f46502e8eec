//! Lists and metadata of the local service, by the crate's own client and by one that knows nothing of it.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod local_support;

use std::collections::HashSet;
use std::time::Duration;

use healthomics::local::{Fault, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::builders::import_read_set_source;
use healthomics::read_set::{
    CreationType, ETagAlgorithm, FileType, ImportReadSetSource, JobFilter, JobStatus, ReadSetFilter, ReadSetStatus,
    SourceFiles,
};
use healthomics::{Client, Error, SequenceStoreId};
use local_support::{ROLE, Reply, bare, call};
use serde_json::{Value, json};

const REFERENCE: &str = "arn:aws:omics:us-east-1:123456789012:referenceStore/9876543210/reference/1122334455";

async fn service(pace: Pace) -> (LocalService, Client, SequenceStoreId) {
    let local = LocalService::builder().pace(pace).start().await.unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    (local, client, store)
}

async fn export(client: &Client, store: &SequenceStoreId, read_set: &str) -> String {
    let call = client.start_read_set_export_job().sequence_store_id(store).destination("s3://bucket/out/");
    call.role_arn(ROLE).sources([read_set]).send().await.unwrap().id.to_string()
}

fn source() -> import_read_set_source::Complete {
    let files = SourceFiles::source1("s3://bucket/a_1.fastq.gz").source2("s3://bucket/a_2.fastq.gz");
    let source = ImportReadSetSource::builder().source_files(files).source_file_type(FileType::Fastq);
    source.subject_id("HG00146").sample_id("SRR233106")
}

async fn import(client: &Client, store: &SequenceStoreId, sources: Vec<ImportReadSetSource>) -> String {
    let call = client.start_read_set_import_job().sequence_store_id(store).role_arn(ROLE).sources(sources);
    call.send().await.unwrap().id.to_string()
}

async fn listed(client: &Client, store: &SequenceStoreId, filter: ReadSetFilter) -> Vec<String> {
    let mut items = client.list_read_sets().sequence_store_id(store).filter(filter).items();
    let mut ids = Vec::new();
    while let Some(item) = items.next().await {
        ids.push(item.unwrap().id.to_string());
    }
    ids
}

async fn post(local: &LocalService, path: &str, body: &Value) -> Reply {
    call(local, "POST", path, body).send().await
}

#[tokio::test]
async fn many_jobs_are_listed_page_by_page_in_the_order_of_their_starts() {
    let (local, client, store) = service(Pace::Polls(3)).await;
    let other = local.create_sequence_store();
    let mut started = Vec::new();
    for _ in 0..250 {
        started.push(export(&client, &store, "5000000001").await);
    }
    export(&client, &other, "5000000001").await;
    client.start_read_set_activation_job().sequence_store_id(&store).sources(["5000000001"]).send().await.unwrap();

    for call in [
        client.list_read_set_export_jobs().sequence_store_id(&store),
        client.list_read_set_export_jobs().sequence_store_id(&store).max_results(100),
    ] {
        let (mut sizes, mut ids, mut pages) = (Vec::new(), Vec::new(), call.pages());
        while let Some(page) = pages.next().await {
            let jobs = page.unwrap().export_jobs;
            sizes.push(jobs.len());
            ids.extend(jobs.into_iter().map(|job| job.id.to_string()));
        }
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(ids, started);
    }

    // The last page is full, and says that it is the last.
    let mut list = client.list_read_set_export_jobs().sequence_store_id(&store).max_results(50).pages();
    let mut count = 0;
    while let Some(page) = list.next().await {
        assert_eq!(page.unwrap().export_jobs.len(), 50);
        count += 1;
    }
    assert_eq!(count, 5);
    // Three lists have read the exports of this store, and none the two other jobs.
    assert_eq!(local.jobs().iter().filter(|job| job.status == JobStatus::Submitted).count(), 2);
}

#[tokio::test]
async fn entries_have_fewer_fields_than_a_get() {
    let (local, client, store) = service(Pace::Polls(3)).await;
    let set = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let id = export(&client, &store, set.as_str()).await;
    let path = format!("/sequencestore/{store}/exportjobs");
    let entry = post(&local, &path, &json!({})).await.json()["exportJobs"][0].clone();
    let created = entry["creationTime"].clone();
    let expected = json!({"id": id, "sequenceStoreId": store, "status": "SUBMITTED", "destination": "s3://bucket/out/",
        "creationTime": created});
    assert_eq!(entry, expected);
    client.get_read_set_export_job().sequence_store_id(&store).id(&*id).send().await.unwrap();
    let entry = post(&local, &path, &Value::Null).await.json()["exportJobs"][0].clone();
    assert_eq!(entry["status"], "COMPLETED");
    assert!(entry["completionTime"].is_string() && entry.get("readSets").is_none());

    import(&client, &store, vec![source().build()]).await;
    let page = client.list_read_set_import_jobs().sequence_store_id(&store).send().await.unwrap();
    assert_eq!(page.import_jobs[0].role_arn.as_ref().map(|role| role.as_str()), Some(ROLE));
    let page = client.list_read_set_activation_jobs().sequence_store_id(&store).send().await.unwrap();
    assert!(page.activation_jobs.is_empty() && page.next_token.is_none());
}

#[tokio::test]
async fn jobs_are_filtered_by_status_and_creation() {
    // More reads than this test makes end a job: one of them is read to its end at first.
    let (local, client, store) = service(Pace::Polls(100)).await;
    let mut created = Vec::new();
    for offset in [-120, -60, 0] {
        local.set_clock_offset(offset);
        let id = export(&client, &store, "5000000001").await;
        local.set_clock_offset(0);
        let all = client.list_read_set_export_jobs().sequence_store_id(&store).send().await.unwrap().export_jobs;
        created.push(all.into_iter().find(|job| job.id == id.as_str()).unwrap());
    }
    for _ in 0..100 {
        client.get_read_set_export_job().sequence_store_id(&store).id(&created[1].id).send().await.unwrap();
    }
    let time = |index: usize| created[index].creation_time.unwrap();
    for (filter, expected) in [
        (JobFilter::new(), vec![0, 1, 2]),
        (JobFilter::new().status(JobStatus::Failed), vec![1]),
        (JobFilter::new().status(JobStatus::InProgress), vec![0, 2]),
        (JobFilter::new().status(JobStatus::Completed), vec![]),
        (JobFilter::new().created_after(time(0)), vec![1, 2]),
        (JobFilter::new().created_before(time(2)), vec![0, 1]),
        (JobFilter::new().created_after(time(0)).created_before(time(2)), vec![1]),
        (JobFilter::new().created_after(time(0)).created_before(time(2)).status(JobStatus::InProgress), vec![]),
        (JobFilter::new().created_after(time(2)), vec![]),
    ] {
        let call = client.list_read_set_export_jobs().sequence_store_id(&store).filter(filter.clone());
        let jobs = call.send().await.unwrap().export_jobs;
        let ids: Vec<_> = jobs.iter().map(|job| &job.id).collect();
        assert_eq!(ids, expected.iter().map(|index: &usize| &created[*index].id).collect::<Vec<_>>(), "{filter:?}");
    }
}

#[tokio::test]
async fn read_sets_are_filtered_by_every_field() {
    let (local, client, store) = service(Pace::Polls(1)).await;
    let seed = SeedReadSet::archived(FileType::Cram).subject_id("HG00096").sample_id("blood").name("seeded");
    let seeded = local.seed_read_set(&store, seed).to_string();
    let with_all = source().name("named").generated_from("1000 Genomes").reference_arn(REFERENCE).build();
    let job = import(&client, &store, vec![with_all, source().description("plain").build()]).await;
    assert_eq!(listed(&client, &store, ReadSetFilter::new()).await, [&*seeded], "no job was read");
    let job = client.get_read_set_import_job().sequence_store_id(&store).id(&*job).send().await.unwrap();
    let [named, plain] = [0, 1].map(|index: usize| job.sources[index].read_set_id.clone().unwrap().to_string());

    let all = [&*seeded, &*named, &*plain];
    let filter = ReadSetFilter::new;
    for (filter, expected) in [
        (filter(), &all[..]),
        (filter().name("named"), &all[1..2]),
        (filter().name("name"), &[]),
        (filter().status(ReadSetStatus::Archived), &all[..1]),
        (filter().status(ReadSetStatus::Active), &all[1..]),
        (filter().reference_arn(REFERENCE), &all[1..2]),
        (filter().sample_id("SRR233106"), &all[1..]),
        (filter().subject_id("HG00096"), &all[..1]),
        (filter().generated_from("1000 Genomes"), &all[1..2]),
        (filter().creation_type(CreationType::Import), &all[1..]),
        (filter().creation_type(CreationType::Upload), &all[..1]),
        (filter().subject_id("HG00146").name("named").status(ReadSetStatus::Active), &all[1..2]),
        (filter().subject_id("HG00146").name("seeded"), &[]),
        (filter().created_after(job.creation_time.unwrap() - Duration::from_hours(1)), &all[..]),
        (filter().created_before(job.creation_time.unwrap() - Duration::from_hours(1)), &[]),
    ] {
        assert_eq!(listed(&client, &store, filter.clone()).await, expected, "{filter:?}");
    }
    let without_reference = listed(&client, &store, filter().reference_arn("")).await;
    assert_eq!(without_reference, [&*seeded, &*plain]);
}

#[tokio::test]
async fn metadata_has_the_fields_of_a_list_entry_and_files() {
    let (local, client, store) = service(Pace::Polls(2)).await;
    let job = import(&client, &store, vec![source().name("n").description("d").generated_from("g").build()]).await;
    let get = || client.get_read_set_import_job().sequence_store_id(&store).id(&*job).send();
    drop(get().await.unwrap());
    let got = get().await.unwrap();
    let id = got.sources[0].read_set_id.clone().unwrap();
    let read_set = client.get_read_set_metadata().sequence_store_id(&store).id(&id).send().await.unwrap();
    let listed = client.list_read_sets().sequence_store_id(&store).send().await.unwrap().read_sets.remove(0);
    assert_eq!((&read_set.id, &read_set.arn, &read_set.etag), (&listed.id, &listed.arn, &listed.etag));
    assert_eq!(read_set.creation_time, listed.creation_time);
    assert_eq!(
        read_set.arn.unwrap(),
        format!("arn:aws:omics:us-east-1:123456789012:sequenceStore/{store}/readSet/{id}").as_str()
    );
    assert_eq!(read_set.creation_type, Some(CreationType::Import));
    assert_eq!(read_set.creation_job_id, Some(job));
    assert_eq!((read_set.name.as_deref(), read_set.description.as_deref()), (Some("n"), Some("d")));
    assert_eq!(read_set.file_type, Some(FileType::Fastq));
    assert_eq!(read_set.etag.unwrap().algorithm, Some(ETagAlgorithm::FastqMd5up));
    assert_eq!(read_set.sequence_information.unwrap().generated_from.as_deref(), Some("g"));
    let files = read_set.files.unwrap();
    let (first, second) = (files.source1.unwrap(), files.source2.unwrap());
    assert_eq!((first.content_length, first.total_parts), (Some(310_054_739), Some(3)));
    assert!(first.s3_access.unwrap().s3_uri.unwrap().as_str().ends_with(&format!("/readSet/{id}/source1.fastq.gz")));
    assert!(second.content_length.is_some() && files.index.is_none());

    let archived = local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let get = || client.get_read_set_metadata().sequence_store_id(&store).id(&archived).send();
    assert_eq!(get().await.unwrap().files, None);
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([&archived]);
    let job = call.send().await.unwrap();
    let activating = get().await.unwrap();
    assert_eq!((activating.status, activating.files), (ReadSetStatus::Activating, None));
    client.get_read_set_activation_job().sequence_store_id(&store).id(&job.id).send().await.unwrap();
    let active = get().await.unwrap();
    assert_eq!((active.status, active.creation_job_id), (ReadSetStatus::Active, None));
    assert!(active.files.unwrap().index.is_some());
}

#[tokio::test(start_paused = true)]
async fn read_sets_are_created_when_their_items_end_even_if_they_are_read_later() {
    let (local, _, store) = service(Pace::Time(Duration::from_mins(10))).await;
    // A paused clock runs ahead while a response is in flight.
    let client = local.client_builder().read_timeout(None).operation_attempt_timeout(None).operation_timeout(None);
    let client = client.build().unwrap();
    import(&client, &store, vec![source().build(), source().build()]).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    let job = client.list_read_set_import_jobs().sequence_store_id(&store).send().await.unwrap().import_jobs.remove(0);
    let (created, completed) = (job.creation_time.unwrap(), job.completion_time.unwrap());
    assert_eq!(completed - created, Duration::from_mins(10));
    let read_sets = client.list_read_sets().sequence_store_id(&store).send().await.unwrap().read_sets;
    let after: Vec<_> = read_sets.iter().map(|set| set.creation_time.unwrap() - created).collect();
    // The job is submitted for a minute, and its items share the rest.
    assert_eq!(after, [Duration::from_secs(330), Duration::from_mins(10)]);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_stays_within_the_quota_of_a_new_account() {
    let local = LocalService::builder().quotas(Quotas::of_new_account()).start().await.unwrap();
    let store = local.create_sequence_store();
    for _ in 0..3_000 {
        local.seed_read_set(&store, SeedReadSet::active(FileType::Cram));
    }
    // A paused clock runs ahead while a response is in flight.
    let client = local.client_builder().read_timeout(None).operation_attempt_timeout(None).operation_timeout(None);
    let client = client.build().unwrap();
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let (client, store) = (client.clone(), store.clone());
            tokio::spawn(async move { listed(&client, &store, ReadSetFilter::new()).await.len() })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 3_000);
    }
    assert_eq!(local.requests().len(), 90, "none was refused");
}

#[tokio::test]
async fn a_page_token_is_valid_only_for_its_list_store_and_filter() {
    let (local, client, store) = service(Pace::Polls(1)).await;
    let other = local.create_sequence_store();
    for _ in 0..3 {
        local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram));
        export(&client, &store, "5000000001").await;
    }
    let archived = || ReadSetFilter::new().status(ReadSetStatus::Archived);
    let list = || client.list_read_sets().sequence_store_id(&store).max_results(1);
    let token = list().filter(archived()).send().await.unwrap().next_token.unwrap();
    // Another page size is fine, and so is a second time.
    for size in [1, 2, 2] {
        let page = list().max_results(size).filter(archived()).next_token(&*token).send().await.unwrap();
        assert_eq!(page.read_sets.len(), usize::try_from(size).unwrap());
    }
    let refused = [
        list().next_token(&*token).send().await.map(drop),
        list().filter(archived().name("n")).next_token(&*token).send().await.map(drop),
        client.list_read_sets().sequence_store_id(&other).filter(archived()).next_token(&*token).send().await.map(drop),
        client.list_read_set_export_jobs().sequence_store_id(&store).next_token(&*token).send().await.map(drop),
        list().filter(archived()).next_token(token.replace('0', "1")).send().await.map(drop),
        list().filter(archived()).next_token("é".repeat(48)).send().await.map(drop),
        list().filter(archived()).next_token("鍵".repeat(6144)).send().await.map(drop),
    ];
    for result in refused {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::ValidationException(_)), "{error}");
        assert_eq!(error.message(), Some("The next token is not valid for this request."));
    }
    // No filter and an empty one are the same.
    let token = list().send().await.unwrap().next_token.unwrap();
    list().filter(ReadSetFilter::new()).next_token(token).send().await.unwrap();
}

#[tokio::test]
async fn the_input_of_a_list_is_validated() {
    let (local, _, store) = service(Pace::Polls(1)).await;
    let path = format!("/sequencestore/{store}/exportjobs");
    let refusal = "failed to satisfy constraint: Member must";
    for (query, body, message) in [
        (
            "?maxResults=0",
            json!({}),
            format!("Value '0' at 'maxResults' {refusal} have value greater than or equal to 1"),
        ),
        (
            "?maxResults=101",
            json!({}),
            format!("Value '101' at 'maxResults' {refusal} have value less than or equal to 100"),
        ),
        ("?nextToken=", json!({}), format!("Value '' at 'nextToken' {refusal} satisfy regular expression pattern")),
        ("?nextToken=a%09b", json!({}), format!("Value 'a\tb' at 'nextToken' {refusal} satisfy regular expression")),
        ("", json!({"filter": {"status": "DONE"}}), format!("Value 'DONE' at 'filter.status' {refusal} satisfy enum")),
    ] {
        let reply = post(&local, &format!("{path}{query}"), &body).await;
        assert_eq!((reply.status, reply.code()), (400, "ValidationException"), "{query} {}", reply.text);
        assert!(reply.message().contains(&message), "{}", reply.message());
    }
    for (query, body) in [
        ("?maxResults=many", json!({})),
        ("", json!({"filter": {"createdAfter": "yesterday"}})),
        ("", json!({"filter": {"createdAfter": 5}})),
        ("", json!({"filter": []})),
    ] {
        let reply = post(&local, &format!("{path}{query}"), &body).await;
        assert_eq!((reply.status, reply.code()), (400, "SerializationException"), "{query} {}", reply.text);
    }
    // Fields of the query are not read from the body, and unknown fields of both are ignored.
    let body = json!({"maxResults": 7000, "nextToken": 7, "filter": null});
    assert_eq!(post(&local, &format!("{path}?novel=1&maxResults=%31"), &body).await.status, 200);
    for (method, path) in [
        ("POST", "/sequencestore/0000000001/importjobs".to_owned()),
        ("POST", "/sequencestore/0000000001/readsets".to_owned()),
        ("GET", "/sequencestore/0000000001/readset/0000000002/metadata".to_owned()),
        ("GET", format!("/sequencestore/{store}/readset/0000000002/metadata")),
    ] {
        let reply = bare(&local, method, &path).send().await;
        assert_eq!((reply.status, reply.code()), (404, "ResourceNotFoundException"), "{path}");
    }
}

#[tokio::test]
async fn a_list_that_repeats_its_token_ends_in_an_error() {
    let (local, client, store) = service(Pace::Polls(1)).await;
    for _ in 0..5 {
        local.seed_read_set(&store, SeedReadSet::active(FileType::Ubam));
    }
    let first = client.list_read_sets().sequence_store_id(&store).max_results(2).send().await.unwrap();
    let token = first.next_token.unwrap();
    local.queue_fault("ListReadSets", Fault::DateOffset(0));
    local.queue_fault("ListReadSets", Fault::merge(json!({"nextToken": token}).to_string()));
    let mut items = client.list_read_sets().sequence_store_id(&store).max_results(2).items();
    let mut seen = HashSet::new();
    let error = loop {
        match items.next().await.expect("an error comes first") {
            Ok(item) => assert!(seen.insert(item.id)),
            Err(error) => break error,
        }
    };
    assert_eq!(seen.len(), 2);
    assert!(error.to_string().contains("): the service repeats the page token"), "{error}");
    assert!(items.next().await.is_none());
}

#[tokio::test]
async fn faults_between_pages_lose_no_item() {
    let (local, client, store) = service(Pace::Polls(1)).await;
    let seeded: Vec<_> = (0..30).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Ubam))).collect();
    for fault in
        [Fault::ResetAfter, Fault::TruncatedBody, Fault::error(500, "InternalServerException", ""), Fault::EmptyBody]
    {
        local.queue_fault("ListReadSets", fault);
        local.queue_fault("ListReadSets", Fault::DateOffset(0));
    }
    local.queue_fault("ListReadSets", Fault::merge(r#"{"readSets":[]}"#));
    let mut items = client.list_read_sets().sequence_store_id(&store).max_results(5).items();
    let mut ids = Vec::new();
    while let Some(item) = items.next().await {
        ids.push(item.unwrap().id);
    }
    // The fifth page came empty.
    assert_eq!(ids, [&seeded[..20], &seeded[25..]].concat());
}
