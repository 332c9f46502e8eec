//! The request for a page of a list, which is the same for all lists.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::response;
use crate::model::SequenceStoreId;
use crate::model::validation::{Path, Violations};
use crate::pagination::{Page, Pages};
use crate::protocol::json::{self, Fields, Undecodable};
use crate::protocol::operation::{Operation, Replay, Subject, decode};
use crate::protocol::request::{HostPrefix, Request};
use crate::protocol::response::Response;
use crate::runtime::Call;

/// The output of a list operation: one page. It says what the operation differs in from other lists.
pub(crate) trait List: Page + Fields + DeserializeOwned + Send + 'static {
    /// The service's own name.
    const NAME: &'static str;
    /// The last segment of the path: `exportjobs`.
    const PATH: &'static str;
    /// The field of the response that has the items: `exportJobs`.
    const ITEMS: &'static str;
    /// Whether the service's model requires that field.
    const REQUIRES_ITEMS: bool;
    /// The filter of the list.
    type Filter: Filter;

    /// Fills in what the body of a response leaves to the request and to the headers.
    fn complete(&mut self, store: &SequenceStoreId, request_id: Option<String>);

    /// Whether the page has no items.
    fn is_empty(&self) -> bool;
}

/// The filter of a list.
pub(crate) trait Filter: Clone + Serialize + Send + Sync + 'static {
    /// Adds all violations of the service's model.
    fn check(&self, violations: &mut Violations);
}

/// The request for one page of a list of `O`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", bound = "")]
pub(crate) struct ListRequest<O: List> {
    #[serde(skip)]
    pub(crate) sequence_store_id: SequenceStoreId,
    #[serde(skip)]
    pub(crate) max_results: Option<i32>,
    #[serde(skip)]
    pub(crate) next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<O::Filter>,
}

impl<O: List> Operation for ListRequest<O> {
    const NAME: &'static str = O::NAME;
    const MUTATES: bool = false;
    const REPLAY: Replay = Replay::Safe;
    type Output = O;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.sequence_store_id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.page(self.max_results, self.next_token.as_deref());
        if let Some(filter) = &self.filter {
            filter.check(violations);
        }
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), O::PATH];
        Request::post(HostPrefix::ControlStorage, &path, json::to_body(self))
            .with_page(self.max_results, self.next_token.as_deref())
    }

    fn complete(&self, output: &mut O, request_id: Option<String>) -> Result<(), Undecodable> {
        output.complete(&self.sequence_store_id, request_id);
        response::check_next_token(self.next_token.as_deref(), output.next_token())
    }

    /// An empty page is the service's only if the response says so.
    fn decode(&self, response: &Response) -> Result<O, Undecodable> {
        let page = decode(self, response)?;
        if !page.is_empty() {
            return Ok(page);
        }
        if O::REQUIRES_ITEMS && !json::has_field(response, O::ITEMS) {
            return Err(Undecodable { broken: true, ..Undecodable::missing(O::ITEMS, response) });
        }
        if page.next_token().is_none() {
            response::check_origin(response, O::ITEMS)?;
        }
        Ok(page)
    }
}

/// All pages of a list, from the one that a request is for.
pub(crate) fn pages<O: List>(call: Call, request: ListRequest<O>) -> Pages<O> {
    let subject = request.subject().to_string().into();
    let token = request.next_token.clone();
    Pages::new(O::NAME, subject, token, move |next_token| {
        let request = ListRequest {
            sequence_store_id: request.sequence_store_id.clone(),
            max_results: request.max_results,
            next_token,
            filter: request.filter.clone(),
        };
        Box::pin(call.clone().send(request))
    })
}
