// error: a required field is not set: `Unset<subject_id>`
// error: call the setter that `Unset<subject_id>` names before this
fn source() -> healthomics::read_set::ImportReadSetSource {
    healthomics::read_set::ImportReadSetSource::builder()
        .source_files("s3://bucket/key")
        .source_file_type(healthomics::read_set::FileType::Bam)
        .sample_id("sample")
        .build()
}

fn main() {
    source();
}
