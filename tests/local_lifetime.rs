//! How a local service ends, and how long a test with it takes.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::TcpListener;
use std::time::Duration;

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, Error, SequenceStoreId};
use tokio::time::Instant;

async fn list(client: &Client, store: &SequenceStoreId) -> Result<(), Error> {
    client.list_read_sets().sequence_store_id(store).send().await.map(drop)
}

#[tokio::test]
async fn a_dropped_service_frees_its_port_at_once() {
    let first = LocalService::start().await.unwrap();
    let address = first.address().unwrap();
    let store = first.create_sequence_store();
    let client = first.client().unwrap();
    // Its connection stays open.
    list(&client, &store).await.unwrap();
    drop(first);
    drop(TcpListener::bind(address).expect("the port is free"));

    let second = LocalService::builder().address(address).start().await.unwrap();
    assert_eq!(second.create_sequence_store(), store);
    list(&client, &store).await.unwrap();
    assert_eq!(second.requests().len(), 1);
}

#[tokio::test]
async fn a_client_of_a_dropped_service_gets_an_error_that_says_so() {
    for has_connection in [false, true] {
        let local = LocalService::start().await.unwrap();
        let address = local.address().unwrap();
        let store = local.create_sequence_store();
        let client = local.client().unwrap();
        if has_connection {
            list(&client, &store).await.unwrap();
        }
        drop(local);
        let error = list(&client, &store).await.unwrap_err().to_string();
        assert!(error.contains(&format!("no connection to {address}: it refused")), "{error}");
    }
}

/// Under a paused clock, so that only the pauses between polls take time.
#[tokio::test(start_paused = true)]
async fn a_wait_and_a_bulk_run_of_twenty_items_take_milliseconds() {
    let local = LocalService::in_process();
    let store = local.create_sequence_store();
    let client = local.client().unwrap();
    let seed = || local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam));
    let ids: Vec<_> = (0..20).map(|_| seed()).collect();

    let begun = Instant::now();
    let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(&ids);
    let started = call.send().await.unwrap();
    assert!(client.job(&started).wait().await.unwrap().is_completed());
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());

    let begun = Instant::now();
    let run = client.export_read_sets().run_id("run").sequence_store_id(&store).destination("s3://my-bucket/exports/");
    let run = run.role_arn("arn:aws:iam::123456789012:role/OmicsExport").read_sets(&ids).prepare().unwrap();
    assert_eq!(run.run().await.unwrap().finished_count(), 20);
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
}
