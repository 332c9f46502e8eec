async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .get_read_set_metadata()
        .sequence_store_id("1234567890")
        .id("1234567890")
        .send()
        .await?;
    Ok(())
}

fn main() {}
