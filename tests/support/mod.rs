//! What several tests share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses some of it")]

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The features of this package that this test was built with.
fn features() -> String {
    let all = [
        ("default", cfg!(feature = "default")),
        ("rustls", cfg!(feature = "rustls")),
        ("rustls-aws-lc-rs", cfg!(feature = "rustls-aws-lc-rs")),
        ("native-tls", cfg!(feature = "native-tls")),
        ("sdk-config", cfg!(feature = "sdk-config")),
        ("aws-config", cfg!(feature = "aws-config")),
        ("blocking", cfg!(feature = "blocking")),
        ("local", cfg!(feature = "local")),
    ];
    all.into_iter().filter(|(_, enabled)| *enabled).map(|(name, _)| name).collect::<Vec<_>>().join(",")
}

/// The program of an example, which is built if it is not up to date: `cargo test --test NAME` builds none.
pub fn example(name: &str) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    if let Some(program) = built.get(name) {
        return program.clone();
    }
    // <target>/<profile>/deps/<test>
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap().parent().unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    cargo.args(["build", "--quiet", "--locked", "--offline", "--no-default-features", "--features", &features()]);
    cargo.arg("--manifest-path").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    cargo.arg("--target-dir").arg(folder.parent().unwrap());
    // What this test has of its own package would make build scripts run again.
    for (variable, _) in std::env::vars_os() {
        let shown = variable.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(variable);
        }
    }
    let profile = folder.file_name().unwrap();
    cargo.arg("--profile").arg(if profile == "debug" { "dev".as_ref() } else { profile });
    let output = cargo.args(["--example", name]).output().unwrap();
    assert!(output.status.success(), "{name} can't be built: {}", String::from_utf8_lossy(&output.stderr));
    let program = folder.join("examples").join(name);
    built.insert(name.to_owned(), program.clone());
    program
}
