//! Sources as they stand in a manifest, and go into a request.
//!
//! Unlike in an answer, what is not known is refused: a misspelt member would be lost.

use serde_core::de::{Deserialize, Deserializer, Error as _};
use serde_core::ser::{Serialize, SerializeMap as _, Serializer};

use super::{ImportReadSetSource, SourceFiles, Tags};
use crate::check::Shown;
use crate::decode::{self, Part, Read, Value};
use crate::encode::SerializeOptional as _;

/// Declares the members of a structure, for reading and writing: `field = "member" as Type`.
macro_rules! manifest {
    (
        $Name:ident
        required { $($req:ident = $req_name:literal as $Req:ty;)+ }
        optional { $($opt:ident = $opt_name:literal as $Opt:ty;)+ }
    ) => {
        impl Serialize for $Name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut members = serializer.serialize_map(None)?;
                $(members.serialize_entry($req_name, &self.$req)?;)+
                $(members.serialize_optional($opt_name, self.$opt.as_ref())?;)+
                members.end()
            }
        }

        impl<'de> Deserialize<'de> for $Name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let found = decode::part(deserializer)?;
                found.ok_or_else(|| D::Error::custom("null where an object belongs"))
            }
        }

        impl<'de> Part<'de> for $Name {
            fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
                $(let mut $req: Option<$Req> = None;)+
                $(let mut $opt: Option<$Opt> = None;)+
                let is_there = decode::members_of(value, &mut |name, value| match name {
                    $($req_name => once(&mut $req, name, value),)+
                    $($opt_name => once(&mut $opt, name, value),)+
                    _ => {
                        let known = [$($req_name,)+ $($opt_name),+].join(", ");
                        Err(value.refuse(format_args!("unknown member {}, expected one of {known}", Shown(name))))
                    }
                })?;
                if !is_there {
                    return Ok(None);
                }
                $(let Some($req) = $req else {
                    return Err(value.refuse(format_args!(concat!("missing member \"", $req_name, "\""))));
                };)+
                Ok(Some(Self { $($req: $req.into(),)+ $($opt: $opt.map(Into::into),)+ }))
            }
        }
    };
}

/// A member that is given twice may be two sources written as one.
fn once<'de, T: Part<'de>>(member: &mut Option<T>, name: &str, value: &mut dyn Value<'de>) -> Read<()> {
    if member.is_some() {
        return Err(value.refuse(format_args!("duplicate member {name:?}")));
    }
    *member = T::read(value)?;
    Ok(())
}

/// Tags, none of them twice and none of them null.
struct TagsOnce(Tags);

impl<'de> Part<'de> for TagsOnce {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
        let mut tags = Tags::new();
        let are_there = decode::members_of(value, &mut |key, value| {
            let Some(text) = String::read(value)? else {
                return Err(value.refuse(format_args!("no text for the tag {}", Shown(key))));
            };
            match tags.insert(key.to_owned(), text) {
                None => Ok(()),
                Some(_) => Err(value.refuse(format_args!("duplicate tag {}", Shown(key)))),
            }
        })?;
        Ok(are_there.then_some(Self(tags)))
    }
}

impl From<TagsOnce> for Tags {
    fn from(tags: TagsOnce) -> Self {
        tags.0
    }
}

manifest! {
    SourceFiles
    required {
        source1 = "source1" as String;
    }
    optional {
        source2 = "source2" as String;
    }
}

manifest! {
    ImportReadSetSource
    required {
        source_files = "sourceFiles" as SourceFiles;
        source_file_type = "sourceFileType" as String;
        subject_id = "subjectId" as String;
        sample_id = "sampleId" as String;
    }
    optional {
        generated_from = "generatedFrom" as String;
        reference_arn = "referenceArn" as String;
        name = "name" as String;
        description = "description" as String;
        tags = "tags" as TagsOnce;
    }
}

#[cfg(test)]
mod tests {
    use serde_core::de::value::{Error, MapDeserializer};
    use serde_core::de::{Deserialize as _, Deserializer, IntoDeserializer, Visitor};
    use serde_core::forward_to_deserialize_any;

    use crate::model::FileType;
    use crate::{ImportReadSetSource, SourceFiles};

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
    fn a_misspelt_member_of_a_manifest_is_refused() {
        for (right, wrong) in [("source2", "Source2"), ("sampleId", "sampleID"), ("\"subjectId\":\"S\",", "")] {
            let text = GOOD.replace(right, wrong);
            assert!(serde_json::from_str::<ImportReadSetSource>(&text).is_err(), "{text}");
        }
        let extra = GOOD.replace("{\"sourceFiles", "{\"refrenceArn\":\"arn:x\",\"sourceFiles");
        assert!(serde_json::from_str::<ImportReadSetSource>(&extra).unwrap_err().to_string().contains("refrenceArn"));
    }

    #[test]
    fn what_is_wrong_with_a_manifest_is_told_with_its_place() {
        for (from, to, why) in [
            (
                "\"source1\"",
                "\"source3\"",
                "unknown member \"source3\", expected one of source1, source2 at line 1 column 26",
            ),
            ("{\"source1\":\"s3://b/1\",", "{", "missing member \"source1\""),
            ("\"S\"", "null", "missing member \"subjectId\""),
            ("\"S\"", "7", "invalid type: integer `7`, expected a text"),
            ("\"sampleId\":\"s\"", "\"sampleId\":\"s\",\"sampleId\":\"t\"", "duplicate member \"sampleId\""),
            ("{\"source1\":\"s3://b/1\",\"source2\":\"s3://b/2\"}", "\"s3://b/1\"", "a text where an object belongs"),
            ("\"S\"", "\"S\",\"tags\":{\"k\":null}", "no text for the tag \"k\""),
            ("\"S\"", "\"S\",\"tags\":{\"k\":\"v\",\"k\":\"w\"}", "duplicate tag \"k\""),
            ("\"S\"", "\"S\",\"tags\":[]", "a list where an object belongs"),
            (GOOD, "null", "null where an object belongs"),
            (GOOD, "[]", "a list where an object belongs"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let error = serde_json::from_str::<ImportReadSetSource>(&GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    /// A manifest may come through any format of serde.
    #[test]
    fn a_manifest_is_read_from_values_as_well() {
        let value: serde_json::Value = serde_json::from_str(GOOD).unwrap();
        let source: ImportReadSetSource = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&source).unwrap(), value);
        let optional = r#"{"sourceFiles":{"source1":"s3://b/1","source2":null},"sourceFileType":"BAM","subjectId":"S","sampleId":"s","generatedFrom":"g","referenceArn":"arn:x","name":"n\u00e9","description":null,"tags":{"k":"v"}}"#;
        let source: ImportReadSetSource = serde_json::from_str(optional).unwrap();
        assert_eq!((source.source_files.source2.as_ref(), source.name.as_deref()), (None, Some("né")));
        assert_eq!(source.tags.as_ref().map(|tags| tags.len()), Some(1));
    }

    /// A value of a format that has no quotes, like YAML: what it is depends on what is asked for.
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

        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            if self.0 == "~" { visitor.visit_none() } else { visitor.visit_some(self) }
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn a_text_is_one_in_a_format_without_quotes() {
        let members =
            |source2| MapDeserializer::new([("source1", Plain("0123")), ("source2", Plain(source2))].into_iter());
        let both = SourceFiles::source1("0123").source2("0");
        assert_eq!(SourceFiles::deserialize(members("0")).unwrap(), both);
        assert_eq!(SourceFiles::deserialize(members("~")).unwrap(), SourceFiles::source1("0123"));
    }
}
