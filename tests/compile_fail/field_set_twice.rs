// error: this required field is set already
// error: a second call of the same setter
// error: in a loop or in branches, collect the value first, then set it
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .get_read_set_export_job()
        .id("1234567890")
        .id("1234567891")
        .sequence_store_id("1234567890")
        .send()
        .await?;
    Ok(())
}

fn main() {}
