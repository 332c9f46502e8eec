//! `ListReadSets`: the read sets of a sequence store.

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
    /// Lists the read sets of a sequence store, all of them or those that match a filter (`ListReadSets`).
    ///
    /// `send` returns one page, [`items`](ListReadSets::items) the read sets of all pages. Only
    /// [`get_read_set_metadata`](Client::get_read_set_metadata) returns the files of a read set.
    ///
    /// ```
    /// use healthomics::read_set::{ReadSetFilter, ReadSetStatus};
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let archived = ReadSetFilter::new().status(ReadSetStatus::Archived).subject_id("HG00146");
    /// let mut read_sets = client
    ///     .list_read_sets()
    ///     .sequence_store_id(&store)
    ///     .filter(archived)
    ///     .items();
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
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// use healthomics::read_set::{ReadSetFilter, ReadSetStatus};
    ///
    /// let call = client
    ///     .list_read_sets()
    ///     .sequence_store_id("1234567890")
    ///     .filter(ReadSetFilter::new().status(ReadSetStatus::Archived));
    /// let mut read_sets = call.items();
    /// while let Some(read_set) = read_sets.next().await {
    ///     println!("{} is archived", read_set?.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub struct ListReadSets in mod list_read_sets
    sends ListReadSetsRequest
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
    /// The output of `ListReadSets`: one page of the read sets of a sequence store.
    ///
    /// [`Client::list_read_sets`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ListReadSetsOutput {
        /// The read sets of the page. It may be empty although the next page is not.
        pub read_sets: Vec<ReadSetListItem>,
        /// The token of the next page: pass it as `next_token` to the same list. `None` on the last page.
        pub next_token: Option<String>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// A read set in a list (`ReadSetListItem`).
    ///
    /// [`Client::list_read_sets`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetListItem {
        /// The id of the read set.
        pub id: ReadSetId,
        /// The ARN of the read set. `None` if the service leaves it out.
        pub arn: Option<ReadSetArn>,
        /// The id of the sequence store that has the read set.
        pub sequence_store_id: SequenceStoreId,
        /// The name of the subject that the data is of. `None` if the service leaves it out.
        pub subject_id: Option<SubjectId>,
        /// The name of the sample of the subject. `None` if the service leaves it out.
        pub sample_id: Option<SampleId>,
        /// The status of the read set.
        pub status: ReadSetStatus,
        /// A message of the service about the status. `None` if there is none.
        pub status_message: Option<String>,
        /// The name of the read set. `None` if it has none.
        pub name: Option<String>,
        /// The description of the read set. `None` if it has none.
        pub description: Option<String>,
        /// The ARN of the reference genome that the reads are aligned to. `None` if there is none.
        pub reference_arn: Option<ReferenceArn>,
        /// The format of the files. `None` if the service leaves it out.
        pub file_type: Option<FileType>,
        /// Counts of reads and bases. `None` if the service leaves them out.
        pub sequence_information: Option<SequenceInformation>,
        /// When the read set was created. `None` if the service leaves it out.
        pub creation_time: Option<OffsetDateTime>,
        /// How the read set was created. `None` if the service leaves it out.
        pub creation_type: Option<CreationType>,
        /// The entity tag of the content. `None` if the service leaves it out.
        pub etag: Option<ETag>,
    }
}
