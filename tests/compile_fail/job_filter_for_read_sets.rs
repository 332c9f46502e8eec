// error: `JobFilter` can't be passed for an optional `ReadSetFilter`
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .list_read_sets()
        .sequence_store_id("1234567890")
        .filter(healthomics::read_set::JobFilter::new())
        .send()
        .await?;
    Ok(())
}

fn main() {}
