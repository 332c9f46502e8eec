// error: `ExportJobId: From<ImportJobId>` is not satisfied
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .get_read_set_export_job()
        .sequence_store_id("1234567890")
        .id(healthomics::ImportJobId::from("1234567890"))
        .send()
        .await?;
    Ok(())
}

fn main() {}
