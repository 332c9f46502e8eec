// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_export_job::role_arn>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_export_job::role_arn>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_export_job()
        .sequence_store_id("1234567890")
        .destination("s3://bucket")
        .sources(["5000000001"])
        .send()
        .await?;
    Ok(())
}

fn main() {}
