//! `BatchDeleteReadSet`: complete and partial success, and lost and unusable responses.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use healthomics::local::{Fault, LocalService, SeedReadSet};
use healthomics::read_set::{FileType, MAX_DELETE_IDS, ReadSetStatus};
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

const MISSING: &str = "9999999999";

async fn store_of(count: usize) -> (LocalService, Client, SequenceStoreId, Vec<ReadSetId>) {
    let local = LocalService::start().await.unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    let ids = (0..count).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Cram))).collect();
    (local, client, store, ids)
}

#[tokio::test]
async fn read_sets_that_are_not_deleted_are_returned_with_a_reason() {
    let (local, client, store, ids) = store_of(3).await;
    let archived = local.seed_read_set(&store, SeedReadSet::archived(FileType::Fastq));
    let given = [ids[0].as_str(), MISSING, archived.as_str()];
    let deleted = client.batch_delete_read_set().sequence_store_id(&store).ids(given).send().await.unwrap();
    let errors: Vec<_> = deleted
        .errors
        .iter()
        .map(|error| (error.id.as_ref().unwrap().as_str(), error.code.as_deref().unwrap()))
        .collect();
    assert_eq!(errors, [(MISSING, "ResourceNotFoundException")]);
    assert!(deleted.errors[0].message.is_some() && deleted.request_id.is_some());
    assert_eq!(local.read_set_status(&store, &ids[0]), None);
    assert_eq!(local.read_set_status(&store, &archived), None);
    assert_eq!(local.read_set_status(&store, &ids[1]), Some(ReadSetStatus::Active));

    let deleted = client.batch_delete_read_set().sequence_store_id(&store).ids(&ids[1..]).send().await.unwrap();
    assert_eq!(deleted.errors, []);
    let left = client.list_read_sets().sequence_store_id(&store).send().await.unwrap().read_sets;
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_deleted_read_set_fails_in_a_later_job() {
    let (_local, client, store, ids) = store_of(2).await;
    let deleted = client.batch_delete_read_set().sequence_store_id(&store).ids(&ids[..1]).send().await.unwrap();
    assert!(deleted.errors.is_empty());
    let call = client.start_read_set_export_job().sequence_store_id(&store).destination("s3://bucket/");
    let started = call.role_arn("arn:aws:iam::123456789012:role/Omics").sources(&ids).send().await.unwrap();
    let outcome = client.job(&started).wait().await.unwrap();
    let failed: Vec<_> = outcome.failed_items().map(|item| item.id.clone()).collect();
    assert_eq!(failed, [ids[0].clone()]);
}

#[tokio::test]
async fn ids_are_checked_before_anything_is_sent() {
    let (local, client, store, _) = store_of(0).await;
    let delete = |ids: Vec<String>| client.batch_delete_read_set().sequence_store_id(&store).ids(ids).send();
    let id = |number: usize| format!("{number:010}");
    for (ids, expected) in [
        (vec![], "ids: must have 1 to 100 items, has 0"),
        ((0..=MAX_DELETE_IDS).map(id).collect(), "ids: must have 1 to 100 items, has 101"),
        (vec![id(1), "1٢34567890".to_owned()], "ids[1]: \"1٢34567890\" must be 10 to 36 digits"),
    ] {
        let error = delete(ids).await.unwrap_err();
        assert!(matches!(error, Error::InvalidInput(_)) && error.to_string().ends_with(expected), "{error}");
    }
    assert!(local.requests().is_empty());
    assert_eq!(delete((0..MAX_DELETE_IDS).map(id).collect()).await.unwrap().errors.len(), MAX_DELETE_IDS);
    let error = client.batch_delete_read_set().sequence_store_id(MISSING).ids([id(1)]).send().await.unwrap_err();
    assert!(matches!(error, Error::ResourceNotFoundException(_)), "{error}");
}

#[tokio::test]
async fn a_deletion_is_retried_after_a_lost_response() {
    for fault in [Fault::ResetAfter, Fault::EmptyBody] {
        let (local, client, store, ids) = store_of(1).await;
        local.queue_fault("BatchDeleteReadSet", fault);
        let deleted = client.batch_delete_read_set().sequence_store_id(&store).ids(&ids).send().await.unwrap();
        assert_eq!((deleted.errors.len(), local.requests().len()), (1, 2), "the retry finds no read set");
    }
    let (local, client, store, ids) = store_of(2).await;
    local.queue_fault("BatchDeleteReadSet", Fault::ResetAfter);
    let deleted = client.batch_delete_read_set().sequence_store_id(&store).ids(&ids).send().await.unwrap();
    // The first attempt has deleted them: the second finds nothing.
    assert_eq!(deleted.errors.iter().map(|error| error.id.as_ref().unwrap()).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
    assert_eq!(local.requests().len(), 2);

    local.fault_always("BatchDeleteReadSet", Fault::ResetAfter);
    let error = client.batch_delete_read_set().sequence_store_id(&store).ids(&ids).send().await.unwrap_err();
    assert!(error.may_have_been_applied() && error.is_retryable() && error.client_token().is_none(), "{error}");
}

#[tokio::test]
async fn every_form_of_response_is_read_and_no_error_is_lost() {
    let (local, _, store, ids) = store_of(1).await;
    let client = local.client_builder().max_attempts(1).build().unwrap();
    let delete_with_response = async |request_id: Option<&str>, body: &str| {
        let headers = request_id.map(|id| ("x-amzn-requestid".to_owned(), id.to_owned())).into_iter().collect();
        local.queue_fault("BatchDeleteReadSet", Fault::Response { status: 200, headers, body: body.into() });
        client.batch_delete_read_set().sequence_store_id(&store).ids(&ids).send().await
    };
    let id = Some("4f6c");
    // AWS documents a success as a response without a body; its other form has a list.
    for body in ["", "{}", r#"{"errors":null}"#, r#"{"errors":[],"unknown":1}"#, r#"{"errors":[null]}"#] {
        assert_eq!(delete_with_response(id, body).await.unwrap().errors, [], "{body}");
    }
    // Without a request id, the list is required: any server may send an empty 200.
    assert_eq!(delete_with_response(None, r#"{"errors":[]}"#).await.unwrap().errors, []);
    for body in ["", "{}", r#"{"errors":null}"#, r#"{"message":"session expired, log in"}"#, r#"{"status":"healthy"}"#]
    {
        let error = delete_with_response(None, body).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)) && error.is_retryable(), "{body}: {error}");
    }
    let body = r#"{"errors":[{"id":"1234567890","code":"AccessDeniedException","message":"naïve 鍵"},{}]}"#;
    let errors = delete_with_response(id, body).await.unwrap().errors;
    assert_eq!(
        (errors[0].code.as_deref(), errors[0].message.as_deref()),
        (Some("AccessDeniedException"), Some("naïve 鍵"))
    );
    assert_eq!((&errors[1].id, &errors[1].code), (&None, &None));
    for body in ["[]", r#"{"errors":{}}"#, r#"{"errors":"none"}"#, r#"{"errors":[1]}"#, r#"{"errors":["#, "<html>"] {
        let error = delete_with_response(id, body).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)) && error.may_have_been_applied(), "{body}: {error}");
    }
}
