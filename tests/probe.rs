//! The program `probe`: what it prints of a service for each treatment of client tokens.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use healthomics::local::{ClientTokens, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;

/// Runs it with an active read set; returns exit code, table and messages.
async fn probe(client_tokens: ClientTokens, seed: SeedReadSet, reply: &str) -> (Option<i32>, String, String, usize) {
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(20))).start().await.unwrap();
    local.set_client_tokens(client_tokens);
    let store = local.create_sequence_store();
    let read_set = local.seed_read_set(&store, seed);
    let other = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let mut command = support::command("probe");
    command.args(["--endpoint-url", &local.endpoint_url(), "--store", store.as_str(), "--read-set", read_set.as_str()]);
    command.args(["--other-read-set", other.as_str(), "--after", "0"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let reply = format!("{reply}\n");
    let output = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(reply.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = output.await.unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), out, String::from_utf8(output.stderr).unwrap(), local.jobs().len())
}

fn active() -> SeedReadSet {
    SeedReadSet::active(FileType::Bam)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_assumption_is_compared_with_the_service() {
    let repeated = "| the same client token and sources | the first job |";
    for (mode, expected, code, jobs) in [
        (ClientTokens::Remembered, format!("{repeated} the first job | as assumed |"), 0, 1),
        (ClientTokens::Ignored, format!("{repeated} a second job, SUBMITTED | DIFFERENT |"), 3, 4),
        (ClientTokens::Conflict, format!("{repeated} ConflictException (409) | DIFFERENT |"), 3, 1),
        (ClientTokens::ForgottenAfter(Duration::ZERO), format!("{repeated} a second job"), 3, 4),
    ] {
        let (exit, out, err, started) = probe(mode, active(), "yes").await;
        assert!(out.contains(&expected), "{mode:?}: {out}{err}");
        assert_eq!((exit, started), (Some(code), jobs), "{mode:?}: {out}{err}");
        assert_eq!(out.lines().count(), 10, "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_started_without_a_yes_or_for_an_archived_read_set() {
    let archived = SeedReadSet::archived(FileType::Bam);
    for (seed, reply, message) in
        [(active(), "no", "error: nothing was started"), (archived, "yes", " is ARCHIVED, and nothing was started")]
    {
        let (exit, out, err, started) = probe(ClientTokens::Remembered, seed, reply).await;
        assert_eq!((exit, started, out.as_str()), (Some(1), 0, ""), "{err}");
        assert!(err.contains(message), "{err}");
    }
}
