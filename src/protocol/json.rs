//! JSON by serde: responses are read leniently, requests and stored outputs are written as the service writes them.
//!
//! AWS does not specify what a response looks like in every case: a field may be absent, `null` or `""`, an id may be a
//! number, a time has several formats. [`json_struct!`] lets the *type* of each field of a struct decide how it is read
//! and written: see [`Field`].

pub(crate) mod field;
mod path;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

pub(crate) use field::Field;

use self::path::path_at;
use super::response::Response;
use crate::model::BoxError;

/// How much of a parser's message is kept, in bytes: it may quote the response.
const MAX_PARSER_MESSAGE: usize = 200;

/// Why the body of a successful response can't be used.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) what: String,
    /// Whether the response was truncated or malformed on the way, or is not the service's: another attempt may get the
    /// service's own response. If not, the service left something out.
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

/// The body of a request.
pub(crate) fn to_body(request: &impl Serialize) -> Vec<u8> {
    // Most bodies fit into it.
    let mut body = Vec::with_capacity(1_024);
    #[expect(clippy::expect_used, reason = "strings, lists and maps with string keys always have a JSON form")]
    serde_json::to_writer(&mut body, request).expect("a request body has a JSON form");
    body
}

impl Undecodable {
    /// A required field is missing. Without a request id the response is not the service's; the service itself would
    /// leave the field out again.
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
                    if !crate::protocol::json::Field::is_complete(&mut self.$field) {
                        return Some(stringify!($field));
                    }
                )+
                None
            }
        }

        /// As a field of another struct, or an item of a list.
        impl crate::protocol::json::Field for $Name {
            const EXPECTED: &'static str = "an object";
            const OTHER_TYPE: crate::protocol::json::field::OtherType =
                crate::protocol::json::field::OtherType::ErrorInList;

            fn absent() -> Self {
                Self { $($field: crate::protocol::json::Field::absent()),+ }
            }

            fn from_object<'de, A: serde::de::MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
                let fields = serde::de::value::MapAccessDeserializer::new(fields);
                serde::Deserialize::deserialize(fields).map(Some)
            }

            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }

            fn is_complete(&mut self) -> bool {
                crate::protocol::json::Fields::missing(self).is_none()
            }
        }
    )+};
}
pub(crate) use json_struct;
