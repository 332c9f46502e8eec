//! From the body of an answer to values. Lenient in what may be absent, strict in what a caller can't do without.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use time::OffsetDateTime;

use crate::error::BoxError;
use crate::model::{JobStatus, RoleArn, S3Destination, SequenceStoreId};
use crate::wire::RawResponse;

/// A hundred times what the service puts into a list.
const LONGEST_LIST: usize = 10_000;
/// How much of what the parser says is kept, in characters: it quotes what it can't use.
const LONGEST_CAUSE: usize = 300;

/// Why a successful answer can't be used.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) what: String,
    /// Cut or garbled on the way: another attempt may bring it whole. If not, the service itself left something out.
    pub(crate) broken: bool,
    pub(crate) source: Option<BoxError>,
}

/// Reads a JSON object.
pub(crate) fn object<T: DeserializeOwned>(raw: &RawResponse) -> Result<T, Undecodable> {
    let broken = |what: &str, source| Undecodable { what: what.to_owned(), broken: true, source };
    // Checked once as a whole, and not again for each string.
    let text = str::from_utf8(&raw.body).map_err(|error| broken("the answer is not UTF-8", Some(error.into())))?;
    match text.trim_start().as_bytes().first() {
        None => return Err(broken("the answer is empty", None)),
        // An array would be read as members by position.
        Some(b'{') => {}
        Some(_) => return Err(broken("the answer is not a JSON object", None)),
    }
    serde_json::from_str(text).map_err(|error| {
        if error.is_data() {
            let what = "a member of the answer has an unexpected form".to_owned();
            Undecodable { what, broken: false, source: Some(shortened(&error).into()) }
        } else {
            broken("the answer is not whole JSON", Some(shortened(&error).into()))
        }
    })
}

/// What the parser says, in bounds.
fn shortened(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.char_indices().nth(LONGEST_CAUSE) {
        None => text,
        Some((cut, _)) => format!("{}… at line {} column {}", &text[..cut], error.line(), error.column()),
    }
}

/// A member that nobody can do without.
pub(crate) fn required<T: AsRef<str>>(value: Option<T>, name: &str) -> Result<T, Undecodable> {
    value.filter(|value| !value.as_ref().is_empty()).ok_or_else(|| Undecodable {
        what: format!("the answer has no {name}"),
        broken: false,
        source: None,
    })
}

/// An optional text. `""` is how the service writes some that are absent; what is no text counts as absent too, with a
/// warning, as no answer is lost for it.
pub(crate) fn text<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    deserializer.deserialize_any(Text(PhantomData))
}

/// A text that every item has by the model; empty if this one has not.
pub(crate) fn text_of_item<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str>,
{
    Ok(text(deserializer)?.unwrap_or_else(empty))
}

/// What stands for an absent text of an item.
pub(crate) fn empty<T: for<'a> From<&'a str>>() -> T {
    T::from("")
}

struct Text<T>(PhantomData<T>);

impl<T> Text<T> {
    fn none() -> Option<T> {
        tracing::warn!("a text in an answer is of another type");
        None
    }
}

impl<'de, T: for<'a> From<&'a str>> Visitor<'de> for Text<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((!text.is_empty()).then(|| T::from(text)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Self::none())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Self::none())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Self::none())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Self::none())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        pass_over(items).map(|()| Self::none())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::none())
    }
}

/// A value without what lists and structures hold: where none of those is wanted, they take no memory.
pub(crate) enum Scalar {
    Null,
    Whole(u64),
    Number(f64),
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Whole(number))
            }

            #[allow(clippy::cast_precision_loss, reason = "whole numbers below zero are times alone")]
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(u64::try_from(number).map_or(Scalar::Number(number as f64), Scalar::Whole))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Scalar, A::Error> {
                pass_over(items).map(|()| Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Scalar, A::Error> {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

fn pass_over<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    while items.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A whole number that is not negative; what is none counts as absent, with a warning.
pub(crate) fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = match Scalar::deserialize(deserializer)? {
        Scalar::Null => return Ok(None),
        Scalar::Whole(number) => T::try_from(number).ok(),
        _ => None,
    };
    if number.is_none() {
        tracing::warn!("a number in an answer can't be read");
    }
    Ok(number)
}

/// An optional structure; what is none counts as absent, with a warning, as no answer is lost for it.
pub(crate) fn structure<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    struct Structure<T>(PhantomData<T>);

    impl<T> Structure<T> {
        fn none() -> Option<T> {
            tracing::warn!("a structure in an answer is of another type");
            None
        }
    }

    impl<'de, T: DeserializeOwned> Visitor<'de> for Structure<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a structure")
        }

        fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
            T::deserialize(MapAccessDeserializer::new(members)).map(Some)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Self::none())
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::none())
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::none())
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::none())
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Self::none())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
            pass_over(items).map(|()| Self::none())
        }
    }

    deserializer.deserialize_any(Structure(PhantomData))
}

/// A list that may be `null` or hold `null`. One that is longer than any answer's is refused: its items may take a
/// hundred times the memory of their text.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct List<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(item) = items.next_element::<Option<T>>()? {
                list.extend(item);
                if list.len() > LONGEST_LIST {
                    return Err(A::Error::custom(format_args!("a list of more than {LONGEST_LIST} items")));
                }
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(List(PhantomData))
}

/// A map that may be `null` or hold `null`.
pub(crate) fn map<'de, D, T>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let entries = Option::<BTreeMap<String, Option<T>>>::deserialize(deserializer)?;
    Ok(entries.unwrap_or_default().into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
}

/// A list of an operation's own items, for [`JobAnswer`].
#[derive(Deserialize)]
#[serde(transparent, bound = "T: Deserialize<'de>")]
pub(crate) struct Items<T>(#[serde(deserialize_with = "list")] pub(crate) Vec<T>);

/// What the service says of a job of any kind; each kind takes its members.
///
/// `R` and `S` are the forms of `readSets` and `sources`, for the kinds that have them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "R: Deserialize<'de>, S: Deserialize<'de>")]
pub(crate) struct JobAnswer<R = IgnoredAny, S = IgnoredAny> {
    #[serde(default, deserialize_with = "text")]
    pub(crate) id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) sequence_store_id: Option<SequenceStoreId>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) status: Option<JobStatus>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) status_message: Option<String>,
    #[serde(default, deserialize_with = "crate::model::time::optional")]
    pub(crate) creation_time: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "crate::model::time::optional")]
    pub(crate) completion_time: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) destination: Option<S3Destination>,
    #[serde(default, deserialize_with = "text")]
    pub(crate) role_arn: Option<RoleArn>,
    pub(crate) read_sets: Option<R>,
    pub(crate) sources: Option<S>,
}

#[cfg(test)]
mod tests {
    use crate::testing::{Script, answer};
    use crate::{Error, GetReadSetImportJobOutput};

    async fn get(sources: &str) -> Result<GetReadSetImportJobOutput, Error> {
        let body = format!(r#"{{"id":"1234567890","status":"COMPLETED","sources":{sources}}}"#);
        let client = Script::new([answer(200, &[], &body)]).client();
        client.get_read_set_import_job().sequence_store_id("1234567890").id("1234567890").send().await
    }

    #[tokio::test]
    async fn a_list_that_would_fill_the_memory_is_refused() {
        let items = |item: &str, count| format!("[{}]", vec![item; count].join(","));
        assert_eq!(get(&items("{}", 10_000)).await.unwrap().sources.len(), 10_000);
        assert_eq!(get(&items("null", 200_000)).await.unwrap().sources.len(), 0);
        let error = get(&items("{}", 10_001)).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)) && !error.is_retryable(), "{error}");
        assert!(error.report().to_string().contains("a list of more than 10000 items"), "{}", error.report());
    }

    #[tokio::test]
    async fn what_the_parser_quotes_is_cut() {
        let error = get(&format!(r#"[{{"tags":"{}"}}]"#, "é".repeat(1_000_000))).await.unwrap_err();
        let report = error.report().to_string();
        assert!(report.len() < 1_000 && report.contains("éé… at line 1 column"), "{report}");
        assert!(format!("{error:?}").len() < 2_000);
    }

    #[tokio::test]
    async fn members_of_other_types_cost_their_item_nothing_else() {
        let job = get(r#"[{"sourceFileType":[[1]],"status":{"a":[]},"subjectId":5,"sampleId":"s"}]"#).await.unwrap();
        assert_eq!(job.sources[0].sample_id.as_ref().map(|id| id.as_str()), Some("s"));
        assert_eq!(job.sources[0].subject_id, None);
    }
}
