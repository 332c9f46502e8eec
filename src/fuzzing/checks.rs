//! What the fuzz targets check of errors and outputs.

use std::fmt::{self, Write as _};

use crate::Error;
use crate::error::Context;

/// The longest line that an error may take in a log, in bytes.
const MAX_LINE_LENGTH: usize = 8_000;

/// Counts the bytes of a text without storing it.
pub(crate) struct Length(usize);

impl Length {
    pub(crate) fn of(shown: fmt::Arguments<'_>) -> usize {
        let mut length = Self(0);
        assert!(length.write_fmt(shown).is_ok());
        length.0
    }
}

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

pub(crate) fn context(operation: &'static str) -> Context {
    Context::of_responses(operation, Box::default())
}

/// Asserts that an error is one line of bounded length, without characters that would change how a terminal shows it.
pub(crate) fn assert_fit_for_a_log(error: &Error) {
    for shown in [error.to_string(), error.report().to_string()] {
        assert_one_line(&shown);
        assert!(shown.len() <= MAX_LINE_LENGTH, "{} bytes: {shown}", shown.len());
    }
}

pub(crate) fn assert_one_line(shown: &str) {
    assert!(!shown.contains(can_mislead), "{shown:?}");
}

fn can_mislead(character: char) -> bool {
    let changes_direction =
        matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || changes_direction || matches!(character, '\u{2028}' | '\u{2029}')
}
