//! The types of the service: ids, enumerations, locations and times, and the constraints on them. Pure.

mod constraint;
mod ids;
mod read_set_uri;
mod s3;
mod sample;
mod status;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod validation;

pub use constraint::InvalidValue;
pub use ids::{ActivationJobId, ClientToken, ExportJobId, ImportJobId, ReadSetId, RunId, SequenceStoreId};
pub use read_set_uri::ReadSetUri;
pub use s3::{ReadSetArn, ReferenceArn, RoleArn, S3Destination, S3Uri};
pub use sample::{SampleId, SubjectId};
pub use status::{CreationType, ETagAlgorithm, FileType, ItemStatus, JobStatus, ReadSetStatus, UnknownValue};

/// An error of any type, as the source of another.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
