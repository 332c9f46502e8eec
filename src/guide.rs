//! The guide: a page for each question, from a first call to production.
//!
//! | page | question |
//! |---|---|
//! | [`first_call`] | What do I need, and what does a call look like? |
//! | [`errors`] | What does an error mean, and what do I do about it? |
//! | [`what_happens_when`](crate::error::what_happens_when) | How does a call end, for each fault? |
//! | [`idempotency`] | What does the client retry? How do I repeat a call safely? |
//! | [`waiting`] | How do I wait for the end of a job? |
//! | [`bulk`] | How do I move thousands of read sets? |
//! | [`tools`] | How do I import, export and list samples by a program that exists already? |
//! | [`testing`] | How do I test my code without an AWS account? |
//! | [`production`] | Which permissions and quotas are needed? How do I configure credentials, networks, timeouts, tracing and metrics? |
//! | [`from_aws_sdk_omics`] | How do I move from `aws-sdk-omics`? |
//! | [`from_boto3`] | How do I move from `boto3`? |
//!
//! All Rust examples of the guide are run by the tests of the crate. Fragments use a `client`, made as in [`first_call`],
//! and a `store`, ids and a role of yours.
//!
//! Complete programs are in the folder `examples` of the repository: a web service (`axum_service`), a handler for AWS
//! Lambda (`lambda_handler`), a handler of EventBridge events (`job_events`), the programs of [`tools`], one that compares
//! the service with what this crate assumes (`probe`), and a program for each call. Short ones find read sets of the same
//! content (`duplicates`), read a read set from Amazon S3 (`read_from_s3`), store the steps of a function
//! (`durable_steps`), and validate orders in a web handler (`validate_orders`).

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

#[doc = include_str!("guide/tools.md")]
pub mod tools {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}

#[doc = include_str!("guide/production.md")]
pub mod production {}

#[doc = include_str!("guide/from_aws_sdk_omics.md")]
pub mod from_aws_sdk_omics {}

#[doc = include_str!("guide/from_boto3.md")]
pub mod from_boto3 {}
