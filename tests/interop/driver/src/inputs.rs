//! The inputs of the operations as the service model has them. A member that is not known here fails the order.

use std::collections::BTreeMap;

use healthomics::read_set::{ImportReadSetSource, JobFilter, ReadSetFilter, SourceFiles};
use serde::Deserialize;
use time::OffsetDateTime;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Get {
    pub sequence_store_id: String,
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchDelete {
    pub sequence_store_id: String,
    pub ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartExport {
    pub sequence_store_id: String,
    pub destination: String,
    pub role_arn: String,
    pub client_token: Option<String>,
    pub sources: Vec<ReadSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartActivation {
    pub sequence_store_id: String,
    pub client_token: Option<String>,
    pub sources: Vec<ReadSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadSet {
    pub read_set_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartImport {
    pub sequence_store_id: String,
    pub role_arn: String,
    pub client_token: Option<String>,
    pub sources: Vec<Source>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    source_files: Files,
    source_file_type: String,
    subject_id: String,
    sample_id: String,
    generated_from: Option<String>,
    reference_arn: Option<String>,
    name: Option<String>,
    description: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Files {
    source1: String,
    source2: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, bound = "F: Deserialize<'de>")]
pub struct List<F> {
    pub sequence_store_id: String,
    pub max_results: Option<i32>,
    pub next_token: Option<String>,
    pub filter: Option<F>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfJobs {
    status: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_after: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_before: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfReadSets {
    name: Option<String>,
    status: Option<String>,
    reference_arn: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_after: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    created_before: Option<OffsetDateTime>,
    sample_id: Option<String>,
    subject_id: Option<String>,
    generated_from: Option<String>,
    creation_type: Option<String>,
}

/// Calls a setter for each member that is given.
macro_rules! set {
    ($builder:ident, $input:ident: $($member:ident)+) => {
        $(if let Some(value) = $input.$member {
            $builder = $builder.$member(value);
        })+
    };
}
pub(crate) use set;

impl From<Source> for ImportReadSetSource {
    fn from(input: Source) -> Self {
        let Files { source1, source2 } = input.source_files;
        let mut files = SourceFiles::source1(source1);
        if let Some(source2) = source2 {
            files = files.source2(source2);
        }
        let mut builder = Self::builder()
            .source_files(files)
            .source_file_type(input.source_file_type)
            .subject_id(input.subject_id)
            .sample_id(input.sample_id);
        set!(builder, input: generated_from reference_arn name description tags);
        builder.build()
    }
}

impl From<OfJobs> for JobFilter {
    fn from(input: OfJobs) -> Self {
        let mut filter = Self::new();
        set!(filter, input: status created_after created_before);
        filter
    }
}

impl From<OfReadSets> for ReadSetFilter {
    fn from(input: OfReadSets) -> Self {
        let mut filter = Self::new();
        set!(filter, input: name status reference_arn created_after created_before sample_id subject_id generated_from creation_type);
        filter
    }
}
