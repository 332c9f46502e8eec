//! Bulk runs in a seeded simulation: each seed chooses a plan, the behaviour of the service, failures of network, disk,
//! clock and credentials, and crashes at any await point. Whatever happens, no item is in two jobs, nothing is lost, the
//! report is the truth of the service, and every run ends.
//!
//! The seeds are the same in each run. `SIMULATION_SEEDS=10000` runs so many from `SIMULATION_FIRST` on, by default from a
//! random one; `SIMULATION_SEED=7` runs one again, exactly as before, and prints what happens.
#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod credentials;
mod disk;

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use fastrand::Rng;
use healthomics::bulk::{BulkError, BulkStart, Plan, Planner, Report};
use healthomics::local::{ClientTokens, Fault, JobKind, LocalJob, LocalService, Pace, Quotas, SeedReadSet};
use healthomics::read_set::{FileType, ImportReadSetSource, JobStatus};
use healthomics::{ReadSetId, SequenceStoreId};
use tokio::time::Instant;

use self::credentials::Provider;
use self::disk::{Disk, Journal};

/// The number of seeds. Each takes a tenth of a second.
const SEEDS: u64 = 200;
const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";
/// After so many processes, there are no more crashes and faults.
const MAX_PROCESSES: usize = 12;
/// The rate of an account for each operation.
const REQUESTS_PER_SECOND: usize = 5;
/// What the client tokens of other callers start with.
const OTHER_CALLER: &str = "other-";
const DAY: Duration = Duration::from_hours(24);

/// One simulated account, and the processes that run a plan in it.
struct Simulation {
    seed: u64,
    random: Rng,
    local: Arc<LocalService>,
    store: SequenceStoreId,
    disk: Arc<Mutex<Disk>>,
    processes: u64,
    trust_client_token: bool,
    /// When the service was started.
    begun: Instant,
    /// Whether others activate read sets.
    has_other_callers: bool,
    /// The keys of items that fail in their jobs.
    failing: BTreeSet<String>,
    /// Whether every step is printed.
    verbose: bool,
}

impl Simulation {
    fn new(seed: u64, verbose: bool) -> Self {
        let mut random = Rng::with_seed(seed);
        let quotas = Quotas::none().requests_per_second(REQUESTS_PER_SECOND as u32).jobs_at_once(random.u32(1..=20));
        let pace = Pace::Time(Duration::from_secs(random.u64(1..=300)));
        let local = LocalService::builder().quotas(quotas).pace(pace).start_time(start_time()).in_process();
        let client_tokens = match random.u8(0..8) {
            0 => ClientTokens::Ignored,
            1 => ClientTokens::Conflict,
            2 => ClientTokens::ForgottenAfter(Duration::from_secs(random.u64(0..600))),
            _ => ClientTokens::Remembered,
        };
        local.set_client_tokens(client_tokens);
        let store = local.create_sequence_store();
        let trust_client_token = client_tokens == ClientTokens::Remembered && random.bool();
        let simulation = Self {
            seed,
            random,
            local: Arc::new(local),
            store,
            disk: Arc::default(),
            processes: 0,
            trust_client_token,
            begun: Instant::now(),
            has_other_callers: false,
            failing: BTreeSet::new(),
            verbose,
        };
        simulation.note(&format!("{client_tokens:?}, trusted: {trust_client_token}, {pace:?}, {quotas:?}"));
        simulation
    }

    fn note(&self, text: &str) {
        if self.verbose {
            println!("seed {}: {text}", self.seed);
        }
    }

    /// Read sets, some of them archived, some of which fail in their jobs.
    fn read_sets(&mut self) -> Vec<ReadSetId> {
        let count = self.random.usize(0..=90);
        let archived_one_in = if self.random.bool() { 2 } else { 16 };
        let mut read_sets = Vec::new();
        for _ in 0..count {
            let is_archived = self.random.u8(0..archived_one_in) == 0;
            let seed = if is_archived { SeedReadSet::archived } else { SeedReadSet::active };
            let id = self.local.seed_read_set(&self.store, seed(FileType::Bam));
            // The service does nothing for a read set that is active.
            if is_archived {
                self.fail_some(id.as_str());
            }
            read_sets.push(id);
        }
        read_sets
    }

    fn fail_some(&mut self, key: &str) {
        if self.random.u8(0..20) == 0 {
            self.local.fail_item(key, "it fails");
            self.failing.insert(key.to_owned());
        }
    }

    fn sources(&mut self) -> Vec<ImportReadSetSource> {
        let count = self.random.usize(0..=90);
        let mut sources = Vec::new();
        for number in 0..count {
            let file = format!("s3://bucket/{number}.bam");
            self.fail_some(&file);
            let source = ImportReadSetSource::builder().source_files(file).source_file_type(FileType::Ubam);
            sources.push(source.subject_id("subject").sample_id("sample").build());
        }
        sources
    }

    /// Injects failures into some of the next requests of each operation, after a time without the service now and then.
    fn inject_faults(&mut self) {
        if self.random.u8(0..4) == 0 {
            self.note("the service restarts");
            let refused = self.random.usize(1..30);
            for operation in LocalService::operations() {
                for _ in 0..refused {
                    self.local.queue_fault(operation, Fault::ConnectionRefused);
                }
            }
        }
        for operation in LocalService::operations() {
            for _ in 0..self.random.usize(0..12) {
                let fault = self.fault();
                self.local.queue_fault(operation, fault);
            }
        }
    }

    fn fault(&mut self) -> Fault {
        match self.random.u8(0..24) {
            0 => Fault::ResetBefore,
            1 | 2 => Fault::ResetAfter,
            3 => Fault::HangBefore,
            4 => Fault::HangAfter,
            5 => Fault::TruncatedBody,
            6 => Fault::MalformedBody,
            7 => Fault::EmptyBody,
            8 => Fault::ConnectionRefused,
            9 => Fault::error(500, "InternalServerException", "failed"),
            10 => Fault::response(503, "<html>"),
            11 => Fault::response_after(502, "<html>"),
            12 => Fault::error(429, "ThrottlingException", "Rate exceeded"),
            13 => Fault::error(402, "ServiceQuotaExceededException", "Too many jobs"),
            14 => Fault::error(400, "ValidationException", "refused"),
            15 => Fault::error(403, "ExpiredTokenException", "expired"),
            16 => Fault::DateOffset(self.random.i64(-1_000..1_000)),
            _ => Fault::Delay(Duration::from_millis(self.random.u64(0..40_000))),
        }
    }

    /// Other callers activate some of the read sets, in jobs that begin and end while processes run. These are never the
    /// same as a group: their jobs can't be distinguished.
    fn let_others_activate(&mut self, read_sets: &[ReadSetId]) {
        if read_sets.len() < 3 {
            return;
        }
        let job_count = self.random.usize(0..4);
        self.has_other_callers = job_count > 0;
        // Its read sets are archived again. No other job then activates some of them between two lists of the run.
        let is_cancelled = job_count == 1 && self.random.bool();
        for number in 0..job_count {
            // The first read set without the second, which is in the same group.
            let count = self.random.usize(0..20).min(read_sets.len() - 2);
            let mut chosen = vec![read_sets[0].clone()];
            chosen.extend(self.random.choose_multiple(&read_sets[2..], count).into_iter().cloned());
            let client = self.local.client_builder().time_source(start_time).build().unwrap();
            let call = client.start_read_set_activation_job().sequence_store_id(&self.store).sources(chosen);
            let call = call.client_token(format!("{OTHER_CALLER}{number}"));
            let starts_after = Duration::from_secs(self.random.u64(0..300) * self.random.u64(0..2));
            let ends_after = Duration::from_secs(self.random.u64(0..600));
            let local = Arc::clone(&self.local);
            tokio::spawn(async move {
                tokio::time::sleep(starts_after).await;
                let Ok(job) = call.send().await else { return };
                if local.jobs().iter().any(|known| known.id == job.id.as_str() && !known.status.is_terminal()) {
                    local.set_job_status(&job.id, JobStatus::InProgress);
                    tokio::time::sleep(ends_after).await;
                    if is_cancelled {
                        local.set_job_status(&job.id, JobStatus::Cancelled);
                    } else {
                        local.finish_job(&job.id);
                    }
                }
            });
        }
    }

    /// Runs the plan in one process after another until a process without crashes and faults has ended.
    async fn run<K: BulkStart>(&mut self, plan: Plan<K>) -> Report<K> {
        self.note(&format!("{} items in {} groups", plan.item_count(), plan.group_count()));
        let mut paused: Option<Process<K>> = None;
        for process in 1.. {
            let is_last = process == MAX_PROCESSES;
            if is_last {
                self.local.clear_faults();
            } else {
                self.inject_faults();
            }
            // Client tokens then find the jobs of the run, unless others have activated what could not be activated.
            let may_lose_journal = self.trust_client_token && !self.has_other_callers && paused.is_none();
            if may_lose_journal && self.random.u8(0..16) == 0 {
                self.note("the journal is lost");
                self.disk = Arc::default();
            }
            let earlier_requests = self.local.requests().len();
            let mut run = self.process(&plan, !is_last);
            let polls = if is_last { usize::MAX } else { self.polls() };
            match poll_times(&mut run, polls).await {
                // Without trust in client tokens, a start that a paused process has announced can't be told from a new one.
                None if paused.is_none() && self.trust_client_token && self.random.bool() => {
                    self.note(&format!("process {process} is paused at poll {polls}"));
                    paused = Some(run);
                }
                None => self.note(&format!("process {process} crashed at poll {polls}")),
                Some(Err(error)) => {
                    self.note(&format!("process {process}: {error}"));
                    assert!(!is_last, "seed {}: {error}", self.seed);
                }
                Some(Ok(report)) => {
                    self.note(&format!("process {process}: {report}"));
                    if is_last {
                        self.assert_rate(earlier_requests);
                        return report;
                    }
                }
            }
            if let Some(run) = paused.as_mut().filter(|_| self.random.bool()) {
                let result = poll_times(run, self.polls()).await;
                let result =
                    result.map(|result| result.map_or_else(|error| error.to_string(), |report| report.to_string()));
                self.note(&format!("the paused process continued: {result:?}"));
                paused = None;
            }
            self.assert_no_item_is_in_two_jobs();
        }
        unreachable!("the last process ends")
    }

    /// The number of polls after which a process crashes: few or many.
    fn polls(&mut self) -> usize {
        let magnitude = self.random.u32(0..12);
        self.random.usize(1..2 << magnitude)
    }

    /// One process, with a clock of its own.
    fn process<K: BulkStart>(&mut self, plan: &Plan<K>, has_faults: bool) -> Process<K> {
        self.processes += 1;
        let attempts = self.random.u32(1..4);
        // Clocks are off by hours, and jump.
        let offsets = [self.random.u64(0..28_800), self.random.u64(0..28_800)];
        let jump = self.begun.elapsed() + Duration::from_secs(self.random.u64(0..3_600));
        let begun = self.begun;
        let clock = move || {
            let offset = offsets[usize::from(begun.elapsed() > jump)];
            start_time() + begun.elapsed() + Duration::from_secs(offset) - Duration::from_hours(4)
        };
        let provider = Provider {
            credentials: self.local.credentials(),
            expires_in: Duration::from_secs(self.random.u64(300..3_600)),
            clock: Box::new(clock),
            random: Mutex::new(self.random.fork()),
            has_outages: has_faults && self.random.bool(),
        };
        let builder = self.local.client_builder().credentials_provider(provider).time_source(clock);
        let client = builder.max_attempts(attempts).build().unwrap();
        let journal = Journal::new(&self.disk, self.processes, self.random.fork(), has_faults);
        let run = client.bulk_run(plan.clone()).journal_storage(journal).trust_client_token(self.trust_client_token);
        let run = run.jobs_at_once(self.random.usize(1..=20)).poll_every(Duration::from_secs(self.random.u64(1..60)));
        Box::pin(
            async move { tokio::time::timeout(100 * DAY, run.run()).await.expect("a run ends within a hundred days") },
        )
    }

    /// What happened, to compare it with another run of the seed.
    fn history(&self) -> Vec<String> {
        let mut history = Vec::new();
        for request in self.local.requests() {
            let time = request.received_at - self.begun.into_std();
            let (path, query) = (&request.path, &request.query);
            history
                .push(format!("{time:?} {} {path} {query:?} {} {:?}", request.method, request.applied, request.status));
        }
        history
    }

    fn assert_no_item_is_in_two_jobs(&self) {
        let mut jobs_of_items: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for job in self.local.jobs().into_iter().filter(|job| !is_of_others(job)) {
            for item in job.items {
                let kind = format!("{:?}", job.kind);
                jobs_of_items.entry((kind, item.key)).or_default().push(job.id.clone());
            }
        }
        for (item, jobs) in jobs_of_items {
            assert_eq!(jobs.len(), 1, "seed {}: {item:?} is in the jobs {jobs:?}", self.seed);
        }
    }

    /// The client keeps to the request rate of an account, for each operation: after some requests, the others.
    fn assert_rate(&self, earlier_requests: usize) {
        let mut times: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for request in self.local.requests().into_iter().skip(earlier_requests) {
            if String::from_utf8_lossy(&request.body).contains(OTHER_CALLER) {
                continue;
            }
            times.entry(request.operation).or_default().push(request.received_at);
        }
        for (operation, times) in times {
            for window in times.windows(REQUESTS_PER_SECOND + 1) {
                let time = window[REQUESTS_PER_SECOND] - window[0];
                assert!(time > Duration::from_millis(900), "seed {}: {operation:?}: {time:?}", self.seed);
            }
        }
    }

    /// Every item has the result that the service has.
    fn assert_report_is_true<K: BulkStart>(&self, report: &Report<K>, kind: JobKind, key: impl Fn(&K::Item) -> String) {
        let seed = self.seed;
        assert_eq!(report.indeterminate().count(), 0, "seed {seed}: {report}");
        // A job of the run does nothing for a read set that others activate, and it can't be repeated when theirs is
        // cancelled.
        let (of_others, of_run): (Vec<_>, Vec<_>) = self.local.jobs().into_iter().partition(is_of_others);
        let activated: BTreeSet<_> = keys(of_run.iter().filter(|job| job.kind == JobKind::Activation)).collect();
        let cancelled = of_others.iter().filter(|job| job.status == JobStatus::Cancelled);
        let may_fail: BTreeSet<_> = keys(cancelled).filter(|key| activated.contains(key)).collect();
        let of_kind = of_run.iter().filter(|job| job.kind == kind);
        let started: BTreeSet<_> = keys(of_kind).collect();
        let mut items = 0;
        for item in report.items() {
            items += 1;
            let key = key(item.item);
            let is_expected = item.finished != self.failing.contains(&key) || may_fail.contains(&key);
            assert!(is_expected, "seed {seed}: {key}: {:?}", item.reason);
            if item.finished {
                assert!(started.contains(&key), "seed {seed}: {key} is in no job");
            }
        }
        assert_eq!(items, report.plan().item_count(), "seed {seed}: an item is lost");
    }
}

fn is_of_others(job: &LocalJob) -> bool {
    job.client_token.as_ref().is_some_and(|token| token.as_str().starts_with(OTHER_CALLER))
}

/// The keys of the items of jobs.
fn keys<'a>(jobs: impl Iterator<Item = &'a LocalJob>) -> impl Iterator<Item = String> {
    jobs.flat_map(|job| &job.items).map(|item| item.key.clone())
}

/// The time at which the service starts: in 2027.
fn start_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

type Process<K> = Pin<Box<dyn Future<Output = Result<Report<K>, BulkError>> + Send>>;

/// Polls a process so many times. `None` if it has not ended then.
async fn poll_times<K: BulkStart>(process: &mut Process<K>, polls: usize) -> Option<Result<Report<K>, BulkError>> {
    let mut polled = 0;
    poll_fn(|cx| {
        polled += 1;
        if polled > polls {
            return Poll::Ready(None);
        }
        process.as_mut().poll(cx).map(Some)
    })
    .await
}

/// Returns what happened.
async fn simulate(seed: u64, verbose: bool) -> Vec<String> {
    // The client's backoffs are random, too.
    fastrand::seed(seed);
    let mut simulation = Simulation::new(seed, verbose);
    let store = simulation.store.clone();
    let kind = simulation.random.u8(0..4);
    if kind == 0 {
        let size = simulation.random.usize(1..=100);
        let sources = simulation.sources();
        let plan = Planner::import("run".into(), store, ROLE.into()).group_size(size).plan(sources).unwrap();
        let report = simulation.run(plan).await;
        simulation.assert_report_is_true(&report, JobKind::Import, |item| item.source_files.source1.to_string());
    } else if kind == 1 {
        let size = simulation.random.usize(1..=20);
        let read_sets = simulation.read_sets();
        let plan = Planner::activation("run".into(), store).group_size(size).plan(&read_sets).unwrap();
        let report = simulation.run(plan).await;
        let archived = |id: &ReadSetId| id.to_string();
        simulation.assert_report_is_true(&report, JobKind::Activation, archived);
    } else {
        let size = simulation.random.usize(1..=100);
        let read_sets = simulation.read_sets();
        let planner = Planner::export("run".into(), store, "s3://bucket/".into(), ROLE.into()).group_size(size);
        simulation.let_others_activate(&read_sets);
        let report = simulation.run(planner.activate_archived(true).plan(&read_sets).unwrap()).await;
        simulation.assert_report_is_true(&report, JobKind::Export, ToString::to_string);
    }
    simulation.history()
}

/// Runs a seed on a runtime of its own, whose clock is paused.
fn run_seed(seed: u64, verbose: bool) -> Vec<String> {
    println!("SIMULATION_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(simulate(seed, verbose))
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn no_seed_breaks_a_run() {
    if let Some(seed) = number("SIMULATION_SEED") {
        for line in run_seed(seed, true) {
            println!("{line}");
        }
        return;
    }
    let seeds = match number("SIMULATION_SEEDS") {
        Some(count) => {
            let first = number("SIMULATION_FIRST").unwrap_or_else(|| fastrand::u64(..u64::MAX / 2));
            first..first + count
        }
        None => 0..SEEDS,
    };
    for seed in seeds {
        run_seed(seed, false);
    }
}

#[test]
fn a_seed_is_repeated_exactly() {
    for seed in 0..20 {
        assert_eq!(run_seed(seed, false), run_seed(seed, false), "seed {seed}");
    }
}
