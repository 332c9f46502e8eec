//! healthomics
pub mod model;

#[cfg(feature = "local")]
pub mod local;
