//! How a program ends: its exit code, and the errors that it prints.

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

/// The exit codes, for `--help`.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  all items have finished
  1  the program could not run: wrong arguments or input, no credentials, …
  3  some items have failed
  4  some items have no result: they are in no job, their result is not known,
     or the program was interrupted. Fix the cause that is printed, if there is
     one, and run the same command again: it starts nothing twice";

/// How a program ends that could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    AllFinished,
    SomeFailed,
    RunAgain,
}

/// Why a program could not run: one text for each error, each on one line.
#[derive(Debug)]
pub struct Failure(Vec<String>);

/// The number of errors that are printed.
const SHOWN_ERRORS: usize = 20;

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self(vec![text.into()])
    }

    /// Several errors of the input.
    pub fn all(texts: Vec<String>) -> Self {
        Self(texts)
    }

    fn print(&self) {
        for text in self.0.iter().take(SHOWN_ERRORS) {
            eprintln!("error: {text}");
        }
        if self.0.len() > SHOWN_ERRORS {
            eprintln!("error: and {} more errors", self.0.len() - SHOWN_ERRORS);
        }
    }
}

/// The text of an error, followed by its causes.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        Self::new(text)
    }
}

/// `1 item`, `2 items`
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Parses the arguments. Wrong ones have the exit code 1, and `--help` has 0.
pub fn arguments<T: Parser>() -> Result<T, ExitCode> {
    T::try_parse().map_err(|error| {
        // There is nothing to do if the terminal is closed.
        let _ = error.print();
        if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS }
    })
}

/// Prints why a program could not run, and returns its exit code.
pub fn code(result: Result<Exit, Failure>) -> ExitCode {
    match result {
        Ok(Exit::AllFinished) => ExitCode::SUCCESS,
        Ok(Exit::SomeFailed) => ExitCode::from(3),
        Ok(Exit::RunAgain) => ExitCode::from(4),
        Err(failure) => {
            failure.print();
            ExitCode::from(1)
        }
    }
}
