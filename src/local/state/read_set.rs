//! Read sets.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::ids::{Ids, Position};
use super::import_source::ImportSource;
use super::whole_millis;
use crate::local::snapshot::{LocalReadSet, SeedReadSet};
use crate::model::{CreationType, ReadSetStatus};

/// A read set in its store.
pub(crate) struct ReadSet {
    /// What tests see of the read set.
    pub(crate) snapshot: LocalReadSet,
    pub(crate) created: OffsetDateTime,
    pub(crate) origin: Origin,
    /// The indices of the jobs that have the read set as an item and have not ended.
    pub(crate) running_jobs: BTreeSet<usize>,
    /// Grows with every read set.
    number: u64,
}

/// How a read set was created.
pub(crate) enum Origin {
    /// By a test, without a job.
    Seed,
    /// By an import job, from one of its sources.
    Import { job_id: String, source: Box<ImportSource> },
}

impl ReadSet {
    pub(crate) fn seeded(seed: SeedReadSet, ids: &mut Ids, created: OffsetDateTime) -> Self {
        let issued_id = ids.next().into();
        let snapshot = LocalReadSet {
            id: seed.id.unwrap_or(issued_id),
            status: seed.status,
            file_type: seed.file_type,
            subject_id: seed.subject_id,
            sample_id: seed.sample_id,
            name: seed.name,
        };
        Self {
            snapshot,
            created: whole_millis(created),
            origin: Origin::Seed,
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
        Self {
            snapshot,
            created: whole_millis(created),
            origin: Origin::Import { job_id: job_id.to_owned(), source: Box::new(source.clone()) },
            running_jobs: BTreeSet::from([job_index]),
            number: ids.issued(),
        }
    }

    /// The position in the list of read sets.
    pub(crate) fn position(&self) -> Position {
        Position { created: self.created.unix_timestamp_nanos(), number: self.number }
    }

    pub(crate) fn creation_type(&self) -> CreationType {
        match self.origin {
            Origin::Seed => CreationType::Upload,
            Origin::Import { .. } => CreationType::Import,
        }
    }

    /// The source of the import that created the read set.
    pub(crate) fn source(&self) -> Option<&ImportSource> {
        match &self.origin {
            Origin::Seed => None,
            Origin::Import { source, .. } => Some(source),
        }
    }
}
