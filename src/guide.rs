//! The guide: from a first call to production, a page for each question.
//!
//! | page | question |
//! |---|---|
//! | [`first_call`] | What do I need, and what does a call look like? |
//! | [`errors`] | What went wrong, and what do I do about it? |
//! | [`what_happens_when`](crate::error::what_happens_when) | How does a call end, for each thing that can go wrong? |
//! | [`idempotency`] | May I repeat a call? What does the client repeat by itself? |
//! | [`waiting`] | How do I learn that a job has ended? |
//! | [`bulk`] | How do I move thousands of read sets? |
//! | [`testing`] | How do I test my code without an account? |
//! | [`production`] | Credentials, private networks, proxies, FIPS, timeouts, tracing |
//! | [`from_aws_sdk_omics`] | How do I move from `aws-sdk-omics`? |
//! | [`from_boto3`] | How do I move from `boto3`? |
//!
//! Every Rust block of it is run by the crate's tests. Whole programs are in the repository's `examples` folder:
//! a web service (`axum_service`), a Lambda-shaped handler (`lambda_handler`), a handler of EventBridge events
//! (`job_events`), a CSV importer (`bulk_import`), and one for each call.

#[doc = include_str!("guide/first_call.md")]
pub mod first_call {}

#[doc = include_str!("guide/errors.md")]
pub mod errors {}

#[doc = include_str!("guide/idempotency.md")]
pub mod idempotency {}

#[doc = include_str!("guide/waiting.md")]
pub mod waiting {}

#[doc = include_str!("guide/bulk.md")]
pub mod bulk {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/production.md")]
pub mod production {}

#[doc = include_str!("guide/from_aws_sdk_omics.md")]
pub mod from_aws_sdk_omics {}

#[doc = include_str!("guide/from_boto3.md")]
pub mod from_boto3 {}
