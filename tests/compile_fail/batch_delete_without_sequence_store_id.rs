// error: a required member is not set: `Unset<sequence_store_id>`
// error: call the setter named in `Unset<sequence_store_id>` before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .batch_delete_read_set()
        .ids(["1234567890"])
        .send()
        .await
        .map(drop)?;
    Ok(())
}

fn main() {}
