//! The types of the service: identifiers, statuses, locations and times.
//!
//! Identifiers of different things are different types, so that a read set can't be passed where a store is wanted;
//! strings convert into each of them, and what a string may look like is checked when a request is sent.
//!
//! ```
//! use healthomics::ReadSetId;
//! use healthomics::read_set::FileType;
//!
//! let read_set: ReadSetId = "5555555555".into();
//! assert_eq!(read_set.as_str(), "5555555555");
//! assert_eq!(FileType::from("BAM"), FileType::Bam);
//! assert_eq!(serde_json::to_string(&(read_set, FileType::Bam))?, r#"["5555555555","BAM"]"#);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod ids;
mod s3;
mod sample;
mod status;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod validation;

pub use ids::{ActivationJobId, ClientToken, ExportJobId, ImportJobId, ReadSetId, RunId, SequenceStoreId};
pub use s3::{ReadSetArn, ReferenceArn, RoleArn, S3Destination, S3Uri};
pub use sample::{SampleId, SubjectId};
pub use status::{CreationType, ETagAlgorithm, FileType, ItemStatus, JobStatus, ReadSetStatus, UnknownValue};

/// An error of any type, as the source of another.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
