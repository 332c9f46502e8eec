//! `GetReadSetMetadata`: the metadata of a read set.

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
    /// Returns the metadata of a read set: its status, subject, sample and files (`GetReadSetMetadata`).
    ///
    /// ```
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # use healthomics::read_set::FileType;
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let id = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    /// let read_set = client
    ///     .get_read_set_metadata()
    ///     .sequence_store_id(&store)
    ///     .id(&id)
    ///     .send()
    ///     .await?;
    /// match read_set.files.and_then(|files| files.source1) {
    ///     Some(file) => {
    ///         let bytes = file.content_length.unwrap_or_default();
    ///         println!("{} has {bytes} bytes", read_set.id);
    ///     }
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
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::Error> {
    /// let call = client
    ///     .get_read_set_metadata()
    ///     .sequence_store_id("1234567890")
    ///     .id("5555555555");
    /// println!("the read set is {}", call.send().await?.status);
    /// # Ok(()) }
    /// ```
    pub struct GetReadSetMetadata in mod get_read_set_metadata
    sends GetReadSetMetadataRequest returns GetReadSetMetadataOutput;
    required {
        /// The id of the sequence store that has the read set: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId, serde(skip);
        /// The id of the read set: 10 to 36 digits.
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
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        violations.path_id(Path::Root("id"), self.id.as_str());
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
    /// The output of `GetReadSetMetadata`: the metadata of a read set.
    ///
    /// [`Client::get_read_set_metadata`] has an example.
    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct GetReadSetMetadataOutput {
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
        /// The id of the job that created the read set. `None` if there is none.
        pub creation_job_id: Option<String>,
        /// The files of the read set. `None` for an archived one: it must be activated first.
        pub files: Option<ReadSetFiles>,
        /// The id of the request, which AWS support asks for. `None` if the response has none.
        pub request_id: Option<String>,
    }
}

json_struct! {
    /// Counts of the reads and bases of a read set. A field is `None` if the service leaves it out.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct SequenceInformation {
        /// The number of reads.
        pub total_read_count: Option<u64>,
        /// The number of bases of all reads.
        pub total_base_count: Option<u64>,
        /// What the sample was generated from, in the words of the import.
        pub generated_from: Option<String>,
        /// Whether the reads are aligned, in the service's words: `ALIGNED` or `UNALIGNED`.
        pub alignment: Option<String>,
    }

    /// The entity tag of a read set. Read sets of the same content have the same tag. A field is `None` if the service
    /// leaves it out.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ETag {
        /// The algorithm of the tags.
        pub algorithm: Option<ETagAlgorithm>,
        /// The tag of the first file.
        pub source1: Option<String>,
        /// The tag of the second file of a pair. `None` without one.
        pub source2: Option<String>,
    }

    /// The files of a read set. A field is `None` if there is no such file.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetFiles {
        /// The file, or the first file of a pair.
        pub source1: Option<FileInformation>,
        /// The second file of a pair.
        pub source2: Option<FileInformation>,
        /// The index of an aligned file.
        pub index: Option<FileInformation>,
    }

    /// A file of a read set. A field is `None` if the service leaves it out.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct FileInformation {
        /// The number of parts in which the file is downloaded.
        pub total_parts: Option<u32>,
        /// The size of a part in bytes. The last one may be smaller.
        pub part_size: Option<u64>,
        /// The size of the file in bytes.
        pub content_length: Option<u64>,
        /// The location of the file in Amazon S3.
        pub s3_access: Option<ReadSetS3Access>,
    }

    /// The location of a file of a read set in Amazon S3.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[non_exhaustive]
    pub struct ReadSetS3Access {
        /// The URI of the object, which [`ReadSetUri`](crate::ReadSetUri) takes apart. `None` if the service leaves it
        /// out.
        pub s3_uri: Option<S3Uri>,
    }
}
