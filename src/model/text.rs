//! Text from outside in messages and logs.

use std::fmt;

/// How much of a message is shown, in characters.
const SHOWN_CHARS: usize = 600;

/// Whether a character ends a line somewhere, or changes the order in which the text after it is shown.
fn breaks_a_line(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A message from outside, on one line and of a bounded length.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.char_indices().nth(SHOWN_CHARS).map_or(self.0, |(end, _)| &self.0[..end]);
        for (index, part) in shown.split(breaks_a_line).filter(|part| !part.is_empty()).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(part)?;
        }
        if shown.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}

/// How much of a quoted value is shown, in characters.
const QUOTED_CHARS: usize = 60;

/// A value in quotes, shortened if it is long.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(QUOTED_CHARS) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", &self.0[..end]),
        }
    }
}
