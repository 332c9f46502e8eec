//! What several tests share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses some of it")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use healthomics::local::LocalService;

/// The features of this package that this test was built with.
fn features() -> String {
    let all = [
        ("default", cfg!(feature = "default")),
        ("rustls", cfg!(feature = "rustls")),
        ("rustls-aws-lc-rs", cfg!(feature = "rustls-aws-lc-rs")),
        ("native-tls", cfg!(feature = "native-tls")),
        ("webpki-roots", cfg!(feature = "webpki-roots")),
        ("fips", cfg!(feature = "fips")),
        ("sdk-config", cfg!(feature = "sdk-config")),
        ("aws-config", cfg!(feature = "aws-config")),
        ("blocking", cfg!(feature = "blocking")),
        ("local", cfg!(feature = "local")),
        ("local-service", cfg!(feature = "local-service")),
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

/// The command of an example in an environment that has nothing of the machine's AWS or proxy settings, but the
/// credentials and the region of a local service.
pub fn command(name: &str) -> Command {
    let mut command = Command::new(example(name));
    for (variable, _) in std::env::vars_os() {
        let upper = variable.to_string_lossy().to_uppercase();
        if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
            command.env_remove(variable);
        }
    }
    command.env("AWS_REGION", LocalService::REGION).env("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID);
    command.env("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// What a program printed, and its exit code.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        Self { code: output.status.code(), out, err }
    }

    /// The lines of errors.
    pub fn errors(&self) -> Vec<&str> {
        self.err.lines().filter(|line| line.starts_with("error: ")).collect()
    }
}

/// A new directory that is removed if the test passes.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("healthomics-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// The names of its files, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
