// error: a required field is not set: `Unset<healthomics::read_set::builders::start_read_set_activation_job::sources>`
// error: call the setter that `Unset<healthomics::read_set::builders::start_read_set_activation_job::sources>` names before this
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_activation_job()
        .sequence_store_id("1234567890")
        .send()
        .await?;
    Ok(())
}

fn main() {}
