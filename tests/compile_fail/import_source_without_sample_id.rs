// error: a required field is not set: `Unset<sample_id>`
// error: call the setter that `Unset<sample_id>` names before this
fn source() -> healthomics::read_set::ImportReadSetSource {
    healthomics::read_set::ImportReadSetSource::builder()
        .source_files("s3://bucket/key")
        .source_file_type(healthomics::read_set::FileType::Bam)
        .subject_id("subject")
        .build()
}

fn main() {
    source();
}
