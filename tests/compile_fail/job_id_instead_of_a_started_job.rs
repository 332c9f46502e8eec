// error: error[E0277]: `str` is not the output of a Start call
// error: a job is made of its ids by `export_job`, `import_job` or `activation_job`
async fn call(client: healthomics::Client) -> Result<(), healthomics::Error> {
    client
        .job("1234567890")
        .get()
        .await?;
    Ok(())
}

fn main() {}
