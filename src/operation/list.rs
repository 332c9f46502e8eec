//! What the list calls share.

use super::filter::Filter;
use crate::check::{Path, Violations};
use crate::decode::Undecodable;
use crate::encode::{self, SerializeOptional as _};
use crate::model::SequenceStoreId;
use crate::wire::{HostPrefix, WireRequest};

/// The members that every list request has.
pub(super) struct ListRequest<'a, F> {
    pub(super) sequence_store_id: &'a SequenceStoreId,
    pub(super) max_results: Option<i32>,
    pub(super) next_token: Option<&'a str>,
    pub(super) filter: Option<&'a F>,
}

impl<F: Filter> ListRequest<'_, F> {
    pub(super) fn check(&self, violations: &mut Violations) {
        violations.id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.page(self.max_results, self.next_token);
        if let Some(filter) = self.filter {
            filter.check(violations);
        }
    }

    /// `last` is the last segment of the path.
    pub(super) fn to_wire(&self, last: &str) -> WireRequest {
        let path = ["sequencestore", self.sequence_store_id.as_str(), last];
        let max_results = self.max_results.map(|number| number.to_string());
        let body = encode::object(&|body| body.serialize_optional("filter", self.filter));
        WireRequest::post(HostPrefix::ControlStorage, &path, body)
            .with_query("maxResults", max_results.as_deref())
            .with_query("nextToken", self.next_token)
    }

    /// The token of an answer, unless it is the one that was sent: the same page would come for ever.
    pub(super) fn next_token(&self, answered: Option<String>) -> Result<Option<String>, Undecodable> {
        if answered.is_some() && answered.as_deref() == self.next_token {
            let what = "the service repeats the page token that it was sent: the list would never end";
            return Err(Undecodable { what: what.to_owned(), broken: false, source: None });
        }
        Ok(answered)
    }

    /// The store of an item: the one that was asked if the service left it out.
    pub(super) fn stand_in_for(&self, store: &mut SequenceStoreId) {
        if store.as_str().is_empty() {
            store.clone_from(self.sequence_store_id);
        }
    }
}

/// Declares a list call: its members, its wire form, its output, its pages and its items.
macro_rules! list_call {
    (
        $(#[$doc:meta])*
        pub struct $Call:ident sends $Request:ident to $last:literal with $Filter:ty;

        $(#[$output_doc:meta])*
        pub struct $Output:ident {
            $(#[$items_doc:meta])*
            $items:ident: Vec<$Item:ident> = $member:literal
        }
    ) => {
        crate::operation::call! {
            $(#[$doc])*
            pub struct $Call sends $Request returns $Output;
            required {
                /// The store: 10 to 36 digits.
                StoreId = sequence_store_id: crate::model::SequenceStoreId;
            }
            optional {
                /// The most items of a page: 1 to 100. Without it the service decides.
                max_results: i32;
                /// Where to go on: the `next_token` of an earlier page of the same list with the same filter, 1 to
                /// 6,144 characters.
                next_token: String;
                /// What to narrow the list to.
                filter: $Filter;
            }
            defaulted {}
        }

        impl<StoreId> $Call<StoreId> {
            /// All pages, one call each with the settings of this one: see [`Pages`](crate::pages::Pages).
            pub fn pages(self) -> crate::pages::Pages<$Output>
            where
                StoreId: crate::builder::IsSet<crate::model::SequenceStoreId>,
            {
                // A list of thousands would ask faster than an account may.
                let (call, request) = self.paced(None).into_parts();
                let (operation, token) = (<$Request as crate::operation::Operation>::NAME, request.next_token.clone());
                crate::pages::Pages::new(operation, token, move |next_token| {
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

        impl $Request {
            fn list(&self) -> crate::operation::list::ListRequest<'_, $Filter> {
                crate::operation::list::ListRequest {
                    sequence_store_id: &self.sequence_store_id,
                    max_results: self.max_results,
                    next_token: self.next_token.as_deref(),
                    filter: self.filter.as_ref(),
                }
            }
        }

        crate::decode::members! {
            struct Answer {
                next_token: Option<String> = "nextToken" as crate::decode::Text;
                $items: Vec<$Item> = $member as crate::decode::OrEmpty;
            }
        }

        impl crate::operation::Operation for $Request {
            const NAME: &'static str = stringify!($Call);
            const MUTATES: bool = false;
            type Output = $Output;

            fn check(&self, violations: &mut crate::check::Violations) {
                self.list().check(violations);
            }

            fn to_wire(&self) -> crate::wire::WireRequest {
                self.list().to_wire($last)
            }

            fn decode(&self, raw: &crate::wire::RawResponse) -> Result<$Output, crate::decode::Undecodable> {
                let mut answer: Answer = crate::decode::object(raw)?;
                for item in &mut answer.$items {
                    self.list().stand_in_for(&mut item.sequence_store_id);
                }
                Ok($Output {
                    $items: answer.$items,
                    next_token: self.list().next_token(answer.next_token)?,
                    request_id: raw.request_id().map(str::to_owned),
                })
            }
        }

        $(#[$output_doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub struct $Output {
            $(#[$items_doc])*
            pub $items: Vec<$Item>,
            /// Where the next page starts; `None` on the last one.
            pub next_token: Option<String>,
            /// The id that AWS support asks for.
            pub request_id: Option<String>,
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
pub(super) use list_call;
