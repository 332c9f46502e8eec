// error: a required field is not set: `Unset<healthomics::read_set::builders::get_read_set_import_job::sequence_store_id>`
// error: call the setter that `Unset<healthomics::read_set::builders::get_read_set_import_job::sequence_store_id>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .get_read_set_import_job()
        .id("1234567890")
        .send()
        .await?;
    Ok(())
}

fn main() {}
