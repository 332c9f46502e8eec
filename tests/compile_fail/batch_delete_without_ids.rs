// error: a required field is not set: `Unset<ids>`
// error: call the setter that `Unset<ids>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .batch_delete_read_set()
        .sequence_store_id("1234567890")
        .send()
        .await
        .map(drop)?;
    Ok(())
}

fn main() {}
