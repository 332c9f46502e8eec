fn source() -> healthomics::ImportReadSetSource {
    healthomics::ImportReadSetSource::builder()
        .source_files("s3://bucket/key")
        .source_file_type(healthomics::model::FileType::Bam)
        .subject_id("subject")
        .sample_id("sample")
        .build()
}

fn main() {
    source();
}
