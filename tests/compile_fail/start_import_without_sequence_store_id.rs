// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_import_job::sequence_store_id>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_import_job::sequence_store_id>` names before this
async fn call(client: healthomics::Client, sources: Vec<healthomics::read_set::ImportReadSetSource>) -> Result<(), healthomics::Error> {
    client
        .start_read_set_import_job()
        .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
        .sources(sources)
        .send()
        .await?;
    Ok(())
}

fn main() {}
