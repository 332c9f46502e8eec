//! Serves an embedded HealthOmics until Ctrl-C:
//! `cargo run --features local --example local_service -- --port 9000 --pace-ms 5000`
//!
//! In a crate of your own it needs the feature `signal` of `tokio`, too.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut port, mut pace) = (0, Pace::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        match flag.as_str() {
            "--port" => port = value.parse()?,
            "--pace-ms" => pace = Pace::Time(Duration::from_millis(value.parse()?)),
            _ => return Err(format!("unknown flag {flag}; there are --port and --pace-ms").into()),
        }
    }

    let service = LocalService::builder().address(([127, 0, 0, 1], port).into()).pace(pace).start().await?;
    let store = service.create_sequence_store();
    let archived = SeedReadSet::archived(FileType::Bam).subject_id("NA12878").sample_id("A");
    let active = SeedReadSet::active(FileType::Fastq).subject_id("HG00146").sample_id("SRR233106");
    let archived = service.seed_read_set(&store, archived.name("archived BAM"));
    let active = service.seed_read_set(&store, active.name("active FASTQ"));

    let (url, region) = (service.endpoint_url(), service.region());
    println!("endpoint  {url}");
    println!("region    {region}");
    println!("key       {}", LocalService::ACCESS_KEY_ID);
    println!("secret    {}", LocalService::SECRET_ACCESS_KEY);
    println!("store     {store}");
    println!("read sets {archived} (archived), {active} (active)");
    match pace {
        Pace::Time(time) => println!("pace      a job takes {time:?}"),
        _ => println!("pace      the third read of a job finds it ended; unread, it ends after a second"),
    }
    println!();
    println!("Try it with Python; without inject_host_prefix=False boto3 would ask for control-storage-127.0.0.1:");
    println!();
    println!("  import boto3, botocore.config");
    println!("  omics = boto3.client(\"omics\", endpoint_url=\"{url}\", region_name=\"{region}\",");
    println!("      aws_access_key_id=\"{}\",", LocalService::ACCESS_KEY_ID);
    println!("      aws_secret_access_key=\"{}\",", LocalService::SECRET_ACCESS_KEY);
    println!("      config=botocore.config.Config(inject_host_prefix=False))");
    println!("  omics.start_read_set_activation_job(");
    println!("      sequenceStoreId=\"{store}\", sources=[{{\"readSetId\": \"{archived}\"}}])");

    tokio::signal::ctrl_c().await?;
    Ok(())
}
