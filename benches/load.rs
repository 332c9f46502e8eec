//! One client under load, in real time, against the local service in a process of its own: 10,000 tasks for a minute,
//! 10,000 waits at once, and an outage of half a minute. `cargo bench --bench load` takes about three minutes.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures, and panics on a failure")]

use std::collections::HashSet;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, ClientBuilder, ExportJobId, ReadSetId, SequenceStoreId};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const TASKS: usize = 10_000;
const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";
const AS_SERVICE: &str = "HEALTHOMICS_BENCH_SERVES";

/// The service in a process of its own, so that memory and connections here are the client's.
struct Service {
    process: Child,
    url: String,
    store: SequenceStoreId,
    read_sets: Vec<ReadSetId>,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start(job_takes: Duration) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(AS_SERVICE, job_takes.as_secs().to_string());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (url, store) = (line(), line().into());
        let read_sets = line().split(' ').map(ReadSetId::from).collect();
        Self { process, url, store, read_sets }
    }

    fn client(&self) -> ClientBuilder {
        client(&self.url)
    }

    async fn start_export(&self, client: &Client) -> ExportJobId {
        let call = client.start_read_set_export_job().sequence_store_id(&self.store).sources(&self.read_sets[..10]);
        call.destination("s3://bucket/").role_arn(ROLE).send().await.unwrap().id
    }
}

fn client(url: &str) -> ClientBuilder {
    let (key, secret) = (LocalService::ACCESS_KEY_ID, LocalService::SECRET_ACCESS_KEY);
    let credentials = Credentials::new(key, secret, None, None, "bench");
    Client::builder().region(LocalService::REGION).credentials(credentials).endpoint_url(url)
}

async fn serve(job_takes: Duration) {
    let local = LocalService::builder().pace(Pace::Time(job_takes)).start().await.unwrap();
    let store = local.create_sequence_store();
    let seeds = (0..1_000).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Bam)).to_string());
    println!("{}\n{store}\n{}", local.endpoint_url(), seeds.collect::<Vec<_>>().join(" "));
    std::future::pending::<()>().await;
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn many_tasks() {
    let service = Service::start(Duration::from_hours(1));
    let client = service.client().build().unwrap();
    let id = service.start_export(&client).await;
    let (responses, end) = (Arc::new(AtomicU64::new(0)), Instant::now() + Duration::from_mins(1));
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (responses, store, id, client) =
            (Arc::clone(&responses), service.store.clone(), id.clone(), client.clone());
        tasks.spawn(async move {
            while Instant::now() < end {
                client.get_read_set_export_job().sequence_store_id(&store).id(&id).send().await.unwrap();
                responses.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let (mut memory, mut files) = (Vec::new(), 0);
    while Instant::now() + Duration::from_secs(1) < end {
        tokio::time::sleep(Duration::from_secs(5)).await;
        memory.push(status("VmRSS"));
        files = files.max(open_files());
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let responses = responses.load(Ordering::Relaxed);
    println!("{TASKS} tasks, one client, a minute: {responses} responses, no error, at most {files} open files");
    println!("    memory in KiB, every 5 s: {memory:?}");
    assert!(files < 150, "{files} open files");
    let (early, late) = (memory[3], *memory.last().unwrap());
    assert!(late < early + early / 10, "memory grows");
}

async fn many_waits() {
    let service = Service::start(Duration::from_secs(30));
    let client = service.client().requests_per_second(None).build().unwrap();
    let id = service.start_export(&client).await;
    let job = client.export_job(&service.store, &id);
    job.get().await.unwrap();
    let before = status("VmRSS");
    let mut waits = JoinSet::new();
    for _ in 0..TASKS {
        let wait = job.wait();
        waits.spawn(async move { wait.await.unwrap() });
    }
    // Each has polled at least once.
    tokio::time::sleep(Duration::from_secs(20)).await;
    #[allow(clippy::cast_precision_loss, reason = "for people")]
    let each = (status("VmRSS") - before) as f64 / TASKS as f64;
    let mut completed = 0;
    while let Some(outcome) = waits.join_next().await {
        completed += usize::from(outcome.unwrap().is_completed());
    }
    println!("{TASKS} waits at once: {each:.1} KiB each, {completed} completed");
    assert_eq!(completed, TASKS);
}

/// Forwards connections to the service. When it is dropped, they break, and new ones are refused.
async fn door(listener: TcpListener, to: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        connections.spawn(async move {
            if let Ok(mut far) = TcpStream::connect(to).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn an_outage() {
    let service = Service::start(Duration::from_secs(10));
    let to: SocketAddr = service.url.trim_start_matches("http://").parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let open = tokio::spawn(door(listener, to));

    let client = client(&format!("http://{address}")).requests_per_second(None).build().unwrap();
    let id = service.start_export(&client).await;
    let mut waits = JoinSet::new();
    for _ in 0..1_000 {
        let wait = client.export_job(&service.store, &id).wait();
        waits.spawn(async move { wait.await.unwrap() });
    }
    let run = client.export_read_sets().run_id("outage").sequence_store_id(&service.store);
    let run = run.destination("s3://bucket/").role_arn(ROLE).read_sets(&service.read_sets);
    let run = tokio::spawn(run.group_size(50).prepare().unwrap().jobs_at_once(4).run());

    tokio::time::sleep(Duration::from_secs(3)).await;
    open.abort();
    let _ = open.await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    tokio::spawn(door(TcpListener::bind(address).await.unwrap(), to));
    let back = Instant::now();

    let mut completed = 0;
    while let Some(outcome) = waits.join_next().await {
        completed += usize::from(outcome.unwrap().is_completed());
    }
    let waited = back.elapsed();
    let report = run.await.unwrap().unwrap();
    let jobs: HashSet<_> = report.job_ids().collect();
    println!("30 s without the service: {completed} of 1000 waits completed {waited:.1?} after it came back; {report}");
    assert_eq!((completed, report.finished_count(), jobs.len()), (1_000, 1_000, 20));
    let mut started = client.list_read_set_export_jobs().sequence_store_id(&service.store).items();
    let mut count = 0;
    while let Some(job) = started.next().await {
        job.unwrap();
        count += 1;
    }
    assert_eq!(count, 21, "the single one, and each group once");
}

#[tokio::main]
async fn main() {
    if let Ok(seconds) = std::env::var(AS_SERVICE) {
        return serve(Duration::from_secs(seconds.parse().unwrap())).await;
    }
    many_waits().await;
    an_outage().await;
    many_tasks().await;
}
