//! A source of an import job.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A source of an import job, as it was requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImportSource {
    pub(crate) source_files: SourceFiles,
    pub(crate) source_file_type: String,
    pub(crate) subject_id: String,
    pub(crate) sample_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generated_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceFiles {
    pub(crate) source1: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source2: Option<String>,
}

impl ImportSource {
    /// Whether the files are what their type needs: one file, or up to two of FASTQ; a reference for BAM and CRAM.
    pub(crate) fn is_valid(&self) -> bool {
        let is_single = self.source_files.source2.is_none();
        match self.source_file_type.as_str() {
            "FASTQ" => true,
            "BAM" | "CRAM" => is_single && self.reference_arn.is_some(),
            _ => is_single,
        }
    }
}
