//! A client with the default configuration and credential chain of AWS (environment, profiles, SSO, containers,
//! instances): `cargo run --features aws-config --example default_chain -- STORE_ID EXPORT_JOB_ID [--wait]`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use healthomics::Client;

async fn run(arguments: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
    let [store, job, more @ ..] = arguments.as_slice() else {
        return Err("which export job? STORE_ID EXPORT_JOB_ID".into());
    };
    let client = Client::from_default_chain().await?;
    println!("region {}", client.region());
    let job = client.export_job(store, job);
    println!("{job} is {}", job.get().await?.status);
    if more == ["--wait"] {
        let outcome = job.wait().on_progress(|progress| println!("{progress}")).await?;
        println!("{job} has ended, {} items failed", outcome.failed_items().count());
    }
    Ok(())
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run(std::env::args().skip(1).collect()).await else { return ExitCode::SUCCESS };
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
