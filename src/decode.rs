//! From the body of an answer to values. Lenient in what may be absent, strict in what a caller can't do without.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use time::OffsetDateTime;

use crate::error::BoxError;
use crate::model::{JobStatus, RoleArn, S3Destination, SequenceStoreId};
use crate::wire::RawResponse;

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
            Undecodable { what, broken: false, source: Some(error.into()) }
        } else {
            broken("the answer is not whole JSON", Some(error.into()))
        }
    })
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

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::none())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::none())
    }
}

/// A whole number that is not negative; what is none counts as absent, with a warning.
pub(crate) fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    let number = value.as_ref().and_then(serde_json::Value::as_u64).and_then(|number| T::try_from(number).ok());
    if number.is_none() && value.is_some() {
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
    match Option::<serde_json::Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(value) if value.is_object() => T::deserialize(value).map(Some).map_err(serde::de::Error::custom),
        Some(_) => {
            tracing::warn!("a structure in an answer is of another type");
            Ok(None)
        }
    }
}

/// A list that may be `null` or hold `null`.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items = Option::<Vec<Option<T>>>::deserialize(deserializer)?;
    Ok(items.unwrap_or_default().into_iter().flatten().collect())
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
