//! A small caller, whose size is measured: it starts an export.

use harness::{DESTINATION, KEY, REGION, ROLE, SECRET, STORE, sources};
use healthomics::{Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let credentials = Credentials::new(KEY, SECRET, None, None, "versus");
    let client = Client::builder().region(REGION).credentials(credentials).build()?;
    let call = client.start_read_set_export_job().sequence_store_id(STORE).destination(DESTINATION);
    let started = call.role_arn(ROLE).sources(sources()).send().await?;
    println!("{}", started.id);
    Ok(())
}
