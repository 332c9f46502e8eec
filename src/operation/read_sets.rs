//! `ListReadSets`: the read sets of a store.

use time::OffsetDateTime;

use super::filter::ReadSetFilter;
use super::list::list_call;
use super::read_set::{ETag, SequenceInformation};
use crate::Client;
use crate::client::Call;
use crate::decode::{Optional, Text, TextOrEmpty, Time, members};
use crate::model::{
    CreationType, FileType, ReadSetArn, ReadSetId, ReadSetStatus, ReferenceArn, SampleId, SequenceStoreId, SubjectId,
};

impl Client {
    /// Lists the read sets of a store, narrowed by a filter if there is one (`ListReadSets`).
    ///
    /// `send` brings one page, [`items`](ListReadSets::items) all of them. The entries say less than
    /// [`get_read_set_metadata`](Client::get_read_set_metadata): nothing of the files.
    ///
    /// ```
    /// use healthomics::ReadSetFilter;
    /// use healthomics::model::ReadSetStatus;
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
        ListReadSets::new(Call::new(self))
    }
}

list_call! {
    /// `ListReadSets`: made by [`Client::list_read_sets`].
    pub struct ListReadSets sends ListReadSetsRequest to "readsets" with ReadSetFilter;

    /// One page of the read sets of a store.
    ///
    /// [`Client::list_read_sets`] has an example.
    pub struct ListReadSetsOutput {
        /// The read sets; there may be none on a page, and more on the next.
        read_sets: Vec<ReadSetListItem> = "readSets"
    }
}

members! {
    /// A read set in a list.
    ///
    /// [`Client::list_read_sets`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ReadSetListItem {
        /// The read set; empty if the service left it out.
        pub id: ReadSetId = "id" as TextOrEmpty;
        /// Its name in policies.
        pub arn: Option<ReadSetArn> = "arn" as Text;
        /// The store that it is in.
        pub sequence_store_id: SequenceStoreId = "sequenceStoreId" as TextOrEmpty;
        /// Whom the data is of.
        pub subject_id: Option<SubjectId> = "subjectId" as Text;
        /// Which sample of the subject it is.
        pub sample_id: Option<SampleId> = "sampleId" as Text;
        /// Where it stands.
        pub status: ReadSetStatus = "status" as TextOrEmpty;
        /// What the service says about it.
        pub status_message: Option<String> = "statusMessage" as Text;
        /// Its name.
        pub name: Option<String> = "name" as Text;
        /// Its description.
        pub description: Option<String> = "description" as Text;
        /// The reference that the reads are aligned to.
        pub reference_arn: Option<ReferenceArn> = "referenceArn" as Text;
        /// What kind of file it is.
        pub file_type: Option<FileType> = "fileType" as Text;
        /// What the service has counted in it.
        pub sequence_information: Option<SequenceInformation> = "sequenceInformation" as Optional;
        /// When it was created.
        pub creation_time: Option<OffsetDateTime> = "creationTime" as Time;
        /// How it came into the store.
        pub creation_type: Option<CreationType> = "creationType" as Text;
        /// What tells whether its content is that of another.
        pub etag: Option<ETag> = "etag" as Optional;
    }
}
