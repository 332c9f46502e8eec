//! An import with a progress bar: `cargo run --example progress_bar`.
//!
//! In a crate of your own it needs `indicatif = "0.18"`, too.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use healthomics::Client;
use healthomics::job::{Import, Job, Outcome, WaitError};
use healthomics::local::{LocalService, Pace};
use healthomics::read_set::{FileType, ImportReadSetSource};
use indicatif::{ProgressBar, ProgressStyle};

/// Paste this into a tool. In a real account, do not set `poll_every`: its default is 30 seconds.
async fn with_bar(job: &Job<Import>, poll_every: Duration) -> Result<Outcome<Import>, WaitError<Import>> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {elapsed}");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let progress_bar = bar.clone();
    let wait = job.wait().poll_every(poll_every).on_progress(move |progress| {
        progress_bar.set_length(progress.total as u64);
        progress_bar.set_position(progress.settled as u64);
        progress_bar.set_message(progress.to_string());
    });
    let outcome = wait.await;
    bar.finish();
    outcome
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::builder().pace(Pace::Polls(20)).start().await?;
    let client: Client = local.client()?;
    let store = local.create_sequence_store();
    local.fail_item("s3://my-bucket/lane-7.bam", "File validation failed");
    let sources = (1..=50).map(|lane| {
        let source = ImportReadSetSource::builder().source_files(format!("s3://my-bucket/lane-{lane}.bam"));
        source.source_file_type(FileType::Ubam).subject_id("NA12878").sample_id(format!("lane-{lane}")).build()
    });
    let call = client.start_read_set_import_job().sequence_store_id(&store).sources(sources);
    let started = call.role_arn("arn:aws:iam::123456789012:role/OmicsImport").send().await?;

    match with_bar(&client.job(&started), Duration::from_millis(20)).await?.into_completed() {
        Ok(job) => println!("all {} sources are read sets", job.sources.len()),
        Err(failed) => println!("{failed}"),
    }
    Ok(())
}
