// error: error[E0277]: `[u64; 2]` is not a list of `ReadSetId`
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_activation_job()
        .sequence_store_id("1234567890")
        .sources([5000000001_u64, 5000000002])
        .send()
        .await?;
    Ok(())
}

fn main() {}
