//! The filters of lists.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::builder::{IntoOption, optional_value};
use crate::model::validation::{Path, Violations};
use crate::model::{CreationType, JobStatus, ReadSetStatus, ReferenceArn, SampleId, SubjectId};
use crate::operation::list::Filter;
use crate::protocol::json::json_struct;

const FILTER: Path<'static> = Path::Root("filter");

json_struct! {
    /// A filter for jobs (`ExportReadSetFilter`, `ImportReadSetFilter`, `ActivateReadSetFilter`). A job matches if all
    /// fields that are not `None` apply to it.
    ///
    /// ```
    /// use healthomics::read_set::{JobFilter, JobStatus};
    ///
    /// let failed = JobFilter::new().status(JobStatus::Failed);
    /// assert_eq!(failed.created_after, None);
    /// ```
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[non_exhaustive]
    pub struct JobFilter {
        /// Matches jobs of this status.
        pub status: Option<JobStatus>,
        /// Matches jobs that were created after this time.
        pub created_after: Option<OffsetDateTime>,
        /// Matches jobs that were created before this time.
        pub created_before: Option<OffsetDateTime>,
    }
}

json_struct! {
    /// A filter for read sets (`ReadSetFilter`). A read set matches if all fields that are not `None` apply to it.
    ///
    /// ```
    /// use healthomics::read_set::{ReadSetFilter, ReadSetStatus};
    ///
    /// let to_activate = ReadSetFilter::new()
    ///     .status(ReadSetStatus::Archived)
    ///     .subject_id("HG00146");
    /// assert_eq!(to_activate.name, None);
    /// ```
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[non_exhaustive]
    pub struct ReadSetFilter {
        /// Matches read sets of this name: 1 to 127 characters.
        pub name: Option<String>,
        /// Matches read sets of this status.
        pub status: Option<ReadSetStatus>,
        /// Matches read sets that are aligned to the reference genome of this ARN.
        pub reference_arn: Option<ReferenceArn>,
        /// Matches read sets that were created after this time.
        pub created_after: Option<OffsetDateTime>,
        /// Matches read sets that were created before this time.
        pub created_before: Option<OffsetDateTime>,
        /// Matches read sets of this sample.
        pub sample_id: Option<SampleId>,
        /// Matches read sets of this subject.
        pub subject_id: Option<SubjectId>,
        /// Matches read sets that were generated from this: 1 to 127 characters.
        pub generated_from: Option<String>,
        /// Matches read sets that were created this way.
        pub creation_type: Option<CreationType>,
    }
}

optional_value! { JobFilter, ReadSetFilter }

/// Declares a setter for each field.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $T:ty;)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(self, $name: impl IntoOption<$T>) -> Self {
                Self { $name: $name.into_option(), ..self }
            }
        )+
    };
}

impl JobFilter {
    /// Makes a filter that every job matches.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Matches only jobs of this status.
        status: JobStatus;
        /// Matches only jobs that were created after this time.
        created_after: OffsetDateTime;
        /// Matches only jobs that were created before this time.
        created_before: OffsetDateTime;
    }
}

impl ReadSetFilter {
    /// Makes a filter that every read set matches.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Matches only read sets of this name: 1 to 127 characters.
        name: String;
        /// Matches only read sets of this status.
        status: ReadSetStatus;
        /// Matches only read sets that are aligned to the reference genome of this ARN: `arn:…`, at most 127
        /// characters. The model allows an empty text, whose meaning AWS does not document.
        reference_arn: ReferenceArn;
        /// Matches only read sets that were created after this time.
        created_after: OffsetDateTime;
        /// Matches only read sets that were created before this time.
        created_before: OffsetDateTime;
        /// Matches only read sets of this sample: 1 to 127 characters.
        sample_id: SampleId;
        /// Matches only read sets of this subject: 1 to 127 characters.
        subject_id: SubjectId;
        /// Matches only read sets that were generated from this: 1 to 127 characters.
        generated_from: String;
        /// Matches only read sets that were created this way.
        creation_type: CreationType;
    }
}

impl Filter for JobFilter {
    fn check(&self, violations: &mut Violations) {
        if let Some(status) = &self.status {
            violations.known(FILTER.field("status"), status.as_str(), JobStatus::KNOWN);
        }
        check_times(violations, self.created_after, self.created_before);
    }
}

impl Filter for ReadSetFilter {
    fn check(&self, violations: &mut Violations) {
        check_text(violations, "name", self.name.as_deref());
        if let Some(status) = &self.status {
            violations.known(FILTER.field("status"), status.as_str(), ReadSetStatus::KNOWN);
        }
        // `$|^arn:.+`: it may be empty.
        if let Some(reference) = self.reference_arn.as_ref().filter(|arn| !arn.as_str().is_empty()) {
            violations.arn(FILTER.field("referenceArn"), reference.as_str(), 0..=127);
        }
        check_times(violations, self.created_after, self.created_before);
        check_text(violations, "sampleId", self.sample_id.as_ref().map(SampleId::as_str));
        check_text(violations, "subjectId", self.subject_id.as_ref().map(SubjectId::as_str));
        check_text(violations, "generatedFrom", self.generated_from.as_deref());
        if let Some(creation_type) = &self.creation_type {
            violations.known(FILTER.field("creationType"), creation_type.as_str(), CreationType::KNOWN);
        }
    }
}

fn check_text(violations: &mut Violations, name: &'static str, value: Option<&str>) {
    if let Some(value) = value {
        violations.text(FILTER.field(name), value, 127);
    }
}

fn check_times(violations: &mut Violations, after: Option<OffsetDateTime>, before: Option<OffsetDateTime>) {
    for (name, time) in [("createdAfter", after), ("createdBefore", before)] {
        if let Some(time) = time {
            violations.time(FILTER.field(name), time);
        }
    }
}
