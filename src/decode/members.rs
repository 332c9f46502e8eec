//! How members of answers are read: what each kind takes, what it makes of null, and what of a value of another type.
//!
//! Not derived: a visitor for each type of text, and each structure once more by position, were a fifth of what the
//! compiler generated for this crate.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use time::OffsetDateTime;

/// A hundred times what the service puts into a list.
const LONGEST_LIST: usize = 10_000;

/// How a member becomes a `T`.
pub(crate) trait Member<'de, T> {
    /// What it is if it is not there.
    fn absent() -> T;

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<T, A::Error>;
}

/// Declares structures that are read from JSON objects: `field: Type = "member" as How`. What is absent is no error,
/// members that are not known are passed over, and of those that are given twice the last counts.
macro_rules! members {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $Name:ident $(<$($T:ident = $Default:ty),+>)? {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $Type:ty = $member:literal as $How:path;)+
        }
    )+) => {$(
        $(#[$meta])*
        $vis struct $Name $(<$($T = $Default),+>)? {
            $($(#[$field_meta])* $field_vis $field: $Type,)+
        }

        #[automatically_derived]
        impl<'de $($(, $T: serde::Deserialize<'de> + Default)+)?> serde::Deserialize<'de> for $Name $(<$($T),+>)? {
            fn deserialize<De: serde::Deserializer<'de>>(deserializer: De) -> Result<Self, De::Error> {
                struct Object<T>(std::marker::PhantomData<T>);

                impl<'de $($(, $T: serde::Deserialize<'de> + Default)+)?> serde::de::Visitor<'de> for Object<$Name $(<$($T),+>)?> {
                    type Value = $Name $(<$($T),+>)?;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
                        use $crate::decode::Member;

                        let mut object = $Name { $($field: <$How as Member<'de, $Type>>::absent(),)+ };
                        while let Some(name) = entries.next_key::<$crate::decode::Name<'de>>()? {
                            match name.as_str() {
                                $($member => object.$field = <$How as Member<'de, $Type>>::read(&mut entries)?,)+
                                _ => drop(entries.next_value::<serde::de::IgnoredAny>()?),
                            }
                        }
                        Ok(object)
                    }
                }

                deserializer.deserialize_map(Object(std::marker::PhantomData))
            }
        }
    )+};
}
pub(crate) use members;

/// The name of a member.
pub(crate) struct Name<'de>(Cow<'de, str>);

impl Name<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Any)
    }
}

/// A value without what lists and structures hold: where none of those is wanted, they take no memory.
pub(crate) enum Scalar<'de> {
    Null,
    Whole(u64),
    Number(f64),
    Text(Cow<'de, str>),
    Other,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Whole(number))
            }

            #[allow(clippy::cast_precision_loss, reason = "whole numbers below zero are times alone")]
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(u64::try_from(number).map_or(Scalar::Number(number as f64), Scalar::Whole))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
                IgnoredAny.visit_seq(items)?;
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
                IgnoredAny.visit_map(entries)?;
                Ok(Scalar::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// A value of another type than the member has. It counts as absent, as no answer is lost for it.
fn other_type(wanted: &str) {
    tracing::warn!(wanted, "a member of an answer is of another type");
}

/// An optional text. `""` is how the service writes some that are absent.
pub(crate) struct Text;

impl<'de, T: for<'a> From<&'a str>> Member<'de, Option<T>> for Text {
    fn absent() -> Option<T> {
        None
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<Option<T>, A::Error> {
        Ok(text(entries.next_value()?).map(|text| T::from(&text)))
    }
}

fn text(value: Scalar<'_>) -> Option<Cow<'_, str>> {
    match value {
        Scalar::Null => None,
        Scalar::Text(text) => Some(text).filter(|text| !text.is_empty()),
        _ => {
            other_type("text");
            None
        }
    }
}

/// A text that every item has by the model; empty if this one has not.
pub(crate) struct TextOrEmpty;

impl<'de, T: for<'a> From<&'a str>> Member<'de, T> for TextOrEmpty {
    fn absent() -> T {
        T::from("")
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<T, A::Error> {
        Ok(T::from(&text(entries.next_value()?).unwrap_or_default()))
    }
}

/// A time.
pub(crate) struct Time;

impl<'de> Member<'de, Option<OffsetDateTime>> for Time {
    fn absent() -> Option<OffsetDateTime> {
        None
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<Option<OffsetDateTime>, A::Error> {
        entries.next_value().map(crate::model::time::optional)
    }
}

/// A whole number that is not negative.
pub(crate) struct Number;

impl<'de, T: TryFrom<u64>> Member<'de, Option<T>> for Number {
    fn absent() -> Option<T> {
        None
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<Option<T>, A::Error> {
        let number = match entries.next_value()? {
            Scalar::Null => return Ok(None),
            Scalar::Whole(number) => T::try_from(number).ok(),
            _ => None,
        };
        if number.is_none() {
            other_type("number");
        }
        Ok(number)
    }
}

/// An optional structure.
pub(crate) struct Structure;

impl<'de, T: Deserialize<'de>> Member<'de, Option<T>> for Structure {
    fn absent() -> Option<T> {
        None
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<Option<T>, A::Error> {
        entries.next_value().map(|StructureOrNot(structure)| structure)
    }
}

struct StructureOrNot<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for StructureOrNot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<T> Any<T> {
            fn none() -> Option<T> {
                other_type("structure");
                None
            }
        }

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
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
                IgnoredAny.visit_seq(items)?;
                Ok(Self::none())
            }
        }

        deserializer.deserialize_any(Any(PhantomData)).map(Self)
    }
}

/// A list that may be `null` or hold `null`. One that is longer than any answer's is refused: its items may take a
/// hundred times the memory of their text.
pub(crate) struct List;

impl<'de, T: Deserialize<'de>> Member<'de, Vec<T>> for List {
    fn absent() -> Vec<T> {
        Vec::new()
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<Vec<T>, A::Error> {
        OrDefault::read(entries).map(|items: Items<T>| items.0)
    }
}

/// The items of a list.
pub(crate) struct Items<T>(pub(crate) Vec<T>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sequence<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Sequence<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
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

        deserializer.deserialize_seq(Sequence(PhantomData)).map(Self)
    }
}

/// Whatever the structure says it is; nothing of it for `null`.
pub(crate) struct OrDefault;

impl<'de, T: Deserialize<'de> + Default> Member<'de, T> for OrDefault {
    fn absent() -> T {
        T::default()
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<T, A::Error> {
        Ok(entries.next_value::<Option<T>>()?.unwrap_or_default())
    }
}

/// A map that may be `null` or hold `null`.
pub(crate) struct Map;

impl<'de, T: Deserialize<'de>> Member<'de, BTreeMap<String, T>> for Map {
    fn absent() -> BTreeMap<String, T> {
        BTreeMap::new()
    }

    fn read<A: MapAccess<'de>>(entries: &mut A) -> Result<BTreeMap<String, T>, A::Error> {
        Ok(entries.next_value::<Option<Entries<T>>>()?.map_or_else(BTreeMap::new, |entries| entries.0))
    }
}

struct Entries<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Object<T> {
            type Value = BTreeMap<String, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
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

        deserializer.deserialize_map(Object(PhantomData)).map(Self)
    }
}
