//! Imports a CSV manifest of any length in as few jobs as possible, and starts no job twice.
//!
//! `cargo run --example bulk_import` uses the embedded local service. With `--store` it uses your account, with the
//! credentials and region of the environment:
//!
//! ```text
//! bulk_import --store 1234567890 --role arn:aws:iam::123456789012:role/OmicsImport --manifest samples.csv \
//!     --run-id 2026-07 [--journal 2026-07.jsonl] [--shard 0/8] [--jobs-at-once 20] [--requests-per-second 5] \
//!     [--poll-ms 2000] [--group-size 100] [--endpoint http://…]
//! ```
//!
//! If it is terminated at any moment and started again with the same arguments, it resumes the run and starts no job
//! twice.
//!
//! The manifest has a row for each read set, and a first line with the names of its columns, in any order:
//!
//! | column | |
//! |---|---|
//! | `sample`, `subject` | required |
//! | `fastq_1`, `bam`, `cram`, `ubam` | the `s3://` URI of the file; exactly one of the four is filled |
//! | `fastq_2` | the second file of a pair, with `fastq_1` |
//! | `reference` | the ARN of the reference; BAM and CRAM need one |
//! | `name`, `description`, `generated_from` | fields of the read set |
//! | `tag:KEY` | a tag of that key; any number of such columns |
//!
//! In a crate of your own it needs `csv = "1"` and `indicatif = "0.18"`, too.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use csv::StringRecord;
use healthomics::bulk::{Planner, Report};
use healthomics::job::Import;
use healthomics::local::{LocalService, Pace};
use healthomics::read_set::{FileType, ImportReadSetSource, MAX_IMPORT_SOURCES, SourceFiles};
use healthomics::{Client, ClientBuilder};
use indicatif::{ProgressBar, ProgressStyle};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Options = HashMap<String, String>;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples.csv");
const OPTIONS: &str = "manifest run-id journal store role endpoint shard jobs-at-once requests-per-second poll-ms \
                       group-size";
const COLUMNS: &str = "sample subject fastq_1 fastq_2 bam cram ubam reference name description generated_from";
const FILES: [&str; 4] = ["fastq_1", "bam", "cram", "ubam"];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
    eprintln!("error: {error}{cause}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), Failure> {
    let mut options = options(std::env::args().skip(1))?;
    // It stops when it is dropped.
    let local = if options.contains_key("store") { None } else { Some(embedded(&mut options).await?) };
    let client = local.as_ref().map_or_else(|| client(&options), |local| Ok(local.client()?))?;
    let manifest = read_manifest(Path::new(required(&options, "manifest")?))?;
    let (lines, sources): (Vec<usize>, Vec<ImportReadSetSource>) = manifest.into_iter().unzip();

    let [run_id, store, role] = ["run-id", "store", "role"].map(|name| required(&options, name));
    let planner = Planner::import(run_id?.into(), store?.into(), role?.into());
    // The whole input is checked before the first job starts.
    let plan = planner.group_size(number(&options, "group-size", MAX_IMPORT_SOURCES)?).plan(sources)?;
    let (index, count) = shard(&options)?;

    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg} {elapsed}");
    let bar = ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let shown = bar.clone();
    let mut bulk_run = client.bulk_run(plan.shard(index, count)?).on_progress(move |progress| {
        shown.set_length(progress.items as u64);
        shown.set_position(progress.settled as u64);
        let trouble = progress.retrying.as_ref().map(ToString::to_string).unwrap_or_default();
        shown.set_message(format!("{} jobs run, {} sources failed {trouble}", progress.running_jobs, progress.failed));
    });
    if let Some(path) = options.get("journal") {
        bulk_run = bulk_run.journal(path);
    }
    bulk_run = bulk_run.jobs_at_once(number(&options, "jobs-at-once", 20)?);
    bulk_run = bulk_run.poll_every(Duration::from_millis(number(&options, "poll-ms", 2_000)?));
    let report = bulk_run.run().await?;
    bar.finish_and_clear();
    print(&report, &lines);
    if let (Some(_), Some(path)) = (&local, options.get("journal")) {
        std::fs::remove_file(path)?;
    }
    // A workflow engine that runs this as a worker must be notified that work is left.
    match report.items().filter(|item| item.job_status.is_none() && !item.job_not_found).count() {
        0 => Ok(()),
        open => Err(format!("{open} sources are in no job that ended: fix the cause and run this again").into()),
    }
}

fn print(report: &Report<Import>, lines: &[usize]) {
    let total = report.items().count();
    println!("{} of {total} sources became read sets in {} jobs", report.finished_count(), report.job_ids().count());
    // An error of a start concerns many sources: it is printed once.
    for error in report.errors().iter().filter(|error| error.error.is_some()) {
        println!("{} sources: {}", error.items, error.reason);
    }
    for failed in report.items().filter(|item| !item.finished && item.error.is_none()) {
        let name = failed.item.name.as_deref().unwrap_or(failed.item.sample_id.as_str());
        println!("line {}: {name}: {}", lines[failed.position], failed.reason.unwrap_or("no reason given"));
    }
}

/// `--name value`, any number of times.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Options, Failure> {
    let mut options = Options::new();
    while let Some(argument) = arguments.next() {
        let name = argument.strip_prefix("--").filter(|name| OPTIONS.split(' ').any(|known| known == *name));
        let name = name.ok_or_else(|| format!("{argument} is not one of: {OPTIONS}, each after --"))?;
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
        options.insert(name.to_owned(), value);
    }
    Ok(options)
}

fn required<'a>(options: &'a Options, name: &str) -> Result<&'a str, String> {
    options.get(name).map(String::as_str).ok_or_else(|| format!("--{name} is missing"))
}

fn number<T: std::str::FromStr>(options: &Options, name: &str, default: T) -> Result<T, String> {
    let parse = |text: &String| text.parse().map_err(|_| format!("--{name} {text} is not a number that fits"));
    options.get(name).map_or(Ok(default), parse)
}

/// `--shard 0/8`; the whole plan if it is absent.
fn shard(options: &Options) -> Result<(usize, usize), String> {
    let text = options.get("shard").map_or("0/1", String::as_str);
    let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    parts.ok_or_else(|| format!("--shard {text} is not like 0/8"))
}

/// A client for the account, with the credentials and region of the environment.
fn client(options: &Options) -> Result<Client, Failure> {
    let mut builder = ClientBuilder::from_env()?;
    if let Some(url) = options.get("endpoint") {
        builder = builder.endpoint_url(url);
    }
    Ok(builder.requests_per_second(number(options, "requests-per-second", 5)?).build()?)
}

/// An embedded service. Its jobs end with this process, and so does the journal.
async fn embedded(options: &mut Options) -> Result<LocalService, Failure> {
    if options.contains_key("journal") || options.contains_key("endpoint") {
        return Err("--journal and --endpoint need --store".into());
    }
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(300))).start().await?;
    local.fail_item("s3://my-bucket/run-7/U0a-L001.bam", "File validation failed");
    let journal = std::env::temp_dir().join(format!("bulk-import-{}.jsonl", std::process::id()));
    options.insert("journal".to_owned(), journal.to_string_lossy().into_owned());
    options.insert("store".to_owned(), local.create_sequence_store().into());
    let role = ("role", "arn:aws:iam::123456789012:role/OmicsImport");
    for (name, value) in [("manifest", MANIFEST), ("run-id", "samples"), role, ("group-size", "3"), ("poll-ms", "50")] {
        options.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    Ok(local)
}

/// Every source with the number of its first line.
fn read_manifest(path: &Path) -> Result<Vec<(usize, ImportReadSetSource)>, Failure> {
    let text = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_slice());
    let columns = reader.headers()?.clone();
    for (index, column) in columns.iter().enumerate() {
        let tag = column.strip_prefix("tag:").is_some_and(|key| !key.is_empty());
        if !tag && !COLUMNS.split(' ').any(|known| known == column) {
            return Err(format!("line 1, column {column:?}: it is not one of {COLUMNS} tag:KEY").into());
        } else if columns.iter().take(index).any(|earlier| earlier == column) {
            return Err(format!("line 1, column {column:?}: it is there twice").into());
        }
    }
    let (mut line, mut counted, mut sources) = (1, 0, Vec::new());
    for record in reader.records() {
        let record = record?;
        // The line numbers of the CSV reader are wrong after blank lines and with CRLF.
        let end = usize::try_from(record.position().map_or(0, csv::Position::byte))?;
        let begin = end + text.iter().skip(end).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += text[counted..begin].split(|byte| *byte == b'\n').count() - 1;
        counted = begin;
        let source = source(&columns, &record).map_err(|(column, flaw)| format!("line {line}, {column}: {flaw}"))?;
        sources.push((line, source));
    }
    Ok(sources)
}

/// Reads the source of a row, or returns the column that is wrong, and why.
fn source(columns: &StringRecord, row: &StringRecord) -> Result<ImportReadSetSource, (String, String)> {
    let cells = || columns.iter().zip(row).filter(|(_, text)| !text.is_empty());
    let cell = |name: &str| cells().find(|(column, _)| *column == name).map(|(_, text)| text.to_owned());
    let needed = |name: &str| cell(name).ok_or_else(|| (format!("column {name}"), "it is empty".to_owned()));

    if row.len() != columns.len() {
        let column = format!("column {}", row.len().min(columns.len()) + 1);
        return Err((column, format!("{} cells under {} columns", row.len(), columns.len())));
    }
    let given: Vec<_> = FILES.iter().filter_map(|name| Some((*name, cell(name)?))).collect();
    let [(name, file)] = given.as_slice() else {
        let names: Vec<_> = given.iter().map(|(name, _)| *name).collect();
        let names = if names.is_empty() { FILES.join(", ") } else { names.join(", ") };
        return Err((format!("columns {names}"), format!("{} files, a row has exactly one", given.len())));
    };
    let mut files = SourceFiles::source1(file.as_str());
    if let Some(second) = cell("fastq_2") {
        if *name != "fastq_1" {
            return Err(("column fastq_2".to_owned(), format!("it goes with fastq_1, not with {name}")));
        }
        files = files.source2(second);
    }
    let file_type = name.split('_').next().unwrap_or(name).to_uppercase();
    let source = ImportReadSetSource::builder().source_files(files).source_file_type(FileType::from(file_type));
    let mut source = source.subject_id(needed("subject")?).sample_id(needed("sample")?).build();
    source.reference_arn = cell("reference").map(Into::into);
    source.name = cell("name");
    source.description = cell("description");
    source.generated_from = cell("generated_from");
    let tags = cells().filter_map(|(column, text)| Some((column.strip_prefix("tag:")?.to_owned(), text.to_owned())));
    source.tags = Some(tags.collect()).filter(|tags: &BTreeMap<_, _>| !tags.is_empty());
    Ok(source)
}
