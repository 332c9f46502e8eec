//! A source of an import job: in the request, and in the status of the job.

use std::collections::BTreeMap;

use serde::de::MapAccess;
use serde::{Deserialize, Serialize, Serializer};

use crate::builder::{IntoOption, IsSet, builder};
use crate::model::validation::{Path, Violations};
use crate::model::{FileType, ItemStatus, ReadSetId, ReferenceArn, S3Uri, SampleId, SubjectId};
use crate::protocol::json::{Field, json_struct};

type Tags = BTreeMap<String, String>;

/// The files of one source: one, or a pair of FASTQ files.
///
/// ```
/// use healthomics::read_set::SourceFiles;
///
/// let pair = SourceFiles::source1("s3://my-bucket/HG00096_1.fastq.gz")
///     .source2("s3://my-bucket/HG00096_2.fastq.gz");
/// assert!(pair.source2.is_some());
/// // A single file is made of its URI.
/// let single = SourceFiles::from("s3://my-bucket/HG00096.bam");
/// assert_eq!(single, SourceFiles::source1("s3://my-bucket/HG00096.bam"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SourceFiles {
    /// The URI of the file, or of the first file of a pair: `s3://bucket/key`.
    pub source1: S3Uri,
    /// The URI of the second file of a pair: `s3://bucket/key`. Only FASTQ has one; `None` for a single file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source2: Option<S3Uri>,
}

impl SourceFiles {
    /// Makes the files of a source of a single file, or of the first file of a pair: `s3://bucket/key`.
    pub fn source1(source1: impl Into<S3Uri>) -> Self {
        Self { source1: source1.into(), source2: None }
    }

    /// Sets the second file of a FASTQ pair: `s3://bucket/key`.
    #[must_use]
    pub fn source2(self, source2: impl IntoOption<S3Uri>) -> Self {
        Self { source2: source2.into_option(), ..self }
    }
}

/// The files of a source as a response has them: unknown fields are ignored there.
impl Field for SourceFiles {
    const EXPECTED: &'static str = "an object";

    fn absent() -> Self {
        Self::source1("")
    }

    fn from_object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        let files = ResponseFiles::from_object(fields)?;
        Ok(files.map(|files| Self { source1: files.source1, source2: files.source2 }))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn is_complete(&mut self) -> bool {
        self.source1.is_complete()
    }
}

json_struct! {
    #[derive(Serialize, Deserialize)]
    struct ResponseFiles {
        source1: S3Uri,
        source2: Option<S3Uri>,
    }
}

/// A single file.
impl<T: Into<S3Uri>> From<T> for SourceFiles {
    fn from(source1: T) -> Self {
        Self::source1(source1)
    }
}

builder! {
    /// The builder of an [`ImportReadSetSource`], made by [`ImportReadSetSource::builder`].
    ///
    /// ```
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// let source = ImportReadSetSource::builder()
    ///     .source_files("s3://my-bucket/HG00096.bam")
    ///     .source_file_type(FileType::Ubam)
    ///     .subject_id("HG00096")
    ///     .sample_id("HG00096-blood")
    ///     .build();
    /// assert_eq!(source.sample_id, "HG00096-blood");
    /// ```
    pub struct ImportReadSetSourceBuilder(context: ()) in mod import_read_set_source builds
    /// A source of an import job (`StartReadSetImportJobSourceItem`): a file or a pair of files of which one read set
    /// is made.
    ///
    /// ```
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// let hg38 = "arn:aws:omics:us-east-1:123456789012:referenceStore/123456/reference/654321";
    /// let source = ImportReadSetSource::builder()
    ///     .source_files("s3://my-bucket/HG00096.cram")
    ///     .source_file_type(FileType::Cram)
    ///     .subject_id("HG00096")
    ///     .sample_id("HG00096-blood")
    ///     .reference_arn(hg38)
    ///     .tag("project", "1000 Genomes")
    ///     .build();
    /// assert_eq!(source.subject_id, "HG00096");
    /// ```
    ///
    /// It can be read from a manifest: the JSON that the AWS CLI takes as `--sources`. An unknown or duplicate field is
    /// an error there, as its value would be lost.
    #[derive(PartialEq, Eq, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[doc(alias = "StartReadSetImportJobSourceItem")]
    pub struct ImportReadSetSource;
    required {
        /// The file, or the pair of FASTQ files.
        Files = source_files: SourceFiles;
        /// The format of the files.
        Type = source_file_type: FileType;
        /// The name of the subject that the data is of: 1 to 127 characters.
        Subject = subject_id: SubjectId;
        /// The name of the sample of the subject: 1 to 127 characters.
        Sample = sample_id: SampleId;
    }
    optional {
        /// What the sample was generated from: 1 to 127 characters.
        generated_from: String, serde(skip_serializing_if = "Option::is_none");
        /// The ARN of the reference genome that the reads are aligned to: `arn:…`, at most 127 characters. BAM and CRAM
        /// need one.
        reference_arn: ReferenceArn, serde(skip_serializing_if = "Option::is_none");
        /// The name of the read set: 1 to 127 characters.
        name: String, serde(skip_serializing_if = "Option::is_none");
        /// The description of the read set: 1 to 255 characters.
        description: String, serde(skip_serializing_if = "Option::is_none");
        /// The tags of the read set: keys of 1 to 128 characters, values of at most 256.
        tags: Tags, serde(skip_serializing_if = "Option::is_none");
    }
    defaulted {}
}

impl ImportReadSetSource {
    /// Makes a builder. Files, file type, subject and sample are required, which the compiler checks.
    pub fn builder() -> ImportReadSetSourceBuilder {
        ImportReadSetSourceBuilder::new(())
    }

    pub(crate) fn check(&self, violations: &mut Violations, at: Path<'_>) {
        let files = at.field("sourceFiles");
        violations.s3_uri(files.field("source1"), self.source_files.source1.as_str());
        if let Some(source2) = &self.source_files.source2 {
            violations.s3_uri(files.field("source2"), source2.as_str());
        }
        violations.known(at.field("sourceFileType"), self.source_file_type.as_str(), FileType::KNOWN);
        violations.text(at.field("subjectId"), self.subject_id.as_str(), 127);
        violations.text(at.field("sampleId"), self.sample_id.as_str(), 127);
        if let Some(generated_from) = &self.generated_from {
            violations.text(at.field("generatedFrom"), generated_from, 127);
        }
        if let Some(reference) = &self.reference_arn {
            violations.arn(at.field("referenceArn"), reference.as_str(), 1..=127);
        }
        if let Some(name) = &self.name {
            violations.text(at.field("name"), name, 127);
        }
        if let Some(description) = &self.description {
            violations.text(at.field("description"), description, 255);
        }
        let has_source2 = self.source_files.source2.is_some();
        violations.source(at, &self.source_file_type, has_source2, self.reference_arn.is_some());
        let tags = at.field("tags");
        for (key, value) in self.tags.iter().flatten() {
            violations.length(tags.key(key).field("key"), key, 1..=128);
            violations.length(tags.key(key), value, 0..=256);
        }
    }
}

impl<Files, Type, Subject, Sample> ImportReadSetSourceBuilder<Files, Type, Subject, Sample> {
    /// Adds one tag; the key has 1 to 128 characters, the value at most 256.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Builds the source. Its values are checked when the call is sent.
    pub fn build(self) -> ImportReadSetSource
    where
        Files: IsSet<SourceFiles>,
        Type: IsSet<FileType>,
        Subject: IsSet<SubjectId>,
        Sample: IsSet<SampleId>,
    {
        let ((), source) = self.into_parts();
        source
    }
}

json_struct! {
    /// A source of an import job, with its status (`ImportReadSetSourceItem`).
    ///
    /// [`Client::get_read_set_import_job`](crate::Client::get_read_set_import_job) has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ImportReadSetSourceItem {
        /// The file, or the pair of FASTQ files.
        pub source_files: SourceFiles,
        /// The format of the files. `None` if the service leaves it out.
        pub source_file_type: Option<FileType>,
        /// The status of its import.
        pub status: ItemStatus,
        /// A message of the service about the status, such as why it failed. `None` if there is none.
        pub status_message: Option<String>,
        /// The name of the subject that the data is of. `None` if the service leaves it out.
        pub subject_id: Option<SubjectId>,
        /// The name of the sample of the subject. `None` if the service leaves it out.
        pub sample_id: Option<SampleId>,
        /// What the sample was generated from. `None` if the service leaves it out.
        pub generated_from: Option<String>,
        /// The ARN of the reference genome that the reads are aligned to. `None` if there is none.
        pub reference_arn: Option<ReferenceArn>,
        /// The name of the read set. `None` if it has none.
        pub name: Option<String>,
        /// The description of the read set. `None` if it has none.
        pub description: Option<String>,
        /// The tags of the read set. The service adds tags of its own, whose keys start with `aws:omics:`.
        pub tags: BTreeMap<String, String>,
        /// The id of the read set that was made of the source. `None` if there is none yet.
        pub read_set_id: Option<ReadSetId>,
    }
}
