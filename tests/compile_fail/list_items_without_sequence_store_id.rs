// error: a required member is not set: `Unset<sequence_store_id>`
// error: call the setter named in `Unset<sequence_store_id>` before this
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
