//! A small caller, whose size is measured: it starts an export.

use sketch::Sketch;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let started = Sketch::new("https://omics.us-east-1.amazonaws.com")?.start().await?;
    println!("{started}");
    Ok(())
}
