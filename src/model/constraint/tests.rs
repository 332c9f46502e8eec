//! The constraints compared with the model's own patterns in a regular-expression engine.

use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;

use super::*;

/// `.` matches everything but the four line ends, as in the patterns of the model.
fn model_pattern(pattern: &str) -> Regex {
    let pattern = pattern.replace("a-z0-9-.]", r"a-z0-9\-.]").replace("||", "|");
    let pattern = pattern.replace("(.{", r"([^\n\r\x{2028}\x{2029}]{").replace(":.*", r":[^\n\r\x{2028}\x{2029}]*");
    let pattern = pattern.replace(":.+", r":[^\n\r\x{2028}\x{2029}]+");
    Regex::new(&format!(r"\A(?:{pattern})\z")).unwrap()
}

/// Compiled once: a class of letters is a large automaton.
static DESTINATION: LazyLock<Regex> =
    LazyLock::new(|| model_pattern("s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/?((.{1,1024})/)?"));
static URI: LazyLock<Regex> = LazyLock::new(|| model_pattern("s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/(.{1,1024})"));
static TEXT: LazyLock<Regex> = LazyLock::new(|| model_pattern(r"[\p{L}||\p{M}||\p{Z}||\p{S}||\p{N}||\p{P}]+"));
static UNASSIGNED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\p{Cn}").unwrap());
static ROLE: LazyLock<Regex> = LazyLock::new(|| model_pattern("arn:.*"));
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| model_pattern("arn:.+"));
static ID: LazyLock<Regex> = LazyLock::new(|| model_pattern("[0-9]{10,36}"));

/// Matches the pattern, except that unassigned characters are text: the service's Unicode may have them.
fn is_text_by_pattern(text: &str) -> bool {
    let assigned =
        |at: &regex::Captures<'_>| if at[0].starts_with(is_never_assigned) { at[0].to_owned() } else { "a".to_owned() };
    TEXT.is_match(&UNASSIGNED.replace_all(text, assigned))
}

/// Text near the limits of the patterns.
fn near_s3() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("s3://".to_owned()),
        Just("/".to_owned()),
        Just("//".to_owned()),
        Just("a\u{2028}".to_owned()),
        "[a-z0-9.-]{0,66}",
        "[a-z0-9.-]{1,4}",
        "[A-Z_ \n\r\u{85}ü]{0,2}",
        "[a-zü/]{1020,1028}",
    ];
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..6).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("s3://{}", pieces.concat())),
        "s3://[a-z0-9.-]{1,66}/?[a-z/\n]{0,6}",
    ]
}

fn near_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "\\PC{0,130}",
        "[a-z]{125,129}",
        "[\u{0}-\u{20}\u{ad}\u{200d}\u{200f}\u{e000}\u{378}|é]{0,3}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn destinations(value in near_s3()) {
        let expected = DESTINATION.is_match(&value);
        prop_assert_eq!(s3_destination(&value).is_ok(), expected, "{:?}", value);
    }

    #[test]
    fn uris(value in near_s3()) {
        let expected = URI.is_match(&value);
        prop_assert_eq!(s3_uri(&value).is_ok(), expected, "{:?}", value);
    }

    #[test]
    fn ids(value in "[0-9]{8,38}|[0-9a-f]{9,12}|[0-9٣]{9,11}|\\PC{0,12}") {
        let expected = ID.is_match(&value);
        prop_assert_eq!(id(&value).is_ok(), expected, "{:?}", value);
    }

    #[test]
    fn texts(value in near_text()) {
        let fits = (1..=127).contains(&value.chars().count());
        let expected = fits && is_text_by_pattern(&value);
        prop_assert_eq!(name(&value).is_ok(), expected, "{:?}", value);
    }

    #[test]
    fn roles(value in "(arn:|arn|ARN:)[a-z0-9:/\n]{0,30}|arn:[a-zü]{2040,2050}|arn:aws:iam::[0-9]{12}:role/[\\PC\n\r\u{2028}]{0,4}") {
        let fits = (20..=2048).contains(&value.chars().count());
        let expected = fits && ROLE.is_match(&value);
        prop_assert_eq!(role_arn(&value).is_ok(), expected, "{:?}", value);
    }

    #[test]
    fn references(value in "(arn:|arn|ARN:)[a-z0-9:/\n]{0,6}|arn:[a-zü]{120,126}") {
        let fits = (1..=127).contains(&value.chars().count());
        let expected = fits && REFERENCE.is_match(&value);
        prop_assert_eq!(omics_arn(&value).is_ok(), expected, "{:?}", value);
    }
}

/// Checks every character, so that no category is left to chance.
#[test]
fn every_character_is_text_as_in_the_pattern() {
    for character in '\0'..=char::MAX {
        let expected = is_text_by_pattern(&character.to_string());
        assert_eq!(is_text(character), expected, "U+{:04X}", u32::from(character));
    }
}

#[test]
fn limits_of_destinations() {
    let bucket63 = "b".repeat(63);
    let prefix = |length: usize| format!("s3://bucket/{}/", "p".repeat(length));
    for (value, expected) in [
        ("s3://bucket".to_owned(), true),
        ("s3://bucket/".to_owned(), true),
        ("s3://bucket/prefix/".to_owned(), true),
        ("s3://bucket/prefix".to_owned(), false),
        ("s3://bucket/a b/ü/".to_owned(), true),
        ("s3://bu".to_owned(), false),
        ("s3://buc".to_owned(), true),
        (format!("s3://{bucket63}"), true),
        (format!("s3://{bucket63}b"), false),
        (format!("s3://{bucket63}b/"), true), // the pattern's optional slash: one b is a prefix
        (prefix(1024), true),
        (prefix(1025), false),
        ("S3://bucket".to_owned(), false),
        ("https://bucket".to_owned(), false),
        ("s3://-bucket".to_owned(), false),
        ("s3://bucket-".to_owned(), false),
        ("s3://Bucket".to_owned(), false),
        ("s3://bucket/a\nb/".to_owned(), false),
        (String::new(), false),
    ] {
        let expected_by_pattern = DESTINATION.is_match(&value);
        let found = s3_destination(&value).is_ok();
        assert_eq!(found, expected_by_pattern, "{value}");
        assert_eq!(found, expected, "{value}");
    }
}
