// error: a required field is not set: `Unset<source_files>`
// error: call the setter that `Unset<source_files>` names before this
fn source() -> healthomics::read_set::ImportReadSetSource {
    healthomics::read_set::ImportReadSetSource::builder()
        .source_file_type(healthomics::read_set::FileType::Bam)
        .subject_id("subject")
        .sample_id("sample")
        .build()
}

fn main() {
    source();
}
