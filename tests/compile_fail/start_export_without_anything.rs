// error: a required member is not set: `Unset<sequence_store_id>`
// error: call the setter named in `Unset<sequence_store_id>` before this
// error: a required member is not set: `Unset<destination>`
// error: call the setter named in `Unset<destination>` before this
// error: a required member is not set: `Unset<role_arn>`
// error: call the setter named in `Unset<role_arn>` before this
// error: a required member is not set: `Unset<sources>`
// error: call the setter named in `Unset<sources>` before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_export_job()
        .send()
        .await?;
    Ok(())
}

fn main() {}
