//! How members of answers are read: what each kind takes, what it makes of null, and what of a value of another type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::value::{Form, OnMember, Read, Refused, Sink, Value};

/// A hundred times what the service puts into a list.
const LONGEST_LIST: usize = 10_000;

/// How a member becomes a `T`.
pub(crate) trait Member<'de, T> {
    /// What it is if it is not there.
    fn absent() -> T;

    fn read(value: &mut dyn Value<'de>) -> Read<T>;
}

/// What is read from an object.
pub(crate) trait Structure<'de>: Sized {
    /// What it is without any member.
    fn empty() -> Self;

    /// Takes a member, or leaves it alone.
    fn member(&mut self, name: &str, value: &mut dyn Value<'de>) -> Read<()>;
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

        impl<'de $($(, $T: $crate::decode::Part<'de> + Default)+)?> $crate::decode::Structure<'de> for $Name $(<$($T),+>)? {
            fn empty() -> Self {
                use $crate::decode::Member;

                Self { $($field: <$How as Member<'de, $Type>>::absent(),)+ }
            }

            fn member(&mut self, name: &str, value: &mut dyn $crate::decode::Value<'de>) -> $crate::decode::Read<()> {
                use $crate::decode::Member;

                match name {
                    $($member => self.$field = <$How as Member<'de, $Type>>::read(value)?,)+
                    _ => {}
                }
                Ok(())
            }
        }
    )+};
}
pub(crate) use members;

/// A value of another type than the member has. It counts as absent, as no answer is lost for it.
fn other_type(wanted: &str) {
    tracing::warn!(wanted, "a member is of another type");
}

/// An optional text. `""` is how the service writes some that are absent.
pub(crate) struct Text;

impl<'de, T: for<'a> From<&'a str>> Member<'de, Option<T>> for Text {
    fn absent() -> Option<T> {
        None
    }

    fn read(value: &mut dyn Value<'de>) -> Read<Option<T>> {
        Ok(text(value)?.map(|text| T::from(&text)))
    }
}

fn text<'de>(value: &mut dyn Value<'de>) -> Read<Option<Cow<'de, str>>> {
    Ok(match value.read(Sink::Nothing)? {
        Form::Null => None,
        Form::Text(text) => Some(text).filter(|text| !text.is_empty()),
        _ => {
            other_type("text");
            None
        }
    })
}

/// A text that every item has by the model; empty if this one has not.
pub(crate) struct TextOrEmpty;

impl<'de, T: for<'a> From<&'a str>> Member<'de, T> for TextOrEmpty {
    fn absent() -> T {
        T::from("")
    }

    fn read(value: &mut dyn Value<'de>) -> Read<T> {
        Ok(T::from(&text(value)?.unwrap_or_default()))
    }
}

/// A time.
pub(crate) struct Time;

impl<'de> Member<'de, Option<OffsetDateTime>> for Time {
    fn absent() -> Option<OffsetDateTime> {
        None
    }

    fn read(value: &mut dyn Value<'de>) -> Read<Option<OffsetDateTime>> {
        value.read(Sink::Nothing).map(crate::model::time::optional)
    }
}

/// A whole number that is not negative.
pub(crate) struct Number;

impl<'de, T: TryFrom<u64>> Member<'de, Option<T>> for Number {
    fn absent() -> Option<T> {
        None
    }

    fn read(value: &mut dyn Value<'de>) -> Read<Option<T>> {
        let number = match value.read(Sink::Nothing)? {
            Form::Null => return Ok(None),
            Form::Whole(number) => T::try_from(number).ok(),
            _ => None,
        };
        if number.is_none() {
            other_type("number");
        }
        Ok(number)
    }
}

/// An optional structure.
pub(crate) struct Optional;

impl<'de, T: Structure<'de>> Member<'de, Option<T>> for Optional {
    fn absent() -> Option<T> {
        None
    }

    fn read(value: &mut dyn Value<'de>) -> Read<Option<T>> {
        let mut structure = T::empty();
        Ok(match value.read(Sink::Members(&mut |name, value| structure.member(name, value)))? {
            Form::Object => Some(structure),
            Form::Null => None,
            _ => {
                other_type("structure");
                None
            }
        })
    }
}

/// A list or a map; none of it for `null`.
pub(crate) struct OrEmpty;

impl<'de, T: Part<'de> + Default> Member<'de, T> for OrEmpty {
    fn absent() -> T {
        T::default()
    }

    fn read(value: &mut dyn Value<'de>) -> Read<T> {
        Ok(T::read(value)?.unwrap_or_default())
    }
}

/// What lists and maps hold, and those themselves: `None` for `null`, an error for what is of another type.
pub(crate) trait Part<'de>: Sized {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>>;
}

/// Tells each member of an object. Whether there is one, and not `null`.
pub(crate) fn members_of<'de>(value: &mut dyn Value<'de>, on_member: &mut OnMember<'_, 'de>) -> Read<bool> {
    match value.read(Sink::Members(on_member))? {
        Form::Null => Ok(false),
        Form::Object => Ok(true),
        other => Err(unexpected(value, &other, "an object")),
    }
}

/// A value of another type, where that is an error.
fn unexpected<'de>(value: &mut dyn Value<'de>, found: &Form<'de>, wanted: &str) -> Refused {
    let found = match found {
        Form::Null => "null",
        Form::Bool(true) => "true",
        Form::Bool(false) => "false",
        Form::Whole(_) | Form::Number(_) => "a number",
        Form::Text(_) => "a text",
        Form::List => "a list",
        Form::Object => "an object",
    };
    value.refuse(format_args!("{found} where {wanted} belongs"))
}

/// Nothing of what is there.
impl<'de> Part<'de> for () {
    fn read(_: &mut dyn Value<'de>) -> Read<Option<Self>> {
        Ok(None)
    }
}

/// One of which `null` shall be kept.
impl<'de, T: Part<'de>> Part<'de> for Option<T> {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
        T::read(value).map(Some)
    }
}

impl<'de> Part<'de> for String {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
        Ok(value.text()?.map(Cow::into_owned))
    }
}

impl<'de, T: Structure<'de>> Part<'de> for T {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
        let mut structure = T::empty();
        Ok(members_of(value, &mut |name, value| structure.member(name, value))?.then_some(structure))
    }
}

/// A list, without the `null`s in it. One that is longer than any answer's is refused: its items may take a hundred
/// times the memory of their text.
impl<'de, T: Part<'de>> Part<'de> for Vec<T> {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
        let mut list = Self::new();
        let form = value.read(Sink::Items(&mut |item| {
            list.extend(T::read(item)?);
            if list.len() > LONGEST_LIST {
                return Err(item.refuse(format_args!("a list of more than {LONGEST_LIST} items")));
            }
            Ok(())
        }))?;
        match form {
            Form::Null => Ok(None),
            Form::List => Ok(Some(list)),
            other => Err(unexpected(value, &other, "a list")),
        }
    }
}

/// A map, without what is `null` in it.
impl<'de, T: Part<'de>> Part<'de> for BTreeMap<String, T> {
    fn read(value: &mut dyn Value<'de>) -> Read<Option<Self>> {
        let mut map = Self::new();
        let is_there = members_of(value, &mut |key, value| {
            if let Some(value) = T::read(value)? {
                map.insert(key.to_owned(), value);
            }
            Ok(())
        })?;
        Ok(is_there.then_some(map))
    }
}
