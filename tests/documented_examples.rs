//! Documented examples behave as the reader sees them: no hidden line changes the pace of jobs or polls.
//!
//! `cargo test --doc` runs the examples.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Settings that a reader must see to get the same result in the same time.
const SETTINGS: [&str; 5] = ["poll_every", "poll_interval", "Pace::", ".pace(", PAUSED_CLOCK];
const PAUSED_CLOCK: &str = "start_paused";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "md") {
            found.push(path);
        }
    }
}

/// The text of a line of documentation, or `None` for a line of code.
fn documentation(path: &Path, line: &str) -> Option<String> {
    let line = line.trim_start();
    if path.extension().is_some_and(|extension| extension == "md") {
        return Some(line.to_owned());
    }
    let text = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
    Some(text.strip_prefix(' ').unwrap_or(text).to_owned())
}

#[test]
fn no_hidden_line_changes_the_pace_of_an_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    files(&root.join("src"), &mut paths);
    let mut hidden = 0;
    let mut found = Vec::new();
    for path in paths {
        let mut in_block = false;
        let mut shows_paused_clock = false;
        for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
            let Some(text) = documentation(&path, line) else { continue };
            if text.starts_with("```") {
                in_block = !in_block;
                shows_paused_clock = false;
            } else if in_block && text.starts_with("# ") {
                hidden += 1;
                // An example that shows the attribute of a test with a paused clock has a hidden `main` with that clock.
                let is_shown = shows_paused_clock && text.contains(PAUSED_CLOCK);
                if !is_shown && SETTINGS.iter().any(|setting| text.contains(setting)) {
                    found.push(format!("{}:{number}: {text}", path.display()));
                }
            } else if in_block {
                shows_paused_clock |= text.contains(PAUSED_CLOCK);
            }
        }
    }
    assert!(hidden > 100, "{hidden} hidden lines");
    assert!(found.is_empty(), "hidden settings:\n{}", found.join("\n"));
}

/// A rendered page of 1,200 pixels shows this many columns of code; longer lines are cut off. The output of programs,
/// in blocks of `text`, has lines of its own lengths.
const MAX_COLUMNS: usize = 90;

#[test]
fn code_of_the_documentation_fits_on_its_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    files(&root.join("src"), &mut paths);
    let mut lines = 0;
    let mut too_long = Vec::new();
    for path in paths {
        let mut block = None;
        for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
            let Some(text) = documentation(&path, line) else { continue };
            match (text.trim_start().strip_prefix("```"), block.is_some()) {
                (Some(language), false) => block = Some(language.to_owned()),
                (Some(_), true) => block = None,
                (None, _) if block.as_deref().is_some_and(|language| language != "text") && !text.starts_with("# ") => {
                    lines += 1;
                    if text.chars().count() > MAX_COLUMNS {
                        too_long.push(format!("{}:{number}: {text}", path.display()));
                    }
                }
                (None, _) => {}
            }
        }
    }
    assert!(lines > 1000, "{lines} lines of code");
    assert!(too_long.is_empty(), "lines of more than {MAX_COLUMNS} columns:\n{}", too_long.join("\n"));
}
