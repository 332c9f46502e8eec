//! A typed client for the read sets of AWS HealthOmics (service `omics`): sequencing files into a sequence store, out of
//! its archive, and out to a bucket, by jobs that never start twice.
//!
//! ```
//! use healthomics::local::LocalService; // an embedded HealthOmics: no AWS account needed
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let local = LocalService::start().await?;
//!     let client = local.client()?; // in a service: `Client::from_env()?`
//!     let store = local.create_sequence_store();
//!
//!     let job = client
//!         .start_read_set_export_job()
//!         .sequence_store_id(&store)
//!         .destination("s3://my-bucket/exports/")
//!         .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
//!         .sources(["5555555555", "5555555556"])
//!         .send()
//!         .await?;
//!     println!("{} is {}", job.id, job.status);
//!
//!     let job = client.get_read_set_export_job().sequence_store_id(&store).id(&job.id).send().await?;
//!     for read_set in &job.read_sets {
//!         println!("{}: {}", read_set.id, read_set.status);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Where things are
//!
//! - [`Client`] and its calls: [`start_read_set_import_job`](Client::start_read_set_import_job),
//!   [`start_read_set_activation_job`](Client::start_read_set_activation_job),
//!   [`start_read_set_export_job`](Client::start_read_set_export_job), and for each the `get_…` that looks at it and the
//!   `list_…` of all of them; [`list_read_sets`](Client::list_read_sets) and
//!   [`get_read_set_metadata`](Client::get_read_set_metadata).
//! - [`pages`]: lists page by page or item by item.
//! - [`job`]: wait for a job's end ([`Client::job`]), or for that of many together ([`Client::watch`]).
//! - [`bulk`]: any number of items as few jobs as possible ([`Client::export_read_sets`] and its like).
//! - [`ClientBuilder`]: region, credentials, endpoint, retries, time-outs.
//! - [`Error`]: one type for everything, with accessors that say what to do.
//! - [`model`]: identifiers, statuses, locations.
//! - `local` (feature `local`): an embedded HealthOmics for tests.
//!
//! # What it holds to
//!
//! - **A mistake is found early.** A required member that is missing does not compile, and the compiler names it. What
//!   it can't see (patterns, lengths, counts) is checked before anything is sent, everything at once:
//!   [`Error::violations`].
//! - **A job starts once.** Every Start carries a [client token](model::ClientToken), made once for a call and the same
//!   on each of its attempts. It stands on the output and on the error: repeat a call with it, even after a crash.
//! - **Retries are bounded.** Three attempts, exponential backoff with full jitter, a retry quota for the whole client,
//!   time-outs for the connection, for silence, for an attempt and for the call. Each attempt is signed afresh.
//! - **Errors say what happened** on one line, with the request id and how many attempts were made.
//! - **Tomorrow's answers are read.** Unknown members are ignored, unknown statuses arrive as themselves.
//! - **Secrets stay secret**: in no `Debug`, no `Display`, no log.
//!
//! # Tracing
//!
//! Each call is a [`tracing`] span `healthomics.call` (`operation`, `attempts`, `status`, `request_id`, `duration_ms`,
//! and `error` if it failed), each attempt a `healthomics.attempt` inside it.
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `rustls` | yes | TLS by `rustls` with `ring` and the system's trust store; without it only `http://` endpoints |
//! | `aws-config` | no | `Client::from_default_chain()`: profiles, SSO, web identity, containers, instances |
//! | `local` | no | the module `local`: an embedded HealthOmics |

#![cfg_attr(docsrs, feature(doc_cfg))]

mod attempt;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod builder;
pub mod bulk;
mod check;
mod client;
mod clock;
mod config;
mod credentials;
mod decode;
mod endpoint;
pub mod error;
pub mod event;
mod in_flight;
pub mod job;
#[cfg(feature = "local")]
pub mod local;
pub mod model;
mod operation;
mod pacer;
pub mod pages;
mod retry;
mod sign;
#[cfg(test)]
mod testing;
mod transport;
mod wire;

pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::ProvideCredentials;
pub use check::{Violation, Violations};
pub use client::{CallFuture, Client};
pub use config::ClientBuilder;
pub use error::Error;
pub use operation::{
    ActivateReadSetJobItem, ActivateReadSetSourceItem, ETag, ExportReadSetDetail, ExportReadSetJobDetail,
    FileInformation, GetReadSetActivationJob, GetReadSetActivationJobOutput, GetReadSetExportJob,
    GetReadSetExportJobOutput, GetReadSetImportJob, GetReadSetImportJobOutput, GetReadSetMetadata,
    GetReadSetMetadataOutput, ImportReadSetJobItem, ImportReadSetSource, ImportReadSetSourceBuilder,
    ImportReadSetSourceItem, JobFilter, ListReadSetActivationJobs, ListReadSetActivationJobsOutput,
    ListReadSetExportJobs, ListReadSetExportJobsOutput, ListReadSetImportJobs, ListReadSetImportJobsOutput,
    ListReadSets, ListReadSetsOutput, MAX_ACTIVATION_SOURCES, MAX_EXPORT_SOURCES, MAX_IMPORT_SOURCES, ReadSetFiles,
    ReadSetFilter, ReadSetListItem, ReadSetS3Access, SequenceInformation, SourceFiles, StartReadSetActivationJob,
    StartReadSetActivationJobOutput, StartReadSetExportJob, StartReadSetExportJobOutput, StartReadSetImportJob,
    StartReadSetImportJobOutput,
};
