//! A client by the whole default chain of AWS (environment, profiles, SSO, containers, instances):
//! `cargo run --features aws-config --example default_chain -- STORE_ID EXPORT_JOB_ID`
#![allow(clippy::print_stdout)]

use healthomics::Client;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(store), Some(job)) = (arguments.next(), arguments.next()) else {
        return Err("which export job? STORE_ID EXPORT_JOB_ID".into());
    };
    let client = Client::from_default_chain().await?;
    println!("region {}", client.region());
    let job = client.get_read_set_export_job().sequence_store_id(store).id(job).send().await?;
    println!("export job {} is {}", job.id, job.status);
    Ok(())
}
