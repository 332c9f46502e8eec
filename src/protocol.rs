//! What travels: requests, responses and their signatures. Pure: no time, no randomness, no network.

pub(crate) mod endpoint;
pub(crate) mod error_response;
pub(crate) mod json;
pub(crate) mod operation;
pub(crate) mod replayed;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod sigv4;
