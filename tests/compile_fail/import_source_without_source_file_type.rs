// error: a required field is not set: `Unset<source_file_type>`
// error: call the setter that `Unset<source_file_type>` names before this
fn source() -> healthomics::read_set::ImportReadSetSource {
    healthomics::read_set::ImportReadSetSource::builder()
        .source_files("s3://bucket/key")
        .subject_id("subject")
        .sample_id("sample")
        .build()
}

fn main() {
    source();
}
