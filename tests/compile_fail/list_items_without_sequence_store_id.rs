// error: a required field is not set: `Unset<healthomics::read_set::builders::list_read_sets::sequence_store_id>`
// error: call the setter that `Unset<healthomics::read_set::builders::list_read_sets::sequence_store_id>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .list_read_sets()
        .items()
        .next()
        .await
        .transpose()?;
    Ok(())
}

fn main() {}
