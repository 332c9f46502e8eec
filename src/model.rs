//! The nouns of the service: identifiers, statuses, locations and times.
//!
//! Identifiers of different things are different types, so that a read set can't be passed where a store is wanted;
//! strings convert into each of them, and what a string may look like is checked when a request is sent.

mod ids;
mod s3;
mod status;
mod text;
pub(crate) mod time;

pub use ids::{ActivationJobId, ClientToken, ExportJobId, ImportJobId, ReadSetId, RunId, SequenceStoreId};
pub use s3::{ReadSetArn, ReferenceArn, RoleArn, S3Destination, S3Uri};
pub use status::{CreationType, ETagAlgorithm, FileType, ItemStatus, JobStatus, ReadSetStatus, UnknownValue};
pub use text::{SampleId, SubjectId};
