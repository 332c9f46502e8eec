//! The constraints of the service's model on text, each as a function of the text alone.
//!
//! The error is the message for a person: the constraint, and how the value violates it.

use std::ops::RangeInclusive;

use super::text::Quoted;

/// The error of a text that violates the constraints of its type, as `try_new` and `parse` return it.
///
/// ```
/// use healthomics::SequenceStoreId;
///
/// let error = SequenceStoreId::try_new("12a").unwrap_err();
/// assert_eq!(error.constraint(), r#""12a" must be 10 to 36 digits"#);
/// assert_eq!(
///     error.to_string(),
///     r#"not a valid SequenceStoreId: "12a" must be 10 to 36 digits"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {type_name}: {message}")]
pub struct InvalidValue {
    type_name: &'static str,
    message: String,
}

impl InvalidValue {
    pub(crate) fn new(type_name: &'static str, message: String) -> Self {
        Self { type_name, message }
    }

    /// The constraint, and how the value violates it: `"12a" must be 10 to 36 digits`.
    pub fn constraint(&self) -> &str {
        &self.message
    }
}

/// `[0-9]{10,36}`: identifiers.
pub(crate) fn id(value: &str) -> Result<(), String> {
    if (10..=36).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(format!("{} must be 10 to 36 digits", Quoted(value)))
}

/// `[A-Za-z0-9._-]{1,64}`: names of bulk runs.
pub(crate) fn run_id(value: &str) -> Result<(), String> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if (1..=64).contains(&value.len()) && value.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(format!("{} must be 1 to 64 of A-Z a-z 0-9 . _ -", Quoted(value)))
}

/// Client tokens, and names of people and samples: 1 to 127 characters of text.
pub(crate) fn name(value: &str) -> Result<(), String> {
    length(value, 1..=127)?;
    characters(value)
}

/// ARNs of IAM roles.
pub(crate) fn role_arn(value: &str) -> Result<(), String> {
    length(value, 20..=2048)?;
    arn(value)
}

/// ARNs of HealthOmics resources.
pub(crate) fn omics_arn(value: &str) -> Result<(), String> {
    length(value, 1..=127)?;
    arn(value)
}

/// The number of characters, counted as Unicode code points.
pub(crate) fn length(value: &str, allowed: RangeInclusive<usize>) -> Result<(), String> {
    let length = value.chars().count();
    if allowed.contains(&length) {
        return Ok(());
    }
    Err(format!("must have {} to {} characters, has {length}", allowed.start(), allowed.end()))
}

/// `[\p{L}||\p{M}||\p{Z}||\p{S}||\p{N}||\p{P}]*`.
pub(crate) fn characters(value: &str) -> Result<(), String> {
    match value.chars().find(|&character| !is_text(character)) {
        None => Ok(()),
        Some(wrong) => {
            let code = u32::from(wrong);
            Err(format!("holds U+{code:04X}: control, format and private characters are not allowed"))
        }
    }
}

/// `arn:.+`, whose length is a constraint of its own.
pub(crate) fn arn(value: &str) -> Result<(), String> {
    match value.strip_prefix("arn:") {
        Some(rest) if !rest.is_empty() && !rest.contains(LINE_ENDS) => Ok(()),
        _ => Err(format!("{} must be \"arn:\" and the rest of one line", Quoted(value))),
    }
}

/// `s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/(.{1,1024})`: one object.
pub(crate) fn s3_uri(value: &str) -> Result<(), String> {
    match value.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        Some((bucket, _)) if !is_bucket(bucket.as_bytes()) => Err(invalid_bucket(value, bucket)),
        Some((_, key)) if is_key(key) => Ok(()),
        _ => Err(format!("{} must be s3://bucket/key, the key of 1 to 1024 characters", Quoted(value))),
    }
}

/// `s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/?((.{1,1024})/)?`: a bucket, or a prefix that ends in a slash.
pub(crate) fn s3_destination(value: &str) -> Result<(), String> {
    let format_error =
        || format!("{} must be s3://bucket, s3://bucket/ or s3://bucket/prefix/ (ends in /)", Quoted(value));
    let rest = value.strip_prefix("s3://").ok_or_else(format_error)?;
    // The slash after the bucket is optional in the pattern, so any of its first 3 to 63 bytes may be the bucket.
    let is_match = (3..=63.min(rest.len()))
        .any(|end| is_bucket(&rest.as_bytes()[..end]) && rest.get(end..).is_some_and(is_destination_after_bucket));
    if is_match {
        return Ok(());
    }
    let bucket = rest.split_once('/').map_or(rest, |(bucket, _)| bucket);
    if is_bucket(bucket.as_bytes()) { Err(format_error()) } else { Err(invalid_bucket(value, bucket)) }
}

fn invalid_bucket(value: &str, bucket: &str) -> String {
    let (value, bucket) = (Quoted(value), Quoted(bucket));
    format!("{value} has the bucket {bucket}: 3 to 63 of a-z 0-9 - . with a letter or digit at both ends")
}

/// The characters that `.` does not match in the model's patterns.
const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

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

fn is_destination_after_bucket(rest: &str) -> bool {
    let rest_is_prefix = |prefix: &str| prefix.strip_suffix('/').is_some_and(is_key);
    rest.is_empty() || rest == "/" || rest_is_prefix(rest) || rest.strip_prefix('/').is_some_and(rest_is_prefix)
}

/// Unassigned characters count as text: only the service knows its version of Unicode.
fn is_text(character: char) -> bool {
    matches!(character, ' '..='~') || !(character.is_control() || is_format(character) || is_never_assigned(character))
}

/// The category `Cf`. A test compares it with that of `regex`.
fn is_format(character: char) -> bool {
    matches!(
        u32::from(character),
        0xAD | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x180E | 0x200B..=0x200F
            | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB | 0x110BD | 0x110CD
            | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0001 | 0xE0020..=0xE007F
    )
}

/// Whether a code point is for private use, or not a character by definition.
fn is_never_assigned(character: char) -> bool {
    matches!(u32::from(character), 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xF0000..)
        || u32::from(character) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests;
