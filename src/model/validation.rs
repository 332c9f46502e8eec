//! What the service's model asks of a request, checked before anything is sent.
//!
//! Pure. Every violation of a request is found, each with the path of its member in the service's names.

use std::fmt;
use std::ops::RangeInclusive;

use crate::model::time::can_be_written;
use crate::model::{ClientToken, FileType, ReadSetId, RoleArn, RunId};
use time::OffsetDateTime;

/// How much of a value is shown in a message, in characters.
const SHOWN_CHARS: usize = 60;
/// What a URL may take, in bytes: a little less than where HTTP stacks give up.
const LONGEST_URL: usize = 60_000;
/// What a segment of the path may take, in bytes before it is encoded: two of them fit beside the longest page token.
const LONGEST_PATH_ID: usize = 500;
/// How many violations are shown in one line.
const SHOWN_VIOLATIONS: usize = 5;
/// How many violations are kept: a manifest of a million items may be wrong in each.
const KEPT_VIOLATIONS: usize = 1_000;

/// One member of a request that the service would refuse.
///
/// [`Violations`] has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    field: String,
    message: String,
}

impl Violation {
    /// The path of the member in the service's names: `sources[3].readSetId`. Indexes start at 0.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it: `"12a" must be 10 to 36 digits`.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// Everything that is wrong with a request, in the order of its members; of more than 1,000 only the number.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5555555555", "12a"]);
/// let error = call.send().await.unwrap_err();
/// for violation in error.violations().unwrap() {
///     assert_eq!(violation.field(), "sources[1].readSetId");
///     assert_eq!(violation.message(), r#""12a" must be 10 to 36 digits"#);
/// }
/// # assert_eq!(error.violations().unwrap().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    kept: Vec<Violation>,
    unlisted: usize,
    /// Whether only what makes a request malformed is looked for.
    malformed_only: bool,
}

impl Violations {
    /// The violations one by one: the first 1,000.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.kept.iter()
    }

    /// How many there are, those beyond the first 1,000 too.
    pub fn len(&self) -> usize {
        self.kept.len() + self.unlisted
    }

    /// Whether there is none.
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

/// Where a member stands. Rendered only when there is something to report.
#[derive(Clone, Copy)]
pub(crate) enum Path<'a> {
    Member(&'static str),
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
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member(name) => f.write_str(name),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Key(parent, key) => write!(f, "{parent}[{}]", Shown(key)),
        }
    }
}

/// A value in quotes, cut where it gets long.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN_CHARS) {
            None => write!(f, "{:?}", self.0),
            Some((cut, _)) => write!(f, "{:?}…", &self.0[..cut]),
        }
    }
}

/// The checks, one for each kind of constraint in the model.
impl Violations {
    /// With `parameter_validation` off, the service decides about everything that can be sent.
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
        self.kept.push(Violation { field: at.to_string(), message: message.to_string() });
    }

    /// `[0-9]+`, 10 to 36: identifiers.
    pub(crate) fn id(&mut self, at: Path<'_>, value: &str) {
        if !is_id(value) {
            self.add(at, format_args!("{} must be 10 to 36 digits", Shown(value)));
        }
    }

    /// An identifier that is a segment of the path.
    pub(crate) fn path_id(&mut self, at: Path<'_>, value: &str) {
        if !self.malformed_only {
            return self.id(at, value);
        }
        // Servers and proxies resolve `.` and `..`.
        if value.is_empty() || value == "." || value == ".." {
            self.add_always(at, format_args!("{} can't be a segment of a path", Shown(value)));
        } else if value.contains(char::is_control) {
            self.add_always(at, format_args!("{} has a control character", Shown(value)));
        } else if value.len() > LONGEST_PATH_ID {
            self.add_always(at, format_args!("is too long for a URL with its {} bytes", value.len()));
        }
    }

    /// `[\p{L}||\p{M}||\p{Z}||\p{S}||\p{N}||\p{P}]+`, 1 to `max`: names and descriptions.
    pub(crate) fn text(&mut self, at: Path<'_>, value: &str, max: usize) {
        self.length(at, value, 1..=max);
        if let Some(wrong) = value.chars().find(|&character| !is_text(character)) {
            let code = u32::from(wrong);
            self.add(at, format_args!("holds U+{code:04X}: control, format and private characters are not allowed"));
        }
    }

    /// So many characters, counted as Unicode code points.
    pub(crate) fn length(&mut self, at: Path<'_>, value: &str, allowed: RangeInclusive<usize>) {
        let length = value.chars().count();
        if !allowed.contains(&length) {
            let (min, max) = (allowed.start(), allowed.end());
            self.add(at, format_args!("must have {min} to {max} characters, has {length}"));
        }
    }

    /// `arn:.*` or `arn:.+`: what follows is bounded by the length alone.
    pub(crate) fn arn(&mut self, at: Path<'_>, value: &str, allowed: RangeInclusive<usize>) {
        self.length(at, value, allowed);
        match value.strip_prefix("arn:") {
            Some(rest) if !rest.is_empty() && !rest.contains(LINE_ENDS) => {}
            _ => self.add(at, format_args!("{} must be \"arn:\" and the rest of one line", Shown(value))),
        }
    }

    /// `s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/(.{1,1024})`: one object.
    pub(crate) fn s3_uri(&mut self, at: Path<'_>, value: &str) {
        match value.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
            Some((bucket, _)) if !is_bucket(bucket.as_bytes()) => self.bucket(at, value, bucket),
            Some((_, key)) if is_key(key) => {}
            _ => {
                self.add(at, format_args!("{} must be s3://bucket/key, the key of 1 to 1024 characters", Shown(value)));
            }
        }
    }

    fn bucket(&mut self, at: Path<'_>, value: &str, bucket: &str) {
        let (value, bucket) = (Shown(value), Shown(bucket));
        self.add(
            at,
            format_args!("{value} has the bucket {bucket}: 3 to 63 of a-z 0-9 - . with a letter or digit at both ends"),
        );
    }

    /// `s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/?((.{1,1024})/)?`: a bucket, or a prefix that ends in a slash.
    pub(crate) fn s3_destination(&mut self, at: Path<'_>, value: &str) {
        // The slash behind the bucket is optional in the pattern, so any of its first 3 to 63 bytes may be the bucket.
        let fits = value.strip_prefix("s3://").is_some_and(|rest| {
            (3..=63.min(rest.len())).any(|end| {
                is_bucket(&rest.as_bytes()[..end]) && rest.get(end..).is_some_and(is_destination_behind_bucket)
            })
        });
        let bucket = value.strip_prefix("s3://").map(|rest| rest.split_once('/').map_or(rest, |(bucket, _)| bucket));
        if !fits && let Some(bucket) = bucket.filter(|bucket| !is_bucket(bucket.as_bytes())) {
            self.bucket(at, value, bucket);
        } else if !fits {
            let shown = Shown(value);
            self.add(at, format_args!("{shown} must be s3://bucket, s3://bucket/ or s3://bucket/prefix/ (ends in /)"));
        }
    }

    /// One of the values that the model lists.
    pub(crate) fn known(&mut self, at: Path<'_>, value: &str, known: &[impl AsRef<str>]) {
        if known.iter().all(|known| known.as_ref() != value) {
            let known = known.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
            self.add(at, format_args!("{} must be one of {known}", Shown(value)));
        }
    }

    /// What an ISO 8601 string can say.
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

/// Members that several operations have.
impl Violations {
    pub(crate) fn client_token(&mut self, token: &ClientToken) {
        self.text(Path::Member("clientToken"), token.as_str(), 127);
    }

    pub(crate) fn role_arn(&mut self, role: &RoleArn) {
        self.arn(Path::Member("roleArn"), role.as_str(), 20..=2048);
    }

    /// Which page of a list, and how long it is.
    pub(crate) fn page(&mut self, max_results: Option<i32>, next_token: Option<&str>) {
        if let Some(number) = max_results.filter(|number| !(1..=100).contains(number)) {
            self.add(Path::Member("maxResults"), format_args!("{number} must be 1 to 100"));
        }
        if let Some(token) = next_token {
            let at = Path::Member("nextToken");
            self.text(at, token, 6144);
            // Each byte may take three in the query.
            if token.len() > LONGEST_URL / 3 {
                self.add_always(at, format_args!("is too long for a URL with its {} bytes", token.len()));
            }
        }
    }

    /// What the user guide rules out and the model does not: aligned reads without their reference, and a second file of
    /// anything but FASTQ.
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

    /// `[A-Za-z0-9._-]`, 1 to 64: the name of a bulk run, which goes into files and tokens.
    pub(crate) fn run_id(&mut self, run_id: &RunId) {
        let value = run_id.as_str();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !(1..=64).contains(&value.len()) || !value.bytes().all(fits) {
            self.add_always(
                Path::Member("runId"),
                format_args!("{} must be 1 to 64 of A-Z a-z 0-9 . _ -", Shown(value)),
            );
        }
    }

    /// The read sets that a job is started for.
    pub(crate) fn sources(&mut self, ids: &[ReadSetId], max: usize) {
        let sources = Path::Member("sources");
        self.count(sources, ids.len(), max);
        for (index, id) in ids.iter().enumerate() {
            self.id(sources.item(index).field("readSetId"), id.as_str());
        }
    }
}

/// What `.` does not stand for in the model's patterns.
const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

/// `[0-9]+`, 10 to 36.
pub(crate) fn is_id(text: &str) -> bool {
    (10..=36).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_bucket(name: &[u8]) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.first().is_some_and(is_end)
        && name.last().is_some_and(is_end)
        && name.iter().all(|byte| is_end(byte) || matches!(byte, b'-' | b'.'))
}

fn is_key(key: &str) -> bool {
    !key.contains(LINE_ENDS) && (1..=1024).contains(&key.chars().count())
}

fn is_destination_behind_bucket(rest: &str) -> bool {
    let rest_is_prefix = |prefix: &str| prefix.strip_suffix('/').is_some_and(is_key);
    rest.is_empty() || rest == "/" || rest_is_prefix(rest) || rest.strip_prefix('/').is_some_and(rest_is_prefix)
}

/// Not what is unassigned: only the service knows which version of Unicode it goes by.
fn is_text(character: char) -> bool {
    matches!(character, ' '..='~') || !(character.is_control() || is_format(character) || is_never_assigned(character))
}

/// The category `Cf`; a test holds it against that of `regex`.
fn is_format(character: char) -> bool {
    matches!(
        u32::from(character),
        0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x180E | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB | 0x110BD | 0x110CD
            | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0001 | 0xE0020..=0xE007F
    )
}

/// For private use, or no character by definition.
fn is_never_assigned(character: char) -> bool {
    matches!(u32::from(character), 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xF0000..)
        || u32::from(character) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests;
