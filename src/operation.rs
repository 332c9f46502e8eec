//! The operations. Each has a file that holds all of it: builder, request, checks, wire form, output.

use serde_core::Serialize;
use serde_core::ser::{SerializeMap as _, Serializer};

use crate::check::Violations;
use crate::decode::Undecodable;
use crate::model::{ClientToken, ReadSetId};
use crate::wire::{RawResponse, WireRequest};

mod activation_job;
mod activation_jobs;
mod batch_delete;
mod export_job;
mod export_jobs;
mod filter;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod goldens;
mod import_job;
mod import_jobs;
mod list;
mod read_set;
mod read_sets;

pub use activation_job::*;
pub use activation_jobs::*;
pub use batch_delete::*;
pub use export_job::*;
pub use export_jobs::*;
pub use filter::*;
pub use import_job::*;
pub use import_jobs::*;
pub use read_set::*;
pub use read_sets::*;

/// One request of the service: plain data. Deterministic, so that every attempt sends the same bytes.
pub(crate) trait Operation: Send + Sync {
    /// The service's own name.
    const NAME: &'static str;
    /// Whether the service changes anything, so that a failed call may have left something behind.
    const MUTATES: bool;
    /// What a caller gets.
    type Output: Send;

    /// Finds everything that the service would refuse.
    fn check(&self, violations: &mut Violations);

    /// The request as it travels.
    fn to_wire(&self) -> WireRequest;

    /// The token that makes a repeat harmless.
    fn client_token(&self) -> Option<&ClientToken> {
        None
    }

    /// Reads a successful answer.
    fn decode(&self, raw: &RawResponse) -> Result<Self::Output, Undecodable>;
}

/// Read sets as items of a request (`ExportReadSet`, `StartReadSetActivationJobSourceItem`).
struct ReadSetSources<'a>(&'a [ReadSetId]);

impl Serialize for ReadSetSources<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ReadSetSource))
    }
}

struct ReadSetSource<'a>(&'a ReadSetId);

impl Serialize for ReadSetSource<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(None)?;
        members.serialize_entry("readSetId", self.0.as_str())?;
        members.end()
    }
}

/// Declares the fluent builder of one call: the members, the settings of a single call, and `send`.
macro_rules! call {
    (
        $(#[$doc:meta])*
        pub struct $Call:ident sends $Request:ident returns $Output:ty;
        required { $($(#[$req_doc:meta])* $Param:ident = $req:ident: $ReqTy:ty $(, each $Each:ty)?;)+ }
        $(optional { $($optional:tt)* })?
        defaulted { $($defaulted:tt)* }
    ) => {
        crate::builder::builder! {
            $(#[$doc])*
            pub struct $Call(call: crate::client::Call) builds
            pub(crate) struct $Request;
            required { $($(#[$req_doc])* $Param = $req: $ReqTy $(, each $Each)?;)+ }
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
    };
}
use call;
