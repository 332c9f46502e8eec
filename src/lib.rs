//! A typed client for the read sets of AWS HealthOmics (service `omics`): jobs that import sequencing files into a sequence
//! store, activate archived read sets and export read sets to Amazon S3, and that are never started twice.
//!
//! ```
//! use healthomics::local::{LocalService, SeedReadSet};
//! use healthomics::read_set::FileType;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // An embedded HealthOmics, which needs no AWS account.
//!     // In a service: Client::from_env()?
//!     let local = LocalService::start().await?;
//!     let client = local.client()?;
//!     let store = local.create_sequence_store();
//!     let read_set = local.seed_read_set(&store, SeedReadSet::active(FileType::Cram));
//!
//!     let started = client
//!         .start_read_set_export_job()
//!         .sequence_store_id(&store)
//!         .destination("s3://my-bucket/exports/")
//!         .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
//!         .sources([&read_set])
//!         .send()
//!         .await?;
//!
//!     let outcome = client.job(&started).wait().await?;
//!     println!("{} read sets were exported", outcome.finished_items().count());
//! #   assert_eq!(outcome.finished_items().count(), 1);
//!     Ok(())
//! }
//! ```
//!
//! # Modules
//!
//! - [`Client`]: the calls, [jobs](Client::job), [watches](Client::watch) and [bulk runs](Client::export_read_sets).
//! - [`ClientBuilder`]: region, credentials, endpoint, retries, timeouts.
//! - [`Error`]: one type for all failures, with accessors to branch on; [`error`] has its parts.
//! - [`read_set`]: requests, outputs, filters and statuses of read sets and their jobs.
//! - [`job`]: waits for the end of one job, or of many together.
//! - [`bulk`]: runs of any number of read sets or files, in as few jobs as possible, with a journal.
//! - [`pagination`]: lists by page or by item.
//! - [`event`]: status changes as Amazon EventBridge delivers them.
//! - [`http`]: an HTTP client of your own.
//! - [`builder`]: the types of builders whose required fields are not all set.
//! - `local` (feature `local`): an embedded HealthOmics for tests.
//! - `blocking` (feature `blocking`): calls without `async`, for scripts.
//! - [`guide`]: a page for each question, from the first call to production, and for those who come from another SDK.
//!
//! # Properties
//!
//! - **Mistakes are found early.** A missing required field does not compile, and the compiler names it. Patterns, lengths
//!   and counts are checked before anything is sent, and all [violations](Error::violations) are reported at once.
//! - **A job is never started twice.** Every start has a [client token](ClientToken), which is the same on each attempt, and
//!   is part of the output and of the error. A start that is repeated with it, even after a crash, returns the job of the
//!   first one. AWS documents the token as a means against duplicate requests, but not what a repeated one returns.
//! - **Retries are bounded.** Three attempts, exponential backoff with full jitter, a retry quota for the whole client, and
//!   timeouts for connecting, reading, an attempt and a call. Each attempt has a signature of its own.
//! - **Errors fit on one line** and say what happened, to which store, job or read set, and what to do; with request id and
//!   number of attempts.
//! - **Responses of newer versions of the service are read.** Unknown fields are ignored, unknown statuses are kept as text.
//! - **Secrets are not printed**: neither by `Debug`, `Display` and `Serialize` nor in logs and spans.
//!
//! # Tracing
//!
//! Each call is a [`tracing`](https://docs.rs/tracing) span `healthomics.call` with the fields `operation`, `attempts`,
//! `status`, `request_id`, `duration_ms`, and `error` if it failed. Each attempt is a span `healthomics.attempt` inside it.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `rustls` | yes | TLS by `rustls` with `ring`; without any TLS feature only `http://` endpoints can be called |
//! | `rustls-aws-lc-rs` | no | TLS by `rustls` with `aws-lc-rs` |
//! | `native-tls` | no | TLS by the library of the system: OpenSSL, Schannel, Secure Transport |
//! | `webpki-roots` | no | TLS by `rustls` trusts the root certificates of Mozilla, compiled in, instead of those of the system |
//! | `fips` | no | TLS and signatures by the FIPS module of AWS-LC |
//! | `blocking` | no | the module `blocking` |
//! | `sdk-config` | no | `Client::new(&SdkConfig)`, from the configuration of `aws_config` |
//! | `aws-config` | no | `Client::from_default_chain()`: profiles, SSO, web identity, containers, instances; includes `sdk-config` |
//! | `local` | no | the module `local` |
//! | `local-service` | no | the program `healthomics-local`, the same service for tests in other languages; includes `local` |
//!
//! All TLS libraries trust the root certificates of the system, unless `webpki-roots` is on; it has no effect on
//! `native-tls`. If several are compiled in, `fips` is preferred to `native-tls`, that to `aws-lc-rs`, and that to
//! `ring`: enabling one is enough, and disabling the default features saves its build. Any other TLS library can be
//! used with an [HTTP client of your own](http).
//!
//! `fips` is for programs whose cryptography must be that of a FIPS 140-3 module;
//! [the guide](guide::production#cryptography-by-a-fips-module) says what it covers. Its build needs `CMake`, Go, Perl and a
//! C compiler, so leave it out of `--all-features`.
//!
//! # Types of other crates
//!
//! These crates have types in public signatures. A new major version of one is a new major version of this crate.
//!
//! | crate | types | why |
//! |---|---|---|
//! | `aws-types`, `aws-credential-types` 1 | `SdkConfig`, `Credentials`, `ProvideCredentials` | all AWS crates share them |
//! | `serde` 1, `serde_json` 1 | `Serialize`, `Deserialize`; `Value` in [`event`] | all formats of the ecosystem support them |
//! | `http` 1, `http-body` 1, `bytes` 1 | requests and responses of [`http`], `Body` | all HTTP clients support them |
//! | `time` 0.3 | `OffsetDateTime` in outputs and filters | unlike `SystemTime`, it can be printed; 0.3 since 2021 |
//! | `futures-core` 0.3 | `Stream`, implemented by lists, waits and watches | the common trait until `std` has one; each type has its own `next()`, too |
//!
//! No type of `reqwest`, `rustls` or `tokio` is in a public signature.

#![cfg_attr(docsrs, feature(doc_cfg))]

// In the order of the documentation: the page of `Client` has the calls first, then jobs, bulk runs and constructors. The
// empty lines keep it.
pub mod guide;

mod operation;

pub mod job;

pub mod bulk;

mod client;

mod config;
pub mod error;

pub mod pagination;

pub mod event;
pub mod http;

pub mod builder;

#[cfg(feature = "local")]
pub mod local;

#[cfg(feature = "blocking")]
pub mod blocking;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod model;
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
    ActivationJobId, ClientToken, ExportJobId, ImportJobId, ReadSetArn, ReadSetId, ReadSetUri, ReferenceArn, RoleArn,
    RunId, S3Destination, S3Uri, SampleId, SequenceStoreId, SubjectId,
};
pub use operation::read_set;
pub use runtime::CallFuture;

/// Compiles and runs the programs of README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
