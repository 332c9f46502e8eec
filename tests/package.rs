//! The package has every file that its sources name, so that its own tests compile wherever it is unpacked.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The files of the package, as paths from its root.
fn packaged() -> BTreeSet<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = Command::new(cargo)
        .args(["package", "--list", "--allow-dirty", "--offline", "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(PathBuf::from).collect()
}

/// The paths in a source that follow one of the ways to name a file. A path that is put together of several strings is
/// its first string.
fn named_files(source: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for before in ["include_str!(", "include_bytes!(", "include!(", "#[path = "] {
        for (at, _) in source.match_indices(before) {
            let rest = &source[at + before.len()..];
            let rest = rest.trim_start().strip_prefix("concat!(").unwrap_or(rest);
            let text = rest.trim_start().strip_prefix('"').unwrap_or_else(|| panic!("not a string: {rest:.60}"));
            named.push(text.split_once('"').unwrap().0);
        }
    }
    named
}

/// A path without `..`, relative to the root of the package.
fn normalized(path: &Path) -> PathBuf {
    let mut normalized = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(normalized.pop(), "{} is outside of the package", path.display()),
            Component::CurDir => {}
            other => normalized.push(other),
        }
    }
    normalized
}

#[test]
fn every_file_that_a_source_includes_is_in_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packaged = packaged();
    let sources = packaged.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut found = 0;
    for path in sources {
        let source = fs::read_to_string(root.join(path)).unwrap();
        for named in named_files(&source) {
            found += 1;
            let file = normalized(&path.parent().unwrap().join(named));
            let is_packaged = packaged.contains(&file) || packaged.iter().any(|packaged| packaged.starts_with(&file));
            assert!(is_packaged, "{} includes {}, which is not in the package", path.display(), file.display());
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn every_module_is_in_the_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packaged = packaged();
    let mut on_disk = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                on_disk.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    for path in on_disk {
        assert!(packaged.contains(&path), "{} is not in the package", path.display());
    }
}

#[test]
fn named_files_are_found() {
    let source = concat!(
        "const A: &str = include_str",
        "!(\"../a.json\");\n#[doc = include_str",
        "!(\n    \"b.md\"\n)]\n#[path",
        " = \"c.rs\"]\nmod c;\nmacro_rules! d { ($name:literal) => { include_bytes",
        "!(concat!(\"d/\", $name)) } }\n",
    );
    assert_eq!(named_files(source), ["../a.json", "b.md", "d/", "c.rs"]);
    assert_eq!(normalized(Path::new("src/x/../../tests/fixtures/a.json")), Path::new("tests/fixtures/a.json"));
}
