//! A source of an import job: in the request, and in the status of the job.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::builder::{IntoOption, IsSet, builder};
use crate::model::text::Quoted;
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

/// Reads structs of a manifest from objects only. Code that serde derives would read an array, too, by the order of fields.
macro_rules! read_from_objects {
    ($($Name:ident from $Fields:ident { $($(#[$meta:meta])* $field:ident: $Type:ty,)+ })+) => {$(
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct $Fields {
            $($(#[$meta])* $field: $Type,)+
        }

        impl<'de> Visitor<'de> for ObjectVisitor<$Name> {
            type Value = $Name;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!("struct ", stringify!($Name)))
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<$Name, A::Error> {
                let $Fields { $($field),+ } = $Fields::deserialize(MapAccessDeserializer::new(fields))?;
                Ok($Name { $($field),+ })
            }
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(ObjectVisitor::<Self>(PhantomData))
            }
        }
    )+};
}

struct ObjectVisitor<T>(PhantomData<T>);

read_from_objects! {
    SourceFiles from FilesOfManifest {
        source1: S3Uri,
        source2: Option<S3Uri>,
    }
    ImportReadSetSource from SourceOfManifest {
        source_files: SourceFiles,
        source_file_type: FileType,
        subject_id: SubjectId,
        sample_id: SampleId,
        generated_from: Option<String>,
        reference_arn: Option<ReferenceArn>,
        name: Option<String>,
        description: Option<String>,
        #[serde(default, deserialize_with = "unique_tags")]
        tags: Option<Tags>,
    }
}

/// Reads tags. A duplicate key is an error: serde would keep the last value without one.
fn unique_tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tags>, D::Error> {
    struct UniqueTags;

    impl<'de> Visitor<'de> for UniqueTags {
        type Value = Option<Tags>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map of tags")
        }

        fn visit_none<E>(self) -> Result<Option<Tags>, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Option<Tags>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Tags>, D::Error> {
            deserializer.deserialize_map(self)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Option<Tags>, A::Error> {
            let mut tags = Tags::new();
            while let Some((key, value)) = entries.next_entry::<String, String>()? {
                if tags.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("duplicate tag {}", Quoted(&key))));
                }
                tags.insert(key, value);
            }
            Ok(Some(tags))
        }
    }

    deserializer.deserialize_option(UniqueTags)
}

#[cfg(test)]
mod manifest_tests {
    use serde::de::value::{Error, MapDeserializer};
    use serde::de::{Deserialize as _, Deserializer, IntoDeserializer, Visitor};
    use serde::forward_to_deserialize_any;

    use crate::model::FileType;
    use crate::read_set::{ImportReadSetSource, SourceFiles};

    const GOOD: &str = r#"{"sourceFiles":{"source1":"s3://b/1","source2":"s3://b/2"},"sourceFileType":"FASTQ","subjectId":"S","sampleId":"s"}"#;

    #[test]
    fn a_manifest_is_read_and_written_alike() {
        let source: ImportReadSetSource = serde_json::from_str(GOOD).unwrap();
        let files = SourceFiles::source1("s3://b/1").source2("s3://b/2");
        let built = ImportReadSetSource::builder().source_files(files).source_file_type(FileType::Fastq);
        assert_eq!(source, built.subject_id("S").sample_id("s").build());
        assert_eq!(serde_json::to_string(&source).unwrap(), GOOD);
    }

    #[test]
    fn a_misspelt_field_of_a_manifest_is_rejected() {
        for (right, wrong) in [("source2", "Source2"), ("sampleId", "sampleID"), ("\"subjectId\":\"S\",", "")] {
            let text = GOOD.replace(right, wrong);
            assert!(serde_json::from_str::<ImportReadSetSource>(&text).is_err(), "{text}");
        }
        let extra = GOOD.replace("{\"sourceFiles", "{\"refrenceArn\":\"arn:x\",\"sourceFiles");
        assert!(serde_json::from_str::<ImportReadSetSource>(&extra).unwrap_err().to_string().contains("refrenceArn"));
    }

    #[test]
    fn an_error_of_a_manifest_says_its_position() {
        for (from, to, why) in [
            (
                "\"source1\"",
                "\"source3\"",
                "unknown field `source3`, expected `source1` or `source2` at line 1 column 25",
            ),
            ("{\"source1\":\"s3://b/1\",", "{", "missing field `source1`"),
            ("\"S\"", "null", "invalid type: null, expected a string"),
            ("\"S\"", "7", "invalid type: integer `7`, expected a string"),
            ("\"sampleId\":\"s\"", "\"sampleId\":\"s\",\"sampleId\":\"t\"", "duplicate field `sampleId`"),
            ("{\"source1\":\"s3://b/1\",\"source2\":\"s3://b/2\"}", "\"s3://b/1\"", "expected struct SourceFiles"),
            ("\"S\"", "\"S\",\"tags\":{\"k\":null}", "invalid type: null, expected a string"),
            ("\"S\"", "\"S\",\"tags\":{\"k\":\"v\",\"k\":\"w\"}", "duplicate tag \"k\""),
            ("\"S\"", "\"S\",\"tags\":[]", "invalid type: sequence, expected a map of tags"),
            (GOOD, "null", "invalid type: null, expected struct ImportReadSetSource"),
            (GOOD, "[]", "invalid type: sequence, expected struct ImportReadSetSource"),
            // Nothing is read by the order of fields.
            (GOOD, "[{\"source1\":\"s3://b/1\"},\"BAM\",\"S\",\"s\"]", "invalid type: sequence, expected struct"),
            (
                "{\"source1\":\"s3://b/1\",\"source2\":\"s3://b/2\"}",
                "[\"s3://b/1\",null]",
                "expected struct SourceFiles",
            ),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = serde_json::from_str::<ImportReadSetSource>(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    /// A manifest may be in any format of serde.
    #[test]
    fn a_manifest_is_read_from_a_json_value() {
        let value: serde_json::Value = serde_json::from_str(GOOD).unwrap();
        let source: ImportReadSetSource = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&source).unwrap(), value);
        let optional = r#"{"sourceFiles":{"source1":"s3://b/1","source2":null},"sourceFileType":"BAM","subjectId":"S","sampleId":"s","generatedFrom":"g","referenceArn":"arn:x","name":"n\u00e9","description":null,"tags":{"k":"v"}}"#;
        let source: ImportReadSetSource = serde_json::from_str(optional).unwrap();
        assert_eq!((source.source_files.source2.as_ref(), source.name.as_deref()), (None, Some("né")));
        assert_eq!(source.tags.as_ref().map(|tags| tags.len()), Some(1));
    }

    /// A value of a format without quotes, like YAML, where the requested type decides what a value is.
    struct Plain(&'static str);

    impl IntoDeserializer<'_, Error> for Plain {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }

    impl<'de> Deserializer<'de> for Plain {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_str(self.0),
            }
        }

        fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.visit_str(self.0)
        }

        fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.visit_str(self.0)
        }

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            if self.0 == "~" { visitor.visit_none() } else { visitor.visit_some(self) }
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn a_text_is_read_from_a_format_without_quotes() {
        let fields =
            |source2| MapDeserializer::new([("source1", Plain("0123")), ("source2", Plain(source2))].into_iter());
        let both = SourceFiles::source1("0123").source2("0");
        assert_eq!(SourceFiles::deserialize(fields("0")).unwrap(), both);
        assert_eq!(SourceFiles::deserialize(fields("~")).unwrap(), SourceFiles::source1("0123"));
    }
}
