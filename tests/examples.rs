//! Every example runs to its end and prints what it should.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;

/// Runs an example and returns its output.
fn run(name: &str) -> String {
    let output = Command::new(support::example(name)).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{name}: {}\n{out}{err}", output.status);
    out
}

fn assert_prints(name: &str, parts: &[&str]) {
    let output = run(name);
    for part in parts {
        assert!(output.contains(part), "{name} does not print {part:?} but\n{output}");
    }
}

#[test]
fn every_call_has_an_example() {
    assert_prints("start_read_set_export_job", &["is SUBMITTED"]);
    assert_prints(
        "get_read_set_export_job",
        &["is COMPLETED_WITH_FAILURES", "failed: Read set is not in ACTIVE state"],
    );
    assert_prints("start_read_set_import_job", &["is SUBMITTED"]);
    assert_prints("get_read_set_import_job", &["became read set", "broken.bam failed: File validation failed"]);
    assert_prints(
        "start_read_set_activation_job",
        &["3 attempts, no attempts left, may have been applied]", "is SUBMITTED", "1 job was started"],
    );
    assert_prints("get_read_set_activation_job", &["is COMPLETED", "No activation needed"]);
    assert_prints("batch_delete_read_set", &["0 of 250 read sets are left"]);
    assert_prints(
        "list_read_sets",
        &[
            "250 read sets of HG00096 are archived",
            "must be activated first",
            "has 318707139 bytes",
            "10 activation jobs wait; more to come: true",
            "3 activation jobs wait; more to come: false",
        ],
    );
}

#[test]
fn jobs_are_followed_to_their_end() {
    assert_prints(
        "progress_bar",
        &["is COMPLETED_WITH_FAILURES, 1 of 50 failed: s3://my-bucket/lane-7.bam: File validation"],
    );
    assert_prints("watch_jobs", &["1000 read sets of 50 jobs are active"]);
}

#[test]
fn events_lead_to_outcomes() {
    assert_prints(
        "job_events",
        &[
            "nothing to do about this \"Read Set Import Job Status Change\"",
            ": 1 finished, 1 failed",
            "s3://my-bucket/a.bam became read set",
            "read set 5555555555 is ARCHIVED",
            "nothing to do about this \"Run Status Change\"",
        ],
    );
}

#[test]
fn a_function_that_is_invoked_again_starts_no_job_twice() {
    assert_prints(
        "lambda_handler",
        &[
            "cold start: the client is there after",
            "): ServiceQuotaExceededException (402): Too many jobs; wait for running activation jobs to end",
            "invocation 3: {\"jobs\":[",
            "3 jobs were started",
        ],
    );
}

#[test]
fn a_function_of_durable_steps_continues_after_the_last_one() {
    assert_prints(
        "durable_steps",
        &[
            "invocation 2: Err(\"activation job",
            "; 1 steps, 1 jobs",
            "invocation 3: Err(StartReadSetExportJob",
            "; 2 steps, 2 jobs",
            "invocation 6: Ok(Completed); 4 steps, 2 jobs",
        ],
    );
}

#[test]
fn read_sets_of_the_same_content_are_found() {
    assert_prints("duplicates", &["3 read sets were imported", "of 2 read sets with the same content,"]);
}

#[test]
fn a_read_set_is_read_from_amazon_s3() {
    assert_prints(
        "read_from_s3",
        &[
            "Amazon S3 is asked for /123456789012-healthomics-s3alias/123456789012/sequenceStore/",
            "source1.cram of read set",
            "begins with \"CRAM\"",
        ],
    );
}

#[test]
fn an_order_is_validated_before_it_is_accepted() {
    assert_prints(
        "validate_orders",
        &[
            "422 Unprocessable Entity",
            "\"field\": \"runId\",\n    \"index\": null",
            "\"field\": \"destination\"",
            "\"field\": \"sources[1].readSetId\",\n    \"index\": 1",
            "\"field\": \"sources[2].readSetId\",\n    \"index\": 2",
            "202 Accepted",
        ],
    );
}

/// Without a store they use an embedded service.
#[test]
fn the_tools_show_what_they_do() {
    assert_prints("import", &["7 of 7 sources became read sets in 3 jobs"]);
    assert_prints("export", &["10 of 10 read sets exported in 3 jobs"]);
    assert_prints("report", &["sample,subject,name,read_set_id,status,created,reason", "U0a,NA12878,,", ",ARCHIVED,"]);
}

#[test]
fn every_kind_of_error_has_advice() {
    assert_prints(
        "handle_errors",
        &[
            "ServiceQuotaExceededException (402): Too many jobs",
            "wait for a job to end",
            "send fewer requests, wait None",
            "broke before the response: it was reset [1 attempt, no attempts left, may have been applied]",
            "repeat the call with the token; may have been applied: true",
            "check store, region and account",
            "fix sequenceStoreId: \"12a\" must be 10 to 36 digits",
        ],
    );
}

#[test]
fn the_quickstart_takes_a_manifest_from_import_to_export() {
    assert_prints(
        "quickstart",
        &[
            "Import 5 sources",
            "+ HG00146 low coverage   FASTQ became read set",
            "+ HG00100 chromosome 20  BAM   became read set",
            "+ HG00096 low coverage   CRAM  became read set",
            "+ NA12878 20k reads      UBAM  became read set",
            "! NA12878 U0a lane 1     FAILED File validation failed; check s3://aws-genomics-static-us-east-1/",
            "COMPLETED_WITH_FAILURES, ",
            "Activate read set",
            "5 of 5 read sets are in s3://my-bucket/exports/ now",
        ],
    );
}

#[test]
fn snippets_are_short() {
    for name in ["duplicates", "durable_steps", "read_from_s3", "validate_orders"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.rs"));
        let lines = std::fs::read_to_string(path).unwrap().lines().count();
        assert!(lines < 60, "{name} has {lines} lines");
    }
}

#[test]
fn programs_of_any_language_call_the_local_service() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(support::example("local_service")).arg(cargo).arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("the program ended with exit"), "{text}");
}

#[test]
fn examples_of_single_calls_are_short() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains("read_set") {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines < 80, "{name} has {lines} lines");
            seen += 1;
        }
    }
    assert_eq!(seen, 8);
}

/// The sources of an example, and its name. The programs of several files share those in `shared`.
fn sources_of_examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for entry in std::fs::read_dir("examples").unwrap().map(|entry| entry.unwrap().path()) {
        let main = if entry.is_dir() { entry.join("main.rs") } else { entry.clone() };
        if main.extension().is_none_or(|extension| extension != "rs") || !main.exists() {
            continue;
        }
        let mut text = std::fs::read_to_string(&main).unwrap();
        let mut folders = Vec::new();
        if entry.is_dir() {
            folders.push(entry.clone());
        }
        if text.contains("\nmod shared;") {
            folders.push("examples/shared".into());
        }
        for folder in folders {
            for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
                if file != main {
                    text.push_str(&std::fs::read_to_string(file).unwrap());
                }
            }
        }
        examples.push((main.display().to_string(), text));
    }
    examples
}

/// An example needs no more than the installation in README, or its first lines say what else it needs.
#[test]
fn an_example_names_what_it_needs_beyond_the_installation_of_the_readme() {
    let examples = sources_of_examples();
    assert!(examples.iter().any(|(name, text)| name.contains("import") && text.contains("indicatif::")));
    for (name, text) in examples {
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        let features = [("tokio::signal", "feature `signal`"), ("from_default_chain", "--features aws-config")];
        let crates = [
            "clap",
            "csv",
            "fastrand",
            "indicatif",
            "serde_json",
            "time",
            "tracing",
            "tracing_subscriber",
            "axum",
            "serde",
            "object_store",
            "rustls",
        ];
        let needed = crates.map(|name| (format!("{name}::"), format!("`{name} = ")));
        let features = features.map(|(used, named)| (used.to_owned(), named.to_owned()));
        for (used, named) in needed.into_iter().chain(features) {
            let uses = text.match_indices(&used).any(|(at, _)| !text[..at].ends_with([':', '_']));
            assert!(!uses || head.contains(&named), "{name} uses {used} and does not say that it needs it");
        }
    }
}
