//! Reads the first bytes of a read set from Amazon S3, without an export: `cargo run --example read_from_s3`.
//!
//! In a crate of your own it needs `rustls = { version = "0.23", features = ["ring"] }` and
//! `object_store = { version = "0.14", default-features = false, features = ["aws-base", "reqwest", "ring"] }`, too.
//! The server that `main` starts is in place of Amazon S3, and needs `axum = "0.8"`.
#![allow(clippy::print_stdout)]

use axum::http::{StatusCode, Uri};
use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, ReadSetId, ReadSetUri, SequenceStoreId};
use object_store::aws::AmazonS3Builder;
use object_store::{ObjectStoreExt, path::Path};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where Amazon S3 has the file, or the first file of a pair.
async fn location(client: &Client, store: &SequenceStoreId, id: &ReadSetId) -> Result<ReadSetUri, Failure> {
    let read_set = client.get_read_set_metadata().sequence_store_id(store).id(id).send().await?;
    let file = read_set.files.and_then(|files| files.source1);
    let uri = file.and_then(|file| file.s3_access?.s3_uri);
    let uri = uri.ok_or_else(|| format!("{id} is {}; only an active one can be read", read_set.status))?;
    Ok(ReadSetUri::try_from(&uri)?)
}

/// A part of the file. Large files are read part by part, or as a stream by `get`.
async fn part(s3: AmazonS3Builder, uri: &ReadSetUri, range: std::ops::Range<u64>) -> Result<Vec<u8>, Failure> {
    let s3 = s3.with_bucket_name(uri.bucket()).build()?;
    Ok(s3.get_range(&Path::parse(uri.key())?, range).await?.into())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // One TLS library for all. With the feature `aws` of `object_store` instead, there are two, and no such line.
    drop(rustls::crypto::ring::default_provider().install_default());
    let local = LocalService::start().await?;
    let client = local.client()?; // in your account: `Client::from_env()?`
    let store = local.create_sequence_store();
    let read_set = local.seed_read_set(&store, SeedReadSet::active(FileType::Cram));

    // In your account: `AmazonS3Builder::from_env().with_region(client.region())`. It has no profiles; their credentials
    // come into the environment by `eval "$(aws configure export-credentials --profile NAME --format env)"`.
    let s3 = AmazonS3Builder::new().with_region(client.region()).with_access_key_id("id").with_secret_access_key("key");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let s3 = s3.with_endpoint(format!("http://{}", listener.local_addr()?)).with_allow_http(true);
    let object = |uri: Uri| async move {
        println!("Amazon S3 is asked for {uri}");
        (StatusCode::PARTIAL_CONTENT, [("content-range", "bytes 0-3/1527"), ("etag", "1")], "CRAM")
    };
    let router = axum::Router::new().fallback(object);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let uri = location(&client, &store, &read_set).await?;
    let bytes = part(s3, &uri, 0..4).await?;
    println!("{} of read set {} begins with {:?}", uri.file_name(), uri.read_set_id(), String::from_utf8_lossy(&bytes));
    Ok(())
}
