// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_export_job::sequence_store_id>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_export_job::sequence_store_id>` names before this
// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_export_job::destination>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_export_job::destination>` names before this
// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_export_job::role_arn>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_export_job::role_arn>` names before this
// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_export_job::sources>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_export_job::sources>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_export_job()
        .send()
        .await?;
    Ok(())
}

fn main() {}
