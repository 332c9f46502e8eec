//! Exports read sets to Amazon S3: a list of ids, a table of `import` or `report`, or all that match a filter.
//!
//! `cargo run --example export` shows what it does on an embedded local service. `--help` explains everything; this uses
//! your account:
//!
//! ```text
//! export --store 1234567890 --role arn:aws:iam::123456789012:role/OmicsExport --run-id 2026-11 \
//!     --destination s3://my-bucket/exports/ --from results.csv --output exported.csv
//! ```
//!
//! If it is terminated at any moment and started again with the same arguments, it resumes the run.
//!
//! In a crate of your own it needs `clap = { version = "4", features = ["derive"] }`, `csv = "1"`, `fastrand = "2"`,
//! `indicatif = "0.18"`, `serde_json = "1"`, `time = "0.3"` and the feature `signal` of `tokio`, too.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::doc_markdown, reason = "the documentation of options is the text of --help")]

mod shared;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use healthomics::bulk::{Duplicates, Plan, Planner, Report};
use healthomics::job::Export;
use healthomics::local::SeedReadSet;
use healthomics::read_set::{FileType, MAX_EXPORT_SOURCES, ReadSetFilter};

use shared::account::{AccountOptions, CREDENTIALS, Store};
use shared::bulk::{self, RunOptions, cell, required};
use shared::exit::{self, EXIT_CODES, Exit, Failure, count};
use shared::filter::{self, FilterOptions};
use shared::output::{self, Output};
use shared::table::{self, Table};

/// The columns of the results.
const RESULTS: [&str; 5] = ["sample", "read_set_id", "job_id", "status", "reason"];
/// The names of a column with ids, unless --column has another.
const ID_COLUMNS: [&str; 2] = ["read_set_id", "id"];

/// Exports read sets to Amazon S3: a list of ids, a table of `import` or `report`, or all that match a filter.
///
/// The read sets of a filter are listed once and stored beside the journal, so that a run that is resumed has the same.
#[derive(Parser, Debug)]
#[command(name = "export", version, after_help = format!("{CREDENTIALS}\n\n{EXIT_CODES}"))]
struct Options {
    /// The ids of the read sets.
    #[arg(value_name = "READ_SET")]
    read_sets: Vec<String>,
    /// A file with the ids: one a line, or a CSV file with a column read_set_id or id, such as a table of `import` or
    /// `report`. Rows without an id are skipped.
    #[arg(long, value_name = "FILE", conflicts_with = "read_sets")]
    from: Option<PathBuf>,
    /// The column with the ids.
    #[arg(long, value_name = "NAME", requires = "from")]
    column: Option<String>,
    /// Exports all read sets of the store.
    #[arg(long, conflicts_with_all = ["read_sets", "from"])]
    all: bool,
    #[command(flatten)]
    filter: FilterOptions,
    /// Activates archived read sets before they are exported, in jobs of 20. Without it, they fail.
    #[arg(long)]
    activate_archived: bool,
    /// The location of the exported files: s3://bucket/prefix/.
    #[arg(long, value_name = "URI")]
    destination: Option<String>,
    /// The role that HealthOmics assumes to write there: arn:aws:iam::ACCOUNT:role/NAME.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    account: AccountOptions,
}

/// A read set of the input.
struct Input {
    id: String,
    /// Its sample, if the table has it.
    sample: String,
    /// Where it is in the input, for messages.
    place: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match exit::arguments::<Options>() {
        Ok(options) => exit::code(Box::pin(export(options)).await),
        Err(code) => code,
    }
}

async fn export(mut options: Options) -> Result<Exit, Failure> {
    let store = options.account.store().await?;
    if store.local.is_some() {
        demonstrate(&mut options, &store);
    }
    let inputs = inputs(&options, &store).await?;
    // The whole input is checked before the first job starts.
    let plan = plan(&options, &store, &inputs)?;
    let journal = options.run.journal("export", options.from.as_deref(), plan.run_id().as_str());
    // The jobs of the embedded service end with this process.
    let journal = store.local.is_none().then_some(journal.as_path());
    if options.run.dry_run {
        bulk::print_plan(&plan, journal, |id, position| format!("{}: {id}", inputs[position].place));
        return Ok(Exit::AllFinished);
    }

    let output = options.run.output.as_ref().map(|path| Output::new(path, &RESULTS)).transpose()?;
    let client = store.client(&options.account).await?;
    let Some(report) = bulk::run(&client, plan, &options.run, journal).await? else { return Ok(Exit::RunAgain) };
    let (finished, total) = (report.finished_count(), report.items().count());
    println!("{finished} of {} exported in {}", count(total, "read set"), count(report.job_ids().count(), "job"));
    let activations = report.activation_job_ids().count();
    if activations > 0 {
        println!("{} of activations", count(activations, "job"));
    }
    bulk::print_failures(&report, |item| item.item.to_string());
    if let Some(output) = output {
        output.write(results(&report, &inputs))?;
    }
    Ok(bulk::exit(&report))
}

/// Sets what is missing for a run on the embedded service.
fn demonstrate(options: &mut Options, store: &Store) {
    options.run.run_id.get_or_insert_with(|| "demonstration".to_owned());
    options.destination.get_or_insert_with(|| "s3://my-bucket/exports/".to_owned());
    options.role.get_or_insert_with(|| "arn:aws:iam::123456789012:role/OmicsExport".to_owned());
    options.run.group_size.get_or_insert(4);
    options.run.poll_ms.get_or_insert(50);
    let Some(local) = &store.local else { return };
    for _ in 0..5 {
        local.seed_read_set(&store.id, SeedReadSet::active(FileType::Bam));
        local.seed_read_set(&store.id, SeedReadSet::archived(FileType::Bam));
    }
    options.activate_archived = true;
    if options.read_sets.is_empty() && options.from.is_none() && options.filter.filter().is_none() {
        options.all = true;
    }
}

/// The read sets to export, in the order of the input.
async fn inputs(options: &Options, store: &Store) -> Result<Vec<Input>, Failure> {
    let filter = options.filter.filter();
    let is_listed = options.all || filter.is_some();
    if is_listed && (options.from.is_some() || !options.read_sets.is_empty()) {
        return Err(Failure::new("a filter can't be combined with ids: give one of them"));
    }
    let inputs = if let Some(path) = &options.from {
        read(path, options.column.as_deref())?
    } else if is_listed {
        listed(options, store, filter).await?
    } else {
        let place = |index: usize| format!("argument {}", index + 1);
        let ids = options.read_sets.iter().enumerate();
        ids.map(|(index, id)| Input { id: id.clone(), sample: String::new(), place: place(index) }).collect()
    };
    if inputs.is_empty() {
        return Err(Failure::new("no read sets: give ids, --from FILE, a filter, or --all"));
    }
    Ok(inputs)
}

/// Reads a list of ids, or a table with a column of ids.
fn read(path: &Path, column: Option<&str>) -> Result<Vec<Input>, Failure> {
    let file = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| Failure::new(format!("{file}: {error}")))?;
    let text = table::text(&file, &bytes)?;
    let first = text.lines().map(str::trim).find(|line| !line.is_empty());
    let Some(first) = first else { return Err(Failure::new(format!("{file}, line 1: the file is empty"))) };
    if column.is_none() && first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(lines(&file, text));
    }
    let table = Table::parse(&file, &bytes)?;
    let names = column.map_or_else(|| ID_COLUMNS.to_vec(), |name| vec![name]);
    let Some(ids) = table.column(&names) else {
        return Err(Failure::new(format!("{file}, line 1: there is no column {}", names.join(" or "))));
    };
    let samples = table.column(&["sample", "sampleId"]);
    let input = |row: &table::Row| {
        let id = row.cell(Some(ids))?.to_owned();
        let place = format!("{file}, line {}, column {}", row.line, table.columns[ids]);
        Some(Input { id, sample: row.cell(samples).unwrap_or_default().to_owned(), place })
    };
    let inputs: Vec<Input> = table.rows.iter().filter_map(input).collect();
    let skipped = table.rows.len() - inputs.len();
    if skipped > 0 {
        eprintln!("{file}: {} without a read set skipped", count(skipped, "row"));
    }
    Ok(inputs)
}

/// One id a line; blank lines are skipped.
fn lines(file: &str, text: &str) -> Vec<Input> {
    let lines = (1..).zip(text.lines()).map(|(number, line)| (number, line.trim())).filter(|(_, id)| !id.is_empty());
    let input = |(number, id): (usize, &str)| Input {
        id: id.to_owned(),
        sample: String::new(),
        place: format!("{file}, line {number}, column 1"),
    };
    lines.map(input).collect()
}

/// The read sets that match the filter. They are listed once: when a run is resumed, others may match.
async fn listed(options: &Options, store: &Store, filter: Option<ReadSetFilter>) -> Result<Vec<Input>, Failure> {
    let run_id = required(options.run.run_id.as_ref(), "run-id")?;
    let path = bulk::beside(None, "export", &format!("{run_id}.read-sets.csv"));
    // The embedded service has other read sets in each run.
    let is_stored = store.local.is_none();
    // The last column of the list says what it is a list of.
    let filter_text = filter.as_ref().map(serde_json::to_string).transpose()?.unwrap_or_else(|| "none".to_owned());
    let origin = format!("store {}, filter {filter_text}", store.id);
    if is_stored {
        match fs::read(&path) {
            Ok(stored) => return stored_list(&path, &stored, &origin),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // A list that can't be read must not be replaced by another one.
            Err(error) => return Err(Failure::new(format!("can't read {}: {error}", path.display()))),
        }
    }
    let client = store.client(&options.account).await?;
    let read_sets = filter::list(&client, &store.id, filter).await?;
    if read_sets.is_empty() {
        return Err(Failure::new("no read set matches the filter"));
    }
    let rows = read_sets.iter().map(|read_set| {
        let sample = cell(read_set.sample_id.as_ref());
        vec![read_set.id.to_string(), sample, String::new()]
    });
    let list = output::to_csv(&["read_set_id", "sample", &origin], rows)?;
    if is_stored && !options.run.dry_run {
        output::replace(&path, &list)?;
    }
    stored_list(&path, &list, &origin)
}

/// The read sets of a stored list, which must be one of this store and filter.
fn stored_list(path: &Path, list: &[u8], origin: &str) -> Result<Vec<Input>, Failure> {
    let table = Table::parse(&path.display().to_string(), list)?;
    let (ids, samples) = (table.column(&["read_set_id"]), table.column(&["sample"]));
    let found = table.columns.last().map_or("", String::as_str);
    if found != origin || ids.is_none() {
        let message = format!("it is a list of {found:?}, not of {origin:?}: choose another --run-id");
        return Err(Failure::new(format!("{}: {message}", table.file)));
    }
    let input = |row: &table::Row| Input {
        id: row.cell(ids).unwrap_or_default().to_owned(),
        sample: row.cell(samples).unwrap_or_default().to_owned(),
        place: format!("{}, line {}, column read_set_id", table.file, row.line),
    };
    Ok(table.rows.iter().map(input).collect())
}

/// The part of the plan that this process runs.
fn plan(options: &Options, store: &Store, inputs: &[Input]) -> Result<Plan<Export>, Failure> {
    let run_id = required(options.run.run_id.as_ref(), "run-id")?;
    let destination = required(options.destination.as_ref(), "destination")?;
    let role = required(options.role.as_ref(), "role")?;
    let planner = Planner::export(run_id.into(), store.id.clone(), destination.into(), role.into());
    let planner = planner.duplicates(Duplicates::Drop).activate_archived(options.activate_archived);
    let planner = planner.group_size(options.run.group_size.unwrap_or(MAX_EXPORT_SOURCES));
    let plan = planner.plan(inputs.iter().map(|input| input.id.as_str()));
    let plan = plan.map_err(|error| bulk::plan_failure(error, |index, _| inputs[index].place.clone()))?;
    bulk::refuse_duplicates(&plan, &options.run, |index| inputs[index].place.clone())?;
    Ok(options.run.shard(plan)?)
}

fn results<'a>(report: &'a Report<Export>, inputs: &'a [Input]) -> impl Iterator<Item = Vec<String>> + use<'a> {
    report.items().map(|item| {
        vec![
            inputs[item.position].sample.clone(),
            item.item.to_string(),
            cell(item.job_id),
            bulk::status(&item).to_owned(),
            cell(item.reason),
        ]
    })
}
