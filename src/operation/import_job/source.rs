//! One source of an import job: what is asked for, and what the job says of it.

mod manifest;

use std::collections::BTreeMap;

use crate::builder::{IsSet, builder};
use crate::check::{Path, Violations};
use crate::decode::{Member, OrEmpty, Part, Read, Text, TextOrEmpty, Value, members};
use crate::model::{FileType, ItemStatus, ReadSetId, ReferenceArn, S3Uri, SampleId, SubjectId};

type Tags = BTreeMap<String, String>;

/// The files of one source: one, or a pair of FASTQ files.
///
/// ```
/// use healthomics::SourceFiles;
///
/// let pair = SourceFiles::source1("s3://my-bucket/HG00096_1.fastq.gz").source2("s3://my-bucket/HG00096_2.fastq.gz");
/// assert!(pair.source2.is_some());
/// // A single file is made of its text.
/// let single = SourceFiles::from("s3://my-bucket/HG00096.bam");
/// assert_eq!(single, SourceFiles::source1("s3://my-bucket/HG00096.bam"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceFiles {
    /// The file, or the first reads of a pair.
    pub source1: S3Uri,
    /// The second reads of a pair. Only FASTQ has them.
    pub source2: Option<S3Uri>,
}

impl SourceFiles {
    /// The file, or the first reads of a pair: `s3://bucket/key`.
    pub fn source1(source1: impl Into<S3Uri>) -> Self {
        Self { source1: source1.into(), source2: None }
    }

    /// The second reads of a FASTQ pair: `s3://bucket/key`.
    #[must_use]
    pub fn source2(self, source2: impl Into<S3Uri>) -> Self {
        Self { source2: Some(source2.into()), ..self }
    }
}

members! {
    /// [`SourceFiles`] in an answer, with whatever the service adds one day, and with `""` for a file that is not there.
    struct AnsweredFiles {
        source1: S3Uri = "source1" as TextOrEmpty;
        source2: Option<S3Uri> = "source2" as Text;
    }
}

impl<'de> Member<'de, SourceFiles> for AnsweredFiles {
    fn absent() -> SourceFiles {
        SourceFiles::source1("")
    }

    fn read(value: &mut dyn Value<'de>) -> Read<SourceFiles> {
        let files = <Self as Part>::read(value)?;
        Ok(files.map_or_else(Self::absent, |Self { source1, source2 }| SourceFiles { source1, source2 }))
    }
}

/// A single file.
impl<T: Into<S3Uri>> From<T> for SourceFiles {
    fn from(source1: T) -> Self {
        Self::source1(source1)
    }
}

builder! {
    /// Builds an [`ImportReadSetSource`]: made by [`ImportReadSetSource::builder`].
    pub struct ImportReadSetSourceBuilder(context: ()) builds
    /// One source of an import job (`StartReadSetImportJobSourceItem`): it becomes one read set.
    ///
    /// ```
    /// use healthomics::ImportReadSetSource;
    /// use healthomics::model::FileType;
    ///
    /// let source = ImportReadSetSource::builder()
    ///     .source_files("s3://my-bucket/HG00096.cram")
    ///     .source_file_type(FileType::Cram)
    ///     .subject_id("HG00096")
    ///     .sample_id("HG00096-blood")
    ///     .reference_arn("arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/1234567890")
    ///     .tag("project", "1000 Genomes")
    ///     .build();
    /// assert_eq!(source.subject_id, "HG00096");
    /// ```
    ///
    /// It can be read from a manifest: the JSON that the AWS CLI takes as `--sources`. A member that is not known or given
    /// twice is refused there, as one would be lost.
    #[derive(PartialEq, Eq)]
    #[doc(alias = "StartReadSetImportJobSourceItem")]
    pub struct ImportReadSetSource;
    required {
        /// The file, or the pair of FASTQ files.
        Files = source_files: SourceFiles;
        /// What kind of file it is.
        Type = source_file_type: FileType;
        /// Whom the data is of: 1 to 127 characters.
        Subject = subject_id: SubjectId;
        /// Which sample of the subject it is: 1 to 127 characters.
        Sample = sample_id: SampleId;
    }
    optional {
        /// Where the sample came from: 1 to 127 characters.
        generated_from: String;
        /// The reference that the reads are aligned to; BAM and CRAM need one.
        reference_arn: ReferenceArn;
        /// A name for the read set: 1 to 127 characters.
        name: String;
        /// A description of the read set: 1 to 255 characters.
        description: String;
        /// All tags of the read set at once: keys of 1 to 128 characters, values of at most 256.
        tags: Tags;
    }
    defaulted {}
}

impl ImportReadSetSource {
    /// Starts a source; file, type, subject and sample are required, and the compiler asks for them.
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

    /// The source. What the compiler can't see is checked when the call is sent.
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

members! {
    /// What an import job says of one of its sources.
    ///
    /// [`Client::get_read_set_import_job`](crate::Client::get_read_set_import_job) has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ImportReadSetSourceItem {
        /// The file, or the pair of FASTQ files; `source1` is empty if the service left it out.
        pub source_files: SourceFiles = "sourceFiles" as AnsweredFiles;
        /// What kind of file it is.
        pub source_file_type: Option<FileType> = "sourceFileType" as Text;
        /// Where the source stands.
        pub status: ItemStatus = "status" as TextOrEmpty;
        /// What the service says about it: why it failed, say.
        pub status_message: Option<String> = "statusMessage" as Text;
        /// Whom the data is of.
        pub subject_id: Option<SubjectId> = "subjectId" as Text;
        /// Which sample of the subject it is.
        pub sample_id: Option<SampleId> = "sampleId" as Text;
        /// Where the sample came from.
        pub generated_from: Option<String> = "generatedFrom" as Text;
        /// The reference that the reads are aligned to.
        pub reference_arn: Option<ReferenceArn> = "referenceArn" as Text;
        /// The name of the read set.
        pub name: Option<String> = "name" as Text;
        /// The description of the read set.
        pub description: Option<String> = "description" as Text;
        /// The tags of the read set; the service adds some of its own, `aws:omics:…`.
        pub tags: BTreeMap<String, String> = "tags" as OrEmpty;
        /// The read set that the source became, once it has.
        pub read_set_id: Option<ReadSetId> = "readSetId" as Text;
    }
}
