// error: a required member is not set: `Unset<source_file_type>`
// error: call the setter named in `Unset<source_file_type>` before this
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
