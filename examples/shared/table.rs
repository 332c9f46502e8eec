//! Tables that are read: CSV, with the place of everything that is wrong.

use std::path::Path;

use super::exit::Failure;

/// A table with the names of its columns in the first line. Cells are trimmed.
#[derive(Debug)]
pub struct Table {
    /// The name of the file, for messages.
    pub file: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

#[derive(Debug)]
pub struct Row {
    /// The number of its first line in the file.
    pub line: usize,
    /// As many as there are columns.
    pub cells: Vec<String>,
}

impl Table {
    /// Reads a file. One whose name ends in `.tsv` is separated by tabs.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = std::fs::read(path).map_err(|error| Failure::new(format!("{}: {error}", path.display())))?;
        Self::parse(&path.display().to_string(), &bytes)
    }

    /// Parses the content of a file. All rows with a wrong number of cells are reported.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Failure> {
        let text = text(file, bytes)?;
        let is_tsv = Path::new(file).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
        let delimiter = if is_tsv { b'\t' } else { b',' };
        check_quotes(file, text, delimiter)?;

        let mut reader = csv::ReaderBuilder::new();
        reader.delimiter(delimiter).trim(csv::Trim::All).flexible(true);
        let mut reader = reader.from_reader(text.as_bytes());
        let columns: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        if columns.iter().all(String::is_empty) {
            return Err(Failure::new(format!(
                "{file}, line 1: the file is empty, it must begin with names of columns"
            )));
        }
        let mut errors = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if column.is_empty() {
                errors.push(format!("{file}, line 1, column {}: it has no name", index + 1));
            } else if columns[..index].contains(column) {
                errors.push(format!("{file}, line 1, column {column:?}: it is there twice"));
            }
        }
        let mut lines = Lines::new(text);
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record?;
            let line = lines.of(record.position().map_or(0, csv::Position::byte));
            if record.len() != columns.len() {
                let column = record.len().min(columns.len()) + 1;
                let counts = format!("{} cells under {} columns", record.len(), columns.len());
                errors.push(format!("{file}, line {line}, column {column}: {counts}"));
            }
            rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
        }
        if !errors.is_empty() {
            return Err(Failure::all(errors));
        }
        if rows.is_empty() {
            return Err(Failure::new(format!("{file}, line 2: there are no rows below the names of the columns")));
        }
        Ok(Self { file: file.to_owned(), columns, rows })
    }

    /// The index of the first of these columns that there is.
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.columns.iter().position(|column| normalized(column) == normalized(name)))
    }

    /// `samples.csv, line 7, column sample: it is empty`
    pub fn flaw(&self, line: usize, column: &str, message: impl std::fmt::Display) -> String {
        format!("{}, line {line}, column {column}: {message}", self.file)
    }
}

impl Row {
    /// The text of a cell; `None` if it is empty or there is no such column.
    pub fn cell(&self, column: Option<usize>) -> Option<&str> {
        self.cells.get(column?).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// `sampleId`, `sample_id` and `Sample ID` are the same column.
pub fn normalized(column: &str) -> String {
    column.chars().filter(|c| !matches!(c, '_' | ' ' | '-')).flat_map(char::to_lowercase).collect()
}

/// The text of a file, without a byte order mark.
pub fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
            Err(Failure::new(format!("{file}, line {line}: it is not UTF-8, save the file as CSV UTF-8")))
        }
    }
}

/// The number of the line at an offset. The CSV reader's own is wrong after blank lines and with CRLF.
struct Lines<'a> {
    text: &'a [u8],
    counted: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes(), counted: 0, line: 1 }
    }

    /// Offsets must not decrease. Blank lines at the offset are skipped.
    fn of(&mut self, offset: u64) -> usize {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(self.text.len());
        let blank = self.text[offset..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let begin = offset + blank;
        self.line += self.text[self.counted..begin].split(|byte| *byte == b'\n').count() - 1;
        self.counted = begin;
        self.line
    }
}

/// The CSV reader accepts any quotes: a missing one would put the rest of the file into one cell.
fn check_quotes(file: &str, text: &str, delimiter: u8) -> Result<(), Failure> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        CellBegins,
        InCell,
        InQuotes,
        AfterQuotes,
    }
    let mut state = State::CellBegins;
    let (mut line, mut column) = (1, 1);
    let (mut opened_in_line, mut opened_in_column) = (1, 1);
    let flaw = |line, column, message| Err(Failure::new(format!("{file}, line {line}, column {column}: {message}")));
    for byte in text.bytes() {
        state = match (state, byte) {
            (State::InQuotes, b'"') => State::AfterQuotes,
            (State::InQuotes, _) | (State::AfterQuotes, b'"') => State::InQuotes,
            (State::CellBegins, b'"') => {
                opened_in_line = line;
                opened_in_column = column;
                State::InQuotes
            }
            (State::InCell, b'"') => {
                return flaw(
                    line,
                    column,
                    "a quote inside of a cell: put the cell in quotes, and write \"\" for a quote",
                );
            }
            (_, b'\n' | b'\r') => State::CellBegins,
            (_, byte) if byte == delimiter => State::CellBegins,
            (State::AfterQuotes, _) => return flaw(line, column, "text after the closing quote of a cell"),
            (_, _) => State::InCell,
        };
        if byte == b'\n' {
            line += 1;
        }
        if byte == delimiter && state == State::CellBegins {
            column += 1;
        } else if matches!(byte, b'\n' | b'\r') && state == State::CellBegins {
            column = 1;
        }
    }
    if state == State::InQuotes {
        return flaw(opened_in_line, opened_in_column, "the closing quote is missing");
    }
    Ok(())
}
