// error: error[E0277]: `&str` is not a list of `ReadSetId`
// error: pass an array, a vector or an iterator, a single value as `[value]`
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_activation_job()
        .sequence_store_id("1234567890")
        .sources("5000000001")
        .send()
        .await?;
    Ok(())
}

fn main() {}
