//! Imports a manifest of real sequencing files, activates an archived read set, and exports all read sets.
//!
//! `cargo run --example quickstart` uses the embedded local service: it needs no AWS account and no network. With
//! `--store` it uses your account, with the credentials and region of the environment:
//!
//! ```text
//! cargo run --example quickstart -- --store 1234567890 --role arn:aws:iam::123456789012:role/Omics \
//!     --destination s3://my-bucket/exports/ [--archived 2345678901] [--manifest my.json] [--endpoint http://…]
//! ```
//!
//! In a crate of your own it needs `serde_json = "1"`, too.
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use healthomics::job::{Job, JobItem as _, JobKind, Outcome, WaitError};
use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::{FileType, ImportReadSetSource, ItemStatus};
use healthomics::{Client, ReadSetId};

type Failure = Box<dyn std::error::Error>;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifest.json");

/// The client, and the resources to use.
struct Place {
    client: Client,
    store: String,
    role: String,
    destination: String,
    archived: Option<String>,
    poll_every: Duration,
    /// Keeps the local service alive.
    _local: Option<LocalService>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let options = options()?;
    let manifest = options.get("manifest").map_or(MANIFEST, String::as_str);
    let sources: Vec<ImportReadSetSource> = serde_json::from_str(&std::fs::read_to_string(manifest)?)?;
    let place = if options.contains_key("store") { account(&options)? } else { local(&sources).await? };

    let mut ready = import(&place, sources).await?;
    if let Some(archived) = &place.archived {
        ready.extend(activate(&place, archived).await?);
    }
    if ready.is_empty() {
        return Err("no read set is ready to be exported".into());
    }
    export(&place, &ready).await
}

async fn import(place: &Place, sources: Vec<ImportReadSetSource>) -> Result<Vec<ReadSetId>, Failure> {
    println!("\nImport {} sources into store {}", sources.len(), place.store);
    let call = place.client.start_read_set_import_job().sequence_store_id(&place.store).role_arn(&place.role);
    let started = call.sources(sources).send().await?;
    println!("  job {} is {}", started.id, started.status);
    let outcome = place.follow(&place.client.job(&started)).await?;
    for source in outcome.items() {
        let file = source.source_files.source1.as_str();
        let name = source.name.as_deref().unwrap_or(file);
        match &source.read_set_id {
            Some(id) => println!("    + {name:<22} {:<5} became read set {id}", kind(source.source_file_type.as_ref())),
            None => println!("    ! {name:<22} {:<5} {}; check {file}", source.status, source.reason()),
        }
    }
    Ok(outcome.read_sets().map(|(_, id)| id.clone()).collect())
}

async fn activate(place: &Place, archived: &str) -> Result<Vec<ReadSetId>, Failure> {
    println!("\nActivate read set {archived}, which is archived");
    let call = place.client.start_read_set_activation_job().sequence_store_id(&place.store);
    let started = call.sources([archived]).send().await?;
    println!("  job {} is {}", started.id, started.status);
    let outcome = place.follow(&place.client.job(&started)).await?;
    print_items(&outcome);
    Ok(outcome.finished_items().map(|source| source.read_set_id.clone()).collect())
}

async fn export(place: &Place, read_sets: &[ReadSetId]) -> Result<(), Failure> {
    println!("\nExport {} read sets to {}", read_sets.len(), place.destination);
    let call = place.client.start_read_set_export_job().sequence_store_id(&place.store).role_arn(&place.role);
    let started = call.destination(&place.destination).sources(read_sets).send().await?;
    println!("  job {} is {}", started.id, started.status);
    let outcome = place.follow(&place.client.job(&started)).await?;
    print_items(&outcome);
    println!(
        "\n{} of {} read sets are in {} now",
        outcome.finished_items().count(),
        read_sets.len(),
        place.destination
    );
    Ok(())
}

impl Place {
    /// Waits for the end of a job and prints its progress.
    async fn follow<K: JobKind>(&self, job: &Job<K>) -> Result<Outcome<K>, WaitError<K>> {
        let wait = job.wait().poll_every(self.poll_every).on_progress(|progress| {
            let done = "#".repeat(progress.settled * 20 / progress.total.max(1));
            println!("  [{done:<20}] {progress}");
        });
        wait.await
    }
}

fn print_items<K: JobKind>(outcome: &Outcome<K>) {
    for item in outcome.items() {
        let mark = if *item.status() == ItemStatus::Finished { '+' } else { '!' };
        println!("    {mark} {} {}: {}", item.name(), item.status(), item.reason());
    }
}

fn kind(file_type: Option<&FileType>) -> &str {
    file_type.map_or("", FileType::as_str)
}

/// An embedded HealthOmics with one archived read set, in which the last source of the manifest fails.
async fn local(sources: &[ImportReadSetSource]) -> Result<Place, Failure> {
    let local = LocalService::builder().pace(Pace::Polls(4)).start().await?;
    let store = local.create_sequence_store();
    let archived = local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram));
    if let Some(last) = sources.last() {
        local.fail_item(last.source_files.source1.as_str(), "File validation failed");
    }
    println!("The embedded HealthOmics listens on {}", local.endpoint_url());
    Ok(Place {
        client: local.client()?,
        store: store.to_string(),
        role: "arn:aws:iam::123456789012:role/OmicsQuickstart".to_owned(),
        destination: "s3://my-bucket/exports/".to_owned(),
        archived: Some(archived.to_string()),
        poll_every: Duration::from_millis(50),
        _local: Some(local),
    })
}

/// Uses a real account, or the service at `--endpoint`.
fn account(options: &HashMap<String, String>) -> Result<Place, Failure> {
    let need = |name: &str| options.get(name).cloned().ok_or_else(|| format!("--{name} is needed with --store"));
    let mut builder = healthomics::ClientBuilder::from_env()?;
    if let Some(endpoint) = options.get("endpoint") {
        builder = builder.endpoint_url(endpoint);
    }
    Ok(Place {
        client: builder.app_name("healthomics-quickstart").build()?,
        store: need("store")?,
        role: need("role")?,
        destination: need("destination")?,
        archived: options.get("archived").cloned(),
        poll_every: Duration::from_secs(30),
        _local: None,
    })
}

/// `--name value` pairs.
fn options() -> Result<HashMap<String, String>, Failure> {
    const KNOWN: [&str; 6] = ["archived", "destination", "endpoint", "manifest", "role", "store"];
    let mut options = HashMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let name = argument.strip_prefix("--").filter(|name| KNOWN.contains(name));
        let name = name.ok_or_else(|| format!("{argument} is not one of --{}", KNOWN.join(", --")))?;
        let value = arguments.next().ok_or_else(|| format!("{argument} wants a value"))?;
        options.insert(name.to_owned(), value);
    }
    if options.contains_key("endpoint") && !options.contains_key("store") {
        return Err("--endpoint needs --store, --role and --destination: what is there is not made up".into());
    }
    Ok(options)
}
