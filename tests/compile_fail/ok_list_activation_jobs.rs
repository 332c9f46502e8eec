async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .list_read_set_activation_jobs()
        .filter(healthomics::read_set::JobFilter::new())
        .sequence_store_id("1234567890")
        .max_results(100)
        .send()
        .await?;
    Ok(())
}

fn main() {}
