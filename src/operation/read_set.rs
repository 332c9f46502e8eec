//! Read sets: their calls, outputs, filters and statuses.
//!
//! The calls are made by methods of [`Client`](crate::Client), such as
//! [`start_read_set_export_job`](crate::Client::start_read_set_export_job).
//!
//! # Absent fields of a response
//!
//! A field that a response does not have, or has as `null` or `""`, is `None`, also if the service's model requires it.
//! So is a value of another type than the model's, which is logged. A list or map is empty instead.
//!
//! Fields that a caller can't do without are not an [`Option`], since code that uses them would have to check each of
//! them:
//!
//! - The `id` and the `status` of a job or read set, and what an item of a job is about (`id`, `read_set_id`,
//!   `source_files`). A response without one of them is an
//!   [`UndecodableResponse`](crate::Error::UndecodableResponse), an item of a list without one is left out and logged.
//! - The `sequence_store_id`: if the response does not have it, it is that of the request.
//! - The `client_token` of a started job: it is that of the request.
//!
//! An output that was stored as JSON is read without these checks.

// In the order of the documentation, which the empty lines keep.
pub(super) mod import;

pub(super) mod activation;
pub(super) mod export;

pub(super) mod list;
pub(super) mod metadata;

pub(super) mod delete;
pub(super) mod filter;
mod sources;

pub use activation::{
    ActivateReadSetJobItem, ActivateReadSetSourceItem, GetReadSetActivationJob, GetReadSetActivationJobOutput,
    ListReadSetActivationJobs, ListReadSetActivationJobsOutput, MAX_ACTIVATION_SOURCES, StartReadSetActivationJob,
    StartReadSetActivationJobOutput,
};
pub use delete::{BatchDeleteReadSet, BatchDeleteReadSetOutput, MAX_DELETE_IDS, ReadSetBatchError};
pub use export::{
    ExportReadSetDetail, ExportReadSetJobDetail, GetReadSetExportJob, GetReadSetExportJobOutput, ListReadSetExportJobs,
    ListReadSetExportJobsOutput, MAX_EXPORT_SOURCES, StartReadSetExportJob, StartReadSetExportJobOutput,
};
pub use filter::{JobFilter, ReadSetFilter};
pub use import::{
    GetReadSetImportJob, GetReadSetImportJobOutput, ImportReadSetJobItem, ImportReadSetSource,
    ImportReadSetSourceBuilder, ImportReadSetSourceItem, ListReadSetImportJobs, ListReadSetImportJobsOutput,
    MAX_IMPORT_SOURCES, SourceFiles, StartReadSetImportJob, StartReadSetImportJobOutput,
};
pub use list::{ListReadSets, ListReadSetsOutput, ReadSetListItem};
pub use metadata::{
    ETag, FileInformation, GetReadSetMetadata, GetReadSetMetadataOutput, ReadSetFiles, ReadSetS3Access,
    SequenceInformation,
};

pub use super::reconcile::Reconciled;
pub use crate::model::{CreationType, ETagAlgorithm, FileType, ItemStatus, JobStatus, ReadSetStatus};

/// The builders, each in a module that is named like the method that makes it: the type of a complete one, and the
/// names of its required fields.
///
/// [`builder`](crate::builder) has an example.
pub mod builders {
    pub use super::activation::{
        get_read_set_activation_job, list_read_set_activation_jobs, start_read_set_activation_job,
    };
    pub use super::delete::batch_delete_read_set;
    pub use super::export::{get_read_set_export_job, list_read_set_export_jobs, start_read_set_export_job};
    pub use super::import::{
        get_read_set_import_job, import_read_set_source, list_read_set_import_jobs, start_read_set_import_job,
    };
    pub use super::list::list_read_sets;
    pub use super::metadata::get_read_set_metadata;
}
