//! The items of each kind of jobs.

use std::fmt;

use crate::job::{Activation, Export, Import, JobKind};
use crate::model::ReadSetId;
use crate::model::validation::{Path, Violations};
use crate::read_set::{
    ImportReadSetSource, MAX_ACTIVATION_SOURCES, MAX_EXPORT_SOURCES, MAX_IMPORT_SOURCES, SourceFiles,
};

/// A kind of jobs that a bulk run can have: [`Export`], [`Import`] or [`Activation`].
///
/// ```
/// use healthomics::bulk::BulkKind;
/// use healthomics::job::{Activation, Export, Import};
///
/// assert_eq!((Export::MAX_ITEMS, Import::MAX_ITEMS, Activation::MAX_ITEMS), (100, 100, 20));
/// ```
pub trait BulkKind: JobKind<Id: From<String>> {
    /// The type of the items of a job: [`ReadSetId`], or [`ImportReadSetSource`] for imports.
    type Item: Clone + fmt::Debug + Send + Sync + 'static;
    /// The largest number of items of one job.
    const MAX_ITEMS: usize;

    /// Adds everything in an item that the service would reject.
    #[doc(hidden)]
    fn check(item: &Self::Item, position: usize, violations: &mut Violations);

    /// Two items with the same key are duplicates: the read set, or the first and second file of an import.
    #[doc(hidden)]
    fn key(item: &Self::Item) -> (&str, Option<&str>);

    /// Calls `each` with the name and value of every field that is set, in an order that never changes.
    #[doc(hidden)]
    fn fields(item: &Self::Item, each: &mut dyn FnMut(&str, &str));
}

impl BulkKind for Export {
    type Item = ReadSetId;
    const MAX_ITEMS: usize = MAX_EXPORT_SOURCES;

    fn check(item: &ReadSetId, position: usize, violations: &mut Violations) {
        violations.id(Path::Root("sources").item(position).field("readSetId"), item.as_str());
    }

    fn key(item: &ReadSetId) -> (&str, Option<&str>) {
        (item.as_str(), None)
    }

    fn fields(item: &ReadSetId, each: &mut dyn FnMut(&str, &str)) {
        each("readSetId", item.as_str());
    }
}

impl BulkKind for Activation {
    type Item = ReadSetId;
    const MAX_ITEMS: usize = MAX_ACTIVATION_SOURCES;

    fn check(item: &ReadSetId, position: usize, violations: &mut Violations) {
        Export::check(item, position, violations);
    }

    fn key(item: &ReadSetId) -> (&str, Option<&str>) {
        Export::key(item)
    }

    fn fields(item: &ReadSetId, each: &mut dyn FnMut(&str, &str)) {
        Export::fields(item, each);
    }
}

impl BulkKind for Import {
    type Item = ImportReadSetSource;
    const MAX_ITEMS: usize = MAX_IMPORT_SOURCES;

    fn check(item: &ImportReadSetSource, position: usize, violations: &mut Violations) {
        item.check(violations, Path::Root("sources").item(position));
    }

    fn key(item: &ImportReadSetSource) -> (&str, Option<&str>) {
        let SourceFiles { source1, source2 } = &item.source_files;
        (source1.as_str(), source2.as_ref().map(|source2| source2.as_str()))
    }

    // A new field goes to the end, so that the tokens of items without it stay the same.
    fn fields(item: &ImportReadSetSource, each: &mut dyn FnMut(&str, &str)) {
        let ImportReadSetSource {
            source_files: SourceFiles { source1, source2 },
            source_file_type,
            subject_id,
            sample_id,
            generated_from,
            reference_arn,
            name,
            description,
            tags,
        } = item;
        each("source1", source1.as_str());
        for (name, value) in [
            ("source2", source2.as_ref().map(|source2| source2.as_str())),
            ("sourceFileType", Some(source_file_type.as_str())),
            ("subjectId", Some(subject_id.as_str())),
            ("sampleId", Some(sample_id.as_str())),
            ("generatedFrom", generated_from.as_deref()),
            ("referenceArn", reference_arn.as_ref().map(|reference| reference.as_str())),
            ("name", name.as_deref()),
            ("description", description.as_deref()),
            ("tags", tags.as_ref().map(|_| "")),
        ] {
            if let Some(value) = value {
                each(name, value);
            }
        }
        for (key, value) in tags.iter().flatten() {
            each("tagKey", key);
            each("tagValue", value);
        }
    }
}
