//! healthomics

mod attempt;
pub mod builder;
mod check;
mod client;
mod clock;
mod config;
mod credentials;
mod decode;
mod endpoint;
pub mod error;
#[cfg(feature = "local")]
pub mod local;
pub mod model;
mod operation;
mod retry;
mod sign;
#[cfg(test)]
mod testing;
mod transport;
mod wire;

pub use check::{Violation, Violations};
pub use client::{CallFuture, Client};
pub use config::ClientBuilder;
pub use error::Error;
pub use operation::{
    ActivateReadSetSourceItem, ExportReadSetDetail, GetReadSetActivationJob, GetReadSetActivationJobOutput,
    GetReadSetExportJob, GetReadSetExportJobOutput, GetReadSetImportJob, GetReadSetImportJobOutput,
    ImportReadSetSource, ImportReadSetSourceBuilder, ImportReadSetSourceItem, MAX_ACTIVATION_SOURCES,
    MAX_EXPORT_SOURCES, MAX_IMPORT_SOURCES, SourceFiles, StartReadSetActivationJob, StartReadSetActivationJobOutput,
    StartReadSetExportJob, StartReadSetExportJobOutput, StartReadSetImportJob, StartReadSetImportJobOutput,
};
