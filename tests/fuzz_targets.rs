//! Each fuzz target of the crate is a program of `fuzz/` and has a corpus. `cargo test --lib fuzzing` runs the targets.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn each_target_is_a_program_with_a_corpus() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets = names(&root.join("tests/fixtures/corpus"));
    assert_eq!(targets.len(), 9);
    assert_eq!(names(&root.join("fuzz/fuzz_targets")), targets);
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
    assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
    for name in targets {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let program = fs::read_to_string(root.join(format!("fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("healthomics::fuzzing::{name}(data)")), "{name}");
    }
}
