//! The operations. Each has a file that holds all of it: builder, request, checks, wire form, output.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use crate::check::Violations;
use crate::error::OneLine;
use crate::json::{self, Fields, Undecodable};
use crate::model::{ClientToken, ReadSetId, SequenceStoreId};
use crate::wire::{RawResponse, WireRequest};

mod activation_job;
mod batch_delete;
mod export_job;
mod filter;
#[cfg(test)]
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod goldens;
mod import_job;
mod read_set;
mod read_sets;

pub use activation_job::*;
pub use batch_delete::*;
pub use export_job::*;
pub use filter::*;
pub use import_job::*;
pub use read_set::*;
pub use read_sets::*;

/// One request of the service: plain data. Deterministic, so that every attempt sends the same bytes.
pub(crate) trait Operation: Send + Sync {
    /// The service's own name.
    const NAME: &'static str;
    /// Whether the service changes anything, so that a failed call may have left something behind.
    const MUTATES: bool;
    /// What a caller gets.
    type Output: DeserializeOwned + Fields + Send;

    /// What the request is about, for errors.
    fn subject(&self) -> Subject<'_>;

    /// Finds everything that the service would refuse.
    fn check(&self, violations: &mut Violations);

    /// The request as it travels.
    fn to_wire(&self) -> WireRequest;

    /// The token that makes a repeat harmless.
    fn client_token(&self) -> Option<&ClientToken> {
        None
    }

    /// Fills in what the body of a response leaves to the request and to the headers.
    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable>;

    /// Reads a successful response.
    fn decode(&self, response: &RawResponse) -> Result<Self::Output, Undecodable> {
        decode(self, response)
    }
}

/// What a request is about: a store, and perhaps a job or a read set in it.
pub(crate) struct Subject<'a> {
    store: &'a str,
    in_store: Option<(&'static str, &'a str)>,
}

impl<'a> Subject<'a> {
    fn store(store: &'a SequenceStoreId) -> Self {
        Self { store: store.as_str(), in_store: None }
    }

    fn job(store: &'a SequenceStoreId, job: &'a str) -> Self {
        Self { store: store.as_str(), in_store: Some(("job", job)) }
    }

    fn read_set(store: &'a SequenceStoreId, read_set: &'a ReadSetId) -> Self {
        Self { store: store.as_str(), in_store: Some(("read set", read_set.as_str())) }
    }
}

/// `store 1234567890, job 5555555555`, each id cut where it gets long.
impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {}", OneLine(cut(self.store)))?;
        match self.in_store {
            Some((what, id)) => write!(f, ", {what} {}", OneLine(cut(id))),
            None => Ok(()),
        }
    }
}

/// More of an id than any that the service gives.
fn cut(id: &str) -> &str {
    id.char_indices().nth(60).map_or(id, |(end, _)| &id[..end])
}

/// Reads the output of an operation from the body of a response.
fn decode<O: Operation + ?Sized>(operation: &O, response: &RawResponse) -> Result<O::Output, Undecodable> {
    let mut output: O::Output = json::from_response(response)?;
    operation.complete(&mut output, response.request_id().map(str::to_owned))?;
    match output.missing() {
        None => Ok(output),
        Some(field) => Err(Undecodable::missing(field, response)),
    }
}

/// Reads a page of a list that the model calls optional.
fn decode_jobs<O: Operation + ?Sized>(
    operation: &O,
    response: &RawResponse,
    field: &str,
    is_empty: fn(&O::Output) -> bool,
) -> Result<O::Output, Undecodable> {
    let page = decode(operation, response)?;
    if is_empty(&page) {
        json::check_origin(response, field)?;
    }
    Ok(page)
}

/// The store that was asked, if the response does not name it.
fn fill_in_store(answered: &mut SequenceStoreId, asked: &SequenceStoreId) {
    if answered.as_str().is_empty() {
        answered.clone_from(asked);
    }
}

/// A response about something else than what was asked for says nothing. An id that arrives as a number has lost its
/// leading zeros.
fn check_id(asked: &str, answered: &str) -> Result<(), Undecodable> {
    if answered.is_empty() || answered.trim_start_matches('0') == asked.trim_start_matches('0') {
        return Ok(());
    }
    let what = format!("the response is about {}, and not about {}", OneLine(answered), OneLine(asked));
    Err(Undecodable { what, broken: false, source: None })
}

/// Read sets as items of a request (`ExportReadSet`, `StartReadSetActivationJobSourceItem`).
fn read_set_sources<S: Serializer>(ids: &[ReadSetId], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Source<'a> {
        read_set_id: &'a ReadSetId,
    }

    serializer.collect_seq(ids.iter().map(|read_set_id| Source { read_set_id }))
}

/// A list whose next page is the page that was asked for would never end.
fn check_next_token(asked: Option<&String>, answered: Option<&String>) -> Result<(), Undecodable> {
    if answered.is_some() && answered == asked {
        let what = "the service repeats the page token that it was sent: the list would never end";
        return Err(Undecodable { what: what.to_owned(), broken: false, source: None });
    }
    Ok(())
}

/// Declares the fluent builder of one call: the fields, the settings of a single call, and `send`. A call that returns
/// `pages of` something also gets `pages` and `items`.
macro_rules! call {
    (
        $(#[$doc:meta])*
        pub struct $Call:ident sends $Request:ident returns $Output:ident $(, pages of $items:ident: $Item:ident)?;
        required {
            $(
                $(#[$req_doc:meta])*
                $Param:ident = $req:ident: $ReqTy:ty $(, each $Each:ty)? $(, serde($($req_serde:tt)*))?;
            )+
        }
        $(optional { $($optional:tt)* })?
        defaulted { $($defaulted:tt)* }
    ) => {
        crate::builder::builder! {
            $(#[$doc])*
            pub struct $Call(call: crate::client::Call) builds
            #[derive(serde::Serialize)]
            #[serde(rename_all = "camelCase")]
            pub(crate) struct $Request;
            required { $($(#[$req_doc])* $Param = $req: $ReqTy $(, each $Each)? $(, serde($($req_serde)*))?;)+ }
            optional { $($($optional)*)? }
            defaulted { $($defaulted)* }
        }

        impl<$($Param),+> $Call<$($Param),+> {
            crate::client::call_settings!();

            /// Sends the call.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidInput`](crate::Error::InvalidInput) before anything is sent, with everything that is
            /// wrong; else what became of the last attempt: see [`Error`](crate::Error).
            pub fn send(self) -> crate::CallFuture<$Output>
            where
                $($Param: crate::builder::IsSet<$ReqTy>,)+
            {
                let (call, request) = self.into_parts();
                Box::pin(call.send(request))
            }
        }

        $(crate::operation::call! { @pages $Call sends $Request returns $Output pages of $items: $Item })?
    };

    (@pages $Call:ident sends $Request:ident returns $Output:ident pages of $items:ident: $Item:ident) => {
        impl<StoreId> $Call<StoreId> {
            /// All pages, one call each with the settings of this one: see [`Pages`](crate::pages::Pages).
            pub fn pages(self) -> crate::pages::Pages<$Output>
            where
                StoreId: crate::builder::IsSet<crate::model::SequenceStoreId>,
            {
                // A list of thousands would ask faster than an account may.
                let (call, request) = self.paced(None).into_parts();
                let operation = <$Request as crate::operation::Operation>::NAME;
                let subject = crate::operation::Operation::subject(&request).to_string().into();
                let token = request.next_token.clone();
                crate::pages::Pages::new(operation, subject, token, move |next_token| {
                    Box::pin(call.clone().send($Request { next_token, ..request.clone() }))
                })
            }

            /// All items, page after page, one call for each page: see [`Items`](crate::pages::Items).
            pub fn items(self) -> crate::pages::Items<$Output>
            where
                StoreId: crate::builder::IsSet<crate::model::SequenceStoreId>,
            {
                crate::pages::Items::new(self.pages())
            }
        }

        impl crate::pages::sealed::Sealed for $Output {}

        impl crate::pages::Page for $Output {
            type Item = $Item;

            fn next_token(&self) -> Option<&str> {
                self.next_token.as_deref()
            }

            fn into_items(self) -> Vec<$Item> {
                self.$items
            }
        }
    };
}
use call;
