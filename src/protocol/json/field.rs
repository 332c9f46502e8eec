//! How a value is read and written, by the type of its field. The functions are for
//! `#[serde(with = "crate::protocol::json::field")]`.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::ser::{Serialize, Serializer};
use time::OffsetDateTime;

use crate::model::time::{from_iso8601, from_seconds, to_iso8601};
use crate::model::{
    ActivationJobId, ClientToken, CreationType, ETagAlgorithm, ExportJobId, FileType, ImportJobId, ItemStatus,
    JobStatus, ReadSetArn, ReadSetId, ReadSetStatus, ReferenceArn, RoleArn, S3Destination, S3Uri, SampleId,
    SequenceStoreId, SubjectId,
};

/// A hundred times as many items as the service puts into a list. An item may take a hundred times the memory of its
/// text.
const MAX_LIST_ITEMS: usize = 10_000;
/// What most lists hold: a page, or the items of a job.
const USUAL_LIST_ITEMS: usize = 100;

/// A type that fields of responses have.
///
/// `null` and `""` are absent for every type. A type implements the functions `from_…` for the JSON types that it can
/// be read from; a value of any other JSON type is treated as [`OTHER_TYPE`](Self::OTHER_TYPE) says.
pub(crate) trait Field: Sized {
    /// What the type is called in logs and errors.
    const EXPECTED: &'static str;
    /// How a value that is not of this type is treated.
    const OTHER_TYPE: OtherType = OtherType::Absent;

    /// The value of a field that the response does not have.
    fn absent() -> Self;

    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_integer(_: u64) -> Option<Self> {
        None
    }

    fn from_float(_: f64) -> Option<Self> {
        None
    }

    fn from_list<'de, A: SeqAccess<'de>>(items: A) -> Result<Option<Self>, A::Error> {
        IgnoredAny.visit_seq(items)?;
        Ok(None)
    }

    fn from_object<'de, A: MapAccess<'de>>(fields: A) -> Result<Option<Self>, A::Error> {
        IgnoredAny.visit_map(fields)?;
        Ok(None)
    }

    /// Reads a value; `None` if it is absent.
    fn read<'de, D: Deserializer<'de>>(deserializer: D, place: Place) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(LenientVisitor { place, field: PhantomData })
    }

    /// Writes the value so that [`read`](Self::read) reads the same.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Whether the field is left out when it is written.
    fn is_absent(&self) -> bool {
        false
    }

    /// Whether the value is there, with all of its own required fields. Removes list items that are not complete.
    fn is_complete(&mut self) -> bool {
        true
    }
}

/// Where a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a field of an object.
    Field,
    /// In a list.
    Item,
}

/// How a value of another type is treated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherType {
    /// It is logged, and the field is absent.
    Absent,
    /// As an item of a list it is an error, since the item may be the one that matters; otherwise the field is absent.
    ErrorInList,
    /// It is an error.
    Error,
}

pub(crate) fn deserialize<'de, T: Field, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(T::read(deserializer, Place::Field)?.unwrap_or_else(T::absent))
}

pub(crate) fn serialize<T: Field, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// Reads any JSON value as a `T`.
struct LenientVisitor<T> {
    place: Place,
    field: PhantomData<T>,
}

impl<T: Field> LenientVisitor<T> {
    fn is_lenient(&self) -> bool {
        match T::OTHER_TYPE {
            OtherType::Absent => true,
            OtherType::ErrorInList => self.place == Place::Field,
            OtherType::Error => false,
        }
    }

    /// The value, or what its absence means.
    fn or_other_type<E: serde::de::Error>(self, value: Option<T>, found: Unexpected<'_>) -> Result<Option<T>, E> {
        if value.is_none() {
            if !self.is_lenient() {
                return Err(E::invalid_type(found, &self));
            }
            tracing::warn!(expected = T::EXPECTED, "a field of a response has another type and counts as absent");
        }
        Ok(value)
    }
}

impl<'de, T: Field> Visitor<'de> for LenientVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Option<T>, E> {
        self.or_other_type(T::from_bool(value), Unexpected::Bool(value))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<T>, E> {
        self.or_other_type(T::from_integer(number), Unexpected::Unsigned(number))
    }

    #[allow(clippy::cast_precision_loss, reason = "whole numbers below zero are times only")]
    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Option<T>, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => self.or_other_type(T::from_float(number as f64), Unexpected::Signed(number)),
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<T>, E> {
        self.or_other_type(T::from_float(number), Unexpected::Float(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<T>, E> {
        if text.is_empty() && self.is_lenient() {
            return Ok(None);
        }
        self.or_other_type(T::from_text(text), Unexpected::Str(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Option<T>, A::Error> {
        self.or_other_type(T::from_list(items)?, Unexpected::Seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<T>, A::Error> {
        self.or_other_type(T::from_object(fields)?, Unexpected::Map)
    }
}

/// Strings, of which those that are not an `Option` are required.
macro_rules! text_fields {
    (may_be_numbers: $may_be_numbers:literal; $($Name:ty)+) => {$(
        impl Field for $Name {
            const EXPECTED: &'static str = "a string";

            fn absent() -> Self {
                Self::from("")
            }

            fn from_text(text: &str) -> Option<Self> {
                Some(Self::from(text))
            }

            fn from_integer(number: u64) -> Option<Self> {
                $may_be_numbers.then(|| Self::from(number.to_string()))
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }

            fn is_complete(&mut self) -> bool {
                !self.as_str().is_empty()
            }
        }
    )+};
}

text_fields! {
    may_be_numbers: false;
    String CreationType ETagAlgorithm FileType ItemStatus JobStatus ReadSetStatus
}

// AWS documents a response that has ids as numbers.
text_fields! {
    may_be_numbers: true;
    ActivationJobId ClientToken ExportJobId ImportJobId ReadSetArn ReadSetId ReferenceArn RoleArn S3Destination S3Uri
    SampleId SequenceStoreId SubjectId
}

macro_rules! number_fields {
    ($($Name:ty)+) => {$(
        impl Field for $Name {
            const EXPECTED: &'static str = "a whole number";

            fn absent() -> Self {
                0
            }

            fn from_integer(number: u64) -> Option<Self> {
                Self::try_from(number).ok()
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }
        }
    )+};
}

number_fields! { u32 u64 }

impl Field for bool {
    const EXPECTED: &'static str = "true or false";

    fn absent() -> Self {
        false
    }

    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }
}

/// ISO 8601 with 0 to 9 fraction digits and any offset, or seconds since 1970 as a number.
impl Field for OffsetDateTime {
    const EXPECTED: &'static str = "a time";

    fn absent() -> Self {
        Self::UNIX_EPOCH
    }

    fn from_text(text: &str) -> Option<Self> {
        from_iso8601(text)
    }

    #[allow(clippy::cast_precision_loss, reason = "a number that a double can't hold is not a time")]
    fn from_integer(seconds: u64) -> Option<Self> {
        from_seconds(seconds as f64)
    }

    fn from_float(seconds: f64) -> Option<Self> {
        from_seconds(seconds)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_iso8601(*self))
    }
}

impl<T: Field> Field for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn absent() -> Self {
        None
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D, place: Place) -> Result<Option<Self>, D::Error> {
        T::read(deserializer, place).map(Some)
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

    fn is_complete(&mut self) -> bool {
        if self.as_mut().is_some_and(|value| !value.is_complete()) {
            *self = None;
        }
        true
    }
}

/// A list. `null` is an empty one, and items that are `null` are left out.
impl<T: Field> Field for Vec<T> {
    const EXPECTED: &'static str = "a list";
    const OTHER_TYPE: OtherType = OtherType::Error;

    fn absent() -> Self {
        Self::new()
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Option<Self>, A::Error> {
        let mut list = Self::new();
        while items.next_element_seed(Item(&mut list))?.is_some() {
            if list.len() > MAX_LIST_ITEMS {
                return Err(A::Error::custom(format_args!("a list of more than {MAX_LIST_ITEMS} items")));
            }
        }
        list.shrink_to_fit();
        Ok(Some(list))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Written))
    }

    fn is_complete(&mut self) -> bool {
        let count = self.len();
        self.retain_mut(Field::is_complete);
        if self.len() < count {
            tracing::warn!(count = count - self.len(), "list items without an id or status are left out");
        }
        true
    }
}

/// Reads one item of a list into it.
struct Item<'a, T>(&'a mut Vec<T>);

impl<'de, T: Field> DeserializeSeed<'de> for Item<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if let Some(item) = T::read(deserializer, Place::Item)? {
            if self.0.is_empty() {
                self.0.reserve(USUAL_LIST_ITEMS);
            }
            self.0.push(item);
        }
        Ok(())
    }
}

/// A value, written as a [`Field`] is.
struct Written<'a, T>(&'a T);

impl<T: Field> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// A map. `null` is an empty one, and values that are `null` are left out.
impl<T: DeserializeOwned + Serialize> Field for BTreeMap<String, T> {
    const EXPECTED: &'static str = "an object";
    const OTHER_TYPE: OtherType = OtherType::Error;

    fn absent() -> Self {
        Self::new()
    }

    fn from_object<'de, A: MapAccess<'de>>(mut entries: A) -> Result<Option<Self>, A::Error> {
        let mut map = Self::new();
        while let Some((key, value)) = entries.next_entry::<String, Option<T>>()? {
            if let Some(value) = value {
                map.insert(key, value);
            }
        }
        Ok(Some(map))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}
