//! Requests are checked against the service's model before anything is sent.
//!
//! All violations of a request are found, each with the path of its field in the service's names.

use std::fmt;
use std::ops::RangeInclusive;

use time::OffsetDateTime;

use super::constraint;
use super::text::Quoted;
use super::time::can_be_written;
use super::{ClientToken, FileType, ReadSetId, RoleArn, RunId};

/// The longest URL, in bytes: a little less than what HTTP implementations accept.
const LONGEST_URL: usize = 60_000;
/// The longest segment of a path, in bytes before it is encoded: two of them and the longest page token make a URL.
const LONGEST_PATH_ID: usize = 500;
/// How many violations are shown in one line.
const SHOWN_VIOLATIONS: usize = 5;
/// How many violations are kept: each of a million items may have one.
const KEPT_VIOLATIONS: usize = 1_000;

/// A violation of a constraint on a field of a request: the service would reject the request.
///
/// [`Violations`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    field: String,
    index: Option<usize>,
    message: String,
}

impl Violation {
    /// The path of the field in the service's names: `sources[3].readSetId`. Indexes start at 0.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The index of the list item that the violation is about: 3 for `sources[3].readSetId`. It starts at 0, and is
    /// `None` if the violation is not about an item of a list.
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// The constraint, and how the value violates it: `"12a" must be 10 to 36 digits`.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// All violations of a request, in the order of its fields. Of more than 1,000, the first 1,000 and the number of all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// let call = client
///     .start_read_set_activation_job()
///     .sequence_store_id("1234567890")
///     .sources(["5555555555", "12a"]);
/// let error = call.send().await.unwrap_err();
/// for violation in error.violations().unwrap() {
///     assert_eq!(violation.field(), "sources[1].readSetId");
///     assert_eq!(violation.index(), Some(1));
///     assert_eq!(violation.message(), r#""12a" must be 10 to 36 digits"#);
/// }
/// # assert_eq!(error.violations().unwrap().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    unlisted: usize,
    /// Whether only violations are found that make a request malformed.
    malformed_only: bool,
}

impl Violations {
    /// The violations one by one: the first 1,000.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.kept.iter()
    }

    /// How many violations there are, including those beyond the first 1,000.
    pub fn len(&self) -> usize {
        self.kept.len() + self.unlisted
    }

    /// Whether there are no violations.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.iter().take(SHOWN_VIOLATIONS).enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        match self.len().saturating_sub(SHOWN_VIOLATIONS) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// The path of a field. It is formatted only for a violation.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Root(&'static str),
    Item(&'a Self, usize),
    Field(&'a Self, &'static str),
    Key(&'a Self, &'a str),
}

impl<'a> Path<'a> {
    pub(crate) fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }

    pub(crate) fn field(&'a self, name: &'static str) -> Self {
        Self::Field(self, name)
    }

    pub(crate) fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    /// The index in the outermost list.
    fn index(&self) -> Option<usize> {
        match self {
            Self::Root(_) => None,
            Self::Item(parent, index) => parent.index().or(Some(*index)),
            Self::Field(parent, _) | Self::Key(parent, _) => parent.index(),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Key(parent, key) => write!(f, "{parent}[{}]", Quoted(key)),
        }
    }
}

/// One check for each kind of constraint in the model.
impl Violations {
    /// With `parameter_validation` off, the service decides about every request that can be sent.
    pub(crate) fn new(parameter_validation: bool) -> Self {
        Self { malformed_only: !parameter_validation, ..Self::default() }
    }

    /// A violation of the service's model or user guide.
    fn add(&mut self, at: Path<'_>, message: impl fmt::Display) {
        if !self.malformed_only {
            self.add_always(at, message);
        }
    }

    /// A violation that makes the request malformed.
    fn add_always(&mut self, at: Path<'_>, message: impl fmt::Display) {
        if self.kept.len() == KEPT_VIOLATIONS {
            self.unlisted += 1;
            return;
        }
        let violation = Violation { field: at.to_string(), index: at.index(), message: message.to_string() };
        self.kept.push(violation);
    }

    /// Adds what a constraint says.
    fn check(&mut self, at: Path<'_>, result: Result<(), String>) {
        if let Err(message) = result {
            self.add(at, message);
        }
    }

    pub(crate) fn id(&mut self, at: Path<'_>, value: &str) {
        self.check(at, constraint::id(value));
    }

    /// An identifier that is a segment of the path.
    pub(crate) fn path_id(&mut self, at: Path<'_>, value: &str) {
        if !self.malformed_only {
            return self.id(at, value);
        }
        // Servers and proxies resolve `.` and `..`.
        if value.is_empty() || value == "." || value == ".." {
            self.add_always(at, format_args!("{} can't be a segment of a path", Quoted(value)));
        } else if value.contains(char::is_control) {
            self.add_always(at, format_args!("{} has a control character", Quoted(value)));
        } else if value.len() > LONGEST_PATH_ID {
            self.add_always(at, format_args!("is too long for a URL with its {} bytes", value.len()));
        }
    }

    /// Names and descriptions of at most `max` characters.
    pub(crate) fn text(&mut self, at: Path<'_>, value: &str, max: usize) {
        self.length(at, value, 1..=max);
        self.check(at, constraint::characters(value));
    }

    pub(crate) fn length(&mut self, at: Path<'_>, value: &str, allowed: RangeInclusive<usize>) {
        self.check(at, constraint::length(value, allowed));
    }

    pub(crate) fn arn(&mut self, at: Path<'_>, value: &str, allowed: RangeInclusive<usize>) {
        self.length(at, value, allowed);
        self.check(at, constraint::arn(value));
    }

    pub(crate) fn s3_uri(&mut self, at: Path<'_>, value: &str) {
        self.check(at, constraint::s3_uri(value));
    }

    pub(crate) fn s3_destination(&mut self, at: Path<'_>, value: &str) {
        self.check(at, constraint::s3_destination(value));
    }

    /// One of the values that the model lists.
    pub(crate) fn known(&mut self, at: Path<'_>, value: &str, known: &[impl AsRef<str>]) {
        if known.iter().all(|known| known.as_ref() != value) {
            let known = known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
            self.add(at, format_args!("{} must be one of {known}", Quoted(value)));
        }
    }

    /// A time that can be written as an ISO 8601 string.
    pub(crate) fn time(&mut self, at: Path<'_>, value: OffsetDateTime) {
        if !can_be_written(value) {
            self.add_always(at, format_args!("{value} must be in the years 0 to 9999 of UTC"));
        }
    }

    /// At least one item, at most `max`.
    pub(crate) fn count(&mut self, at: Path<'_>, count: usize, max: usize) {
        if !(1..=max).contains(&count) {
            self.add(at, format_args!("must have 1 to {max} items, has {count}"));
        }
    }
}

/// Fields that several operations have.
impl Violations {
    pub(crate) fn client_token(&mut self, token: &ClientToken) {
        self.text(Path::Root("clientToken"), token.as_str(), 127);
    }

    pub(crate) fn role_arn(&mut self, role: &RoleArn) {
        self.arn(Path::Root("roleArn"), role.as_str(), 20..=2048);
    }

    /// The fields of the request for a page of a list.
    pub(crate) fn page(&mut self, max_results: Option<i32>, next_token: Option<&str>) {
        if let Some(number) = max_results.filter(|number| !(1..=100).contains(number)) {
            self.add(Path::Root("maxResults"), format_args!("{number} must be 1 to 100"));
        }
        if let Some(token) = next_token {
            let at = Path::Root("nextToken");
            self.text(at, token, 6144);
            // Each byte may take three in the query.
            if token.len() > LONGEST_URL / 3 {
                self.add_always(at, format_args!("is too long for a URL with its {} bytes", token.len()));
            }
        }
    }

    /// Constraints of the user guide that the model does not have: aligned reads need their reference, and only FASTQ
    /// has a second file.
    pub(crate) fn source(&mut self, at: Path<'_>, file_type: &FileType, has_source2: bool, has_reference: bool) {
        const OVERRIDE: &str = "parameter_validation(false) sends it all the same";
        if matches!(file_type, FileType::Bam | FileType::Cram) && !has_reference {
            let reference = at.field("referenceArn");
            self.add(reference, format_args!("is required for {file_type} by the user guide, {OVERRIDE}"));
        }
        if matches!(file_type, FileType::Bam | FileType::Cram | FileType::Ubam) && has_source2 {
            let files = at.field("sourceFiles");
            let source2 = files.field("source2");
            self.add(source2, format_args!("is for FASTQ by the user guide, the type is {file_type}; {OVERRIDE}"));
        }
    }

    /// The name of a bulk run. It is a part of file names and tokens, so that it is always checked.
    pub(crate) fn run_id(&mut self, run_id: &RunId) {
        if let Err(message) = constraint::run_id(run_id.as_str()) {
            self.add_always(Path::Root("runId"), message);
        }
    }

    /// The read sets that a job works on.
    pub(crate) fn sources(&mut self, ids: &[ReadSetId], max: usize) {
        let sources = Path::Root("sources");
        self.count(sources, ids.len(), max);
        for (index, id) in ids.iter().enumerate() {
            self.id(sources.item(index).field("readSetId"), id.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_field_and_the_constraint() {
        let mut violations = Violations::default();
        let sources = Path::Root("sources");
        violations.id(sources.item(3).field("readSetId"), "12a");
        violations.text(sources.item(0).field("name"), "a\u{200d}b", 127);
        violations.s3_uri(Path::Root("sourceFile"), &"x".repeat(100));
        let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "sources[3].readSetId: \"12a\" must be 10 to 36 digits".to_owned(),
                "sources[0].name: holds U+200D: control, format and private characters are not allowed".to_owned(),
                format!("sourceFile: \"{}\"… must be s3://bucket/key, the key of 1 to 1024 characters", "x".repeat(60)),
            ]
        );
    }

    #[test]
    fn an_index_is_that_of_the_outermost_list() {
        let sources = Path::Root("sources");
        let source = sources.item(3);
        let mut violations = Violations::default();
        violations.id(Path::Root("id"), "1");
        violations.count(sources, 0, 1);
        violations.length(source, "", 1..=1);
        violations.id(source.field("readSetId"), "1");
        violations.length(source.field("tags").key("k").item(7), "", 1..=1);
        let indexes: Vec<_> = violations.iter().map(Violation::index).collect();
        assert_eq!(indexes, [None, None, Some(3), Some(3), Some(3)]);
    }
}
