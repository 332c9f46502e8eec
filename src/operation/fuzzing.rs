//! Decodes a response as that of an operation.

use std::fmt::Debug;

use super::read_set::activation::{
    GetReadSetActivationJobRequest, ListReadSetActivationJobsRequest, StartReadSetActivationJobRequest,
};
use super::read_set::delete::BatchDeleteReadSetRequest;
use super::read_set::export::{GetReadSetExportJobRequest, ListReadSetExportJobsRequest, StartReadSetExportJobRequest};
use super::read_set::import::{GetReadSetImportJobRequest, ListReadSetImportJobsRequest, StartReadSetImportJobRequest};
use super::read_set::list::ListReadSetsRequest;
use super::read_set::metadata::GetReadSetMetadataRequest;
use crate::fuzzing::checks::{Length, assert_fit_for_a_log, context};
use crate::protocol::operation::Operation;
use crate::protocol::response::Response;
use crate::runtime::attempt::Failure;

const STORE: &str = "1234567890";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const TOKEN: &str = "token";
const PAGE_TOKEN: &str = "page-1";

macro_rules! get {
    ($Request:ident) => {
        ($Request::NAME, |raw, id| decode(&$Request { sequence_store_id: STORE.into(), id: id.into() }, raw).is_some())
    };
}

macro_rules! list {
    ($Request:ident) => {
        ($Request::NAME, |raw, _| {
            let next_token = Some(PAGE_TOKEN.to_owned());
            let list = $Request { sequence_store_id: STORE.into(), max_results: None, next_token, filter: None };
            let output = decode(&list, raw);
            let next = output.as_ref().and_then(|output| output.next_token.as_deref());
            assert_ne!(next, Some(PAGE_TOKEN), "the list would never end");
            output.is_some()
        })
    };
}

/// Decodes a response, and returns whether it can be decoded. The id is that of the request, if it has one.
type Decode = fn(&Response, id: &str) -> bool;

/// The operations by name.
pub(crate) const OPERATIONS: [(&str, Decode); 12] = [
    (StartReadSetExportJobRequest::NAME, |raw, _| {
        let operation = StartReadSetExportJobRequest {
            sequence_store_id: STORE.into(),
            destination: "s3://bucket/".into(),
            role_arn: ROLE.into(),
            sources: Vec::new(),
            client_token: TOKEN.into(),
        };
        decode(&operation, raw).is_some()
    }),
    (StartReadSetImportJobRequest::NAME, |raw, _| {
        let operation = StartReadSetImportJobRequest {
            sequence_store_id: STORE.into(),
            role_arn: ROLE.into(),
            sources: Vec::new(),
            client_token: TOKEN.into(),
        };
        decode(&operation, raw).is_some()
    }),
    (StartReadSetActivationJobRequest::NAME, |raw, _| {
        let operation = StartReadSetActivationJobRequest {
            sequence_store_id: STORE.into(),
            sources: Vec::new(),
            client_token: TOKEN.into(),
        };
        decode(&operation, raw).is_some()
    }),
    get!(GetReadSetExportJobRequest),
    get!(GetReadSetImportJobRequest),
    get!(GetReadSetActivationJobRequest),
    get!(GetReadSetMetadataRequest),
    (BatchDeleteReadSetRequest::NAME, |raw, _| {
        decode(&BatchDeleteReadSetRequest { sequence_store_id: STORE.into(), ids: Vec::new() }, raw).is_some()
    }),
    list!(ListReadSetExportJobsRequest),
    list!(ListReadSetImportJobsRequest),
    list!(ListReadSetActivationJobsRequest),
    list!(ListReadSetsRequest),
];

fn decode<O: Operation<Output: Debug>>(operation: &O, raw: &Response) -> Option<O::Output> {
    match operation.decode(raw) {
        Ok(output) => {
            // Escapes and names of fields make it longer than the body, by a bounded factor.
            let shown = Length::of(format_args!("{output:?}"));
            assert!(shown <= 4_000 + 400 * raw.body.len(), "{shown} bytes are shown of {}", raw.body.len());
            Some(output)
        }
        Err(error) => {
            assert_fit_for_a_log(&Failure::undecodable(error, raw).into_error(context(O::NAME)));
            None
        }
    }
}
