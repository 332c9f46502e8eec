//! From the body of an answer to values. Lenient in what may be absent, strict in what a caller can't do without.

use std::collections::BTreeMap;

use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, de::DeserializeOwned};
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

/// An optional text; the service also writes `""` for what is absent.
pub(crate) fn text<'de, D: Deserializer<'de>, T: From<String>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(T::from))
}

/// A list that may be `null` or hold `null`.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let items = Option::<Vec<Option<T>>>::deserialize(deserializer)?;
    Ok(items.unwrap_or_default().into_iter().flatten().collect())
}

/// A map that may be `null` or hold `null`.
pub(crate) fn map<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let entries = Option::<BTreeMap<String, Option<String>>>::deserialize(deserializer)?;
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
