//! `GetReadSetMetadata`: what a store knows of a read set.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::client::Client;
use crate::model::validation::{Path, Violations};
use crate::model::{
    CreationType, ETagAlgorithm, FileType, ReadSetArn, ReadSetId, ReadSetStatus, ReferenceArn, S3Uri, SampleId,
    SequenceStoreId, SubjectId,
};
use crate::operation::call::call;
use crate::operation::response::{check_id, fill_in_store};
use crate::protocol::json::{Undecodable, json_struct};
use crate::protocol::operation::{Operation, Replay, Subject};
use crate::protocol::request::{HostPrefix, Request};

impl Client {
    /// Asks what a store knows of a read set: where it stands, whose it is, how big it is (`GetReadSetMetadata`).
    ///
    /// ```
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # use healthomics::read_set::FileType;
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let id = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    /// let read_set = client.get_read_set_metadata().sequence_store_id(&store).id(&id).send().await?;
    /// match read_set.files.and_then(|files| files.source1) {
    ///     Some(file) => println!("{} has {} bytes", read_set.id, file.content_length.unwrap_or_default()),
    ///     None => println!("{} is {}: activate it first", read_set.id, read_set.status),
    /// }
    /// # Ok(()) }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[doc = include_str!("errors_of_read.md")]
    pub fn get_read_set_metadata(&self) -> GetReadSetMetadata {
        GetReadSetMetadata::new(self.call())
    }
}

call! {
    /// The call `GetReadSetMetadata`, made by [`Client::get_read_set_metadata`].
    pub struct GetReadSetMetadata in mod get_read_set_metadata sends GetReadSetMetadataRequest returns GetReadSetMetadataOutput;
    required {
        /// The store that the read set is in: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The read set: 10 to 36 digits.
        Id = id: ReadSetId, serde(skip);
    }
}

impl Operation for GetReadSetMetadataRequest {
    const NAME: &'static str = "GetReadSetMetadata";
    const MUTATES: bool = false;
    const REPLAY: Replay = Replay::Safe;
    type Output = GetReadSetMetadataOutput;

    fn subject(&self) -> Subject<'_> {
        Subject::read_set(&self.sequence_store_id, &self.id)
    }

    fn check(&self, violations: &mut Violations) {
        violations.path_id(Path::Member("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Member("id"), self.id.as_str());
    }

    fn to_request(&self) -> Request {
        let path = ["sequencestore", self.sequence_store_id.as_str(), "readset", self.id.as_str(), "metadata"];
        Request::get(HostPrefix::ControlStorage, &path)
    }

    fn complete(&self, output: &mut Self::Output, request_id: Option<String>) -> Result<(), Undecodable> {
        fill_in_store(&mut output.sequence_store_id, &self.sequence_store_id);
        output.request_id = request_id;
        check_id(self.id.as_str(), output.id.as_str())
    }
}

json_struct! {
    /// What a store knows of a read set.
    ///
    /// [`Client::get_read_set_metadata`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetMetadataOutput {
        /// The read set.
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
        /// The job that imported it.
        pub creation_job_id: Option<String>,
        /// Its files. An archived read set has none: activate it first.
        pub files: Option<ReadSetFiles>,
        /// The id that AWS support asks for.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// What the service has counted in a read set.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct SequenceInformation {
        /// How many reads there are.
        pub total_read_count: Option<u64>,
        /// How many bases they have.
        pub total_base_count: Option<u64>,
        /// Where the sample came from.
        pub generated_from: Option<String>,
        /// Whether the reads are aligned, in the service's words.
        pub alignment: Option<String>,
    }

    /// What tells whether two read sets have the same content, whatever their files look like.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ETag {
        /// What the tags are made by.
        pub algorithm: Option<ETagAlgorithm>,
        /// The tag of the first file.
        pub source1: Option<String>,
        /// The tag of the second file of a pair.
        pub source2: Option<String>,
    }

    /// The files of a read set.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetFiles {
        /// The file, or the first reads of a pair.
        pub source1: Option<FileInformation>,
        /// The second reads of a pair.
        pub source2: Option<FileInformation>,
        /// The index of an aligned file.
        pub index: Option<FileInformation>,
    }

    /// One file of a read set.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct FileInformation {
        /// How many parts it is read in.
        pub total_parts: Option<u32>,
        /// How many bytes a part has, the last one aside.
        pub part_size: Option<u64>,
        /// How many bytes the file has.
        pub content_length: Option<u64>,
        /// Where the file is in Amazon S3.
        pub s3_access: Option<ReadSetS3Access>,
    }

    /// Where a file of a read set can be read in Amazon S3.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetS3Access {
        /// The object.
        pub s3_uri: Option<S3Uri>,
    }
}
