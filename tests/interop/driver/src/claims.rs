//! What the crate declares: the values of its enumerations, the fields of its inputs, its limits.

use healthomics::local::LocalService;
use healthomics::read_set::{
    CreationType, ETagAlgorithm, FileType, ImportReadSetSource, ItemStatus, JobFilter, JobStatus,
    MAX_ACTIVATION_SOURCES, MAX_DELETE_IDS, MAX_EXPORT_SOURCES, MAX_IMPORT_SOURCES, ReadSetFilter, ReadSetStatus,
    SourceFiles,
};
use serde_json::{Value, json};

use crate::calls::debug;

pub fn all() -> Value {
    json!({
        "served": LocalService::operations().collect::<Vec<_>>(),
        "enums": {
            "JobStatus": JobStatus::KNOWN,
            "ItemStatus": ItemStatus::KNOWN,
            "FileType": FileType::KNOWN,
            "ReadSetStatus": ReadSetStatus::KNOWN,
            "CreationType": CreationType::KNOWN,
            "ETagAlgorithm": ETagAlgorithm::KNOWN,
        },
        "terminal": JobStatus::KNOWN.iter().filter(|status| status.is_terminal()).collect::<Vec<_>>(),
        "inputs": {
            "StartReadSetImportJobSourceItem": debug(ImportReadSetSource::builder()),
            "SourceFiles": debug(SourceFiles::source1("")),
            "JobFilter": debug(JobFilter::new()),
            "ReadSetFilter": debug(ReadSetFilter::new()),
        },
        "most_items": {
            "BatchDeleteReadSet": MAX_DELETE_IDS,
            "StartReadSetActivationJob": MAX_ACTIVATION_SOURCES,
            "StartReadSetExportJob": MAX_EXPORT_SOURCES,
            "StartReadSetImportJob": MAX_IMPORT_SOURCES,
        },
    })
}
