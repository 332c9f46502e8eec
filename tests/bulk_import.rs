//! The example `bulk_import`: what it says at the end, and of manifests that are wrong.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;

use healthomics::local::{LocalService, Pace};

/// What it prints, or all of that if it fails.
fn bulk_import(arguments: &[&str]) -> Result<String, String> {
    bulk_import_with(LocalService::SECRET_ACCESS_KEY, arguments)
}

/// In an environment that has nothing of the machine's AWS or proxy settings.
fn bulk_import_with(secret: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(support::example("bulk_import"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.starts_with("AWS_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    command.env("AWS_REGION", LocalService::REGION).env("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID);
    let output = command.env("AWS_SECRET_ACCESS_KEY", secret).args(arguments).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if output.status.success() { Ok(out) } else { Err(out + &err) }
}

fn import(name: &str, manifest: &str) -> Result<String, String> {
    let path = std::env::temp_dir().join(format!("healthomics-{name}-{}.csv", std::process::id()));
    std::fs::write(&path, manifest).unwrap();
    let output = bulk_import(&["--manifest", path.to_str().unwrap()]);
    std::fs::remove_file(&path).unwrap();
    output
}

#[test]
fn the_samples_are_imported_and_what_failed_is_named_with_its_line() {
    let output = bulk_import(&[]).unwrap();
    assert_eq!(
        output,
        "6 of 7 sources became read sets in 3 jobs\nline 6: NA12878 U0a lane 1: File validation failed\n"
    );
    let output = bulk_import(&["--shard", "1/3", "--group-size", "2"]).unwrap();
    assert_eq!(output, "2 of 2 sources became read sets in 1 jobs\n");
}

#[test]
fn a_wrong_manifest_is_refused_with_line_and_column() {
    for (name, manifest, expected) in [
        ("unknown", "sample,subject,bam,colour\na,b,s3://bucket/a,red\n", "line 1, column \"colour\""),
        ("twice", "sample,subject,bam,bam\na,b,s3://bucket/a,\n", "line 1, column \"bam\""),
        ("tag", "sample,subject,bam,tag:\na,b,s3://bucket/a,\n", "line 1, column \"tag:\""),
        ("none", "sample,subject,bam\na,b,s3://bucket/a\nc,d,\n", "line 3, columns fastq_1, bam, cram, ubam: 0 files"),
        ("two", "sample,subject,bam,cram\na,b,s3://bucket/a,s3://bucket/b\n", "line 2, columns bam, cram: 2 files"),
        ("pair", "sample,subject,bam,fastq_2\na,b,s3://bucket/a,s3://bucket/b\n", "line 2, column fastq_2"),
        ("subject", "sample,subject,bam\na,,s3://bucket/a\n", "line 2, column subject"),
        ("sample", "subject,bam\na,s3://bucket/a\n", "line 2, column sample"),
        ("cells", "sample,subject,bam\na,b\n", "line 2, column 3: 2 cells under 3"),
        ("crlf", "sample,subject,bam\r\na,b,s3://bucket/a\r\nc,d,\r\n", "line 3, columns"),
        ("blank", "sample,subject,bam\n\na,b,s3://bucket/a\n\n\nc,d,\n", "line 6, columns"),
        ("quoted", "sample,subject,bam\na,\"b\nb\",s3://bucket/a\nc,d,\n", "line 4, columns"),
        ("bom", "\u{feff}sample,subject,bam\na,b,s3://bucket/a\nc,d,\n", "line 3, columns"),
        ("uri", "sample,subject,bam\na,b,https://bucket/a\n", "sources[0].sourceFiles.source1"),
    ] {
        let error = import(name, manifest).unwrap_err();
        assert!(error.starts_with("error: ") && error.contains(expected), "{name}: {error}");
        assert_eq!(error.lines().count(), 1, "{name}: {error}");
    }
}

#[test]
fn wrong_arguments_are_refused() {
    for (arguments, expected) in [
        (&["--colour", "red"][..], "--colour is not one of"),
        (&["--shard"], "--shard needs a value"),
        (&["--shard", "8/8"], "shard 8 of 8"),
        (&["--shard", "one"], "--shard one is not like 0/8"),
        (&["--group-size", "101"], "groups of 101"),
        (&["--jobs-at-once", "-1"], "--jobs-at-once -1 is not a number that fits"),
        (&["--journal", "run.jsonl"], "--journal and --endpoint need --store"),
        (&["--manifest", "not-there.csv"], "not-there.csv: "),
    ] {
        let error = bulk_import(arguments).unwrap_err();
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

/// A refused start is retried with the same journal when its cause is fixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_starts_are_refused_fails_and_can_be_run_again() {
    let pace = Pace::Time(std::time::Duration::from_millis(20));
    let local = LocalService::builder().pace(pace).start().await.unwrap();
    let store = local.create_sequence_store();
    let journal = std::env::temp_dir().join(format!("healthomics-refused-{}.jsonl", std::process::id()));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/samples.csv");
    let (journal, manifest, url) = (journal.to_str().unwrap(), manifest.to_str().unwrap(), local.endpoint_url());
    let run = ["--store", store.as_str(), "--run-id", "run", "--manifest", manifest, "--journal", journal];
    let with = ["--endpoint", &url, "--role", "arn:aws:iam::123456789012:role/OmicsImport", "--poll-ms", "10"];
    let arguments = [&run[..], &with, &["--group-size", "4"]].concat();

    let output = bulk_import_with("wrong", &arguments).unwrap_err();
    assert!(output.starts_with("error: nothing was started: StartReadSetImportJob (store "), "{output}");
    assert_eq!(output.lines().count(), 1, "one cause is printed once: {output}");
    assert_eq!(bulk_import(&arguments).unwrap(), "7 of 7 sources became read sets in 2 jobs\n");
    assert_eq!(local.jobs().len(), 2);
    std::fs::remove_file(journal).unwrap();
}

/// Reading a FIFO would wait for a writer for ever.
#[cfg(unix)]
#[test]
fn a_journal_that_is_a_fifo_is_refused() {
    let path = std::env::temp_dir().join(format!("healthomics-fifo-{}", std::process::id()));
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let role = "arn:aws:iam::123456789012:role/OmicsImport";
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/samples.csv");
    let (journal, manifest) = (path.to_str().unwrap(), manifest.to_str().unwrap());
    let error = bulk_import(&[
        "--store",
        "1234567890",
        "--manifest",
        manifest,
        "--run-id",
        "run",
        "--role",
        role,
        "--journal",
        journal,
    ]);
    std::fs::remove_file(&path).unwrap();
    assert!(error.unwrap_err().contains("is not a regular file"));
}
