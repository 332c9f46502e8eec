//! Where in a JSON text a parser stopped.

use std::fmt;

/// How long the name of a field is at most that a path shows, in bytes.
const MAX_NAME: usize = 64;

/// The path of the field that a parser reached: `sources[0].tags`. Lines and columns start at 1, columns count bytes.
pub(super) fn path_at(text: &str, line: usize, column: usize) -> String {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let reached = text.as_bytes().get(..line_start.saturating_add(column)).unwrap_or(text.as_bytes());
    let mut open = Vec::new();
    let mut string_start = None;
    let mut last_string = "";
    let mut escaped = false;
    for (index, byte) in reached.iter().enumerate() {
        match (string_start, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(start), b'"') => {
                last_string = text.get(start..index).unwrap_or_default();
                string_start = None;
            }
            (None, b'"') => string_start = Some(index + 1),
            (None, b'{') => open.push(Segment::Field("")),
            (None, b'[') => open.push(Segment::Item(0)),
            (None, b'}' | b']') => drop(open.pop()),
            (None, b':') => {
                if let Some(Segment::Field(name)) = open.last_mut() {
                    *name = last_string;
                }
            }
            (None, b',') => {
                if let Some(Segment::Item(index)) = open.last_mut() {
                    *index += 1;
                }
            }
            _ => {}
        }
    }
    let path: String = open.iter().map(Segment::to_string).collect();
    path.trim_start_matches('.').to_owned()
}

/// A field of an object, or an item of a list.
enum Segment<'a> {
    Field(&'a str),
    Item(usize),
}

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field("") => Ok(()),
            // What is no name of a field may be data.
            Self::Field(name) if name.len() > MAX_NAME || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                f.write_str(".…")
            }
            Self::Field(name) => write!(f, ".{name}"),
            Self::Item(index) => write!(f, "[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::path_at;

    /// The path where the text ends.
    fn path_at_end(text: &str) -> String {
        let line = text.lines().count();
        let column = text.lines().last().map_or(0, str::len);
        path_at(text, line, column)
    }

    #[test]
    fn a_path_names_fields_and_items() {
        for (text, expected) in [
            ("", ""),
            ("{", ""),
            (r#"{"id":"#, "id"),
            (r#"{"id":"1","sources":[{"a":1},{"tags":{"k":"#, "sources[1].tags.k"),
            ("{\n  \"sources\": [\n    null,\n    7", "sources[1]"),
            (r#"{"a":"}]\",[","b":[[],[0,"#, "b[1][1]"),
            (r#"{"a":{"b":1}"#, "a"),
        ] {
            assert_eq!(path_at_end(text), expected, "{text}");
        }
    }

    #[test]
    fn a_name_that_may_be_data_is_not_shown() {
        assert_eq!(path_at_end(r#"{"tags":{"patient name":"#), "tags.…");
        assert_eq!(path_at_end(&format!(r#"{{"{}":"#, "x".repeat(65))), "…");
    }

    #[test]
    fn a_position_outside_of_the_text_is_its_end() {
        assert_eq!(path_at(r#"{"id":7}"#, 1, 1_000), "");
        assert_eq!(path_at(r#"{"id":7"#, 9, usize::MAX), "id");
    }
}
