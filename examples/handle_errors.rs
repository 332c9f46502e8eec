//! What to do about each kind of error: `cargo run --example handle_errors`.
#![allow(clippy::print_stdout)]

use healthomics::local::{Fault, LocalService};
use healthomics::read_set::StartReadSetExportJobOutput;
use healthomics::{Client, Error};

async fn export(client: &Client, store: &str) -> Result<StartReadSetExportJobOutput, Error> {
    let call = client.start_read_set_export_job().sequence_store_id(store).sources(["5555555555"]);
    call.destination("s3://my-bucket/").role_arn("arn:aws:iam::123456789012:role/OmicsExport").send().await
}

fn advice(error: &Error) -> String {
    match error {
        // Nothing was sent: fix all fields that are named.
        Error::InvalidInput(input) => format!("fix {}", input.violations()),
        // 402: by default, an account can run twenty jobs of a kind.
        Error::ServiceQuotaExceededException(_) => "wait for a job to end".to_owned(),
        Error::ResourceNotFoundException(_) => "check store, region and account".to_owned(),
        error if error.is_throttling() => format!("send fewer requests, wait {:?}", error.retry_after()),
        // Repeat the call later with the same token: it returns the job if there is one, and starts it if not.
        error if error.is_retryable() || error.may_have_been_applied() => {
            format!("repeat the call with the token; may have been applied: {}", error.may_have_been_applied())
        }
        error => format!("ask AWS support about request {:?}", error.request_id()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let local = LocalService::start().await?;
    let client = local.client_builder().max_attempts(1).build()?;
    let store = local.create_sequence_store();
    local.queue_fault("StartReadSetExportJob", Fault::error(402, "ServiceQuotaExceededException", "Too many jobs"));
    local.queue_fault("StartReadSetExportJob", Fault::error(429, "ThrottlingException", "Rate exceeded"));
    local.queue_fault("StartReadSetExportJob", Fault::ResetAfter);
    for store in [store.as_str(), store.as_str(), store.as_str(), "1234567890", "12a"] {
        if let Err(error) = export(&client, store).await {
            println!("{error}\n  {}", advice(&error));
        }
    }
    Ok(())
}
