//! Read sets: their calls, requests, outputs, filters and statuses.

pub(super) mod activation;
pub(super) mod delete;
pub(super) mod export;
pub(super) mod filter;
pub(super) mod import;
pub(super) mod list;
pub(super) mod metadata;

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

pub use crate::model::{CreationType, ETagAlgorithm, FileType, ItemStatus, JobStatus, ReadSetStatus};
