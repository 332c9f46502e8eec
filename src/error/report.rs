//! Errors with their causes on one line.

use std::error::Error as StdError;
use std::fmt;

use crate::model::text::OneLine;

/// An error and its causes.
pub(crate) struct Report<'a>(pub(crate) &'a dyn StdError);

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut previous = self.0.to_string();
        f.write_str(&previous)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors of other crates repeat their cause.
            if !previous.contains(&text) {
                write!(f, ": {}", OneLine(&text))?;
                previous = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// `Debug` of an error is its report, as `main` prints an error that it returns by `Debug`.
macro_rules! readable_debug {
    ($Error:ty) => {
        impl std::fmt::Debug for $Error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&crate::error::Report(self), f)
            }
        }
    };
}
pub(crate) use readable_debug;
