//! Identifiers of the service, the client token of a Start call, and the name of a bulk run.

use std::fmt;

use uuid::Uuid;

use super::constraint;

/// A string in JSON. Reading it is not checked, as responses are read by it, and a newer service may have other values.
macro_rules! serde_as_text {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// A type of text with constraints: converts from and into strings, prints as itself, is checked when a request is
/// sent.
///
/// `opaque` leaves out `Debug`, for a type that has its own.
macro_rules! string_type {
    ($(#[$doc:meta])* $name:ident, checked by $check:path) => {
        crate::model::ids::string_type! { opaque $(#[$doc])* $name, checked by $check }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
    (opaque $(#[$doc:meta])* $name:ident, checked by $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Checks a text and makes a value of it, as [`parse`](str::parse) does.
            ///
            /// # Errors
            ///
            /// [`InvalidValue`](crate::error::InvalidValue), which says the constraint.
            ///
            /// ```
            #[doc = concat!("use healthomics::", stringify!($name), ";")]
            ///
            #[doc = concat!("assert!(", stringify!($name), "::try_new(\"\").is_err());")]
            #[doc = concat!("assert!(\"\".parse::<", stringify!($name), ">().is_err());")]
            #[doc = concat!("assert!(!", stringify!($name), "::from(\"\").is_valid());")]
            /// ```
            pub fn try_new(text: impl Into<String>) -> Result<Self, crate::model::InvalidValue> {
                let text = text.into();
                match $check(&text) {
                    Ok(()) => Ok(Self(text)),
                    Err(message) => Err(crate::model::InvalidValue::new(stringify!($name), message)),
                }
            }

            /// Whether a request may contain the value: whether [`try_new`](Self::try_new) accepts its text.
            pub fn is_valid(&self) -> bool {
                $check(&self.0).is_ok()
            }

            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        crate::model::ids::serde_as_text! { $name }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        // Hash, Eq and Ord are those of the text, so that `&str` finds a key of a map.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self(text.clone())
            }
        }

        impl From<&$name> for $name {
            fn from(other: &$name) -> Self {
                other.clone()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::model::InvalidValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_new(text)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }

        impl PartialEq<$name> for &str {
            fn eq(&self, other: &$name) -> bool {
                **self == other.0
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }
    };
}
pub(crate) use string_type;

string_type! {
    /// The id of a sequence store: 10 to 36 digits. It is never a number, as leading zeros count.
    ///
    /// Ids are made of strings, compared with strings, and printed as strings. This holds for all types of this crate
    /// that are a single text.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use healthomics::SequenceStoreId;
    ///
    /// let store = SequenceStoreId::from("0123456789");
    /// assert_eq!(store, "0123456789");
    /// assert_eq!(format!("{store:>12}"), "  0123456789");
    /// assert_eq!(HashMap::from([(store, 7)]).get("0123456789"), Some(&7));
    /// ```
    ///
    /// # When a text is checked
    ///
    /// [`From`] and [`Deserialize`](serde::Deserialize) take any text: responses are read by them, and a newer service
    /// may have other ids. A call checks all of its fields when it is sent, and
    /// [`plan`](crate::bulk::ExportReadSets::plan) all items of a bulk run without sending anything. To check a text
    /// where it enters a program, use [`try_new`](Self::try_new) or [`parse`](str::parse):
    ///
    /// ```
    /// use healthomics::SequenceStoreId;
    ///
    /// assert!(!SequenceStoreId::from("12a").is_valid());
    /// let error = "12a".parse::<SequenceStoreId>().unwrap_err();
    /// let text = r#"not a valid SequenceStoreId: "12a" must be 10 to 36 digits"#;
    /// assert_eq!(error.to_string(), text);
    /// ```
    ///
    /// An input type that checks its fields while it is deserialized:
    ///
    /// ```
    /// use std::fmt::Display;
    /// use std::str::FromStr;
    ///
    /// use healthomics::{ReadSetId, SequenceStoreId};
    /// use serde::de::{Deserialize, Deserializer, Error};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct ExportRequest {
    ///     #[serde(deserialize_with = "checked")]
    ///     store: SequenceStoreId,
    ///     #[serde(deserialize_with = "checked")]
    ///     read_set: ReadSetId,
    /// }
    ///
    /// fn checked<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    /// where
    ///     T: FromStr<Err: Display>,
    ///     D: Deserializer<'de>,
    /// {
    ///     String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    /// }
    ///
    /// let request: ExportRequest =
    ///     serde_json::from_str(r#"{ "store": "1234567890", "read_set": "5555555555" }"#)?;
    /// assert_eq!((request.store, request.read_set), ("1234567890".into(), "5555555555".into()));
    ///
    /// let error = serde_json::from_str::<ExportRequest>(r#"{ "store": "12a" }"#).err().unwrap();
    /// assert!(error.to_string().starts_with("not a valid SequenceStoreId"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    SequenceStoreId, checked by constraint::id
}
string_type! {
    /// The id of a read set in a sequence store: 10 to 36 digits.
    ReadSetId, checked by constraint::id
}
string_type! {
    /// The id of a read set export job: 10 to 36 digits.
    ExportJobId, checked by constraint::id
}
string_type! {
    /// The id of a read set import job: 10 to 36 digits.
    ImportJobId, checked by constraint::id
}
string_type! {
    /// The id of a read set activation job: 10 to 36 digits.
    ActivationJobId, checked by constraint::id
}
string_type! {
    /// The name of a bulk run, chosen by the caller: 1 to 64 letters, digits, `.`, `_` and `-`.
    ///
    /// The same name with the same input is the same run, whenever and wherever it is made: its jobs start once. To run
    /// failed items again, use another name.
    ///
    /// ```
    /// use healthomics::bulk::Planner;
    ///
    /// let token = |run: &str| {
    ///     let plan = Planner::activation(run.into(), "1234567890".into()).plan(["5555555555"])?;
    ///     let token = plan.groups().next().map(|group| group.client_token());
    ///     Ok::<_, healthomics::bulk::BulkError>(token)
    /// };
    /// assert_eq!(token("delivery-7")?, token("delivery-7")?);
    /// assert_ne!(token("delivery-7")?, token("delivery-7-again")?);
    /// # Ok::<(), healthomics::bulk::BulkError>(())
    /// ```
    RunId, checked by constraint::run_id
}
string_type! { opaque
    /// The client token of a Start call, by which the service knows that two requests are for the same job: 1 to 127
    /// characters, none of them a control character.
    ///
    /// A Start call without one makes a random one, sends it on every attempt, and returns it on its output and on its
    /// error. Sending the call again with this token starts no second job.
    ///
    /// `Debug` does not show the token, [`as_str`](ClientToken::as_str) and `Display` do.
    ///
    /// ```
    /// use healthomics::ClientToken;
    ///
    /// let token = ClientToken::from("order-4711");
    /// assert_eq!(token.to_string(), "order-4711");
    /// assert_eq!(format!("{token:?}"), "ClientToken(redacted)");
    /// assert_ne!(ClientToken::random(), ClientToken::random());
    /// ```
    ClientToken, checked by constraint::name
}

impl ClientToken {
    /// A new random token: a UUID.
    ///
    /// ```
    /// use healthomics::ClientToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let token = ClientToken::random(); // to be stored before the start
    /// let call = client
    ///     .start_read_set_activation_job()
    ///     .sequence_store_id(&store)
    ///     .sources(["5555555555"]);
    /// let call = call.client_token(&token);
    /// assert_eq!(call.clone().send().await?.id, call.send().await?.id);
    /// # Ok(()) }
    /// ```
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientToken(redacted)")
    }
}
