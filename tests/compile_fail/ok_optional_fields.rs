use healthomics::ReferenceArn;
use healthomics::read_set::{FileType, ImportReadSetSource, JobFilter, JobStatus, ReadSetFilter, SourceFiles};

struct Row {
    name: Option<String>,
    reference: Option<ReferenceArn>,
    limit: Option<i32>,
    status: Option<JobStatus>,
}

fn source(row: &Row) -> ImportReadSetSource {
    ImportReadSetSource::builder()
        .source_files(SourceFiles::source1("s3://bucket/key").source2(None::<&str>))
        .source_file_type(&FileType::Bam)
        .subject_id("subject")
        .sample_id("sample")
        .name("name")
        .name(String::from("name"))
        .name(Some("name"))
        .name(row.name.as_deref())
        .name(row.name.as_ref())
        .name(row.name.clone())
        .reference_arn("arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/1234567890")
        .reference_arn(row.name.clone())
        .reference_arn(row.reference.as_ref())
        .reference_arn(row.reference.clone())
        .tags(None)
        .build()
}

async fn call(client: healthomics::Client, row: Row) -> Result<(), healthomics::Error> {
    client
        .list_read_set_export_jobs()
        .sequence_store_id("1234567890")
        .max_results(10)
        .max_results(None)
        .max_results(row.limit)
        .filter(None)
        .filter(JobFilter::new().status(&JobStatus::Failed).status(row.status.as_ref()).created_after(None))
        .next_token(row.name.as_ref())
        .send()
        .await?;
    client
        .list_read_sets()
        .sequence_store_id("1234567890")
        .filter(ReadSetFilter::new().name(row.name.as_ref()).subject_id(row.name.as_deref()).status("ACTIVE"))
        .send()
        .await?;
    client
        .export_read_sets()
        .group_size(10)
        .group_size(None)
        .duplicates(None);
    Ok(())
}

fn main() {
    let _ = source;
}
