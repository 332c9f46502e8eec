//! `BatchDeleteReadSet`: deletes read sets.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::model::text::OneLine;
use crate::model::validation::{Path, Violations};
use crate::model::{ReadSetId, SequenceStoreId};
use crate::operation::call::call;
use crate::operation::response::check_origin;
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject, decode};
use crate::protocol::request::{HostPrefix, Request};
use crate::protocol::response::Response;

/// The largest number of read sets of a `BatchDeleteReadSet`.
pub const MAX_DELETE_IDS: usize = 100;

impl Client {
    /// Deletes up to 100 read sets (`BatchDeleteReadSet`). A deletion can't be undone.
    ///
    /// A success may be partial: the read sets that the service did not delete are in
    /// [`errors`](BatchDeleteReadSetOutput::errors), each with a reason.
    ///
    /// ```
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # use healthomics::read_set::FileType;
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let there = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    /// let gone = "5555555555";
    /// let deleted = client
    ///     .batch_delete_read_set()
    ///     .sequence_store_id(&store)
    ///     .ids([there.as_str(), gone])
    ///     .send()
    ///     .await?;
    /// for error in &deleted.errors {
    ///     // 5555555555: ResourceNotFoundException: Read set not found
    ///     println!("not deleted: {error}");
    /// }
    /// # assert_eq!(deleted.errors.len(), 1);
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    ///
    /// # Retries
    ///
    /// A call without a response is retried, as no read set can be deleted twice. Read sets that the first attempt
    /// deleted may then be in `errors`, as not found. AWS documents a success as a response without a body. Such a
    /// response is a success only with an AWS request id, and otherwise an error that is retried.
    ///
    /// # Limits
    ///
    /// An account can make one such call a second, unless its quota was raised.
    ///
    /// # Errors
    ///
    /// `send` checks all fields before it sends anything. Its errors, and what to do:
    ///
    /// | [`Error`](crate::Error) | |
    /// |---|---|
    /// | [`InvalidInput`](crate::Error::InvalidInput) | nothing was sent: fix the fields that the violations name |
    /// | [`AccessDeniedException`](crate::Error::AccessDeniedException) (403) | the caller needs permission for the operation |
    /// | [`ResourceNotFoundException`](crate::Error::ResourceNotFoundException) (404) | no such store in this region and account |
    /// | [`ThrottlingException`](crate::Error::ThrottlingException) (429) | too many calls: make fewer a second |
    /// | any that [`is_retryable`](crate::Error::is_retryable) | some read sets may be deleted, if the call [may have been applied](crate::Error::may_have_been_applied): send it again |
    pub fn batch_delete_read_set(&self) -> BatchDeleteReadSet {
        BatchDeleteReadSet::new(self.call())
    }
}

call! {
    /// The call `BatchDeleteReadSet`, made by [`Client::batch_delete_read_set`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .batch_delete_read_set()
    ///     .sequence_store_id("1234567890")
    ///     .ids(["5555555555", "5555555556"]);
    /// for error in call.send().await?.errors {
    ///     println!("not deleted: {error}");
    /// }
    /// # Ok(()) }
    /// ```
    pub struct BatchDeleteReadSet in mod batch_delete_read_set
    sends BatchDeleteReadSetRequest returns BatchDeleteReadSetOutput;
    required {
        /// The id of the sequence store that has the read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The ids of the read sets to delete: 1 to 100, a single one as `[id]`.
        Ids = ids: Vec<ReadSetId>, each ReadSetId;
    }
}

impl Operation for BatchDeleteReadSetRequest {
    const NAME: &'static str = "BatchDeleteReadSet";
    const MUTATES: bool = true;
    const REPLAY: Replay = Replay::Safe;
    const MAX_RATE: Option<u32> = Some(1);
    type Output = BatchDeleteReadSetOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.sequence_store_id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        let ids = Path::Root("ids");
        violations.count(ids, self.ids.len(), MAX_DELETE_IDS);
        for (index, id) in self.ids.iter().enumerate() {
            violations.id(ids.item(index), id.as_str());
        }
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "readset", "batch", "delete"];
        Request::post(HostPrefix::ControlStorage, &path, json::to_body(self))
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        output.request_id = request_id;
        Ok(())
    }

    fn decode(&self, response: &Response) -> Result<Self::Output, Undecodable> {
        let request_id = response.request_id().map(str::to_owned);
        // AWS documents a success as a response without a body.
        if response.body.trim_ascii().is_empty() && request_id.is_some() {
            return Ok(BatchDeleteReadSetOutput { errors: Vec::new(), request_id });
        }
        let output = decode(self, response)?;
        if output.errors.is_empty() {
            check_origin(response, "errors")?;
        }
        Ok(output)
    }
}

json_struct! {
    /// The output of `BatchDeleteReadSet`. Read sets without an error are deleted.
    ///
    /// [`Client::batch_delete_read_set`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[must_use = "read sets that were not deleted are in `errors`"]
    #[non_exhaustive]
    pub struct BatchDeleteReadSetOutput {
        /// The read sets that were not deleted. Empty if all of them were.
        pub errors: Vec<ReadSetBatchError>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// Why a read set was not deleted.
    ///
    /// [`Client::batch_delete_read_set`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetBatchError {
        /// The read set: 10 to 36 digits. `None` if the service leaves it out.
        pub id: Option<ReadSetId>,
        /// The error code: `ResourceNotFoundException`. `None` if the service leaves it out.
        pub code: Option<String>,
        /// What happened, in the service's words. `None` if the service leaves it out.
        pub message: Option<String>,
    }
}

/// `5555555555: ResourceNotFoundException: Read set not found`
impl fmt::Display for ReadSetBatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id.as_ref().map_or("a read set without an id", ReadSetId::as_str);
        let code = self.code.as_deref().unwrap_or("no error code");
        let message = self.message.as_deref().unwrap_or("no reason given");
        write!(f, "{}: {}: {}", OneLine(id), OneLine(code), OneLine(message))
    }
}
