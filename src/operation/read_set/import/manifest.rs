//! Sources of import jobs in manifests. A manifest is written by people: what is misspelt or given twice is an error.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::source::{ImportReadSetSource, SourceFiles};
use crate::model::text::Quoted;
use crate::model::{FileType, ReferenceArn, S3Uri, SampleId, SubjectId};

type Tags = BTreeMap<String, String>;

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
mod tests {
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
