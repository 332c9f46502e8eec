//! The trait of all operations of the service: a name, checks, a request, an output.

use std::fmt;

use serde::de::DeserializeOwned;

use super::json::{self, Fields, Undecodable};
use super::replayed::Evidence;
use super::request::Request;
use super::response::Response;
use crate::model::text::OneLine;
use crate::model::validation::Violations;
use crate::model::{ClientToken, ReadSetId, SequenceStoreId};

/// Whether an attempt may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Always: the operation changes nothing, has a client token, or has no effect when repeated.
    Safe,
    /// Only after a failure that excludes that the service has applied the request.
    OnlyIfNotApplied,
}

/// A request of the service, as plain data. All methods are deterministic, so that every attempt sends the same bytes.
pub(crate) trait Operation: Send + Sync {
    /// The service's own name.
    const NAME: &'static str;
    /// Whether the operation changes anything, so that a failed call may have been applied.
    const MUTATES: bool;
    /// Whether an attempt may be repeated after the operation may have been applied.
    const REPLAY: Replay;
    /// The documented rate in requests a second. `None` is the default rate of an account.
    const MAX_RATE: Option<u32> = None;
    /// The output of a successful call.
    type Output: DeserializeOwned + Fields + Send;

    /// The ids that the request is about, for errors.
    fn subject(&self) -> Subject<'_>;

    /// Adds all violations of the service's model.
    fn check(&self, violations: &mut Violations);

    /// The HTTP request, without the endpoint.
    fn to_request(&self) -> Request;

    /// The client token of the request. `None` if the operation has none.
    fn client_token(&self) -> Option<&ClientToken> {
        None
    }

    /// Fills in what the body of a response leaves to the request and to the headers.
    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable>;

    /// Fills in whether the job of a start existed before.
    fn set_replayed(&self, _: &mut Self::Output, _: &Evidence<'_>) {}

    /// Reads a successful response.
    fn decode(&self, response: &Response) -> Result<Self::Output, Undecodable> {
        decode(self, response)
    }
}

/// The ids that a request is about: a store, and a job or a read set in it if there is one.
pub(crate) struct Subject<'a> {
    store: &'a str,
    in_store: Option<(&'static str, &'a str)>,
}

impl<'a> Subject<'a> {
    pub(crate) fn store(store: &'a SequenceStoreId) -> Self {
        Self { store: store.as_str(), in_store: None }
    }

    pub(crate) fn job(store: &'a SequenceStoreId, job: &'a str) -> Self {
        Self { store: store.as_str(), in_store: Some(("job", job)) }
    }

    pub(crate) fn read_set(store: &'a SequenceStoreId, read_set: &'a ReadSetId) -> Self {
        Self { store: store.as_str(), in_store: Some(("read set", read_set.as_str())) }
    }
}

/// `store 1234567890, job 5555555555`, each id shortened if it is long.
impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "store {}", OneLine(shortened(self.store)))?;
        match self.in_store {
            Some((what, id)) => write!(f, ", {what} {}", OneLine(shortened(id))),
            None => Ok(()),
        }
    }
}

/// The beginning of an id, longer than any id of the service.
fn shortened(id: &str) -> &str {
    id.char_indices().nth(60).map_or(id, |(end, _)| &id[..end])
}

/// Reads the output of an operation from the body of a response.
pub(crate) fn decode<O: Operation + ?Sized>(operation: &O, response: &Response) -> Result<O::Output, Undecodable> {
    let mut output: O::Output = json::from_response(response)?;
    operation.complete(&mut output, response.request_id().map(str::to_owned))?;
    match output.missing() {
        None => Ok(output),
        Some(field) => Err(Undecodable::missing(field, response)),
    }
}
