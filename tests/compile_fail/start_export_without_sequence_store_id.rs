// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_export_job::sequence_store_id>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_export_job::sequence_store_id>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_export_job()
        .destination("s3://bucket")
        .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
        .sources(["5000000001"])
        .send()
        .await?;
    Ok(())
}

fn main() {}
