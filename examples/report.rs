//! A table of samples with their read sets: id, status and reason, as CSV.
//!
//! `cargo run --example report` shows what it does on an embedded local service. `--help` explains everything; this uses
//! your account:
//!
//! ```text
//! report --store 1234567890 results.csv --output table.csv
//! ```
//!
//! In a crate of your own it needs `clap = { version = "4", features = ["derive"] }`, `csv = "1"`, `fastrand = "2"`,
//! `indicatif = "0.18"`, `time = "0.3"` and the feature `signal` of `tokio`, too.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::doc_markdown, reason = "the documentation of options is the text of --help")]

mod shared;

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use healthomics::local::SeedReadSet;
use healthomics::read_set::{FileType, ReadSetListItem, ReadSetStatus};
use time::format_description::well_known::Rfc3339;

use shared::account::{AccountOptions, CREDENTIALS, Store};
use shared::bulk::cell;
use shared::exit::{self, Exit, Failure, count};
use shared::filter::{self, FilterOptions};
use shared::output::{self, Output};
use shared::table::{Row, Table};

/// The columns of the table. `export --from` reads it.
const COLUMNS: [&str; 7] = ["sample", "subject", "name", "read_set_id", "status", "created", "reason"];

const EXIT_CODES: &str = "\
Exit codes:
  0  each row has a read set
  1  the program could not run: wrong arguments or input, no credentials, …
  3  some rows have no read set: it failed, was deleted, or was never imported
  4  some rows are NOT_STARTED or INDETERMINATE: run `import` again with the
     same arguments as before";

/// A table of samples with their read sets: id, status and reason, as CSV.
///
/// Without a table as input, it lists the read sets of the store, all or those that match the filter.
#[derive(Parser, Debug)]
#[command(name = "report", version, after_help = format!("{CREDENTIALS}\n\n{EXIT_CODES}"))]
struct Options {
    /// Tables of samples: the results of `import` (--output), of all its shards, or manifests. A row with a
    /// read_set_id gets the status of this read set, or MISSING. A row of results without one keeps its status and
    /// reason, unless a later table has a read set of the same sample, subject and source1: the one of a second run.
    /// A row of a manifest gets all read sets of its sample, and its subject if there is one, or MISSING.
    #[arg(value_name = "TABLE")]
    tables: Vec<PathBuf>,
    #[command(flatten)]
    filter: FilterOptions,
    /// Writes the table to a file, by default to the standard output. An existing table of this program is replaced,
    /// any other file is not.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    account: AccountOptions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match exit::arguments::<Options>() {
        Ok(options) => exit::code(Box::pin(report(options)).await),
        Err(code) => code,
    }
}

async fn report(options: Options) -> Result<Exit, Failure> {
    let tables: Vec<Table> = options.tables.iter().map(|path| Table::read(path)).collect::<Result<_, _>>()?;
    for table in &tables {
        if table.column(&["sample", "sampleId"]).is_none() {
            return Err(Failure::new(format!("{}, line 1: there is no column sample or sampleId", table.file)));
        }
    }
    let output = options.output.as_ref().map(|path| Output::new(path, &COLUMNS)).transpose()?;
    let store = options.account.store().await?;
    demonstrate(&store);
    let client = store.client(&options.account).await?;
    let read_sets = filter::list(&client, &store.id, options.filter.filter()).await?;

    let lines = if tables.is_empty() { read_sets.iter().map(listed).collect() } else { joined(&tables, &read_sets) };
    let rows = lines.iter().map(|line| line.cells.clone());
    if let Some(output) = output {
        output.write(rows)?;
    } else {
        std::io::stdout().write_all(&output::to_csv(&COLUMNS, rows)?)?;
    }
    Ok(exit(&lines))
}

/// Fills the embedded service.
fn demonstrate(store: &Store) {
    let Some(local) = &store.local else { return };
    for sample in ["HG00096", "HG00100", "HG00146"] {
        let seed = SeedReadSet::active(FileType::Cram).subject_id(sample).sample_id(sample).name("low coverage");
        local.seed_read_set(&store.id, seed);
    }
    local.seed_read_set(&store.id, SeedReadSet::archived(FileType::Ubam).subject_id("NA12878").sample_id("U0a"));
}

/// A row of the result.
struct Line {
    cells: Vec<String>,
    found: Found,
}

/// Whether a row has a read set.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    Yes,
    No,
    NotKnown,
}

/// The row of a read set of the store.
fn listed(read_set: &ReadSetListItem) -> Line {
    let created = read_set.creation_time.and_then(|time| time.format(&Rfc3339).ok());
    let cells = vec![
        cell(read_set.sample_id.as_ref()),
        cell(read_set.subject_id.as_ref()),
        cell(read_set.name.as_ref()),
        read_set.id.to_string(),
        read_set.status.to_string(),
        cell(created),
        cell(read_set.status_message.as_ref()),
    ];
    let is_lost = matches!(read_set.status, ReadSetStatus::Deleted | ReadSetStatus::UploadFailed);
    Line { cells, found: if is_lost { Found::No } else { Found::Yes } }
}

/// The rows of the tables, in their order, with their read sets.
fn joined(tables: &[Table], read_sets: &[ReadSetListItem]) -> Vec<Line> {
    let by_id: HashMap<&str, &ReadSetListItem> =
        read_sets.iter().map(|read_set| (read_set.id.as_str(), read_set)).collect();
    let mut by_sample: HashMap<&str, Vec<&ReadSetListItem>> = HashMap::new();
    for read_set in read_sets {
        let sample = read_set.sample_id.as_ref().map_or("", |id| id.as_str());
        by_sample.entry(sample).or_default().push(read_set);
    }

    let mut lines = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let is_manifest = table.column(&["read_set_id"]).is_none();
        let repeated = sources_with_read_sets(&tables[index + 1..]);
        for row in &table.rows {
            let source = Source::of(table, row);
            if is_manifest {
                let of_sample = by_sample.get(source.sample).map_or(&[][..], Vec::as_slice);
                lines.extend(lines_of_sample(&source, of_sample));
            } else if let Some(id) = source.read_set_id {
                let missing = || source.line(id, "MISSING", "the store does not have it");
                lines.push(by_id.get(id).map_or_else(missing, |read_set| listed(read_set)));
            } else if !repeated.contains(&source.key()) {
                let status = source.status.unwrap_or("MISSING");
                lines.push(source.line("", status, source.reason.unwrap_or_default()));
            }
        }
    }
    lines
}

/// The read sets of a source of a manifest, among those of its sample.
fn lines_of_sample(source: &Source<'_>, of_sample: &[&ReadSetListItem]) -> Vec<Line> {
    let is_of_subject = |read_set: &&&ReadSetListItem| {
        let subject = read_set.subject_id.as_ref().map(|id| id.as_str());
        source.subject.is_none() || source.subject == subject
    };
    let lines: Vec<Line> = of_sample.iter().filter(is_of_subject).map(|read_set| listed(read_set)).collect();
    if lines.is_empty() {
        return vec![source.line("", "MISSING", "the store has no read set of this sample")];
    }
    lines
}

/// A source of a table.
struct Source<'a> {
    sample: &'a str,
    subject: Option<&'a str>,
    name: Option<&'a str>,
    source1: Option<&'a str>,
    read_set_id: Option<&'a str>,
    status: Option<&'a str>,
    reason: Option<&'a str>,
}

type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

impl<'a> Source<'a> {
    fn of(table: &Table, row: &'a Row) -> Self {
        let cell = |names: &[&str]| row.cell(table.column(names));
        Self {
            sample: cell(&["sample", "sampleId"]).unwrap_or_default(),
            subject: cell(&["subject", "subjectId"]),
            name: cell(&["name"]),
            source1: cell(&["source1"]),
            read_set_id: cell(&["read_set_id"]),
            status: cell(&["status"]),
            reason: cell(&["reason"]),
        }
    }

    fn key(&self) -> Key<'a> {
        (self.sample, self.subject, self.source1)
    }

    fn line(&self, id: &str, status: &str, reason: &str) -> Line {
        let cells =
            [self.sample, self.subject.unwrap_or_default(), self.name.unwrap_or_default(), id, status, "", reason];
        let found = match status {
            "NOT_STARTED" | "INDETERMINATE" => Found::NotKnown,
            _ => Found::No,
        };
        Line { cells: cells.map(str::to_owned).to_vec(), found }
    }
}

fn sources_with_read_sets(tables: &[Table]) -> HashSet<Key<'_>> {
    let sources = tables.iter().flat_map(|table| table.rows.iter().map(|row| Source::of(table, row)));
    sources.filter(|source| source.read_set_id.is_some()).map(|source| source.key()).collect()
}

fn exit(lines: &[Line]) -> Exit {
    let with = |found| lines.iter().filter(|line| line.found == found).count();
    let (without, open) = (with(Found::No), with(Found::NotKnown));
    eprintln!("{}, {without} without a read set, {open} without a result", count(lines.len(), "row"));
    if open > 0 {
        Exit::RunAgain
    } else if without > 0 {
        Exit::SomeFailed
    } else {
        Exit::AllFinished
    }
}
