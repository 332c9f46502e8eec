//! Bulk runs in processes of their own, with their journal in an Amazon S3 API: the one of moto, which has conditional puts.
//! `tests/run` installs it, and runs these tests.
//!
//! Not shown by it: the consistency and the concurrency of Amazon S3, and its limits of requests. The server does one request
//! at a time.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use healthomics::SequenceStoreId;
use healthomics::local::{ClientTokens, Fault, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::FileType;

const START: &str = "StartReadSetExportJob";
const READ_SETS: usize = 200;
const JOBS: usize = 20;
const LOCKED: Option<i32> = Some(4);

/// The server. It ends when this is dropped.
struct S3 {
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    child: Child,
    port: u16,
}

impl S3 {
    fn start() -> Self {
        let python = std::env::var_os("S3_SERVER_PYTHON").expect("tests/run sets S3_SERVER_PYTHON");
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/s3_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { input: child.stdin.take(), output, child, port: 0 };
        server.port = server.line().parse().unwrap();
        let mut connection = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        connection.write_all(b"PUT /my-bucket HTTP/1.0\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n").unwrap();
        let mut response = String::new();
        connection.read_to_string(&mut response).unwrap();
        assert!(response.contains(" 200 OK"), "{response}");
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn command(&mut self, command: &str) {
        writeln!(self.input.as_mut().unwrap(), "{command}").unwrap();
        assert_eq!(self.line(), "done");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// The program of the example `worker`, which is built if it is not up to date.
fn worker() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // <target>/debug/deps/<test>
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().unwrap().parent().unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        cargo.args(["build", "--quiet", "--locked", "--offline", "--example", "worker", "--manifest-path"]);
        cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).arg("--target-dir").arg(folder.parent().unwrap());
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(variable);
            }
        }
        assert!(cargo.status().unwrap().success());
        folder.join("examples/worker")
    })
}

/// One run: its read sets and its journal.
struct Run<'a> {
    local: &'a LocalService,
    port: u16,
    store: SequenceStoreId,
    read_sets: Vec<String>,
    lease: Duration,
    trust_client_token: bool,
}

impl<'a> Run<'a> {
    fn new(local: &'a LocalService, s3: &S3, lease: Duration) -> Self {
        let store = local.create_sequence_store();
        let seed = |_| local.seed_read_set(&store, SeedReadSet::active(FileType::Bam)).to_string();
        let read_sets = (0..READ_SETS).map(seed).collect();
        Self { local, port: s3.port, store, read_sets, lease, trust_client_token: true }
    }

    fn spawn(&self) -> Worker {
        let mut command = Command::new(worker());
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy().to_uppercase();
            if name.starts_with("AWS_") || name.ends_with("_PROXY") {
                command.env_remove(variable);
            }
        }
        command.env("AWS_REGION", LocalService::REGION).env("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID);
        command.env("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY);
        command.env("AWS_ENDPOINT_URL_OMICS", self.local.endpoint_url());
        command.env("AWS_ENDPOINT_URL_S3", format!("http://127.0.0.1:{}", self.port)).env("AWS_ALLOW_HTTP", "true");
        if !self.trust_client_token {
            command.env("DISTRUST_CLIENT_TOKENS", "1");
        }
        command.arg(self.store.as_str()).arg(format!("s3://my-bucket/journals/{}", self.store));
        command.arg(self.lease.as_millis().to_string()).args(&self.read_sets);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Worker(Some(command.spawn().unwrap()))
    }

    fn jobs(&self) -> usize {
        self.local.jobs().iter().filter(|job| job.sequence_store_id == self.store).count()
    }

    /// Every read set is in exactly one job, and there are as many jobs as groups.
    fn assert_each_once(&self) {
        let jobs: Vec<_> = self.local.jobs().into_iter().filter(|job| job.sequence_store_id == self.store).collect();
        let mut counts: HashMap<_, usize> = HashMap::new();
        for item in jobs.iter().flat_map(|job| &job.items) {
            *counts.entry(item.key.clone()).or_default() += 1;
        }
        for read_set in &self.read_sets {
            assert_eq!(counts.remove(read_set), Some(1), "{read_set}");
        }
        assert!(counts.is_empty(), "{counts:?}");
        assert_eq!(jobs.len(), JOBS);
    }

    fn assert_complete(&self, output: &Output) {
        let expected = format!("{READ_SETS} read sets in {JOBS} jobs\n");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{output:?}");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        self.assert_each_once();
    }
}

/// One process, which is terminated at the end of the test.
struct Worker(Option<Child>);

impl Worker {
    fn signal(&self, name: &str) {
        let id = self.0.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Terminates the process by SIGKILL. `false` if it had ended before.
    fn terminate(mut self) -> bool {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap().signal() == Some(9)
    }

    fn is_running(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    fn output(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something is the case, which must happen.
fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

async fn local(pace: Duration) -> LocalService {
    LocalService::builder().pace(Pace::Time(pace)).start().await.unwrap()
}

/// Processes are terminated at random moments, also while the store fails and responses of the service are lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_terminated_at_any_moment_exports_every_read_set_once() {
    const TERMINATIONS: usize = 40;
    let mut s3 = S3::start();
    let local = local(Duration::from_millis(100)).await;
    let (mut terminated, mut runs, mut processes) = (0, 0, 0);
    while terminated < TERMINATIONS {
        runs += 1;
        let run = Run::new(&local, &s3, Duration::from_millis(150));
        for _ in 0..JOBS {
            local.queue_fault(START, if fastrand::bool() { Fault::ResetAfter } else { Fault::Delay(Duration::ZERO) });
        }
        s3.command("faults 5");
        loop {
            processes += 1;
            let worker = run.spawn();
            if terminated < TERMINATIONS {
                std::thread::sleep(Duration::from_micros(fastrand::u64(0..800_000)));
                if worker.terminate() {
                    terminated += 1;
                    continue;
                }
            } else {
                s3.command("faults 0");
                run.assert_complete(&worker.output());
            }
            break;
        }
        s3.command("faults 0");
        local.clear_faults();
        run.assert_complete(&run.spawn().output());
    }
    let starts = local.requests().iter().filter(|request| request.operation == Some(START)).count();
    println!(
        "{terminated} of {processes} processes were terminated in {runs} runs, {starts} starts for {} jobs",
        runs * JOBS
    );
}

/// Without client tokens, the journal and the jobs of the store are all that a run goes by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_without_client_tokens_that_is_terminated_exports_every_read_set_once() {
    const TERMINATIONS: usize = 10;
    let mut s3 = S3::start();
    let local = local(Duration::from_millis(100)).await;
    local.set_client_tokens(ClientTokens::Ignored);
    let run = Run { trust_client_token: false, ..Run::new(&local, &s3, Duration::from_millis(150)) };
    s3.command("faults 5");
    let mut terminated = 0;
    for _ in 0..TERMINATIONS {
        // A start is late, and the next one loses its response.
        local.queue_fault(START, Fault::Delay(Duration::from_millis(fastrand::u64(0..200))));
        local.queue_fault(START, Fault::ResetAfter);
        let worker = run.spawn();
        std::thread::sleep(Duration::from_millis(fastrand::u64(20..1_500)));
        terminated += usize::from(worker.terminate());
    }
    s3.command("faults 0");
    local.clear_faults();
    run.assert_complete(&run.spawn().output());
    println!("{terminated} of {TERMINATIONS} processes were terminated");
}

/// The one that comes second sees that the lease is renewed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_processes_one_goes_on() {
    let s3 = S3::start();
    let local = local(Duration::from_millis(50)).await;
    // No job is started before one of the processes has given up.
    local.set_quotas(Quotas::none().jobs_at_once(0));
    let run = Run::new(&local, &s3, Duration::from_secs(2));
    let (mut first, mut second) = (run.spawn(), run.spawn());
    wait_until(|| !first.is_running() || !second.is_running());
    let (refused, other) = if first.is_running() { (second, first) } else { (first, second) };
    let refused = refused.output();
    assert_eq!(refused.status.code(), LOCKED, "{refused:?}");
    assert_eq!(run.jobs(), 0);
    local.set_quotas(Quotas::none());
    run.assert_complete(&other.output());
}

/// A process is paused beyond its lease and continues when another one has taken its run over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_was_paused_beyond_its_lease_stores_nothing() {
    let s3 = S3::start();
    let local = local(Duration::from_millis(300)).await;
    for _ in 0..3 {
        let run = Run::new(&local, &s3, Duration::from_millis(500));
        let paused = run.spawn();
        wait_until(|| run.jobs() > fastrand::usize(0..JOBS / 2));
        paused.signal("STOP");
        let second = run.spawn().output();
        run.assert_complete(&second);
        paused.signal("CONT");
        let output = paused.output();
        assert_eq!(output.status.code(), LOCKED, "{output:?}");
        // What it may have sent before it noticed is nothing new, and the journal is that of the second process.
        run.assert_complete(&run.spawn().output());
    }
}

/// The store can't be reached in the middle of a run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_store_is_survived() {
    let mut s3 = S3::start();
    let local = local(Duration::from_millis(200)).await;
    let run = Run::new(&local, &s3, Duration::from_secs(30));
    let mut worker = run.spawn();
    wait_until(|| run.jobs() >= JOBS / 4);
    s3.command("down");
    std::thread::sleep(Duration::from_secs(2));
    assert!(worker.is_running());
    assert!(run.jobs() < JOBS, "nothing is started that the journal does not have");
    s3.command("up");
    run.assert_complete(&worker.output());
}
