//! JSON by serde: what is read and written as the service does it.
//!
//! AWS does not say what a response looks like in every case: a field may be absent, `null` or `""`, an id may be a
//! number, a time has several formats. [`json_struct!`] lets the *type* of each field of a struct decide how
//! it is read and written, by [`Field`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde::ser::{Serialize, Serializer};
use time::OffsetDateTime;

use super::response::Response;
use crate::model::BoxError;
use crate::model::time::{from_iso8601, from_seconds, to_iso8601};

/// A hundred times as many items as the service puts into a list. An item may take a hundred times the memory of its
/// text.
const MAX_LIST_ITEMS: usize = 10_000;
/// What most lists hold: a page, or the items of a job.
const USUAL_LIST_ITEMS: usize = 100;
/// How much of a parser's message is kept, in bytes: it may quote the response.
const MAX_PARSER_MESSAGE: usize = 200;

/// Why the body of a successful response can't be used.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) what: String,
    /// Truncated or malformed on the way, or not of the service: another attempt may get the service's own response. If
    /// not, the service left something out.
    pub(crate) broken: bool,
    pub(crate) source: Option<BoxError>,
}

/// Reads the JSON object that a response is.
pub(crate) fn from_response<T: DeserializeOwned>(response: &Response) -> Result<T, Undecodable> {
    let broken = |what: &str, source| Undecodable { what: what.to_owned(), broken: true, source };
    // Checked once as a whole, and not again for each string.
    let text =
        str::from_utf8(&response.body).map_err(|error| broken("the response is not UTF-8", Some(error.into())))?;
    match text.trim_ascii_start().as_bytes().first() {
        None => Err(broken("the response is empty", None)),
        Some(b'{') => serde_json::from_str(text).map_err(|error| Undecodable::of_json(&error, text)),
        Some(_) => Err(broken("the response is not a JSON object", None)),
    }
}

/// Whether the JSON object that a response is has a field that is not `null`.
pub(crate) fn has_field(response: &Response, name: &str) -> bool {
    let fields: Option<BTreeMap<String, Option<IgnoredAny>>> = serde_json::from_slice(&response.body).ok();
    fields.is_some_and(|fields| matches!(fields.get(name), Some(Some(_))))
}

/// Checks an empty response of an operation whose fields are all optional. It is the service's if it has a request id or
/// this field.
pub(crate) fn check_origin(response: &Response, field: &str) -> Result<(), Undecodable> {
    if response.request_id().is_some() || has_field(response, field) {
        return Ok(());
    }
    let what = format!("the response has neither an AWS request id nor {field}");
    Err(Undecodable { what, broken: true, source: None })
}

impl Undecodable {
    /// A required field is missing. Without a request id the response is not of the service; the service itself would
    /// leave it out again.
    pub(crate) fn missing(field: &str, response: &Response) -> Self {
        let broken = response.request_id().is_none();
        Self { what: format!("the response has no {field}"), broken, source: None }
    }

    fn of_json(error: &serde_json::Error, text: &str) -> Self {
        let broken = !error.is_data();
        let path = path_at(text, error.line(), error.column());
        let what = match (broken, &*path) {
            (true, "") => "the response is not complete JSON".to_owned(),
            (true, path) => format!("the response is not complete JSON, from {path} on"),
            (false, "") => "a field of the response has another type".to_owned(),
            (false, path) => format!("the field {path} of the response can't be read"),
        };
        let mut message = error.to_string();
        if message.len() > MAX_PARSER_MESSAGE {
            message.truncate(message.floor_char_boundary(MAX_PARSER_MESSAGE));
            message = format!("{message}… at line {} column {}", error.line(), error.column());
        }
        Self { what, broken, source: Some(message.into()) }
    }
}

/// The path of the field that a parser had reached: `sources[0].tags`. Lines and columns start at 1, columns count bytes.
fn path_at(text: &str, line: usize, column: usize) -> String {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let reached = text.as_bytes().get(..line_start.saturating_add(column)).unwrap_or(text.as_bytes());
    let mut open = Vec::new();
    let mut string_start = None;
    let mut last_string = "";
    let mut escaped = false;
    for (index, byte) in reached.iter().enumerate() {
        match (string_start, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(start), b'"') => {
                last_string = text.get(start..index).unwrap_or_default();
                string_start = None;
            }
            (None, b'"') => string_start = Some(index + 1),
            (None, b'{') => open.push(Place::Field("")),
            (None, b'[') => open.push(Place::Item(0)),
            (None, b'}' | b']') => drop(open.pop()),
            (None, b':') => {
                if let Some(Place::Field(name)) = open.last_mut() {
                    *name = last_string;
                }
            }
            (None, b',') => {
                if let Some(Place::Item(index)) = open.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
    }
    let path: String = open.iter().map(Place::to_string).collect();
    path.trim_start_matches('.').to_owned()
}

/// Where in an object or a list.
enum Place<'a> {
    Field(&'a str),
    Item(usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field("") => Ok(()),
            // What is no name of a field may be data.
            Self::Field(name) if name.len() > 64 || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                f.write_str(".…")
            }
            Self::Field(name) => write!(f, ".{name}"),
            Self::Item(index) => write!(f, "[{index}]"),
        }
    }
}

/// The body of a request.
pub(crate) fn to_body(request: &impl Serialize) -> Vec<u8> {
    #[expect(clippy::expect_used, reason = "strings, lists and maps with string keys always have a JSON form")]
    serde_json::to_vec(request).expect("a request body has a JSON form")
}

/// How a field of a response is read and written, by its type.
pub(crate) trait Field: Sized {
    /// What the field is if the response does not have it.
    fn absent() -> Self;

    /// Reads a value. `null`, `""` and values of another type are `None`; the latter are logged.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;

    /// Reads an item of a list, where a value of another type is an error: an item that is left out could be the one that
    /// matters.
    fn read_item<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Self::read(deserializer)
    }

    /// Writes the value so that [`read`](Self::read) reads the same.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether the field is left out when it is written.
    fn is_absent(&self) -> bool {
        false
    }

    /// Whether nothing is missing that a caller can't do without. List items of which something is missing are removed.
    fn check(&mut self) -> bool {
        true
    }
}

/// A struct by [`json_struct!`].
pub(crate) trait Fields {
    /// The first required field that is missing, by its name in Rust. Removes list items that miss one.
    fn missing(&mut self) -> Option<&'static str>;
}

/// Adds to structs that derive serde how each field is read and written: as its type ([`Field`]) says.
macro_rules! json_struct {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $Type:ty,)+ }
    )+) => {$(
        $(#[$meta])*
        #[serde(rename_all = "camelCase")]
        $vis struct $Name {
            $(
                $(#[$field_meta])*
                #[serde(
                    default = "crate::protocol::json::Field::absent",
                    with = "crate::protocol::json::field",
                    skip_serializing_if = "crate::protocol::json::Field::is_absent"
                )]
                $field_vis $field: $Type,
            )+
        }

        impl crate::protocol::json::Fields for $Name {
            fn missing(&mut self) -> Option<&'static str> {
                $(
                    if !crate::protocol::json::Field::check(&mut self.$field) {
                        return Some(stringify!($field));
                    }
                )+
                None
            }
        }

        crate::protocol::json::field_of_struct! { $Name { $($field),+ } }
    )+};
}
pub(crate) use json_struct;

/// A struct as a field of another.
macro_rules! field_of_struct {
    ($Name:ident { $($field:ident),+ }) => {
        impl crate::protocol::json::Field for $Name {
            fn absent() -> Self {
                Self { $($field: crate::protocol::json::Field::absent()),+ }
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                crate::protocol::json::read_struct(deserializer)
            }

            fn read_item<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                crate::protocol::json::read_struct_item(deserializer)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }

            fn check(&mut self) -> bool {
                crate::protocol::json::Fields::missing(self).is_none()
            }
        }
    };
}
pub(crate) use field_of_struct;

/// For `#[serde(with = "crate::protocol::json::field")]`.
pub(crate) mod field {
    use super::{Deserializer, Field, Serializer};

    pub(crate) fn deserialize<'de, T: Field, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        Ok(T::read(deserializer)?.unwrap_or_else(T::absent))
    }

    pub(crate) fn serialize<T: Field, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.write(serializer)
    }
}

/// One value that is no list and no object.
enum Scalar<'de> {
    Null,
    Text(Cow<'de, str>),
    Integer(u64),
    Float(f64),
    Other,
}

impl<'de> Scalar<'de> {
    fn read<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Other)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Integer(number))
    }

    #[allow(clippy::cast_precision_loss, reason = "whole numbers below zero are times only")]
    fn visit_i64<E>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(u64::try_from(number).map_or(Scalar::Float(number as f64), Scalar::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Scalar<'de>, A::Error> {
        IgnoredAny.visit_seq(items)?;
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Scalar<'de>, A::Error> {
        IgnoredAny.visit_map(entries)?;
        Ok(Scalar::Other)
    }
}

fn log_other_type(expected: &'static str) {
    tracing::warn!(expected, "a field of a response has another type and counts as absent");
}

/// Reads a string or an enum.
pub(crate) fn read_text<'de, T: for<'a> From<&'a str>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(match Scalar::read(deserializer)? {
        Scalar::Null => None,
        Scalar::Text(text) if text.is_empty() => None,
        Scalar::Text(text) => Some(T::from(&text)),
        Scalar::Integer(_) | Scalar::Float(_) | Scalar::Other => {
            log_other_type("a string");
            None
        }
    })
}

/// Reads an id. AWS documents a response that has ids as numbers.
pub(crate) fn read_id<'de, T: for<'a> From<&'a str>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(match Scalar::read(deserializer)? {
        Scalar::Null => None,
        Scalar::Text(text) if text.is_empty() => None,
        Scalar::Text(text) => Some(T::from(&text)),
        Scalar::Integer(number) => Some(T::from(&number.to_string())),
        Scalar::Float(_) | Scalar::Other => {
            log_other_type("an id");
            None
        }
    })
}

/// A string of the model: an identifier or an enum. One that is no `Option` is required.
macro_rules! text_field {
    ($Name:ty, $read:ident) => {
        impl crate::protocol::json::Field for $Name {
            fn absent() -> Self {
                Self::from("")
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                crate::protocol::json::$read(deserializer)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }

            fn check(&mut self) -> bool {
                !self.as_str().is_empty()
            }
        }
    };
}
pub(crate) use text_field;

text_field! { String, read_text }

macro_rules! number_field {
    ($($Name:ty)+) => {$(
        impl Field for $Name {
            fn absent() -> Self {
                0
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                let number = match Scalar::read(deserializer)? {
                    Scalar::Null => return Ok(None),
                    Scalar::Integer(number) => Self::try_from(number).ok(),
                    Scalar::Text(_) | Scalar::Float(_) | Scalar::Other => None,
                };
                if number.is_none() {
                    log_other_type("a whole number");
                }
                Ok(number)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )+};
}

number_field! { u32 u64 }

/// ISO 8601 with 0 to 9 fraction digits and any offset, or seconds since 1970 as a number.
impl Field for OffsetDateTime {
    fn absent() -> Self {
        Self::UNIX_EPOCH
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        #[allow(clippy::cast_precision_loss, reason = "such a number is no time")]
        let time = match Scalar::read(deserializer)? {
            Scalar::Null => return Ok(None),
            Scalar::Text(text) if text.is_empty() => return Ok(None),
            Scalar::Text(text) => from_iso8601(&text),
            Scalar::Integer(seconds) => from_seconds(seconds as f64),
            Scalar::Float(seconds) => from_seconds(seconds),
            Scalar::Other => None,
        };
        if time.is_none() {
            log_other_type("a time");
        }
        Ok(time)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_iso8601(*self))
    }
}

impl<T: Field> Field for Option<T> {
    fn absent() -> Self {
        None
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(Some)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn check(&mut self) -> bool {
        if self.as_mut().is_some_and(|value| !value.check()) {
            *self = None;
        }
        true
    }
}

/// Reads an object; `None` for `null` and for anything else.
pub(crate) fn read_struct<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(StructVisitor(PhantomData))
}

struct StructVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StructVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Some)
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        log_other_type("an object");
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        log_other_type("an object");
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        log_other_type("an object");
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        log_other_type("an object");
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<T>, E> {
        log_other_type("an object");
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<T>, A::Error> {
        log_other_type("an object");
        IgnoredAny.visit_seq(items)?;
        Ok(None)
    }
}

/// Reads an object; `None` for `null`. Anything else is an error.
pub(crate) fn read_struct_item<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_option(StructItemVisitor(PhantomData))
}

/// Unlike a derived visitor, refuses a list of the values of the fields.
struct StructItemVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for StructItemVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Some)
    }
}

/// A list. `null` is an empty one, and items that are `null` are left out.
impl<T: Field> Field for Vec<T> {
    fn absent() -> Self {
        Self::new()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_option(ListVisitor(PhantomData)).map(Some)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }

    fn check(&mut self) -> bool {
        let count = self.len();
        self.retain_mut(Field::check);
        if self.len() < count {
            tracing::warn!(count = count - self.len(), "list items without an id or status are left out");
        }
        true
    }
}

/// A value, written as a [`Field`] is.
struct Written<'a, T>(&'a T);

impl<T: Field> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Reads one item of a list into it.
struct Item<'a, T>(&'a mut Vec<T>);

impl<'de, T: Field> DeserializeSeed<'de> for Item<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if let Some(item) = T::read_item(deserializer)? {
            if self.0.is_empty() {
                self.0.reserve(USUAL_LIST_ITEMS);
            }
            self.0.push(item);
        }
        Ok(())
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Field> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while items.next_element_seed(Item(&mut list))?.is_some() {
            if list.len() > MAX_LIST_ITEMS {
                return Err(A::Error::custom(format_args!("a list of more than {MAX_LIST_ITEMS} items")));
            }
        }
        list.shrink_to_fit();
        Ok(list)
    }
}

/// A map. `null` is an empty one, and what is `null` in it is left out.
impl<T: DeserializeOwned + Serialize> Field for BTreeMap<String, T> {
    fn absent() -> Self {
        Self::new()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_option(MapVisitor(PhantomData)).map(Some)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

struct MapVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MapVisitor<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry::<String, Option<T>>()? {
            if let Some(value) = value {
                map.insert(key, value);
            }
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use crate::Error;
    use crate::read_set::GetReadSetImportJobOutput;
    use crate::testing::{Script, respond};

    const ITEM: &str = r#"{"sourceFiles":{"source1":"s3://bucket/key"},"status":"FINISHED"}"#;

    async fn get(sources: &str) -> Result<GetReadSetImportJobOutput, Error> {
        let body = format!(r#"{{"id":"1234567890","status":"COMPLETED","sources":{sources}}}"#);
        let client = Script::new([respond(200, &[], &body)]).client();
        client.get_read_set_import_job().sequence_store_id("1234567890").id("1234567890").send().await
    }

    /// An item with further fields.
    fn item(fields: &str) -> String {
        ITEM.replacen('{', &format!("{{{fields},"), 1)
    }

    #[tokio::test]
    async fn a_list_that_would_fill_the_memory_is_refused() {
        let items = |item: &str, count| format!("[{}]", vec![item; count].join(","));
        assert_eq!(get(&items(ITEM, 10_000)).await.unwrap().sources.len(), 10_000);
        assert_eq!(get(&items("null", 200_000)).await.unwrap().sources.len(), 0);
        let error = get(&items("{}", 10_001)).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)) && !error.is_retryable(), "{error}");
        assert!(error.report().to_string().contains("a list of more than 10000 items"), "{}", error.report());
    }

    #[tokio::test]
    async fn no_message_quotes_a_megabyte() {
        let error = get(&format!(r#"[{{"tags":"{}"}}]"#, "é".repeat(1_000_000))).await.unwrap_err();
        let report = error.report().to_string();
        assert!(report.contains("the field sources[0].tags of the response can't be read"), "{report}");
        assert!(report.contains("at line 1 column"), "{report}");
        assert!(report.len() < 1_000 && format!("{error:?}").len() < 1_000, "{error:?}");
    }

    #[tokio::test]
    async fn an_undecodable_response_names_the_field() {
        for (sources, expected) in [
            (r#"{"sourceId":"1"}"#, "the field sources of the response can't be read"),
            (r#"[null,"x"]"#, "the field sources[1] of the response can't be read"),
            ("\n[\n  null,\n  {\"tags\":[\"}\\\"]\"]}]", "the field sources[1].tags of the response can't be read"),
            (r#"[{"tags":{"patient name":7}}]"#, "the field sources[0].tags.… of the response can't be read"),
            (r#"[{"sampleId":"a","sampleId":"b"}]"#, "the field sources[0].sampleId of the response can't be read"),
            (r#"[{"sampleId":"a"},{"sampleId":"b"#, "not complete JSON, from sources[1].sampleId on"),
            (r#"[],"evil\u001b[2J":[1,"#, "not complete JSON, from …"),
        ] {
            let error = get(sources).await.unwrap_err();
            assert!(matches!(error, Error::UndecodableResponse(_)), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
        }
        let client = Script::new([respond(200, &[], r#"{"readSets":[5]}"#)]).client();
        let error = client.list_read_sets().sequence_store_id("1234567890").send().await.unwrap_err();
        assert!(error.to_string().contains("the field readSets[0] of the response can't be read"), "{error}");
        let client = Script::new([respond(200, &[], r#"{"status":"ACTIVE"}"#)]).client();
        let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5000000001");
        assert!(call.send().await.unwrap_err().to_string().contains("the response has no id"));
    }

    #[tokio::test]
    async fn a_field_that_is_given_twice_is_an_error() {
        let error = get(&format!("[{}]", item(r#""sampleId":"a","sampleId":"b""#))).await.unwrap_err();
        assert!(error.report().to_string().contains("duplicate field `sampleId`"), "{}", error.report());
    }

    #[tokio::test]
    async fn names_and_values_may_be_escaped() {
        let job = get(&format!("[{}]", item(r#""sample\u0049d":"a\tb","tags":{"\u00e9":"\u00fc","none":null}"#))).await;
        let source = job.unwrap().sources.remove(0);
        assert_eq!(source.sample_id.as_ref().map(|id| id.as_str()), Some("a\tb"));
        assert_eq!(source.tags.into_iter().collect::<Vec<_>>(), [("é".to_owned(), "ü".to_owned())]);
    }

    #[tokio::test]
    async fn a_value_of_another_type_costs_its_item_nothing_else() {
        let fields = r#""sourceFileType":[[1]],"name":{"a":[]},"subjectId":5.5,"sampleId":"s""#;
        let source = get(&format!("[{}]", item(fields))).await.unwrap().sources.remove(0);
        assert_eq!(source.sample_id.as_ref().map(|id| id.as_str()), Some("s"));
        assert_eq!((&source.source_file_type, &source.name, &source.subject_id), (&None, &None, &None));
    }

    #[tokio::test]
    async fn an_item_that_is_no_object_is_an_error() {
        for items in ["[1]", r#"["s3://bucket/key"]"#, "[true]", r#"[["s3://bucket/key"]]"#, "[[]]"] {
            let error = get(items).await.unwrap_err();
            assert!(matches!(error, Error::UndecodableResponse(_)), "{items}: {error}");
        }
    }

    #[tokio::test]
    async fn an_item_without_its_files_or_status_is_left_out() {
        let items = format!(r#"[{{"status":"FINISHED"}},{{"sourceFiles":{{"source1":"s3://bucket/key"}}}},{ITEM}]"#);
        assert_eq!(get(&items).await.unwrap().sources.len(), 1);
    }

    #[tokio::test]
    async fn an_output_is_the_same_after_it_was_stored() {
        let fields = r#""sourceFileType":"NEW","creationTime":"2026-11-22T01:36:38.158Z","tags":{"k":"v"}"#;
        let job = get(&format!("[{ITEM},{}]", item(fields))).await.unwrap();
        let stored = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<GetReadSetImportJobOutput>(&stored).unwrap(), job);
    }
}
