//! `ListReadSets`: the read sets of a store.

use serde::Deserialize;
use time::OffsetDateTime;

use super::filter::ReadSetFilter;
use super::list::list_call;
use super::read_set::{ETag, SequenceInformation};
use crate::Client;
use crate::client::Call;
use crate::decode;
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
        read_sets: Vec<ReadSetListItem>
    }
}

/// A read set in a list.
///
/// [`Client::list_read_sets`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReadSetListItem {
    /// The read set; empty if the service left it out.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub id: ReadSetId,
    /// Its name in policies.
    #[serde(default, deserialize_with = "decode::text")]
    pub arn: Option<ReadSetArn>,
    /// The store that it is in.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub sequence_store_id: SequenceStoreId,
    /// Whom the data is of.
    #[serde(default, deserialize_with = "decode::text")]
    pub subject_id: Option<SubjectId>,
    /// Which sample of the subject it is.
    #[serde(default, deserialize_with = "decode::text")]
    pub sample_id: Option<SampleId>,
    /// Where it stands.
    #[serde(default = "decode::empty", deserialize_with = "decode::text_of_item")]
    pub status: ReadSetStatus,
    /// What the service says about it.
    #[serde(default, deserialize_with = "decode::text")]
    pub status_message: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "decode::text")]
    pub name: Option<String>,
    /// Its description.
    #[serde(default, deserialize_with = "decode::text")]
    pub description: Option<String>,
    /// The reference that the reads are aligned to.
    #[serde(default, deserialize_with = "decode::text")]
    pub reference_arn: Option<ReferenceArn>,
    /// What kind of file it is.
    #[serde(default, deserialize_with = "decode::text")]
    pub file_type: Option<FileType>,
    /// What the service has counted in it.
    #[serde(default, deserialize_with = "decode::structure")]
    pub sequence_information: Option<SequenceInformation>,
    /// When it was created.
    #[serde(default, deserialize_with = "crate::model::time::optional")]
    pub creation_time: Option<OffsetDateTime>,
    /// How it came into the store.
    #[serde(default, deserialize_with = "decode::text")]
    pub creation_type: Option<CreationType>,
    /// What tells whether its content is that of another.
    #[serde(default, deserialize_with = "decode::structure")]
    pub etag: Option<ETag>,
}
