//! A worker of a bulk run that can be terminated and replaced at any time, on AWS Batch, Fargate, Kubernetes or Lambda.
//!
//! `cargo run --example bulk_run` runs on an embedded local service, with a journal in memory. With arguments it uses your
//! account, with settings and credentials from the environment:
//!
//! ```text
//! cargo run --features aws --example bulk_run -- s3://my-bucket/journals/2026-11 1234567890 5555555551 5555555552
//! ```
#![allow(clippy::print_stdout)]

use healthomics::bulk::Planner;
use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, SequenceStoreId};
use healthomics_object_store::ObjectStorage;

type Failure = Box<dyn std::error::Error>;

/// The shard of this worker: the index of AWS Batch or Kubernetes. Without one, the only shard.
fn index() -> Result<usize, Failure> {
    let index = std::env::var("AWS_BATCH_JOB_ARRAY_INDEX").or_else(|_| std::env::var("JOB_COMPLETION_INDEX"));
    Ok(index.map_or(Ok(0), |index| index.parse())?)
}

/// Activates the read sets of one of `shards` shards, and resumes what an earlier worker has left.
async fn work(client: &Client, url: &str, store: SequenceStoreId, ids: Vec<String>) -> Result<(), Failure> {
    let (index, shards) = (index()?, std::env::var("SHARDS").map_or(Ok(1), |shards| shards.parse())?);
    let plan = Planner::activation("2026-11".into(), store).plan(ids)?.shard(index, shards)?;
    let journal = ObjectStorage::from_url(&format!("{url}/{index}"))?;
    let released = journal.released();
    let report = client.bulk_run(plan).journal_storage(journal).run().await;
    released.await;
    println!("{} read sets are active", report?.finished_count());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    if let (Some(url), Some(store)) = (arguments.next(), arguments.next()) {
        return work(&Client::from_env()?, &url, store.into(), arguments.collect()).await;
    }
    let local = LocalService::start().await?;
    let store = local.create_sequence_store();
    let seed = || local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam)).into();
    let ids = (0..50).map(|_| seed()).collect();
    work(&local.client()?, "memory:///journals/2026-11", store, ids).await
}
