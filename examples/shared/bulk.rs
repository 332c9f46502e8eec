//! A bulk run of a program: its options, its plan, and what it prints at its end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use healthomics::Client;
use healthomics::bulk::{BulkError, BulkKind, BulkStart, Plan, Report, ReportItem, Shard};

use super::exit::{Exit, Failure, count};
use super::progress::Progress;

/// The number of rows of a plan that are printed.
const SHOWN_ROWS: usize = 5;
/// The number of causes that are printed, and of items for each of them.
const SHOWN_CAUSES: usize = 20;
const SHOWN_ITEMS: usize = 3;

#[derive(Args, Debug)]
#[command(next_help_heading = "Run")]
pub struct RunOptions {
    /// The id of the run: 1 to 64 of A-Z a-z 0-9 . _ -. The same input under the same id starts nothing twice, however
    /// often the program is run. To repeat what has failed in its job, choose another id.
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// Runs only a part of the plan: 0/8 to 7/8 for eight workers that run at the same time, each with a journal.
    #[arg(long, value_name = "I/N", value_parser = parse_shard)]
    shard: Option<(usize, usize)>,
    /// The largest number of jobs that run at once. With n workers, give each of them 20 / n.
    #[arg(long, value_name = "N", default_value_t = 20)]
    jobs_at_once: usize,
    /// The largest number of items of a job: 1 to 100.
    #[arg(long, value_name = "N")]
    pub group_size: Option<usize>,
    /// The time between two polls of the running jobs, in milliseconds: 2000 by default.
    #[arg(long, value_name = "MS")]
    pub poll_ms: Option<u64>,
    /// The journal, by which an interrupted run is resumed. By default it is in the folder of the input, or in the
    /// current one, and is named after the input and the run id: samples.RUN-ID.import.jsonl, with a shard
    /// samples.RUN-ID.import.0-of-8.jsonl.
    #[arg(long, value_name = "FILE", requires = "store")]
    journal: Option<PathBuf>,
    /// Writes the result of each item to a CSV file: job, status (FINISHED, FAILED, NOT_STARTED, INDETERMINATE) and
    /// reason. An existing table of this program is replaced at the end of the run, any other file is not.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Drops duplicates: of the same files or read set, the first is kept. Otherwise they are an error.
    #[arg(long)]
    pub drop_duplicates: bool,
    /// Prints the plan and everything that is wrong with it, and starts nothing.
    #[arg(long)]
    pub dry_run: bool,
}

fn parse_shard(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    parts.ok_or_else(|| "expected I/N, such as 0/8".to_owned())
}

impl RunOptions {
    /// The part of the plan that this process runs.
    pub fn shard<K: BulkKind>(&self, plan: Plan<K>) -> Result<Plan<K>, BulkError> {
        match self.shard {
            Some((index, count)) => plan.shard(index, count),
            None => Ok(plan),
        }
    }

    /// The path of the journal of a run whose input comes from a file, or from something else.
    pub fn journal(&self, kind: &str, input: Option<&Path>, run_id: &str) -> PathBuf {
        if let Some(path) = &self.journal {
            return path.clone();
        }
        let shard = self.shard.map(|(index, count)| format!(".{index}-of-{count}")).unwrap_or_default();
        beside(input, kind, &format!("{run_id}.{kind}{shard}.jsonl"))
    }
}

/// A file beside the input, named after it: `samples.SUFFIX` for `samples.csv`.
pub fn beside(input: Option<&Path>, default_stem: &str, suffix: &str) -> PathBuf {
    let input = input.unwrap_or(Path::new(default_stem));
    let stem = input.file_stem().unwrap_or_default().to_string_lossy();
    input.with_file_name(format!("{stem}.{suffix}"))
}

/// The value of an option that is needed with `--store`.
pub fn required<'a>(value: Option<&'a String>, name: &str) -> Result<&'a str, Failure> {
    value.map(String::as_str).ok_or_else(|| Failure::new(format!("--{name} is missing")))
}

/// The errors of a plan, with the place of each item in the input. `place` returns it for the index of an item and the
/// name of a field.
pub fn plan_failure(error: BulkError, place: impl Fn(usize, &str) -> String) -> Failure {
    let BulkError::InvalidInput(violations) = &error else { return error.into() };
    let texts = violations.iter().map(|violation| match violation.index() {
        Some(index) => {
            let field = violation.field().split_once("].").map_or("", |(_, field)| field);
            format!("{}: {}", place(index, field), violation.message())
        }
        None => format!("{}: {}", option_of(violation.field()), violation.message()),
    });
    let mut texts: Vec<String> = texts.collect();
    let unlisted = violations.len() - texts.len();
    if unlisted > 0 {
        texts.push(format!("and {unlisted} more"));
    }
    Failure::all(texts)
}

fn option_of(field: &str) -> String {
    match field {
        "runId" => "--run-id".to_owned(),
        "sequenceStoreId" => "--store".to_owned(),
        "roleArn" => "--role".to_owned(),
        "destination" => "--destination".to_owned(),
        other => other.to_owned(),
    }
}

/// The duplicates of a plan as errors, unless they are to be dropped.
pub fn refuse_duplicates<K: BulkKind>(
    plan: &Plan<K>,
    options: &RunOptions,
    place: impl Fn(usize) -> String,
) -> Result<(), Failure> {
    if options.drop_duplicates || plan.duplicates().is_empty() {
        return Ok(());
    }
    let duplicates = plan.duplicates().iter();
    let texts = duplicates.map(|duplicate| {
        let (at, first) = (place(duplicate.position), place(duplicate.first));
        format!("{at}: a duplicate of {first}; correct the input, or use --drop-duplicates")
    });
    Err(Failure::all(texts.collect()))
}

/// Prints a plan. `describe` returns a line for an item and its position in the input.
pub fn print_plan<K: BulkKind>(plan: &Plan<K>, journal: Option<&Path>, describe: impl Fn(&K::Item, usize) -> String) {
    let (run, store) = (plan.run_id(), plan.sequence_store_id());
    let (items, jobs) = (plan.item_count(), plan.group_count());
    println!("run {run} in store {store}: {} in {}", count(items, "item"), count(jobs, "job"));
    let Shard { index, count: shards, .. } = plan.current_shard();
    if shards > 1 {
        let items: usize = plan.groups().map(|group| group.items().len()).sum();
        let jobs = plan.groups().len();
        println!("shard {index} of {shards}: {} in {}", count(items, "item"), count(jobs, "job"));
    }
    let items = || plan.groups().flat_map(|group| group.positions().zip(group.items()).collect::<Vec<_>>());
    for (position, item) in items().take(SHOWN_ROWS) {
        println!("  {}", describe(item, position));
    }
    match items().count().saturating_sub(SHOWN_ROWS) {
        0 => {}
        more => println!("  and {more} more"),
    }
    println!("dropped: {}", count(plan.duplicates().len(), "duplicate"));
    if let Some(journal) = journal {
        let state = if journal.exists() { "exists: the run is resumed" } else { "does not exist yet" };
        println!("journal {} {state}", journal.display());
    }
    println!("nothing was started");
}

/// Runs a plan to its end, with progress on the standard error output. `None` if it was interrupted by Ctrl-C.
pub async fn run<K: BulkStart>(
    client: &Client,
    plan: Plan<K>,
    options: &RunOptions,
    journal: Option<&Path>,
) -> Result<Option<Report<K>>, Failure> {
    let mut progress = Progress::new();
    let bar = progress.bar();
    let mut bulk_run = client.bulk_run(plan).jobs_at_once(options.jobs_at_once);
    if let Some(journal) = journal {
        eprintln!("journal {}; Ctrl-C is safe: run the same command again", journal.display());
        bulk_run = bulk_run.journal(journal);
    }
    if let Some(poll_ms) = options.poll_ms {
        bulk_run = bulk_run.poll_every(Duration::from_millis(poll_ms));
    }
    let bulk_run = bulk_run.on_progress(move |now| progress.update(now));
    let report = tokio::select! {
        // The signal is handled before the run begins.
        biased;
        Ok(()) = tokio::signal::ctrl_c() => None,
        report = bulk_run.run() => Some(report),
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if report.is_none() {
        eprintln!("interrupted; jobs that were started continue. Ctrl-C is safe: run the same command again");
    }
    Ok(report.transpose()?)
}

/// Prints each cause of failures once, with the first items that it concerns.
pub fn print_failures<K: BulkKind>(report: &Report<K>, name: impl Fn(&ReportItem<'_, K>) -> String) {
    let errors = report.errors();
    for error in errors.iter().take(SHOWN_CAUSES) {
        // The errors of starts concern all items of their jobs.
        let same = report.items().filter(|item| !item.finished && item.error.is_none());
        let names: Vec<String> =
            same.filter(|item| item.reason == Some(error.reason)).map(|item| name(&item)).collect();
        let shown = names.iter().take(SHOWN_ITEMS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let items = count(error.items, "item");
        match names.len() {
            0 => println!("{items}: {}", error.reason),
            1..=SHOWN_ITEMS => println!("{items}: {}: {shown}", error.reason),
            more => println!("{items}: {}: {shown} and {} more", error.reason, more - SHOWN_ITEMS),
        }
    }
    if errors.len() > SHOWN_CAUSES {
        println!("and {} more causes, which are in the table of --output", errors.len() - SHOWN_CAUSES);
    }
}

/// How the program ends, with a line about what to do.
pub fn exit<K: BulkKind>(report: &Report<K>) -> Exit {
    let missing: Vec<&str> = report.missing_job_ids().collect();
    if !missing.is_empty() {
        let jobs = missing.join(", ");
        eprintln!("the service does not know these jobs any more: {jobs}; find out by `report` what has finished");
    }
    let is_open = |item: &ReportItem<'_, K>| !item.finished && (item.indeterminate || item.job_id.is_none());
    let open = report.items().filter(is_open).count();
    if open > 0 {
        eprintln!(
            "{} without a result: fix the cause, if there is one, and run the same command again",
            count(open, "item")
        );
        return Exit::RunAgain;
    }
    let failed = report.failed().count();
    if failed > 0 {
        eprintln!("{} failed: fix the cause, and run them under another --run-id", count(failed, "item"));
        return Exit::SomeFailed;
    }
    Exit::AllFinished
}

/// The status of an item for a table.
pub fn status<K: BulkKind>(item: &ReportItem<'_, K>) -> &'static str {
    if item.finished {
        "FINISHED"
    } else if item.indeterminate {
        "INDETERMINATE"
    } else if item.job_id.is_none() {
        "NOT_STARTED"
    } else {
        "FAILED"
    }
}

/// A cell of an optional text.
pub fn cell<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
