//! Bulk runs with their journal in an object store, in a seeded simulation: each seed chooses a plan, failures of the
//! store and of the service, crashes at any await point, and processes that are paused and continue after another one
//! has taken the journal over. No item is in two jobs, the report is the truth of the service, a process that is running
//! keeps its journal, and every run ends.
//!
//! The seeds are the same in each run. `SIMULATION_SEEDS=10000` runs so many from `SIMULATION_FIRST` on, by default from
//! 0; `SIMULATION_SEED=7` runs one again, and prints what happens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use fastrand::Rng;
use futures_util::stream::BoxStream;
use healthomics::SequenceStoreId;
use healthomics::bulk::{BulkError, Plan, Planner, Report};
use healthomics::job::Activation;
use healthomics::local::{ClientTokens, Fault, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics_object_store::ObjectStorage;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// The number of seeds.
const SEEDS: u64 = 200;
/// After so many processes, there are no more crashes and faults.
const MAX_PROCESSES: usize = 8;
const LEASE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_hours(24);

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Paused,
    Dead,
}

/// The objects, as one process sees them: its requests are late or fail, before or after they are done.
#[derive(Clone, Debug)]
struct Network {
    objects: Arc<InMemory>,
    random: Arc<Mutex<Rng>>,
    has_faults: bool,
    /// The state of the process, with the task that renews its lease.
    state: watch::Sender<State>,
}

impl Network {
    fn number(&self, limit: u64) -> u64 {
        self.random.lock().unwrap().u64(0..limit)
    }

    async fn wait_while_paused(&self) -> Result<()> {
        let mut state = self.state.subscribe();
        let state = *state.wait_for(|state| *state != State::Paused).await.unwrap();
        if state == State::Dead { Err(failure()) } else { Ok(()) }
    }

    async fn pass(&self) -> Result<()> {
        sleep(Duration::from_millis(self.number(300))).await;
        if self.has_faults && self.number(40) == 0 { Err(failure()) } else { Ok(()) }
    }
}

fn failure() -> Error {
    Error::Generic { store: "Network", source: "connection reset".into() }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

#[async_trait]
impl ObjectStore for Network {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.wait_while_paused().await?;
        let (network, location) = (self.clone(), location.clone());
        // A request may arrive after its process has crashed.
        let request = tokio::spawn(async move {
            network.pass().await?;
            network.objects.put_opts(&location, payload, options).await
        });
        let result = request.await.unwrap();
        self.pass().await?;
        self.wait_while_paused().await?;
        result
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.wait_while_paused().await?;
        self.pass().await?;
        self.objects.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.objects.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.objects.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

/// One process of a run.
struct Process {
    run: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    state: watch::Sender<State>,
}

type Outcome = std::result::Result<Report<Activation>, BulkError>;

impl Process {
    /// Polls the process so many times. `None` if it has not ended then.
    async fn poll_times(&mut self, polls: usize) -> Option<Outcome> {
        let mut polled = 0;
        poll_fn(|cx| {
            polled += 1;
            if polled > polls { Poll::Ready(None) } else { self.run.as_mut().poll(cx).map(Some) }
        })
        .await
    }

    fn crash(self) {
        self.state.send_replace(State::Dead);
    }
}

/// One simulated account, and the processes that run a plan in it.
struct Simulation {
    seed: u64,
    random: Rng,
    local: LocalService,
    store: SequenceStoreId,
    objects: Arc<InMemory>,
    trust_client_token: bool,
    begun: Instant,
    verbose: bool,
}

impl Simulation {
    fn new(seed: u64, verbose: bool) -> Self {
        let mut random = Rng::with_seed(seed);
        let pace = Pace::Time(Duration::from_secs(random.u64(1..120)));
        let local = LocalService::builder().pace(pace).start_time(start_time()).in_process();
        let trust_client_token = random.bool();
        if !trust_client_token {
            local.set_client_tokens(ClientTokens::Ignored);
        }
        let store = local.create_sequence_store();
        let (objects, begun) = (Arc::default(), Instant::now());
        Self { seed, random, local, store, objects, trust_client_token, begun, verbose }
    }

    fn note(&self, text: &str) {
        if self.verbose {
            println!("seed {}: {:?}: {text}", self.seed, self.begun.elapsed());
        }
    }

    fn inject_faults(&mut self) {
        for operation in LocalService::operations() {
            for _ in 0..self.random.usize(0..6) {
                let fault = match self.random.u8(0..6) {
                    0 => Fault::ResetBefore,
                    1 => Fault::ResetAfter,
                    2 => Fault::error(500, "InternalServerException", "failed"),
                    _ => Fault::Delay(Duration::from_millis(self.random.u64(0..20_000))),
                };
                self.local.queue_fault(operation, fault);
            }
        }
    }

    fn process(&mut self, plan: &Plan<Activation>, has_faults: bool) -> Process {
        let state = watch::Sender::new(State::Running);
        let random = Arc::new(Mutex::new(self.random.fork()));
        let network = Network { objects: Arc::clone(&self.objects), random, has_faults, state: state.clone() };
        let journal = ObjectStorage::new(Arc::new(network), "journal").lease(LEASE);
        let begun = self.begun;
        let builder = self.local.client_builder().time_source(move || start_time() + begun.elapsed());
        let run = builder.build().unwrap().bulk_run(plan.clone()).journal_storage(journal);
        let run = run.trust_client_token(self.trust_client_token);
        let run = run.poll_every(Duration::from_secs(self.random.u64(1..60)));
        let run = Box::pin(async { timeout(10 * DAY, run.run()).await.expect("a run ends within ten days") });
        Process { run, state }
    }

    fn polls(&mut self) -> usize {
        let magnitude = self.random.u32(0..10);
        self.random.usize(1..2 << magnitude)
    }

    /// Runs the plan in one process after another until a process without crashes and faults has ended.
    async fn run(&mut self, plan: &Plan<Activation>) -> Report<Activation> {
        let mut paused: Option<Process> = None;
        for number in 1.. {
            let is_last = number == MAX_PROCESSES;
            self.local.clear_faults();
            let has_faults = !is_last && self.random.bool();
            if has_faults {
                self.inject_faults();
            }
            // The requests of the last process have arrived, so that no lease changes.
            sleep(Duration::from_secs(1)).await;
            let jobs = self.local.jobs().len();
            let mut process = self.process(plan, has_faults);
            let polls = if is_last { usize::MAX } else { self.polls() };
            let outcome = process.poll_times(polls).await;
            self.note(&format!("process {number}, {polls} polls: {}", text(outcome.as_ref())));
            match outcome {
                Some(Ok(report)) if is_last => return report,
                Some(Ok(_)) => {}
                Some(Err(error)) => {
                    let is_locked = matches!(error, BulkError::JournalLocked { .. });
                    assert!(!is_last && !is_locked, "seed {}: process {number}: {error:?}", self.seed);
                }
                None if !has_faults && self.local.jobs().len() > jobs => {
                    self.assert_keeps_journal(plan, &mut process).await;
                    process.crash();
                }
                // Without client tokens, a start that a paused process has announced can't be told from a new one.
                None if paused.is_none() && self.trust_client_token && self.random.bool() => {
                    process.state.send_replace(State::Paused);
                    paused = Some(process);
                }
                None => process.crash(),
            }
            if self.random.bool()
                && let Some(mut process) = paused.take()
            {
                process.state.send_replace(State::Running);
                let outcome = process.poll_times(self.polls()).await;
                self.note(&format!("the paused process continued: {}", text(outcome.as_ref())));
                process.crash();
            }
            self.assert_no_item_is_in_two_jobs();
        }
        unreachable!("the last process ends")
    }

    /// Another process does not take the journal over from one that is running.
    async fn assert_keeps_journal(&mut self, plan: &Plan<Activation>, process: &mut Process) {
        let mut other = self.process(plan, false);
        let outcome = tokio::select! {
            biased;
            _ = &mut process.run => None,
            outcome = &mut other.run => Some(outcome),
        };
        self.note(&format!("another process meanwhile: {}", text(outcome.as_ref())));
        let is_expected = matches!(outcome, None | Some(Err(BulkError::JournalLocked { .. })));
        assert!(is_expected, "seed {}: {outcome:?}", self.seed);
        other.crash();
    }

    fn assert_no_item_is_in_two_jobs(&self) {
        let mut items = BTreeSet::new();
        for job in self.local.jobs() {
            for item in job.items {
                assert!(items.insert(item.key.clone()), "seed {}: {} is in two jobs", self.seed, item.key);
            }
        }
    }
}

fn text(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(Ok(report)) => report.to_string(),
        Some(Err(error)) => error.to_string(),
        None => "it has not ended".to_owned(),
    }
}

fn start_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

async fn simulate(seed: u64, verbose: bool) {
    // The client's backoffs are random, too.
    fastrand::seed(seed);
    let mut simulation = Simulation::new(seed, verbose);
    let mut failing = BTreeSet::new();
    let mut read_sets = Vec::new();
    for _ in 0..simulation.random.usize(1..=12) {
        let id = simulation.local.seed_read_set(&simulation.store, SeedReadSet::archived(FileType::Bam));
        if simulation.random.u8(0..10) == 0 {
            simulation.local.fail_item(id.as_str(), "it fails");
            failing.insert(id.clone());
        }
        read_sets.push(id);
    }
    let planner = Planner::activation("run".into(), simulation.store.clone());
    let plan = planner.group_size(simulation.random.usize(1..=3)).plan(&read_sets).unwrap();
    let report = simulation.run(&plan).await;
    simulation.assert_no_item_is_in_two_jobs();
    let started: BTreeSet<_> =
        simulation.local.jobs().into_iter().flat_map(|job| job.items).map(|item| item.key).collect();
    assert_eq!(report.items().count(), read_sets.len(), "seed {seed}: an item is lost");
    for item in report.items() {
        let id = item.item;
        assert_eq!(item.finished, !failing.contains(id), "seed {seed}: {id}: {:?}", item.reason);
        assert!(started.contains(id.as_str()), "seed {seed}: {id} is in no job");
    }
}

/// Runs a seed on a runtime of its own, whose clock is paused.
fn run_seed(seed: u64, verbose: bool) {
    println!("SIMULATION_SEED={seed}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(simulate(seed, verbose));
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn no_seed_breaks_a_run() {
    if let Some(seed) = number("SIMULATION_SEED") {
        return run_seed(seed, true);
    }
    let first = number("SIMULATION_FIRST").unwrap_or_default();
    for seed in first..first + number("SIMULATION_SEEDS").unwrap_or(SEEDS) {
        run_seed(seed, false);
    }
}
