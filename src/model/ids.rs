//! Identifiers that the service gives out, and the client token that the caller gives in.

use std::fmt;

use uuid::Uuid;

use crate::model::validation::is_id;

/// What is one text is one in JSON, too.
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

/// A string of one meaning: converts from and into strings, prints as itself, is checked when a request is sent.
///
/// `opaque` leaves out `Debug`, for a type that has its own.
macro_rules! string_type {
    ($(#[$doc:meta])* $name:ident) => {
        crate::model::ids::string_type! { opaque $(#[$doc])* $name }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
    (opaque $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text of it.
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

        // Hash, Eq and Ord are those of the text: a map of these is looked into by `&str`.
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
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
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

/// What tells an identifier that the service gave out from any other text.
macro_rules! digits {
    ($($name:ident)+) => { $(impl $name {
        /// Whether a request may carry it: 10 to 36 digits. Conversions take any text, and a call finds it out when it is
        /// sent; ask here where a text comes in, from a form or a command line.
        pub fn is_valid(&self) -> bool {
            is_id(&self.0)
        }
    })+ };
}
digits! { SequenceStoreId ReadSetId ExportJobId ImportJobId ActivationJobId }

string_type! {
    /// A sequence store: 10 to 36 digits. Leading zeros count, so it is never a number.
    ///
    /// Like all types of this module that are one text, it is made of strings, compared with them, and printed as one.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// use healthomics::SequenceStoreId;
    ///
    /// let store = SequenceStoreId::from("0123456789");
    /// assert_eq!(store, "0123456789");
    /// assert_eq!("0123456789".parse(), Ok(store.clone()));
    /// assert_eq!(format!("{store:>12}"), "  0123456789");
    /// assert!(store.is_valid() && !SequenceStoreId::from("12345").is_valid());
    /// assert_eq!(HashMap::from([(store, 7)]).get("0123456789"), Some(&7));
    /// ```
    ///
    /// What it may look like is checked when a request is sent; [`is_valid`](Self::is_valid) tells it before.
    SequenceStoreId
}
string_type! {
    /// A read set of a sequence store: 10 to 36 digits.
    ReadSetId
}
string_type! {
    /// A read set export job: 10 to 36 digits.
    ExportJobId
}
string_type! {
    /// A read set import job: 10 to 36 digits.
    ImportJobId
}
string_type! {
    /// A read set activation job: 10 to 36 digits.
    ActivationJobId
}
string_type! {
    /// The name that you give a bulk run: 1 to 64 letters, digits, `.`, `_` and `-`.
    ///
    /// The same name with the same input is the same run, whenever and wherever it is made: its jobs start once. What
    /// failed and shall be tried again is a run of another name.
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
    RunId
}
string_type! { opaque
    /// What tells the service that two Start requests mean the same job: 1 to 127 characters, no control characters.
    ///
    /// A Start call that is not given one makes one by itself, repeats it on every attempt, and hands it back on its
    /// output and on its error. Send the call again with that token and no second job starts.
    ///
    /// `Debug` does not show it, [`as_str`](ClientToken::as_str) and `Display` do.
    ///
    /// ```
    /// use healthomics::ClientToken;
    ///
    /// let mine = ClientToken::from("order-4711");
    /// assert_eq!((mine.to_string(), format!("{mine:?}")), ("order-4711".to_owned(), "ClientToken(redacted)".to_owned()));
    /// assert_ne!(ClientToken::random(), ClientToken::random());
    /// ```
    ClientToken
}

impl ClientToken {
    /// A new token that nobody has used: a random UUID.
    ///
    /// ```
    /// use healthomics::ClientToken;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let token = ClientToken::random(); // to be stored before the start
    /// let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
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
