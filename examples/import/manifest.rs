//! The manifest: which source each row describes.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use clap::Args;
use healthomics::read_set::{FileType, ImportReadSetSource, SourceFiles};

use crate::shared::exit::Failure;
use crate::shared::table::{Row, Table, normalized};

/// The columns, for `--help`.
pub(crate) const COLUMNS: &str = "\
The manifest is a CSV file with a row for each read set. The first line has the
names of the columns, in any order. Upper and lower case, spaces and underscores
of the names do not matter. A file whose name ends in .tsv is separated by tabs.

  sampleId or sample         the sample, required
  subjectId or subject       the subject, required without --subject-from-sample
  source1, source2           the s3:// URIs of a file, or of two FASTQ files
  sourceFileType             FASTQ, BAM, CRAM or UBAM; required with source1
  fastq_1, fastq_2           a FASTQ file or a pair, instead of source1
  bam, cram, ubam            another file, instead of source1
  sourceFiles                a file, or JSON {\"source1\": \"s3://…\", \"source2\": …}
  referenceArn or reference  the ARN of the reference genome, for BAM and CRAM
  name, description          fields of the read set
  generatedFrom              a field of the read set
  tags                       tags as JSON: {\"project\": \"1000 Genomes\"}
  tag:KEY                    a tag of that key; any number of such columns";

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Manifest")]
pub(crate) struct ManifestOptions {
    /// Ignores columns that are not in the list below. Otherwise they are an error, as they may be misspelt.
    #[arg(long)]
    ignore_unknown_columns: bool,
    /// The sample is the subject of rows without one.
    #[arg(long)]
    subject_from_sample: bool,
    /// The ARN of the reference genome of BAM and CRAM files whose row has none.
    #[arg(long, value_name = "ARN")]
    reference: Option<String>,
    /// Imports only the sources that have the status FAILED in this table of results of an earlier run (--output), for
    /// a run with another --run-id.
    #[arg(long, value_name = "FILE")]
    pub(crate) only_failed_in: Option<PathBuf>,
    /// Makes one read set of two rows with a FASTQ file each: rows of the same sample and subject whose file names
    /// differ only in 1 and 2 in place of {}. For x_R1_001.fastq.gz and x_R2_001.fastq.gz it is _R{}_.
    #[arg(long, value_name = "PATTERN", value_parser = parse_pattern)]
    pub pair: Option<String>,
}

fn parse_pattern(text: &str) -> Result<String, String> {
    let is_valid = text.matches("{}").count() == 1 && !text.contains('/');
    if is_valid { Ok(text.to_owned()) } else { Err("expected one {} and no /, such as _R{}_".to_owned()) }
}

/// The columns of files, with the type that they imply.
const FILES: [(&str, Option<FileType>); 6] = [
    ("source1", None),
    ("sourceFiles", None),
    ("fastq_1", Some(FileType::Fastq)),
    ("bam", Some(FileType::Bam)),
    ("cram", Some(FileType::Cram)),
    ("ubam", Some(FileType::Ubam)),
];

/// The columns of each field of a source.
const FIELDS: [(&str, &[&str]); 10] = [
    ("sampleId", &["sampleId", "sample"]),
    ("subjectId", &["subjectId", "subject"]),
    ("sourceFileType", &["sourceFileType"]),
    ("sourceFiles.source1", &["source1", "sourceFiles", "fastq_1", "bam", "cram", "ubam"]),
    ("sourceFiles.source2", &["source2", "sourceFiles", "fastq_2"]),
    ("referenceArn", &["referenceArn", "reference"]),
    ("name", &["name"]),
    ("description", &["description"]),
    ("generatedFrom", &["generatedFrom"]),
    ("tags", &["tags"]),
];

/// A source, and where it is in the manifest.
#[derive(Clone, Debug)]
pub(crate) struct PlacedSource {
    pub line: usize,
    /// The line of the second file, if it is in a row of its own.
    pub second_line: Option<usize>,
    pub source: ImportReadSetSource,
}

/// Reads the sources of all rows, or returns everything that is wrong with them.
pub(crate) fn sources(table: &Table, options: &ManifestOptions) -> Result<Vec<PlacedSource>, Failure> {
    check_columns(table, options)?;
    let mut sources = Vec::new();
    let mut errors = Vec::new();
    for row in &table.rows {
        match (Reader { table, row, options }).source() {
            Ok(source) => sources.push(PlacedSource { line: row.line, second_line: None, source }),
            Err(flaw) => errors.push(flaw),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(Failure::all(errors)) }
}

/// The sources that failed by a table of results.
pub(crate) fn only_failed(sources: Vec<PlacedSource>, path: &Path) -> Result<Vec<PlacedSource>, Failure> {
    let results = Table::read(path)?;
    let columns = ["sample", "source1", "status"].map(|name| results.column(&[name]));
    let [Some(sample), Some(file), Some(status)] = columns else {
        let message = "line 1: there are no columns sample, source1 and status: it is not a table of results";
        return Err(Failure::new(format!("{}, {message}", results.file)));
    };
    let has_failed = |row: &&Row| row.cell(Some(status)) == Some("FAILED");
    let key = |row: &Row| (row.cells[sample].clone(), row.cells[file].clone());
    let failed: HashSet<(String, String)> = results.rows.iter().filter(has_failed).map(key).collect();
    let is_failed = |placed: &PlacedSource| {
        let source = &placed.source;
        failed.contains(&(source.sample_id.to_string(), source.source_files.source1.to_string()))
    };
    let kept: Vec<PlacedSource> = sources.into_iter().filter(is_failed).collect();
    if kept.is_empty() {
        return Err(Failure::new(format!("{}: no source of the manifest has failed", results.file)));
    }
    Ok(kept)
}

/// The place of a field of a source in the manifest, for messages.
pub(crate) fn place(table: &Table, placed: &PlacedSource, field: &str) -> String {
    let (line, field) = match (field, placed.second_line) {
        // Of two rows that were paired, each has its file in a column of first files.
        ("sourceFiles.source2", Some(line)) => (line, "sourceFiles.source1"),
        _ => (placed.line, field),
    };
    let row = table.rows.iter().find(|row| row.line == line);
    format!("{}, line {line}, column {}", table.file, column_of(table, row, field))
}

/// The column of a field: of several the one that is filled in the row.
fn column_of<'a>(table: &'a Table, row: Option<&Row>, field: &'a str) -> &'a str {
    if let Some(key) = field.strip_prefix("tags[\"").and_then(|rest| rest.strip_suffix("\"]")) {
        return table.columns.iter().find(|column| tag_key(column) == Some(key)).map_or("tags", String::as_str);
    }
    let names = FIELDS.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, names)| names);
    let columns: Vec<usize> = names.iter().filter_map(|name| table.column(&[name])).collect();
    let is_filled = |column: &&usize| row.is_some_and(|row| row.cell(Some(**column)).is_some());
    match columns.iter().find(is_filled).or(columns.first()) {
        Some(column) => &table.columns[*column],
        None => names.first().copied().unwrap_or(field),
    }
}

/// The key of a column `tag:KEY`.
fn tag_key(column: &str) -> Option<&str> {
    column.strip_prefix("tag:").map(str::trim).filter(|key| !key.is_empty())
}

fn check_columns(table: &Table, options: &ManifestOptions) -> Result<(), Failure> {
    let mut errors = Vec::new();
    let names = || FIELDS.iter().flat_map(|(_, names)| names.iter());
    let is_known =
        |column: &String| tag_key(column).is_some() || names().any(|name| normalized(name) == normalized(column));
    let flaw = |column: &str, message: &str| format!("{}, line 1, column {column:?}: {message}", table.file);
    for (index, column) in table.columns.iter().enumerate() {
        if !is_known(column) && !options.ignore_unknown_columns {
            errors.push(flaw(column, "it is not known: see the list in --help, or use --ignore-unknown-columns"));
        }
        let is_same = |earlier: &String| tag_key(column).is_none() && normalized(earlier) == normalized(column);
        if is_known(column) && table.columns[..index].iter().any(is_same) {
            errors.push(flaw(column, "it is there twice"));
        }
    }
    for (field, names) in FIELDS.iter().filter(|(field, _)| !field.starts_with("sourceFiles.")) {
        let present: Vec<&str> = names.iter().copied().filter(|name| table.column(&[name]).is_some()).collect();
        if let [_, second, ..] = present.as_slice() {
            errors.push(flaw(second, &format!("it is another column of {field}")));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::all(errors)) }
}

/// Reads one row. Errors are complete messages.
struct Reader<'a> {
    table: &'a Table,
    row: &'a Row,
    options: &'a ManifestOptions,
}

impl<'a> Reader<'a> {
    fn source(&self) -> Result<ImportReadSetSource, String> {
        let (files, file_type) = self.files()?;
        let sample = self.cell(&["sampleId", "sample"]).ok_or_else(|| self.empty(&["sample", "sampleId"]))?;
        let subject = self.cell(&["subjectId", "subject"]);
        let subject = subject.or_else(|| self.options.subject_from_sample.then_some(sample));
        let subject = subject.ok_or_else(|| self.empty(&["subject", "subjectId"]))?;

        let source = ImportReadSetSource::builder().source_files(files).source_file_type(file_type.clone());
        let mut source = source.subject_id(subject).sample_id(sample).build();
        let needs_reference = matches!(file_type, FileType::Bam | FileType::Cram);
        let default_reference = self.options.reference.as_deref().filter(|_| needs_reference);
        source.reference_arn = self.cell(&["referenceArn", "reference"]).or(default_reference).map(Into::into);
        source.name = self.cell(&["name"]).map(str::to_owned);
        source.description = self.cell(&["description"]).map(str::to_owned);
        source.generated_from = self.cell(&["generatedFrom"]).map(str::to_owned);
        source.tags = Some(self.tags()?).filter(|tags| !tags.is_empty());
        Ok(source)
    }

    fn files(&self) -> Result<(SourceFiles, FileType), String> {
        let given: Vec<_> = FILES.iter().filter_map(|(name, kind)| Some((*name, kind, self.cell(&[name])?))).collect();
        let [(name, kind, first)] = given.as_slice() else {
            let named: Vec<&str> = if given.is_empty() {
                FILES.iter().map(|(name, _)| *name).filter(|name| self.table.column(&[name]).is_some()).collect()
            } else {
                given.iter().map(|(name, _, _)| *name).collect()
            };
            let named = if named.is_empty() { FILES.map(|(name, _)| name).to_vec() } else { named };
            return Err(self.flaw(&named.join(", "), format!("{} files, a row has exactly one", given.len())));
        };
        let mut files = self.files_of(name, first)?;
        for (column, other) in [("source2", "source1"), ("fastq_2", "fastq_1")] {
            let Some(second) = self.cell(&[column]) else { continue };
            if *name != other {
                return Err(self.flaw(column, format!("it goes with {other}, not with {name}")));
            }
            files = files.source2(second);
        }
        Ok((files, self.file_type(name, kind.as_ref())?))
    }

    /// The files of a cell, which may be JSON in `sourceFiles`.
    fn files_of(&self, column: &str, text: &str) -> Result<SourceFiles, String> {
        if column == "sourceFiles" && text.starts_with('{') {
            return serde_json::from_str(text).map_err(|error| self.flaw(column, error));
        }
        Ok(SourceFiles::source1(text))
    }

    fn file_type(&self, column: &str, implied: Option<&FileType>) -> Result<FileType, String> {
        let stated = self.cell(&["sourceFileType"]).map(|text| FileType::from(text.to_uppercase()));
        match (stated, implied) {
            (Some(stated), Some(implied)) if stated != *implied => {
                Err(self.flaw("sourceFileType", format!("it is {stated}, and the file is in column {column}")))
            }
            (Some(stated), _) => Ok(stated),
            (None, Some(implied)) => Ok(implied.clone()),
            (None, None) => Err(self.empty(&["sourceFileType"])),
        }
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, String> {
        let mut tags = match self.cell(&["tags"]) {
            Some(json) => serde_json::from_str(json).map_err(|error| self.flaw("tags", error))?,
            None => BTreeMap::new(),
        };
        for (index, column) in self.table.columns.iter().enumerate() {
            let Some(key) = tag_key(column) else { continue };
            let Some(value) = self.row.cell(Some(index)) else { continue };
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(self.flaw(column, "the tag is there twice"));
            }
        }
        Ok(tags)
    }

    fn cell(&self, names: &[&str]) -> Option<&'a str> {
        self.row.cell(self.table.column(names))
    }

    fn flaw(&self, column: &str, message: impl std::fmt::Display) -> String {
        self.table.flaw(self.row.line, column, message)
    }

    fn empty(&self, names: &[&str]) -> String {
        match self.table.column(names) {
            Some(index) => self.flaw(&self.table.columns[index], "it is empty"),
            None => self.flaw(names.first().unwrap_or(&""), "there is no such column"),
        }
    }
}
