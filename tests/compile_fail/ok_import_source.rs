fn source() -> healthomics::read_set::ImportReadSetSource {
    healthomics::read_set::ImportReadSetSource::builder()
        .source_files("s3://bucket/key")
        .source_file_type(healthomics::read_set::FileType::Bam)
        .subject_id("subject")
        .sample_id("sample")
        .build()
}

fn main() {
    source();
}
