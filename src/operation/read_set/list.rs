//! `ListReadSets`: the read sets of a store.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::ReadSetFilter;
use super::metadata::{ETag, SequenceInformation};
use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{
    CreationType, FileType, ReadSetArn, ReadSetId, ReadSetStatus, ReferenceArn, SampleId, SequenceStoreId, SubjectId,
};
use crate::operation::{call, check_next_token, fill_in_store};
use crate::protocol::json::{self, Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject, decode};
use crate::protocol::request::{HostPrefix, Request};
use crate::protocol::response::Response;

impl Client {
    /// Lists the read sets of a store, narrowed by a filter if there is one (`ListReadSets`).
    ///
    /// `send` brings one page, [`items`](ListReadSets::items) all of them. The entries say less than
    /// [`get_read_set_metadata`](Client::get_read_set_metadata): nothing of the files.
    ///
    /// ```
    /// use healthomics::read_set::{ReadSetFilter, ReadSetStatus};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let archived = ReadSetFilter::new().status(ReadSetStatus::Archived).subject_id("HG00146");
    /// let mut read_sets = client.list_read_sets().sequence_store_id(&store).filter(archived).items();
    /// while let Some(read_set) = read_sets.next().await {
    ///     println!("{} must be activated", read_set?.id);
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn list_read_sets(&self) -> ListReadSets {
        ListReadSets::new(self.call())
    }
}

call! {
    /// `ListReadSets`: made by [`Client::list_read_sets`].
    pub struct ListReadSets sends ListReadSetsRequest returns ListReadSetsOutput, pages of read_sets: ReadSetListItem;
    required {
        /// The store: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
    }
    optional {
        /// The largest number of items on a page: 1 to 100. Without it the service decides.
        max_results: i32, serde(skip);
        /// Where to continue: the `next_token` of an earlier page of the same list with the same filter, 1 to 6,144
        /// characters.
        next_token: String, serde(skip);
        /// Which read sets to list; all of them without it.
        filter: ReadSetFilter, serde(skip_serializing_if = "Option::is_none");
    }
    defaulted {}
}

impl Operation for ListReadSetsRequest {
    const NAME: &'static str = "ListReadSets";
    const MUTATES: bool = false;
    const REPLAY: Replay = Replay::Safe;
    type Output = ListReadSetsOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.sequence_store_id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.page(self.max_results, self.next_token.as_deref());
        if let Some(filter) = &self.filter {
            filter.check(violations);
        }
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "readsets"];
        Request::post(HostPrefix::ControlStorage, &path, json::to_body(self))
            .with_page(self.max_results, self.next_token.as_deref())
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        for item in &mut output.read_sets {
            fill_in_store(&mut item.sequence_store_id, &self.sequence_store_id);
        }
        output.request_id = request_id;
        check_next_token(self.next_token.as_ref(), output.next_token.as_ref())
    }

    fn decode(&self, response: &Response) -> Result<Self::Output, Undecodable> {
        let page = decode(self, response)?;
        if page.read_sets.is_empty() && !json::has_field(response, "readSets") {
            return Err(Undecodable { broken: true, ..Undecodable::missing("readSets", response) });
        }
        Ok(page)
    }
}

json_struct! {
    /// One page of the read sets of a store.
    ///
    /// [`Client::list_read_sets`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetsOutput {
        /// The read sets; there may be none on a page, and more on the next.
        pub read_sets: Vec<ReadSetListItem>,
        /// Where the next page starts; `None` on the last page.
        pub next_token: Option<String>,
        /// The request id, which AWS support asks for.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// A read set in a list.
    ///
    /// [`Client::list_read_sets`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetListItem {
        /// The read set; empty if the service left it out.
        pub id: ReadSetId,
        /// Its name in policies.
        pub arn: Option<ReadSetArn>,
        /// The store that it is in.
        pub sequence_store_id: SequenceStoreId,
        /// Whom the data is of.
        pub subject_id: Option<SubjectId>,
        /// Which sample of the subject it is.
        pub sample_id: Option<SampleId>,
        /// Where it stands.
        pub status: ReadSetStatus,
        /// What the service says about it.
        pub status_message: Option<String>,
        /// Its name.
        pub name: Option<String>,
        /// Its description.
        pub description: Option<String>,
        /// The reference that the reads are aligned to.
        pub reference_arn: Option<ReferenceArn>,
        /// What kind of file it is.
        pub file_type: Option<FileType>,
        /// What the service has counted in it.
        pub sequence_information: Option<SequenceInformation>,
        /// When it was created.
        pub creation_time: Option<OffsetDateTime>,
        /// How it came into the store.
        pub creation_type: Option<CreationType>,
        /// What tells whether its content is that of another.
        pub etag: Option<ETag>,
    }
}
