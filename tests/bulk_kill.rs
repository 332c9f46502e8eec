//! Bulk runs in processes that are terminated by SIGKILL at random moments, and in several processes at the same time:
//! every item is imported exactly once.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use healthomics::SequenceStoreId;
use healthomics::local::{ClientTokens, Fault, JobKind, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use support::Folder;

const ITEMS: usize = 400;
const GROUP_SIZE: usize = 10;
const GROUPS: usize = ITEMS / GROUP_SIZE;
const START: &str = "StartReadSetImportJob";
/// The test ends much earlier, when enough processes were terminated and a run is complete.
const MAX_PROCESSES: usize = 2_000;

/// A manifest of 400 sources.
fn manifest(folder: &Folder) -> PathBuf {
    let mut rows = "sample,subject,fastq_1,fastq_2,ubam,tag:batch\n".to_owned();
    for number in 0..ITEMS {
        let uri = format!("s3://my-bucket/run-7/{number}");
        match number % 3 {
            0 => writeln!(rows, "s{number},NA12878,{uri}_1.fastq.gz,{uri}_2.fastq.gz,,{}", number / 100),
            _ => writeln!(rows, "s{number},NA12878,,,{uri}.bam,"),
        }
        .unwrap();
    }
    folder.write("samples.csv", rows)
}

/// The sources of [`manifest`], by their first file.
fn source1(number: usize) -> String {
    let end = if number.is_multiple_of(3) { "_1.fastq.gz" } else { ".bam" };
    format!("s3://my-bucket/run-7/{number}{end}")
}

/// One run of the example. All of its processes have the same store, run id and manifest.
struct Run<'a> {
    local: &'a LocalService,
    store: SequenceStoreId,
    id: String,
    manifest: &'a Path,
}

impl Run<'_> {
    fn command(&self, journal: &Path) -> Command {
        let mut command = support::command("import");
        command.args([
            "--endpoint-url",
            &self.local.endpoint_url(),
            "--store",
            self.store.as_str(),
            "--run-id",
            &self.id,
        ]);
        command.args(["--role", "arn:aws:iam::123456789012:role/OmicsImport"]);
        command.args(["--group-size", &GROUP_SIZE.to_string(), "--poll-ms", "10", "--requests-per-second", "100"]);
        command.arg("--manifest").arg(self.manifest).arg("--journal").arg(journal);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Every item of the manifest is in exactly one job, and there are as many jobs as groups.
    fn assert_each_once(&self) {
        let jobs: Vec<_> = self.local.jobs().into_iter().filter(|job| job.sequence_store_id == self.store).collect();
        let mut seen: HashMap<_, usize> = HashMap::new();
        for item in jobs.iter().flat_map(|job| &job.items) {
            *seen.entry(item.key.clone()).or_default() += 1;
        }
        for number in 0..ITEMS {
            assert_eq!(seen.remove(&source1(number)), Some(1), "{}: source {number}", self.id);
        }
        assert!(seen.is_empty(), "{}: {seen:?}", self.id);
        assert_eq!(jobs.len(), GROUPS, "{}: jobs", self.id);
    }
}

/// One process. It is terminated at the end of the test, as it would retry without a limit when the service has ended.
struct Process(Option<Child>);

impl Process {
    fn spawn(mut command: Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// Terminates the process by SIGKILL. `false` if it had ended before.
    fn terminate(&mut self) -> bool {
        let child = self.0.as_mut().unwrap();
        child.kill().unwrap();
        child.wait().unwrap().signal() == Some(9)
    }

    /// The output of a successful process.
    fn output(mut self) -> String {
        let output = self.0.take().unwrap().wait_with_output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{}\n{out}{err}", output.status);
        out
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The output of the example if no item failed.
fn all_in(items: usize, jobs: usize) -> String {
    format!("{items} of {items} sources became read sets in {jobs} jobs\n")
}

/// The number of starts in a journal beyond the first of each group: starts that were repeated as they were indeterminate.
fn indeterminate(journal: &Path) -> usize {
    let text = std::fs::read_to_string(journal).unwrap();
    text.lines().filter(|line| line.contains(r#""line":"starting""#)).count() - GROUPS
}

/// Faults of the first starts: some responses are lost, some are errors or late.
fn queue_faults(local: &LocalService, random: &mut fastrand::Rng, count: usize) {
    for _ in 0..count {
        local.queue_fault(
            START,
            match random.u8(0..10) {
                0 => Fault::ResetAfter,
                1 => Fault::error(500, "InternalServerException", "An unexpected error occurred."),
                2 => Fault::Delay(Duration::from_millis(random.u64(0..60))),
                _ => Fault::Delay(Duration::ZERO),
            },
        );
    }
}

/// Processes are started and terminated until enough were terminated while running; then one may finish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_terminated_at_any_moment_imports_every_item_once() {
    const TERMINATIONS: usize = 60;
    let seed = std::env::var("BULK_KILL_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("BULK_KILL_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let started_at = Instant::now();
    let folder = Folder::new("bulk-terminate");
    let manifest = manifest(&folder);
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(40))).start().await.unwrap();

    let (mut terminated, mut processes, mut indeterminate_starts, mut runs) = (0, 0, 0, Vec::new());
    // Each round is a run of its own, terminated until it ends or enough processes were terminated.
    while terminated < TERMINATIONS {
        let number = runs.len();
        let run = Run {
            local: &local,
            store: local.create_sequence_store(),
            id: format!("run-{number}"),
            manifest: &manifest,
        };
        let journal = folder.0.join(format!("{number}.jsonl"));
        // The first process is terminated when the service has started its first job, before the response.
        local.queue_fault(START, Fault::HangAfter);
        queue_faults(&local, &mut random, 2 * GROUPS);
        let mut process = Process::spawn(run.command(&journal));
        let spawned_at = Instant::now();
        while !local.jobs().iter().any(|job| job.sequence_store_id == run.store) {
            assert!(spawned_at.elapsed() < Duration::from_mins(2), "the first process starts no job");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(process.terminate());
        terminated += 1;
        processes += 1;
        loop {
            processes += 1;
            assert!(processes < MAX_PROCESSES, "{terminated} processes were terminated");
            let mut process = Process::spawn(run.command(&journal));
            if terminated < TERMINATIONS {
                std::thread::sleep(Duration::from_micros(random.u64(0..150_000)));
                if process.terminate() {
                    terminated += 1;
                    continue;
                }
            }
            assert_eq!(process.output(), all_in(ITEMS, GROUPS));
            break;
        }
        indeterminate_starts += indeterminate(&journal);
        local.clear_faults();
        run.assert_each_once();
        runs.push(run);
    }

    // Later runs do not change finished ones, and resuming a finished run sends nothing.
    let before = local.requests().len();
    for (number, run) in runs.iter().enumerate() {
        let process = Process::spawn(run.command(&folder.0.join(format!("{number}.jsonl"))));
        assert_eq!(process.output(), all_in(ITEMS, GROUPS));
        run.assert_each_once();
    }
    assert_eq!(local.requests().len(), before, "a finished run sends no request");
    assert_eq!(local.jobs().len(), GROUPS * runs.len());
    assert!(terminated >= 50, "{terminated} running processes were terminated");
    assert!(indeterminate_starts >= runs.len(), "the first process of each run was terminated before a response");
    let starts = local.requests().iter().filter(|request| request.operation == Some(START)).count();
    let (runs, seconds) = (runs.len(), started_at.elapsed().as_secs_f64());
    println!(
        "{terminated} of {processes} processes terminated in {runs} runs, {indeterminate_starts} between a start and its response, {starts} starts sent for {} jobs, {seconds:.1} s",
        GROUPS * runs
    );
}

/// Each of eight shards runs twice, and the whole plan at the same time, without communication.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seventeen_processes_that_overlap_import_every_item_once() {
    let started_at = Instant::now();
    let folder = Folder::new("bulk-overlap");
    let manifest = manifest(&folder);
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(60))).start().await.unwrap();
    let run = Run { local: &local, store: local.create_sequence_store(), id: "run".to_owned(), manifest: &manifest };

    let mut all = vec![(Process::spawn(run.command(&folder.0.join("whole.jsonl"))), ITEMS, GROUPS)];
    for index in 0..8 {
        for twin in ["a", "b"] {
            let mut command = run.command(&folder.0.join(format!("{index}{twin}.jsonl")));
            command.args(["--shard", &format!("{index}/8")]);
            all.push((Process::spawn(command), ITEMS / 8, GROUPS / 8));
        }
    }
    let processes = all.len();
    for (process, items, jobs) in all {
        assert_eq!(process.output(), all_in(items, jobs));
    }
    run.assert_each_once();
    let starts = local.requests().iter().filter(|request| request.operation == Some(START)).count();
    assert_eq!(starts, 3 * GROUPS, "each group was started three times, as one job");
    println!(
        "{processes} processes, {starts} starts sent for {GROUPS} jobs, {:.1} s",
        started_at.elapsed().as_secs_f64()
    );
}

/// Without client tokens the journal and the jobs of the store are all that a run goes by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_without_client_tokens_that_is_terminated_imports_every_item_once() {
    const TERMINATIONS: usize = 5;
    let folder = Folder::new("bulk-distrust");
    let manifest = manifest(&folder);
    for mode in [ClientTokens::Ignored, ClientTokens::Conflict, ClientTokens::ForgottenAfter(Duration::ZERO)] {
        let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(40))).start().await.unwrap();
        local.set_client_tokens(mode);
        let run =
            Run { local: &local, store: local.create_sequence_store(), id: "run".to_owned(), manifest: &manifest };
        let journal = folder.0.join(format!("{}.jsonl", format!("{mode:?}").to_lowercase()));
        let command = || {
            let mut command = run.command(&journal);
            // A request of a terminated process has arrived by then.
            command.args(["--distrust-client-tokens", "--reconcile-after-ms", "1000"]);
            command
        };
        for _ in 0..TERMINATIONS {
            // A start is late, and the next one loses its response.
            local.queue_fault(START, Fault::Delay(Duration::from_millis(fastrand::u64(0..200))));
            local.queue_fault(START, Fault::ResetAfter);
            let mut process = Process::spawn(command());
            std::thread::sleep(Duration::from_millis(fastrand::u64(20..1_500)));
            process.terminate();
        }
        local.clear_faults();
        assert_eq!(Process::spawn(command()).output(), all_in(ITEMS, GROUPS), "{mode:?}");
        run.assert_each_once();
    }
}

/// Archived read sets are activated and exported by one run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_activates_and_exports_starts_each_job_once() {
    const TERMINATIONS: usize = 40;
    const READ_SETS: usize = 300;
    let folder = Folder::new("bulk-activate");
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(40))).start().await.unwrap();
    let mut terminated = 0;
    let mut runs = 0;
    while terminated < TERMINATIONS {
        runs += 1;
        let store = local.create_sequence_store();
        let seed = |_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam)).to_string();
        let read_sets: Vec<_> = (0..READ_SETS).map(seed).collect();
        let ids = folder.write(&format!("{runs}.txt"), read_sets.join("\n"));
        let command = || {
            let mut command = support::command("export");
            command.args(["--endpoint-url", &local.endpoint_url(), "--store", store.as_str(), "--run-id", "run"]);
            command.args(["--role", "arn:aws:iam::123456789012:role/OmicsExport", "--destination", "s3://bucket/"]);
            command.args(["--activate-archived", "--group-size", "30", "--poll-ms", "10"]);
            command.args(["--requests-per-second", "100", "--from"]).arg(&ids);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            command
        };
        for kind in ["Activation", "Export"] {
            for _ in 0..20 {
                let fault = if fastrand::bool() { Fault::ResetAfter } else { Fault::Delay(Duration::ZERO) };
                local.queue_fault(&format!("StartReadSet{kind}Job"), fault);
            }
        }
        loop {
            let mut process = Process::spawn(command());
            if terminated < TERMINATIONS {
                std::thread::sleep(Duration::from_micros(fastrand::u64(0..400_000)));
                if process.terminate() {
                    terminated += 1;
                    continue;
                }
            }
            let output = process.output();
            assert!(output.starts_with("300 of 300 read sets exported in 10 jobs\n"), "{output}");
            break;
        }
        local.clear_faults();
        for (kind, jobs) in [(JobKind::Activation, 15), (JobKind::Export, 10)] {
            let of_run: Vec<_> = local.jobs().into_iter().filter(|job| job.sequence_store_id == store).collect();
            let of_run: Vec<_> = of_run.into_iter().filter(|job| job.kind == kind).collect();
            let mut keys: Vec<_> = of_run.iter().flat_map(|job| &job.items).map(|item| item.key.clone()).collect();
            keys.sort_unstable();
            let mut expected = read_sets.clone();
            expected.sort_unstable();
            assert_eq!((of_run.len(), keys), (jobs, expected), "{kind:?} of run {runs}");
        }
    }
    println!("{terminated} processes terminated in {runs} runs");
}
