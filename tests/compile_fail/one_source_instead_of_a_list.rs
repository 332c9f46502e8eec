// error: error[E0277]: `&str` is not an iterator
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .start_read_set_activation_job()
        .sequence_store_id("1234567890")
        .sources("5000000001")
        .send()
        .await?;
    Ok(())
}

fn main() {}
