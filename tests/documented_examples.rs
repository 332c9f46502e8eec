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
    if path.extension().is_some_and(|extension| extension == "md") {
        return Some(line.to_owned());
    }
    let line = line.trim_start();
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

/// A block of code in the documentation.
struct Block {
    /// The file and the number of its first line.
    place: String,
    language: String,
    visible: Vec<String>,
    /// The lines that are compiled but not shown, without their `# `.
    hidden: Vec<String>,
}

fn blocks() -> Vec<Block> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md")];
    files(&root.join("src"), &mut paths);
    let mut blocks = Vec::new();
    for path in paths {
        let mut block: Option<Block> = None;
        for (number, line) in (1..).zip(fs::read_to_string(&path).unwrap().lines()) {
            let Some(text) = documentation(&path, line) else { continue };
            match (text.trim_start().strip_prefix("```"), &mut block) {
                (Some(language), None) => {
                    let place = format!("{}:{number}", path.display());
                    let language = language.to_owned();
                    block = Some(Block { place, language, visible: Vec::new(), hidden: Vec::new() });
                }
                (Some(_), Some(_)) => blocks.extend(block.take()),
                (None, Some(block)) => match text.strip_prefix("# ") {
                    Some(hidden) => block.hidden.push(hidden.to_owned()),
                    None => block.visible.push(text),
                },
                (None, None) => {}
            }
        }
    }
    assert!(blocks.len() > 250, "{} blocks", blocks.len());
    blocks
}

/// A rendered page of 1,200 pixels shows this many columns of code; longer lines are cut off. The output of programs,
/// in blocks of `text`, has lines of its own lengths.
const MAX_COLUMNS: usize = 90;

#[test]
fn code_of_the_documentation_fits_on_its_page() {
    let mut too_long = Vec::new();
    for Block { place, visible, .. } in blocks().iter().filter(|block| block.language != "text") {
        let long = visible.iter().filter(|line| line.chars().count() > MAX_COLUMNS);
        too_long.extend(long.map(|line| format!("{place}: {line}")));
    }
    assert!(too_long.is_empty(), "lines of more than {MAX_COLUMNS} columns:\n{}", too_long.join("\n"));
}

/// A reader who copies an example copies its imports.
#[test]
fn no_hidden_line_imports_what_visible_code_uses() {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for Block { place, visible, hidden, .. } in blocks() {
        // Words of code that are no part of a path.
        let code: Vec<_> = visible.iter().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let code = code.join("\n").replace("::", ".");
        let is_used = |name: &&str| {
            code.match_indices(*name).any(|(at, _)| {
                let (before, after) = (&code[..at], &code[at + name.len()..]);
                !before.ends_with(|c: char| is_word(c) || c == '.') && !after.starts_with(is_word)
            })
        };
        for import in hidden.iter().filter_map(|line| line.trim_start().strip_prefix("use ")) {
            let types = import.split(|c| !is_word(c)).filter(|name| name.starts_with(char::is_uppercase));
            found.extend(types.filter(is_used).map(|name| format!("{place}: {name}")));
        }
    }
    assert!(found.is_empty(), "hidden imports:\n{}", found.join("\n"));
}
