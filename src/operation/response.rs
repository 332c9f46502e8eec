//! Checks of a response against the request that it is for.

use crate::model::SequenceStoreId;
use crate::model::text::OneLine;
use crate::protocol::json::{self, Undecodable};
use crate::protocol::response::Response;

/// Fills in the store of the request, if the response does not name one.
pub(super) fn fill_in_store(in_response: &mut SequenceStoreId, in_request: &SequenceStoreId) {
    if in_response.as_str().is_empty() {
        in_response.clone_from(in_request);
    }
}

/// Checks that the response is about the job or read set of the request. An id that arrives as a number has lost its
/// leading zeros.
pub(super) fn check_id(in_request: &str, in_response: &str) -> Result<(), Undecodable> {
    if in_response.is_empty() || in_response.trim_start_matches('0') == in_request.trim_start_matches('0') {
        return Ok(());
    }
    let what = format!("the response is about {}, and not about {}", OneLine(in_response), OneLine(in_request));
    Err(Undecodable { what, broken: false, source: None })
}

/// Checks that the token of the next page is not that of the page itself: such a list would never end.
pub(super) fn check_next_token(in_request: Option<&str>, in_response: Option<&str>) -> Result<(), Undecodable> {
    if in_response.is_some() && in_response == in_request {
        let what = "the service repeats the page token that it was sent: the list would never end";
        return Err(Undecodable { what: what.to_owned(), broken: false, source: None });
    }
    Ok(())
}

/// Checks an empty response of an operation whose fields are all optional. It is the service's if it has a request id
/// or the field.
pub(super) fn check_origin(response: &Response, field: &str) -> Result<(), Undecodable> {
    if response.request_id().is_some() || json::has_field(response, field) {
        return Ok(());
    }
    let what = format!("the response has neither an AWS request id nor {field}");
    Err(Undecodable { what, broken: true, source: None })
}
