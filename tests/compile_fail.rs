//! What must not build, and what the compiler says of it.
//!
//! Each file of `tests/compile_fail` is compiled against the library that this test run has built. Its `// error:`
//! lines are parts of what the compiler must say. Whole messages are not pinned, as they change with the compiler.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The newest of the libraries that lie beside this test: the one it was linked with, or one built of the same source.
fn library() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let libraries = std::fs::read_dir(&deps).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("libhealthomics-") && path.extension().is_some_and(|extension| extension == "rlib")
    });
    libraries.max_by_key(|path| path.metadata().unwrap().modified().unwrap()).expect("the library was built")
}

/// What the compiler says of a file, if it refuses it.
fn refusal(file: &Path) -> Option<String> {
    let library = library();
    let output = std::env::temp_dir().join(format!("healthomics-compile-fail-{}", std::process::id()));
    std::fs::create_dir_all(&output).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let result = Command::new(rustc)
        .args(["--edition=2024", "--emit=metadata", "--color=never", "--crate-type=bin", "--diagnostic-width=200"])
        .arg("--out-dir")
        .arg(&output)
        .arg("-L")
        .arg(format!("dependency={}", library.parent().unwrap().display()))
        .arg("--extern")
        .arg(format!("healthomics={}", library.display()))
        .arg(file)
        .output()
        .expect("rustc runs");
    std::fs::remove_dir_all(&output).unwrap();
    (!result.status.success()).then(|| String::from_utf8_lossy(&result.stderr).into_owned())
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn what_must_not_build_is_refused_in_plain_words() {
    let cases = cases();
    assert!(cases.len() >= 44, "{cases:?}");
    for case in &cases {
        let source = std::fs::read_to_string(case).unwrap();
        let expected: Vec<_> = source.lines().filter_map(|line| line.strip_prefix("// error: ")).collect();
        let name = case.file_name().unwrap().to_string_lossy();
        if name.starts_with("ok_") {
            // The counter-check: what is whole does build, so that a broken set-up can't pass for a refusal.
            assert_eq!(refusal(case), None, "{name}");
            continue;
        }
        let said = refusal(case).unwrap_or_else(|| panic!("{name} builds"));
        assert!(!expected.is_empty(), "{name} expects nothing");
        for part in expected {
            assert_eq!(said.matches(part).count(), 1, "{name}: the compiler must say {part:?} once, it says\n{said}");
        }
    }
}
