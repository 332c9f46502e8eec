//! Read sets.

use std::collections::BTreeSet;

use serde_json::Value;
use time::OffsetDateTime;

use super::ids::{Ids, Position};
use super::import_source::{ImportSource, SourceFiles};
use super::whole_millis;
use crate::local::seed::{SeedEtag, SeedReadSet, SequenceInformation};
use crate::local::snapshot::LocalReadSet;
use crate::model::{CreationType, ReadSetStatus};

/// A read set in its store.
pub(crate) struct ReadSet {
    /// What tests see of the read set.
    pub(crate) snapshot: LocalReadSet,
    pub(crate) created: OffsetDateTime,
    pub(crate) metadata: Metadata,
    /// The indices of the jobs that have the read set as an item and have not ended.
    pub(crate) running_jobs: BTreeSet<usize>,
    /// Grows with every read set.
    number: u64,
}

/// What responses have besides.
pub(crate) struct Metadata {
    pub(crate) creation_type: CreationType,
    pub(crate) creation_job_id: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) reference_arn: Option<String>,
    pub(crate) status_message: Option<String>,
    pub(crate) sequence_information: SequenceInformation,
    /// The files of the import.
    pub(crate) source_files: Option<SourceFiles>,
    /// These are invented if there are none.
    pub(crate) etag: Option<SeedEtag>,
    pub(crate) files: Option<Value>,
}

impl Metadata {
    /// Whether the read set was made of a pair of files.
    pub(crate) fn has_source2(&self) -> bool {
        self.source_files.as_ref().is_some_and(|files| files.source2.is_some())
            || self.etag.as_ref().is_some_and(SeedEtag::has_source2)
    }
}

impl ReadSet {
    pub(crate) fn seeded(seed: SeedReadSet, ids: &mut Ids, created: OffsetDateTime) -> Self {
        // Later ids are the same whether or not the read set has one of its own.
        let issued_id = ids.next();
        let id = seed.id.unwrap_or_else(|| issued_id.into());
        ids.reserve(id.as_str());
        let snapshot = LocalReadSet {
            id,
            status: seed.status,
            file_type: seed.file_type,
            subject_id: seed.subject_id,
            sample_id: seed.sample_id,
            name: seed.name,
        };
        let metadata = Metadata {
            creation_type: seed.creation_type.unwrap_or(CreationType::Upload),
            creation_job_id: seed.creation_job_id,
            description: seed.description,
            reference_arn: seed.reference_arn.map(|arn| arn.to_string()),
            status_message: seed.status_message,
            sequence_information: seed.sequence_information,
            source_files: None,
            etag: seed.etag,
            files: seed.files,
        };
        Self {
            snapshot,
            created: whole_millis(seed.creation_time.unwrap_or(created)),
            metadata,
            running_jobs: BTreeSet::new(),
            number: ids.issued(),
        }
    }

    /// The read set that an import job, which has not ended, creates from a source.
    pub(crate) fn imported(
        source: &ImportSource,
        job_id: &str,
        job_index: usize,
        ids: &mut Ids,
        created: OffsetDateTime,
    ) -> Self {
        let snapshot = LocalReadSet {
            id: ids.next().into(),
            status: ReadSetStatus::Active,
            file_type: source.source_file_type.as_str().into(),
            subject_id: Some(source.subject_id.as_str().into()),
            sample_id: Some(source.sample_id.as_str().into()),
            name: source.name.clone(),
        };
        let metadata = Metadata {
            creation_type: CreationType::Import,
            creation_job_id: Some(job_id.to_owned()),
            description: source.description.clone(),
            reference_arn: source.reference_arn.clone(),
            status_message: None,
            sequence_information: SequenceInformation {
                generated_from: source.generated_from.clone(),
                ..SequenceInformation::default()
            },
            source_files: Some(source.source_files.clone()),
            etag: None,
            files: None,
        };
        Self {
            snapshot,
            created: whole_millis(created),
            metadata,
            running_jobs: BTreeSet::from([job_index]),
            number: ids.issued(),
        }
    }

    /// The position in the list of read sets.
    pub(crate) fn position(&self) -> Position {
        Position { created: self.created.unix_timestamp_nanos(), number: self.number }
    }
}
