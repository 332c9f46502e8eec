async fn call(client: healthomics::Client, sources: Vec<healthomics::read_set::ImportReadSetSource>) -> Result<(), healthomics::Error> {
    client
        .start_read_set_import_job()
        .sequence_store_id("1234567890")
        .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
        .sources(sources)
        .send()
        .await?;
    Ok(())
}

fn main() {}
