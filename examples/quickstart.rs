//! A manifest of real sequencing files through import, activation and export.
//!
//! `cargo run --example quickstart` does it against the embedded local service: no AWS account, nothing leaves the
//! machine. With a store of your own it does the same in your account, with the credentials and region of the
//! environment:
//!
//! ```text
//! cargo run --example quickstart -- --store 1234567890 --role arn:aws:iam::123456789012:role/Omics \
//!     --destination s3://my-bucket/exports/ [--archived 2345678901] [--manifest my.json] [--endpoint http://…]
//! ```
#![allow(clippy::print_stdout)]

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::model::{FileType, ItemStatus, JobStatus, ReadSetId};
use healthomics::{Client, ImportReadSetSource};

type Failure = Box<dyn std::error::Error>;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/manifest.json");

/// Where the work is done.
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
    let mut follower = Follower::new(&started.id, &started.status);
    let job = loop {
        tokio::time::sleep(place.poll_every).await;
        let get = place.client.get_read_set_import_job().sequence_store_id(&place.store).id(&started.id);
        let job = get.send().await?;
        for source in &job.sources {
            let file = source.source_files.source1.as_str();
            let label = source.name.as_deref().unwrap_or(file);
            let note = match (&source.read_set_id, &source.status_message) {
                (Some(id), _) => format!("became read set {id}"),
                (None, Some(message)) => format!("{message}; look at {file}"),
                (None, None) => format!("no reason given; look at {file}"),
            };
            follower.item(file, label, &source.status, &note);
        }
        follower.job(&job.status, job.status_message.as_deref());
        if job.status.is_terminal() {
            break job;
        }
    };
    Ok(job.sources.into_iter().filter_map(|source| source.read_set_id).collect())
}

async fn activate(place: &Place, archived: &str) -> Result<Vec<ReadSetId>, Failure> {
    println!("\nActivate read set {archived}, which is archived");
    let call = place.client.start_read_set_activation_job().sequence_store_id(&place.store);
    let started = call.sources([archived]).send().await?;
    let mut follower = Follower::new(&started.id, &started.status);
    let job = loop {
        tokio::time::sleep(place.poll_every).await;
        let get = place.client.get_read_set_activation_job().sequence_store_id(&place.store).id(&started.id);
        let job = get.send().await?;
        for source in &job.sources {
            let (id, note) = (source.read_set_id.as_str(), source.status_message.as_deref());
            follower.item(id, id, &source.status, note.unwrap_or_default());
        }
        follower.job(&job.status, job.status_message.as_deref());
        if job.status.is_terminal() {
            break job;
        }
    };
    let finished = job.sources.into_iter().filter(|source| source.status == ItemStatus::Finished);
    Ok(finished.map(|source| source.read_set_id).collect())
}

async fn export(place: &Place, read_sets: &[ReadSetId]) -> Result<(), Failure> {
    println!("\nExport {} read sets to {}", read_sets.len(), place.destination);
    let call = place.client.start_read_set_export_job().sequence_store_id(&place.store).role_arn(&place.role);
    let started = call.destination(&place.destination).sources(read_sets).send().await?;
    let mut follower = Follower::new(&started.id, &started.status);
    loop {
        tokio::time::sleep(place.poll_every).await;
        let get = place.client.get_read_set_export_job().sequence_store_id(&place.store).id(&started.id);
        let job = get.send().await?;
        for read_set in &job.read_sets {
            let (id, note) = (read_set.id.as_str(), read_set.status_message.as_deref());
            follower.item(id, id, &read_set.status, note.unwrap_or_default());
        }
        follower.job(&job.status, job.status_message.as_deref());
        if job.status.is_terminal() {
            let done = job.read_sets.iter().filter(|read_set| read_set.status == ItemStatus::Finished).count();
            println!("\n{done} of {} read sets are in {} now", read_sets.len(), place.destination);
            return Ok(());
        }
    }
}

/// Prints what has changed since the last look, and nothing else.
struct Follower {
    job: JobStatus,
    items: HashMap<String, ItemStatus>,
}

impl Follower {
    fn new(id: impl std::fmt::Display, status: &JobStatus) -> Self {
        println!("  job {id} is {status}");
        Self { job: status.clone(), items: HashMap::new() }
    }

    fn job(&mut self, status: &JobStatus, message: Option<&str>) {
        if self.job != *status {
            println!("  job is {status}: {}", message.unwrap_or("no message"));
            self.job = status.clone();
        }
    }

    fn item(&mut self, key: &str, label: &str, status: &ItemStatus, note: &str) {
        let before = self.items.insert(key.to_owned(), status.clone());
        if before.as_ref() == Some(status) {
            return;
        }
        match status {
            ItemStatus::Finished => println!("    + {label:<22} {status:<11}  {note}"),
            ItemStatus::Failed => println!("    ! {label:<22} {status:<11}  {note}"),
            _ => println!("      {label:<22} {status}"),
        }
    }
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

/// A real account, or any service at `--endpoint`.
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
        poll_every: Duration::from_secs(5),
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
