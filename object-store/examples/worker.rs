//! The process that `tests/s3.rs` starts and terminates: a bulk export with a journal in Amazon S3.
//!
//! `worker SEQUENCE_STORE JOURNAL LEASE_MS READ_SET…`; settings come from the environment. The exit code is 4 if another run
//! has the journal, and 5 if its store fails. If `DISTRUST_CLIENT_TOKENS` is set, starts do not rely on their client tokens.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;
use std::time::Duration;

use healthomics::ClientBuilder;
use healthomics::bulk::{BulkError, Planner};
use healthomics_object_store::ObjectStorage;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Failure> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().ok_or("an argument is missing");
    let (store, url, lease) = (argument()?, argument()?, argument()?.parse()?);
    let role = "arn:aws:iam::123456789012:role/OmicsExport";
    let planner = Planner::export("run".into(), store.into(), "s3://my-bucket/exports/".into(), role.into());
    let plan = planner.group_size(10).plan(arguments)?;

    let trust = std::env::var_os("DISTRUST_CLIENT_TOKENS").is_none();
    let builder = ClientBuilder::from_env()?.requests_per_second(100).trust_client_token(trust);
    // A request of a terminated process has arrived by then.
    let client = builder.reconcile_after(Duration::from_secs(1)).build()?;
    let journal = ObjectStorage::from_url(&url)?.lease(Duration::from_millis(lease));
    let released = journal.released();
    let result = client.bulk_run(plan).poll_every(Duration::from_millis(20)).journal_storage(journal).run().await;
    if !matches!(result, Err(BulkError::JournalIo { .. })) {
        released.await;
    }
    match result {
        Ok(report) => {
            println!("{} read sets in {} jobs", report.finished_count(), report.job_ids().count());
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}: {error:?}");
            Ok(ExitCode::from(match error {
                BulkError::JournalLocked { .. } => 4,
                BulkError::JournalIo { .. } => 5,
                _ => 1,
            }))
        }
    }
}
