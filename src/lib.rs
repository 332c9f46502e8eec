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
//! - [`guide`]: from the first call to production, errors, waiting, bulk, tests, and moves from other SDKs.
//! - [`Client`] and its calls: [`start_read_set_import_job`](Client::start_read_set_import_job),
//!   [`start_read_set_activation_job`](Client::start_read_set_activation_job),
//!   [`start_read_set_export_job`](Client::start_read_set_export_job), and for each the `get_…` that looks at it and the
//!   `list_…` of all of them; [`list_read_sets`](Client::list_read_sets) and
//!   [`get_read_set_metadata`](Client::get_read_set_metadata);
//!   [`batch_delete_read_set`](Client::batch_delete_read_set).
//! - [`pages`]: lists page by page or item by item.
//! - [`job`]: wait for a job's end ([`Client::job`]), or for that of many together ([`Client::watch`]).
//! - [`bulk`]: any number of items as few jobs as possible ([`Client::export_read_sets`] and its like).
//! - [`event`]: status changes as EventBridge delivers them, instead of waiting.
//! - [`ClientBuilder`]: region, credentials, endpoint, retries, timeouts.
//! - [`Error`]: one type for everything, with accessors that say what to do.
//! - [`model`]: identifiers, statuses, locations.
//! - `local` (feature `local`): an embedded HealthOmics for tests.
//! - `blocking` (feature `blocking`): `.block()` instead of `.await`, for scripts.
//!
//! # What it holds to
//!
//! - **A mistake is found early.** A required member that is missing does not compile, and the compiler names it. What
//!   it can't see (patterns, lengths, counts) is checked before anything is sent, everything at once:
//!   [`Error::violations`].
//! - **A job starts once.** Every Start carries a [client token](model::ClientToken), made once for a call and the same
//!   on each of its attempts. It stands on the output and on the error: repeat a call with it, even after a crash.
//! - **Retries are bounded.** Three attempts, exponential backoff with full jitter, a retry quota for the whole client,
//!   timeouts for the connection, for silence, for an attempt and for the call. Each attempt is signed afresh.
//! - **Errors say what happened** on one line, with the request id and how many attempts were made.
//! - **Tomorrow's answers are read.** Unknown members are ignored, unknown statuses arrive as themselves.
//! - **Secrets stay secret**: in no `Debug`, no `Display`, no log.
//!
//! # Tracing
//!
//! Each call is a [`tracing`](https://docs.rs/tracing) span `healthomics.call` (`operation`, `attempts`, `status`,
//! `request_id`, `duration_ms`, and `error` if it failed), each attempt a `healthomics.attempt` inside it.
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `rustls` | yes | TLS by `rustls` with `ring`; without any of the three only `http://` endpoints |
//! | `rustls-aws-lc-rs` | no | TLS by `rustls` with `aws-lc-rs` |
//! | `native-tls` | no | TLS by the library of the system: OpenSSL, Schannel, Secure Transport |
//! | `blocking` | no | the module `blocking`: calls without `async` |
//! | `sdk-config` | no | `Client::new(&SdkConfig)`, for what `aws_config::load_from_env()` gives |
//! | `aws-config` | no | `Client::from_default_chain()`: profiles, SSO, web identity, containers, instances; and `sdk-config` |
//! | `local` | no | the module `local`: an embedded HealthOmics |
//!
//! All TLS libraries trust what the system trusts. If several are compiled in, `native-tls` comes before `aws-lc-rs`, and
//! that before `ring`: turning one on is enough, leaving out the default spares its build. A TLS library that is
//! not here comes with a [client of your own](http_client).
//!
//! No combination of features makes all cryptography that of a FIPS 140-3 validated module: the SHA-256 and HMAC of
//! signatures and of client tokens of bulk runs are those of the `sha2` and `hmac` crates. With `rustls-aws-lc-rs`, and
//! the feature `fips` of `rustls` in your own `Cargo.toml`, TLS is.
//!
//! # Types of other crates
//!
//! These stand in public signatures. A new major version of one is a new major version of this crate.
//!
//! | crate | what | why not a type of its own |
//! |---|---|---|
//! | `aws-types`, `aws-credential-types` 1 | `SdkConfig`, `Credentials`, `ProvideCredentials` | what every AWS crate makes and takes |
//! | `serde_json` 1 | `Value` in [`event`] | an event of another kind, as it came |
//! | `serde` 1 | `Serialize`, `Deserialize` of outputs, identifiers, enums, filters, manifests and events | what every format of Rust reads and writes by |
//! | `http`, `bytes` 1 | requests and answers of an [`http_client`], bodies that the local service received | every HTTP client takes them |
//! | `time` 0.3 | `OffsetDateTime` in outputs and filters | before 1.0, but 0.3 since 2021 and all over the ecosystem; `SystemTime` prints nothing that a person can read |
//! | `futures-core` 0.3 | `Stream`, implemented by lists, states and watches | before 1.0, but *the* trait until `std` has one; each has a `next()` of its own, so that nobody needs it |
//!
//! No type of `reqwest`, `rustls` or `tokio` does.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "blocking")]
pub mod blocking;
pub mod builder;
pub mod bulk;
mod client;
mod config;
pub mod error;
pub mod event;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod guide;
pub mod http;
pub mod job;
#[cfg(feature = "local")]
pub mod local;
mod model;
mod operation;
pub mod pagination;
mod protocol;
mod runtime;
#[cfg(test)]
mod testing;

pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::ProvideCredentials;

pub use client::Client;
pub use config::ClientBuilder;
pub use error::Error;
pub use model::{
    ActivationJobId, ClientToken, ExportJobId, ImportJobId, ReadSetArn, ReadSetId, ReferenceArn, RoleArn, RunId,
    S3Destination, S3Uri, SampleId, SequenceStoreId, SubjectId,
};
pub use operation::read_set;
pub use runtime::CallFuture;

/// Compiles and runs the programs of README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
