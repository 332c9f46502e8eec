//! The table of results that a program writes.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::exit::Failure;

/// The file of a table of results. It is replaced as a whole, by renaming a temporary file of the same folder.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    columns: &'static [&'static str],
}

impl Output {
    /// Checks before the work begins that the file can be written at its end, and that nothing else is overwritten: a
    /// file that exists must be a table with the same columns.
    pub fn new(path: &Path, columns: &'static [&'static str]) -> Result<Self, Failure> {
        let output = Self { path: path.to_owned(), columns };
        let failure = |action, error: &io::Error| Failure::new(format!("can't {action} {}: {error}", path.display()));
        match fs::read(path) {
            Ok(existing) => {
                let header = output.columns.join(",");
                let first = existing.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
                if !existing.is_empty() && first != header.as_bytes() {
                    let message = "it exists and is not a table of this program: choose another path";
                    return Err(Failure::new(format!("{}: {message}", path.display())));
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // What can't be read may be valuable.
            Err(error) => return Err(failure("read", &error)),
        }
        write_temporary(path, b"").and_then(fs::remove_file).map_err(|error| failure("write", &error))?;
        Ok(output)
    }

    /// Writes the table.
    pub fn write(&self, rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), Failure> {
        let table = to_csv(self.columns, rows)?;
        replace(&self.path, &table)
    }
}

/// The bytes of a table.
pub fn to_csv(columns: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| Failure::new(error.to_string()))
}

/// Replaces a file as a whole, or creates it: nobody sees a part of it, and it is not lost at a crash.
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let temporary = write_temporary(path, content);
    let result = temporary.and_then(|temporary| {
        fs::rename(&temporary, path).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })
    });
    result.map_err(|error| Failure::new(format!("can't write {}: {error}", path.display())))
}

/// A new file beside the path.
fn write_temporary(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or_else(|| io::Error::from(ErrorKind::InvalidFilename))?);
    name.push(format!(".{:016x}.tmp", fastrand::u64(..)));
    let temporary = path.with_file_name(name);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    Ok(temporary)
}
