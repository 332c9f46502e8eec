//! `ListReadSets`: the read sets of a store.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::filter::ReadSetFilter;
use super::metadata::{ETag, SequenceInformation};
use crate::client::Client;
use crate::model::{
    CreationType, FileType, ReadSetArn, ReadSetId, ReadSetStatus, ReferenceArn, SampleId, SequenceStoreId, SubjectId,
};
use crate::operation::call::call;
use crate::operation::list::List;
use crate::operation::response::fill_in_store;
use crate::protocol::json::json_struct;

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
    /// The call `ListReadSets`, made by [`Client::list_read_sets`].
    pub struct ListReadSets in mod list_read_sets sends ListReadSetsRequest
    returns pages of ListReadSetsOutput { read_sets: ReadSetListItem };
    optional {
        /// Which read sets to list. All of them by default.
        filter: ReadSetFilter;
    }
}

impl List for ListReadSetsOutput {
    const NAME: &'static str = "ListReadSets";
    const PATH: &'static str = "readsets";
    const ITEMS: &'static str = "readSets";
    const REQUIRES_ITEMS: bool = true;
    type Filter = ReadSetFilter;

    fn complete(&mut self, store: &SequenceStoreId, request_id: Option<String>) {
        self.request_id = request_id;
        for read_set in &mut self.read_sets {
            fill_in_store(&mut read_set.sequence_store_id, store);
        }
    }

    fn is_empty(&self) -> bool {
        self.read_sets.is_empty()
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
