//! README and the documents beside it stay short and true. `cargo test --doc` compiles and runs the programs of README.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

const MAX_LINES: usize = 150;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The value of `name = "value"` in Cargo.toml.
fn package_value(name: &str) -> String {
    let manifest = read("Cargo.toml");
    let line = manifest.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

#[test]
fn readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= MAX_LINES, "README.md has {lines} lines");
}

#[test]
fn readme_has_the_two_set_up_commands_and_no_others() {
    let readme = read("README.md");
    let blocks: Vec<_> = readme.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks, ["cargo run --example quickstart\ncargo test\n"]);
}

#[test]
fn readme_states_the_current_versions() {
    let version = package_value("version");
    let (major_and_minor, _) = version.rsplit_once('.').unwrap();
    let readme = read("README.md");
    assert!(readme.contains(&format!("healthomics = \"{major_and_minor}\"")));
    assert!(readme.contains(&format!("Rust {}", package_value("rust-version"))));
}

/// The page of a package registry has no files beside README, so that a relative link is dead there.
#[test]
fn readme_has_absolute_links_alone() {
    let readme = read("README.md");
    let links: Vec<_> = readme.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(links.len() > 3, "{links:?}");
    for link in &links {
        assert!(link.starts_with("https://"), "{link} is not absolute");
    }
    assert!(!readme.contains("]: "), "a reference of a link is not checked");
    assert!(!readme.contains("href="), "a link in HTML is not checked");
}

/// docs.rs shows the files of the package, and README the names of others in the repository.
#[test]
fn readme_names_files_that_exist() {
    let readme = read("README.md");
    let source = "https://docs.rs/crate/healthomics/latest/source/";
    let linked = readme.split(source).skip(1).map(|rest| rest.split(')').next().unwrap());
    let is_file = |span: &&str| span.contains(".md") || span.starts_with("LICENSE") || span.starts_with("tests/");
    let named = readme.split('`').skip(1).step_by(2).filter(is_file);
    let files: Vec<_> = linked.chain(named).collect();
    assert!(files.len() > 6, "{files:?}");
    for file in files {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(), "there is no {file}");
    }
}

#[test]
fn architecture_and_contributing_name_files_that_exist() {
    let mut count = 0;
    for document in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read(document);
        for span in text.split('`').skip(1).step_by(2) {
            let is_path =
                ["src/", "tests/", "benches/", "examples/", "fuzz/", ".ci/"].iter().any(|root| span.starts_with(root));
            let is_pattern = span.contains(|c: char| c == '*' || c == ' ' || c.is_ascii_uppercase());
            if is_path && !is_pattern {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(span);
                assert!(path.exists(), "{document}: there is no {span}");
                count += 1;
            }
        }
    }
    assert!(count > 30, "{count} paths");
}

#[test]
fn changelog_has_a_section_for_the_current_version() {
    assert!(read("CHANGELOG.md").contains(&format!("## [{}]", package_value("version"))));
}
