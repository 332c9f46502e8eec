//! One JSON value at a time, told to whoever waits for it.
//!
//! A visitor of serde is compiled once for each type that it makes, and most of such a visitor is the parser. Here the
//! parser sees one visitor, and the types get what it finds by dynamic dispatch.

use std::borrow::Cow;
use std::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value was not taken. The reader keeps the reason, whose type only the format knows.
#[derive(Debug)]
pub(crate) struct Refused;

pub(crate) type Read<T> = Result<T, Refused>;

/// A value that can be read, once. It is passed over if nobody does.
pub(crate) trait Value<'de> {
    /// What the value is. Its parts go into the sink, and are passed over if that is for another type.
    fn read(&mut self, sink: Sink<'_, 'de>) -> Read<Form<'de>>;

    /// A text, or `None` for `null`. Some formats have to be told: in YAML, `0123` may be one.
    fn text(&mut self) -> Read<Option<Cow<'de, str>>>;

    /// Ends the reading of the whole.
    fn refuse(&mut self, why: fmt::Arguments<'_>) -> Refused;
}

/// What takes each member of an object.
pub(crate) type OnMember<'a, 'de> = dyn FnMut(&str, &mut dyn Value<'de>) -> Read<()> + 'a;
/// What takes each item of a list.
pub(crate) type OnItem<'a, 'de> = dyn FnMut(&mut dyn Value<'de>) -> Read<()> + 'a;

/// Where the parts of a value go.
pub(crate) enum Sink<'a, 'de> {
    /// Nowhere: they take no memory.
    Nothing,
    Members(&'a mut OnMember<'a, 'de>),
    Items(&'a mut OnItem<'a, 'de>),
}

/// What a value is.
pub(crate) enum Form<'de> {
    Null,
    Bool(bool),
    Whole(u64),
    Number(f64),
    Text(Cow<'de, str>),
    List,
    Object,
}

/// Lets `how` read one value.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D, how: &mut OnItem<'_, 'de>) -> Result<(), D::Error> {
    let mut reader = Reader { unread: Some(deserializer), error: None };
    match (how(&mut reader), reader) {
        (Ok(()), Reader { unread: None, .. }) => Ok(()),
        (Ok(()), Reader { unread: Some(unread), .. }) => unread.deserialize_ignored_any(IgnoredAny).map(drop),
        (Err(Refused), Reader { error, .. }) => Err(error.unwrap_or_else(|| D::Error::custom("refused"))),
    }
}

struct Reader<D, E> {
    unread: Option<D>,
    error: Option<E>,
}

impl<D, E: Error> Reader<D, E> {
    fn take(&mut self) -> Read<D> {
        let unread = self.unread.take().ok_or_else(|| E::custom("read twice"));
        self.kept(unread)
    }

    fn kept<T>(&mut self, read: Result<T, E>) -> Read<T> {
        read.map_err(|error| {
            self.error = Some(error);
            Refused
        })
    }
}

impl<'de, D: Deserializer<'de>> Value<'de> for Reader<D, D::Error> {
    fn read(&mut self, sink: Sink<'_, 'de>) -> Read<Form<'de>> {
        let read = self.take()?.deserialize_any(sink);
        self.kept(read)
    }

    fn text(&mut self) -> Read<Option<Cow<'de, str>>> {
        let read = self.take()?.deserialize_option(Text);
        self.kept(read)
    }

    fn refuse(&mut self, why: fmt::Arguments<'_>) -> Refused {
        self.error = Some(D::Error::custom(why));
        Refused
    }
}

impl<'de> Visitor<'de> for Sink<'_, 'de> {
    type Value = Form<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Form<'de>, E> {
        Ok(Form::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Form<'de>, E> {
        Ok(Form::Bool(value))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Form<'de>, E> {
        Ok(Form::Whole(number))
    }

    #[allow(clippy::cast_precision_loss, reason = "whole numbers below zero are times alone")]
    fn visit_i64<E>(self, number: i64) -> Result<Form<'de>, E> {
        Ok(u64::try_from(number).map_or(Form::Number(number as f64), Form::Whole))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Form<'de>, E> {
        Ok(Form::Number(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Form<'de>, E> {
        Ok(Form::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Form<'de>, E> {
        Ok(Form::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Form<'de>, A::Error> {
        match self {
            Self::Items(each) => while items.next_element_seed(One(each))?.is_some() {},
            _ => drop(IgnoredAny.visit_seq(items)?),
        }
        Ok(Form::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Form<'de>, A::Error> {
        match self {
            Self::Members(each) => {
                while let Some(name) = entries.next_key_seed(Key)? {
                    entries.next_value_seed(One(&mut |value| each(&name, value)))?;
                }
            }
            _ => drop(IgnoredAny.visit_map(entries)?),
        }
        Ok(Form::Object)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }
}

/// One of the parts.
struct One<'a, 'de>(&'a mut OnItem<'a, 'de>);

impl<'de> DeserializeSeed<'de> for One<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        read(deserializer, self.0)
    }
}

/// The name of a member.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        match deserializer.deserialize_any(Sink::Nothing)? {
            Form::Text(name) => Ok(name),
            _ => Err(D::Error::custom("the name of a member is no text")),
        }
    }
}
