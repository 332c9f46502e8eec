//! Input constraints as data, and checks of requests against them with the messages of the service.
//!
//! They share nothing with the checks of the client, so that each can test the other.

use std::borrow::Cow;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde_json::{Map, Value};

use super::service_error::ServiceError;
use crate::model::time::from_iso8601;

/// After so many violations no further item of a list is checked, as a message may be much longer than its item.
const MAX_VIOLATIONS: usize = 1_000;

/// The type and constraints of a value.
pub(crate) enum Shape {
    Text(Text),
    Enum(&'static [&'static str]),
    Integer {
        min: i64,
        max: i64,
    },
    /// An ISO 8601 string.
    Timestamp,
    List {
        min: usize,
        max: usize,
        item: &'static Self,
    },
    Map {
        key: &'static Text,
        value: &'static Text,
    },
    Structure(&'static [Field]),
}

/// The constraints of a string. Lengths are in code points.
pub(crate) struct Text {
    min: usize,
    max: usize,
    pattern: Option<Pattern>,
}

struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

/// A field of a structure.
pub(crate) struct Field {
    name: &'static str,
    required: bool,
    in_query: bool,
    shape: &'static Shape,
}

impl Field {
    pub(crate) const fn required(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, required: true, in_query: false, shape }
    }

    pub(crate) const fn optional(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, required: false, in_query: false, shape }
    }

    /// An optional field in the query.
    pub(crate) const fn query(name: &'static str, shape: &'static Shape) -> Self {
        Self { name, required: false, in_query: true, shape }
    }
}

impl Text {
    pub(crate) const fn length(min: usize, max: usize) -> Self {
        Self { min, max, pattern: None }
    }

    pub(crate) const fn pattern(min: usize, max: usize, text: &'static str) -> Self {
        Self { min, max, pattern: Some(Pattern { text, compiled: OnceLock::new() }) }
    }

    /// The constraints that `text` violates.
    fn violations(&self, text: &str) -> Vec<String> {
        let mut violations = Vec::new();
        if let Some(pattern) = &self.pattern
            && !pattern.matches(text)
        {
            violations.push(pattern.constraint());
        }
        violations.extend(length_violation(text.chars().count(), self.min, self.max));
        violations
    }

    /// All constraints, for the message about the entries of a map.
    fn constraints(&self) -> String {
        let mut all = vec![at_most(self.max), at_least(self.min)];
        all.extend(self.pattern.as_ref().map(Pattern::constraint));
        all.join(", ")
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        self.compiled
            .get_or_init(|| Regex::new(&format!(r"\A(?:{})\z", expand_dots(self.text))).ok())
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }

    fn constraint(&self) -> String {
        format!("Member must satisfy regular expression pattern: {}", self.text)
    }
}

/// Replaces `.` outside of brackets by what it means in the model: any character but a line end of any kind.
fn expand_dots(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 32);
    let (mut escaped, mut in_class) = (false, false);
    for c in pattern.chars() {
        if c == '.' && !escaped && !in_class {
            out.push_str(r"[^\n\r\u{2028}\u{2029}]");
            continue;
        }
        if !escaped {
            in_class = match c {
                '[' => true,
                ']' => false,
                _ => in_class,
            };
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

fn at_most(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn at_least(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn length_violation(length: usize, min: usize, max: usize) -> Option<String> {
    if length > max {
        Some(at_most(max))
    } else if length < min {
        Some(at_least(min))
    } else {
        None
    }
}

/// Replaces the fields of the query in the input, which has those of the body.
pub(crate) fn take_query(shape: &Shape, query: &str, input: &mut Map<String, Value>) -> Result<(), ServiceError> {
    let Shape::Structure(fields) = shape else { return Ok(()) };
    let pairs = || query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    for field in fields.iter().filter(|field| field.in_query) {
        input.remove(field.name);
        if let Some((_, value)) = pairs().find(|(name, _)| decode(name) == field.name) {
            // As in forms, a plus sign is a space unless it is encoded.
            let text = decode(&value.replace('+', " "));
            let value = match field.shape {
                Shape::Integer { .. } => text
                    .parse::<i64>()
                    .map(Value::from)
                    .map_err(|_| ServiceError::serialization(format!("'{text}' can not be converted to an Integer")))?,
                _ => Value::String(text),
            };
            input.insert(field.name.to_owned(), value);
        }
    }
    Ok(())
}

/// Parses the body of a request as JSON. Its fields are checked later.
pub(crate) fn parse_body(body: &[u8]) -> Result<Map<String, Value>, ServiceError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(other) => Err(wrong_type(&other, "a structure")),
        Err(_) => Err(ServiceError::serialization("The request body is not valid JSON.")),
    }
}

/// Checks `input`, and returns its known fields without nulls.
pub(crate) fn check(shape: &Shape, input: &Value) -> Result<Value, ServiceError> {
    let mut violations = Vec::new();
    let known = walk(shape, input, "", &mut violations)?;
    match violations.len() {
        0 => Ok(known),
        1 => Err(ServiceError::validation(format!("1 validation error detected: {}", violations.concat()))),
        n => Err(ServiceError::validation(format!("{n} validation errors detected: {}", violations.join("; ")))),
    }
}

fn walk(shape: &Shape, value: &Value, path: &str, violations: &mut Vec<String>) -> Result<Value, ServiceError> {
    let mut violate = |constraint: &str| violations.push(violation(value, path, constraint));
    match shape {
        Shape::Text(text) => {
            text.violations(string(value)?).iter().for_each(|constraint| violate(constraint));
            Ok(value.clone())
        }
        Shape::Enum(set) => {
            if !set.contains(&string(value)?) {
                violate(&format!("Member must satisfy enum value set: [{}]", set.join(", ")));
            }
            Ok(value.clone())
        }
        Shape::Integer { min, max } => {
            let number = value.as_i64().ok_or_else(|| wrong_type(value, "an Integer"))?;
            if number > *max {
                violate(&format!("Member must have value less than or equal to {max}"));
            } else if number < *min {
                violate(&format!("Member must have value greater than or equal to {min}"));
            }
            Ok(value.clone())
        }
        Shape::Timestamp => {
            let text = string(value)?;
            let unreadable = || ServiceError::serialization(format!("'{text}' can not be converted to a Timestamp"));
            from_iso8601(text).map(|_| value.clone()).ok_or_else(unreadable)
        }
        Shape::List { min, max, item: item_shape } => {
            let list = value.as_array().ok_or_else(|| wrong_type(value, "a list"))?;
            if let Some(constraint) = length_violation(list.len(), *min, *max) {
                violate(&constraint);
            }
            let mut known = Vec::with_capacity(list.len());
            for (index, item) in list.iter().enumerate() {
                if violations.len() >= MAX_VIOLATIONS {
                    break;
                }
                let path = format!("{path}.{}.member", index + 1);
                if item.is_null() {
                    violations.push(violation(item, &path, NOT_NULL));
                } else {
                    known.push(walk(item_shape, item, &path, violations)?);
                }
            }
            Ok(Value::Array(known))
        }
        Shape::Map { key, value: entry } => {
            let map = value.as_object().ok_or_else(|| wrong_type(value, "a map"))?;
            let mut known = map.clone();
            known.retain(|_, value| !value.is_null());
            if known.keys().any(|name| !key.violations(name).is_empty()) {
                violate(&format!("Map keys must satisfy constraint: [{}]", key.constraints()));
            }
            let mut is_violated = false;
            for value in known.values() {
                is_violated |= !entry.violations(string(value)?).is_empty();
            }
            if is_violated {
                violate(&format!("Map value must satisfy constraint: [{}]", entry.constraints()));
            }
            Ok(Value::Object(known))
        }
        Shape::Structure(fields) => {
            let object = value.as_object().ok_or_else(|| wrong_type(value, "a structure"))?;
            let mut known = Map::new();
            for field in *fields {
                let path =
                    if path.is_empty() { Cow::from(field.name) } else { Cow::from(format!("{path}.{}", field.name)) };
                match object.get(field.name).filter(|value| !value.is_null()) {
                    Some(value) => {
                        known.insert(field.name.to_owned(), walk(field.shape, value, &path, violations)?);
                    }
                    None if field.required => violations.push(violation(&Value::Null, &path, NOT_NULL)),
                    None => {}
                }
            }
            Ok(Value::Object(known))
        }
    }
}

const NOT_NULL: &str = "Member must not be null";

fn violation(value: &Value, path: &str, constraint: &str) -> String {
    let value = match value {
        Value::Null => Cow::from("null"),
        Value::String(text) => Cow::from(format!("'{text}'")),
        other => Cow::from(format!("'{other}'")),
    };
    format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}")
}

fn string(value: &Value) -> Result<&str, ServiceError> {
    value.as_str().ok_or_else(|| wrong_type(value, "a String"))
}

fn wrong_type(value: &Value, wanted: &str) -> ServiceError {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    ServiceError::serialization(format!("{found} can not be converted to {wanted}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::super::shapes::{START_EXPORT, START_IMPORT};
    use super::*;

    fn message(shape: &Shape, input: &Value) -> String {
        let error = check(shape, input).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        error.message
    }

    fn export(read_set: &str) -> Value {
        json!({
            "sequenceStoreId": "0123456789",
            "destination": "s3://bucket/out/",
            "roleArn": "arn:aws:iam::123456789012:role/r",
            "sources": [{"readSetId": read_set}],
        })
    }

    fn import() -> Value {
        json!({
            "sequenceStoreId": "0123456789",
            "roleArn": "arn:aws:iam::123456789012:role/r",
            "sources": [{
                "sourceFiles": {"source1": "s3://bucket/a.bam"},
                "sourceFileType": "UBAM",
                "subjectId": "subject",
                "sampleId": "sample",
            }],
        })
    }

    #[test]
    fn valid_input_passes_without_unknown_fields_and_nulls() {
        let mut input = export("0123456789");
        input["clientToken"] = Value::Null;
        input["novelty"] = json!([1]);
        assert_eq!(check(&START_EXPORT, &input).unwrap(), export("0123456789"));
        assert_eq!(check(&START_IMPORT, &import()).unwrap(), import());
    }

    #[test]
    fn all_violations_are_in_one_message() {
        let mut input = export("12a");
        input["roleArn"] = Value::Null;
        assert_eq!(
            message(&START_EXPORT, &input),
            "3 validation errors detected: \
             Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
             Value '12a' at 'sources.1.member.readSetId' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: [0-9]+; \
             Value '12a' at 'sources.1.member.readSetId' failed to satisfy constraint: \
             Member must have length greater than or equal to 10"
        );
    }

    #[test]
    fn one_violation_is_in_the_singular() {
        assert_eq!(
            message(&START_EXPORT, &export(&"1".repeat(37))),
            format!(
                "1 validation error detected: Value '{}' at 'sources.1.member.readSetId' failed to satisfy constraint: \
                 Member must have length less than or equal to 36",
                "1".repeat(37)
            )
        );
    }

    #[test]
    fn enums_lists_and_maps_are_checked() {
        let mut input = import();
        input["sources"][0]["sourceFileType"] = json!("VCF");
        input["sources"][0]["tags"] = json!({"": "v", "k": "v".repeat(257)});
        let text = message(&START_IMPORT, &input);
        for part in [
            "3 validation errors detected: ",
            "Value 'VCF' at 'sources.1.member.sourceFileType' failed to satisfy constraint: \
             Member must satisfy enum value set: [FASTQ, BAM, CRAM, UBAM]",
            "at 'sources.1.member.tags' failed to satisfy constraint: Map keys must satisfy constraint: \
             [Member must have length less than or equal to 128, Member must have length greater than or equal to 1]",
            "at 'sources.1.member.tags' failed to satisfy constraint: Map value must satisfy constraint: ",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text:?}");
        }
        input = export("0123456789");
        input["sources"] = json!([]);
        assert!(message(&START_EXPORT, &input).contains("Value '[]' at 'sources' failed"));
        input["sources"] = json!([null]);
        assert!(message(&START_EXPORT, &input).contains("Value null at 'sources.1.member' failed"));
    }

    #[test]
    fn the_number_of_violations_is_limited() {
        let mut input = export("0123456789");
        input["sources"] = Value::Array(vec![Value::Null; 200_000]);
        let text = message(&START_EXPORT, &input);
        assert!(text.starts_with("1000 validation errors detected: ") && text.len() < 1_200_000, "{}", text.len());
    }

    #[test]
    fn a_wrong_type_is_a_serialization_error() {
        for (field, value) in [("roleArn", json!(5)), ("sources", json!({})), ("sources", json!([["x"]]))] {
            let mut input = export("0123456789");
            input[field] = value;
            assert_eq!(check(&START_EXPORT, &input).unwrap_err().code, "SerializationException", "{input}");
        }
    }

    #[test]
    fn destinations_are_matched_as_a_whole() {
        for (destination, is_valid) in [
            ("s3://bucket", true),
            ("s3://bucket/", true),
            ("s3://bucket/prefix/", true),
            ("s3://my-bucket.x/a b/é/", true),
            ("s3://bucket/prefix", false),
            ("s3://Bucket/", false),
            ("s3://bu", false),
            ("s3://bucket/a\nb/", false),
            ("s3://bucket/a\rb/", false),
            ("s3://bucket/a\u{2028}b/", false),
            ("s3://bucket/\n", false),
            ("xs3://bucket/", false),
        ] {
            let mut input = export("0123456789");
            input["destination"] = json!(destination);
            assert_eq!(check(&START_EXPORT, &input).is_ok(), is_valid, "{destination:?}");
        }
        let mut input = export("0123456789");
        input["destination"] = json!(format!("s3://bucket/{}/", "é".repeat(1024)));
        assert!(check(&START_EXPORT, &input).is_ok());
        input["destination"] = json!(format!("s3://bucket/{}/", "é".repeat(1025)));
        assert!(check(&START_EXPORT, &input).is_err());
    }

    #[test]
    fn client_tokens_have_no_control_characters_and_are_counted_in_code_points() {
        for (token, is_valid) in [("a", true), ("é 中 |", true), ("a\tb", false), ("\u{378}", false), ("", false)] {
            let mut input = export("0123456789");
            input["clientToken"] = json!(token);
            assert_eq!(check(&START_EXPORT, &input).is_ok(), is_valid, "{token:?}");
        }
        let mut input = export("0123456789");
        input["clientToken"] = json!("𝄞".repeat(127));
        assert!(check(&START_EXPORT, &input).is_ok());
    }
}
