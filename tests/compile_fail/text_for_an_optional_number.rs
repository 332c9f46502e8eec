// error: error[E0277]: `&str` can't be passed for an optional `i32`
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .list_read_sets()
        .sequence_store_id("1234567890")
        .max_results("10")
        .send()
        .await?;
    Ok(())
}

fn main() {}
