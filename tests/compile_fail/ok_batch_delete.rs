async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .batch_delete_read_set()
        .sequence_store_id("1234567890")
        .ids(["1234567890"])
        .send()
        .await
        .map(drop)?;
    Ok(())
}

fn main() {}
