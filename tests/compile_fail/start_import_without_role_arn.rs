// error: a required member is not set: `Unset<role_arn>`
// error: call the setter named in `Unset<role_arn>` before this
async fn call(client: healthomics::Client, sources: Vec<healthomics::read_set::ImportReadSetSource>) -> Result<(), healthomics::Error> {
    client
        .start_read_set_import_job()
        .sequence_store_id("1234567890")
        .sources(sources)
        .send()
        .await?;
    Ok(())
}

fn main() {}
