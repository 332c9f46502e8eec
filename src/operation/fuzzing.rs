//! Decodes a response as that of every operation.

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
const ID: &str = "5555555555";
const TOKEN: &str = "page-1";

pub(crate) fn decode_all(raw: &Response) {
    let (role_arn, client_token) = ("arn:aws:iam::123456789012:role/r", "token");
    decode(
        &StartReadSetExportJobRequest {
            sequence_store_id: STORE.into(),
            destination: "s3://bucket/".into(),
            role_arn: role_arn.into(),
            sources: Vec::new(),
            client_token: client_token.into(),
        },
        raw,
    );
    decode(
        &StartReadSetImportJobRequest {
            sequence_store_id: STORE.into(),
            role_arn: role_arn.into(),
            sources: Vec::new(),
            client_token: client_token.into(),
        },
        raw,
    );
    decode(
        &StartReadSetActivationJobRequest {
            sequence_store_id: STORE.into(),
            sources: Vec::new(),
            client_token: client_token.into(),
        },
        raw,
    );
    decode(&GetReadSetExportJobRequest { sequence_store_id: STORE.into(), id: ID.into() }, raw);
    decode(&GetReadSetImportJobRequest { sequence_store_id: STORE.into(), id: ID.into() }, raw);
    decode(&GetReadSetActivationJobRequest { sequence_store_id: STORE.into(), id: ID.into() }, raw);
    decode(&GetReadSetMetadataRequest { sequence_store_id: STORE.into(), id: ID.into() }, raw);
    decode(&BatchDeleteReadSetRequest { sequence_store_id: STORE.into(), ids: Vec::new() }, raw);
    macro_rules! lists {
        ($($Request:ident)+) => {$(
            let next_token = Some(TOKEN.to_owned());
            let list = $Request { sequence_store_id: STORE.into(), max_results: None, next_token, filter: None };
            if let Some(output) = decode(&list, raw) {
                assert_ne!(output.next_token.as_deref(), Some(TOKEN), "the list would never end");
            }
        )+};
    }
    lists! {
        ListReadSetExportJobsRequest ListReadSetImportJobsRequest ListReadSetActivationJobsRequest ListReadSetsRequest
    }
}

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
