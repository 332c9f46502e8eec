//! The operations, by resource. Each has its builder, request, checks and output in one place.

mod call;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod list;
pub mod read_set;
mod reconcile;
mod response;
