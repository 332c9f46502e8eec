// error: a required field is not set: `Unset<healthomics::read_set::builders::batch_delete_read_set::sequence_store_id>`
// error: call the setter that `Unset<healthomics::read_set::builders::batch_delete_read_set::sequence_store_id>` names before this
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
