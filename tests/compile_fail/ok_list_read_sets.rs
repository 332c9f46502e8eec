async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .list_read_sets()
        .sequence_store_id("1234567890")
        .items()
        .next()
        .await
        .transpose()?;
    Ok(())
}

fn main() {}
