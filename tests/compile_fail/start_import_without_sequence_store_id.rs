// error: a required member is not set: `Unset<sequence_store_id>`
// error: call the setter named in `Unset<sequence_store_id>` before this
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
