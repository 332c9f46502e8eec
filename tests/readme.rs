//! README's Rust is what the examples and tests run: every block stands in one of them, word for word.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

/// A text without the indentation that all of its lines share, so that a block may stand deeper in a file.
fn flush_left(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let shared = text.lines().filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    text.lines().map(|line| line.get(shared..).unwrap_or("").trim_end()).collect::<Vec<_>>().join("\n")
}

fn stands_in(block: &str, source: &str) -> bool {
    let block = flush_left(block);
    let height = block.lines().count();
    let lines: Vec<_> = source.lines().collect();
    lines.windows(height).any(|window| flush_left(&window.join("\n")) == block)
}

#[test]
fn every_rust_block_of_readme_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["examples", "tests"].map(|folder| fs::read_dir(root.join(folder)).unwrap());
    let paths = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    let sources: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let mut blocks = 0;
    for (index, part) in readme.split("\n```").enumerate() {
        if let Some(block) = part.strip_prefix("rust\n").filter(|_| index % 2 == 1) {
            assert!(sources.iter().any(|source| stands_in(block, source)), "no example or test runs\n{block}");
            blocks += 1;
        }
    }
    assert!(blocks >= 8, "{blocks} blocks");
}

#[test]
fn readme_tells_the_truth_about_versions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let value = |name: &str| {
        let line = manifest.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    assert!(readme.contains(&format!("healthomics = \"{}\"", value("version").rsplit_once('.').unwrap().0)));
    assert!(readme.contains(&format!("Rust {}", value("rust-version"))));
    assert!(fs::read_to_string(root.join("CHANGELOG.md")).unwrap().contains(&format!("## [{}]", value("version"))));
}
