//! The operations, by resource. Each has its builder, request, checks and output in one place.

use serde::{Serialize, Serializer};

use crate::model::text::OneLine;
use crate::model::{ReadSetId, SequenceStoreId};
use crate::protocol::json::{self, Undecodable};
use crate::protocol::operation::{Operation, decode};
use crate::protocol::response::Response;

#[cfg(test)]
mod foreign;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod goldens;
pub mod read_set;

/// Checks an empty response of an operation whose fields are all optional. It is the service's if it has a request id or
/// this field.
fn check_origin(response: &Response, field: &str) -> Result<(), Undecodable> {
    if response.request_id().is_some() || json::has_field(response, field) {
        return Ok(());
    }
    let what = format!("the response has neither an AWS request id nor {field}");
    Err(Undecodable { what, broken: true, source: None })
}

/// Reads a page of a list that the model calls optional.
fn decode_jobs<O: Operation + ?Sized>(
    operation: &O,
    response: &Response,
    field: &str,
    is_empty: fn(&O::Output) -> bool,
) -> Result<O::Output, Undecodable> {
    let page = decode(operation, response)?;
    if is_empty(&page) {
        check_origin(response, field)?;
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

/// The settings of one call, on every fluent builder.
macro_rules! call_settings {
    () => {
        /// The longest this call may take, all attempts and waits together, instead of the client's setting; `None`
        /// lifts the limit.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # let local = healthomics::local::LocalService::start().await?;
        /// # let client = local.client()?;
        /// # local.fault_always("ListReadSets", healthomics::local::Fault::HangBefore);
        /// use std::time::Duration;
        ///
        /// let call = client.list_read_sets().sequence_store_id("1234567890");
        /// let call = call.operation_timeout(Duration::from_millis(50));
        /// assert!(call.send().await.unwrap_err().is_timeout());
        /// # Ok(()) }
        /// ```
        pub fn operation_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.operation = limit.into();
            self
        }

        /// The longest one attempt of this call may take, instead of the client's setting; `None` lifts the limit.
        pub fn operation_attempt_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.attempt = limit.into();
            self
        }

        /// The longest a connection for this call may take, instead of the client's setting; `None` lifts the limit.
        ///
        /// Connections are shared by calls of the same connect timeout: use few different ones.
        pub fn connect_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.connect = limit.into();
            self
        }

        /// The longest silence of the service in this call, instead of the client's setting; `None` lifts the limit.
        pub fn read_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.read = limit.into();
            self
        }

        /// Each attempt waits for a permit of the rate limiter, and the call ends when its caller has no time left.
        #[allow(dead_code, reason = "single calls are not rate limited")]
        pub(crate) fn rate_limited(mut self, left: Option<std::time::Duration>) -> Self {
            let operation = self.call.timeouts.operation;
            self.call.timeouts.operation = operation.into_iter().chain(left).min();
            self.call.rate_limited = true;
            self
        }

        /// How many attempts this call makes at most, instead of the client's setting; 0 counts as 1.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # let local = healthomics::local::LocalService::start().await?;
        /// # let client = local.client()?;
        /// # local.fault_always("ListReadSets", healthomics::local::Fault::ResetBefore);
        /// let call = client.list_read_sets().sequence_store_id("1234567890").max_attempts(1);
        /// let error = call.send().await.unwrap_err();
        /// assert_eq!((error.attempts(), error.is_retryable()), (1, true));
        /// # Ok(()) }
        /// ```
        pub fn max_attempts(mut self, count: u32) -> Self {
            self.call.max_attempts = count.max(1);
            self
        }
    };
}
pub(crate) use call_settings;

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
            pub struct $Call(call: crate::runtime::Call) builds
            #[derive(serde::Serialize)]
            #[serde(rename_all = "camelCase")]
            pub(crate) struct $Request;
            required { $($(#[$req_doc])* $Param = $req: $ReqTy $(, each $Each)? $(, serde($($req_serde)*))?;)+ }
            optional { $($($optional)*)? }
            defaulted { $($defaulted)* }
        }

        impl<$($Param),+> $Call<$($Param),+> {
            crate::operation::call_settings!();

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
            /// All pages, one call each with the settings of this one: see [`Pages`](crate::pagination::Pages).
            pub fn pages(self) -> crate::pagination::Pages<$Output>
            where
                StoreId: crate::builder::IsSet<crate::model::SequenceStoreId>,
            {
                // A list of thousands would ask faster than an account may.
                let (call, request) = self.rate_limited(None).into_parts();
                let operation = <$Request as crate::protocol::operation::Operation>::NAME;
                let subject = crate::protocol::operation::Operation::subject(&request).to_string().into();
                let token = request.next_token.clone();
                crate::pagination::Pages::new(operation, subject, token, move |next_token| {
                    Box::pin(call.clone().send($Request { next_token, ..request.clone() }))
                })
            }

            /// All items, page after page, one call for each page: see [`Items`](crate::pagination::Items).
            pub fn items(self) -> crate::pagination::Items<$Output>
            where
                StoreId: crate::builder::IsSet<crate::model::SequenceStoreId>,
            {
                crate::pagination::Items::new(self.pages())
            }
        }

        impl crate::pagination::sealed::Sealed for $Output {}

        impl crate::pagination::Page for $Output {
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
