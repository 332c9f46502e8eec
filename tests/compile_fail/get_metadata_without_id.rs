// error: a required member is not set: `Unset<id>`
// error: call the setter named in `Unset<id>` before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .get_read_set_metadata()
        .sequence_store_id("1234567890")
        .send()
        .await?;
    Ok(())
}

fn main() {}
