//! Runs a program of any language with an embedded HealthOmics, and prints what it did there:
//! `cargo run --features local --example local_service -- python3 my_script.py`
//!
//! The program finds the service by the variables that all AWS SDKs read. A test would compare what is printed here. To
//! serve until Ctrl-C, use the program `healthomics-local` of the feature `local-service`.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::process::Command;

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::FileType;
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("which program? for example: python3 my_script.py")?;

    let local = LocalService::builder().control_path().start().await?;
    let store = local.create_sequence_store();
    let archived = SeedReadSet::archived(FileType::Bam).subject_id("NA12878").sample_id("A");
    let archived = local.seed_read_set(&store, archived.name("archived BAM"));

    let (url, credentials) = (local.endpoint_url(), local.credentials());
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("AWS_ENDPOINT_URL", &url)
        .env("AWS_DISABLE_HOST_PREFIX_INJECTION", "true")
        .env("AWS_REGION", local.region())
        .env("AWS_DEFAULT_REGION", local.region())
        .env("AWS_ACCESS_KEY_ID", credentials.access_key_id())
        .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key())
        .env("HEALTHOMICS_LOCAL_CONTROL", format!("{url}/_local"))
        .env("STORE", store.as_str())
        .env("READ_SET", archived.as_str());
    let status = spawn_blocking(move || command.status()).await??;
    println!("the program ended with {status}");
    for request in local.requests() {
        println!("{} {} got {:?}", request.method, request.path, request.status);
    }
    for job in local.jobs() {
        println!("{:?} job {} is {}", job.kind, job.id, job.status);
    }
    Ok(())
}
