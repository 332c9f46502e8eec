//! Imports the files of a CSV manifest of any length in as few jobs as possible, and starts no job twice.
//!
//! `cargo run --example import` shows what it does on an embedded local service. `--help` explains everything; this uses
//! your account:
//!
//! ```text
//! import --store 1234567890 --role arn:aws:iam::123456789012:role/OmicsImport --run-id 2026-11 \
//!     --manifest samples.csv --output results.csv
//! ```
//!
//! If it is terminated at any moment and started again with the same arguments, it resumes the run.
//!
//! In a crate of your own it needs `clap = { version = "4", features = ["derive"] }`, `csv = "1"`, `fastrand = "2"`,
//! `indicatif = "0.18"`, `serde_json = "1"`, `time = "0.3"` and the feature `signal` of `tokio`, too.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::doc_markdown, reason = "the documentation of options is the text of --help")]

mod manifest;
mod pairs;
#[path = "../shared/mod.rs"]
mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use healthomics::bulk::{Duplicates, Plan, Planner, Report};
use healthomics::job::Import;
use healthomics::read_set::MAX_IMPORT_SOURCES;

use manifest::{ManifestOptions, PlacedSource};
use shared::account::{AccountOptions, CREDENTIALS, Store};
use shared::bulk::{self, RunOptions, cell, required};
use shared::exit::{self, EXIT_CODES, Exit, Failure, count};
use shared::output::Output;
use shared::table::Table;

/// The manifest of the demonstration.
const SAMPLES: &[u8] = include_bytes!("../samples.csv");
const ROLE: &str = "arn:aws:iam::123456789012:role/OmicsImport";

/// The columns of the results.
const RESULTS: [&str; 10] =
    ["line", "sample", "subject", "name", "source1", "source2", "read_set_id", "job_id", "status", "reason"];

/// Imports the files of a CSV manifest of any length in as few jobs as possible, and starts no job twice.
#[derive(Parser, Debug)]
#[command(name = "import", version, after_help = format!("{}\n\n{CREDENTIALS}\n\n{EXIT_CODES}", manifest::COLUMNS))]
struct Options {
    /// The CSV manifest of the files.
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The role that HealthOmics assumes to read the files: arn:aws:iam::ACCOUNT:role/NAME.
    #[arg(long, value_name = "ARN")]
    role: Option<String>,
    #[command(flatten)]
    rows: ManifestOptions,
    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    account: AccountOptions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match exit::arguments::<Options>() {
        Ok(options) => exit::code(Box::pin(import(options)).await),
        Err(code) => code,
    }
}

async fn import(mut options: Options) -> Result<Exit, Failure> {
    let store = options.account.store().await?;
    if store.local.is_some() {
        demonstrate(&mut options);
    }
    let table = match &options.manifest {
        Some(path) => Table::read(path)?,
        None if store.local.is_some() => Table::parse("samples.csv", SAMPLES)?,
        None => return Err(Failure::new("--manifest is missing")),
    };
    let mut sources = manifest::sources(&table, &options.rows)?;
    if let Some(pattern) = &options.rows.pair {
        sources = pairs::pair(&table, sources, pattern)?;
    }
    if let Some(path) = &options.rows.only_failed_in {
        if options.run.output.as_ref() == Some(path) {
            return Err(Failure::new("--output would replace the table of --only-failed-in: choose another path"));
        }
        sources = manifest::only_failed(sources, path)?;
    }
    // The whole input is checked before the first job starts.
    let plan = plan(&options, &store, &table, &sources)?;
    let journal = options.run.journal("import", options.manifest.as_deref(), plan.run_id().as_str());
    // The jobs of the embedded service end with this process.
    let journal = store.local.is_none().then_some(journal.as_path());
    if options.run.dry_run {
        bulk::print_plan(&plan, journal, |source, position| {
            let files = &source.source_files;
            let second = files.source2.as_ref().map(|second| format!(" + {second}")).unwrap_or_default();
            let (sample, kind) = (&source.sample_id, &source.source_file_type);
            format!("line {}: sample {sample}, {kind} {}{second}", sources[position].line, files.source1)
        });
        return Ok(Exit::AllFinished);
    }

    let output = options.run.output.as_ref().map(|path| Output::new(path, &RESULTS)).transpose()?;
    let client = store.client(&options.account).await?;
    let Some(report) = bulk::run(&client, plan, &options.run, journal).await? else { return Ok(Exit::RunAgain) };
    let (finished, total) = (report.finished_count(), report.items().count());
    println!("{finished} of {} became read sets in {}", count(total, "source"), count(report.job_ids().count(), "job"));
    bulk::print_failures(&report, |item| {
        let name = item.item.name.as_deref().unwrap_or(item.item.sample_id.as_str());
        format!("line {} ({name})", sources[item.position].line)
    });
    if let Some(output) = output {
        output.write(results(&report, &sources))?;
    }
    Ok(bulk::exit(&report))
}

/// Sets what is missing for a run on the embedded service.
fn demonstrate(options: &mut Options) {
    options.run.run_id.get_or_insert_with(|| "samples".to_owned());
    options.role.get_or_insert_with(|| ROLE.to_owned());
    options.run.group_size.get_or_insert(3);
    options.run.poll_ms.get_or_insert(50);
}

/// The part of the plan that this process runs.
fn plan(options: &Options, store: &Store, table: &Table, sources: &[PlacedSource]) -> Result<Plan<Import>, Failure> {
    let run_id = required(options.run.run_id.as_ref(), "run-id")?;
    let role = required(options.role.as_ref(), "role")?;
    let planner = Planner::import(run_id.into(), store.id.clone(), role.into()).duplicates(Duplicates::Drop);
    let planner = planner.group_size(options.run.group_size.unwrap_or(MAX_IMPORT_SOURCES));
    let plan = planner.plan(sources.iter().map(|placed| placed.source.clone()));
    let plan =
        plan.map_err(|error| bulk::plan_failure(error, |index, field| manifest::place(table, &sources[index], field)))?;
    bulk::refuse_duplicates(&plan, &options.run, |index| {
        manifest::place(table, &sources[index], "sourceFiles.source1")
    })?;
    Ok(options.run.shard(plan)?)
}

fn results<'a>(report: &'a Report<Import>, sources: &'a [PlacedSource]) -> impl Iterator<Item = Vec<String>> + use<'a> {
    report.items().map(|item| {
        let source = item.item;
        vec![
            sources[item.position].line.to_string(),
            source.sample_id.to_string(),
            source.subject_id.to_string(),
            cell(source.name.as_ref()),
            source.source_files.source1.to_string(),
            cell(source.source_files.source2.as_ref()),
            cell(item.read_set_id),
            cell(item.job_id),
            bulk::status(&item).to_owned(),
            cell(item.reason),
        ]
    })
}
