//! Handles the end of jobs from events of EventBridge, without a process that waits: `cargo run --example job_events`.
//!
//! The handler is for a Lambda function that is the target of a rule (its payload is an `Event`), or for a consumer of
//! a queue (the body of a message parses into an `Event`). The documentation of `healthomics::event` has the rule.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use healthomics::Client;
use healthomics::event::{Change, Event};
use healthomics::job::{Job, JobKind, Outcome, WaitError};
use healthomics::local::LocalService;
use healthomics::read_set::{FileType, ImportReadSetSource};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Paste this into a service. Events may arrive twice or in another order: the handler can be repeated, and it gets the
/// job instead of using the status of the event.
async fn handle(client: &Client, event: Event) -> Result<(), Failure> {
    match event.change {
        Change::ImportJob(change) if change.status.is_terminal() => {
            let outcome = outcome(&change.job(client)).await?;
            for (files, read_set) in outcome.read_sets() {
                println!("{} became read set {read_set}", files.source1);
            }
        }
        Change::ExportJob(change) if change.status.is_terminal() => drop(outcome(&change.job(client)).await?),
        Change::ActivationJob(change) if change.status.is_terminal() => drop(outcome(&change.job(client)).await?),
        Change::ReadSet(change) => println!("read set {} is {}", change.id, change.status),
        _ => println!("nothing to do about this {:?}", event.detail_type),
    }
    Ok(())
}

/// Gets the job, which has ended, once; or several times if the service does not report its end yet.
async fn outcome<K: JobKind>(job: &Job<K>) -> Result<Outcome<K>, WaitError<K>> {
    let outcome = job.wait().timeout(Duration::from_secs(20)).await?;
    println!("{job}: {} finished, {} failed", outcome.finished_items().count(), outcome.failed_items().count());
    Ok(outcome)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // In a service: `let client = Client::from_env()?;`
    let local = LocalService::start().await?;
    let client = local.client()?;
    let store = local.create_sequence_store();
    local.fail_item("s3://my-bucket/b.bam", "File validation failed");
    let sources = ["a", "b"].map(|sample| {
        let source = ImportReadSetSource::builder().source_files(format!("s3://my-bucket/{sample}.bam"));
        source.source_file_type(FileType::Ubam).subject_id("NA12878").sample_id(sample).build()
    });
    let call = client.start_read_set_import_job().sequence_store_id(&store).sources(sources);
    let job = call.role_arn("arn:aws:iam::123456789012:role/OmicsImport").send().await?.id;

    for (kind, id, status) in [
        ("Read Set Import Job Status Change", job.as_str(), "SUBMITTED"),
        ("Read Set Import Job Status Change", job.as_str(), "COMPLETED_WITH_FAILURES"),
        ("Read Set Import Job Status Change", job.as_str(), "COMPLETED_WITH_FAILURES"),
        ("Read Set Status Change", "5555555555", "ARCHIVED"),
        ("Run Status Change", "7654321", "COMPLETED"),
    ] {
        let payload = format!(
            r#"{{"source": "aws.omics", "detail-type": "{kind}", "region": "us-east-1", "resources": [],
                "detail": {{"omicsVersion": "1.0.0", "id": "{id}", "sequenceStoreId": "{store}", "status": "{status}"}}}}"#
        );
        handle(&client, payload.parse()?).await?;
    }
    Ok(())
}
