// error: `SequenceStoreId: From<ReadSetId>` is not satisfied
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .get_read_set_export_job()
        .sequence_store_id(healthomics::ReadSetId::from("1234567890"))
        .id("1234567890")
        .send()
        .await?;
    Ok(())
}

fn main() {}
