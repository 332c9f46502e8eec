//! Reads the lines of a journal.

use std::io::{BufRead, Read as _};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::line::{self, Entry, Header, ItemResult, Line, MAGIC, VERSION};
use super::{GroupRecord, GroupState, JournalStates, io_error};
use crate::bulk::{BulkError, BulkKind, Group, Plan};
use crate::job::Activation;
use crate::model::{ItemStatus, JobStatus};

/// The limit of a line. A line has at most the results of a hundred items, whose messages come from a response of at
/// most 8 MiB; each character may be escaped.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// Reads complete lines. A last line without a newline is what a crash left of a write.
pub(super) struct Reader<'a, R> {
    path: &'a Path,
    input: R,
    /// The current line, or the part of a line at the end of the file.
    line: Vec<u8>,
    /// The number of the current line, from 1.
    line_number: usize,
    /// The offset of the end of the last complete line, in bytes.
    end: u64,
    /// Whether lines have a checksum.
    has_checksums: bool,
}

impl<'a, R: BufRead> Reader<'a, R> {
    pub(super) fn new(path: &'a Path, input: R) -> Self {
        Self { path, input, line: Vec::new(), line_number: 0, end: 0, has_checksums: false }
    }

    /// The offset of the end of the last complete line that was read, in bytes.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Reads the next line. `false` if there is no complete one; `line` has the part of one then.
    fn next(&mut self) -> Result<bool, BulkError> {
        self.line.clear();
        let mut limited = (&mut self.input).take(MAX_LINE_BYTES);
        let read = limited.read_until(b'\n', &mut self.line).map_err(io_error("read", self.path))?;
        if read as u64 == MAX_LINE_BYTES {
            self.line_number += 1;
            return Err(self.corrupt("it is longer than any line of a journal"));
        }
        let is_complete = self.line.ends_with(b"\n");
        if is_complete {
            self.line_number += 1;
            self.end += read as u64;
        }
        if self.has_checksums {
            if is_complete && !line::has_valid_checksum(&self.line) {
                return Err(self.corrupt("its checksum is wrong"));
            }
            if !is_complete && line::is_line_without_newline(&self.line) {
                self.line_number += 1;
                return Err(self.corrupt("it does not end in a newline"));
            }
        }
        Ok(is_complete)
    }

    /// Reads the header, checks it against the one of the plan, and returns the version of the format. `None` if the
    /// file has no header yet.
    pub(super) fn header(&mut self, expected: &Header) -> Result<Option<u64>, BulkError> {
        if !self.next()? {
            // A header that was not written completely is written again. Any other file is not a journal, and is not
            // changed.
            let part = &self.line;
            let is_header = part.starts_with(MAGIC) || MAGIC.starts_with(part) || part.iter().all(|byte| *byte == 0);
            self.line_number = 1;
            if is_header && !line::is_line_without_newline(part) {
                return Ok(None);
            }
            return Err(self.corrupt("not a journal of a bulk run"));
        }
        if !self.line.starts_with(MAGIC) {
            return Err(self.corrupt("not a journal of a bulk run"));
        }
        let header: Header = self.parse()?;
        let version = header.version;
        if version == 0 {
            return Err(self.corrupt("it has no version"));
        }
        if version > VERSION {
            let path = self.path.to_owned();
            return Err(BulkError::JournalUnsupportedVersion { path, version, supported: VERSION });
        }
        self.has_checksums = version > 1;
        // A checksum in a header of version 1 means that its version is wrong.
        let is_valid =
            if self.has_checksums { line::has_valid_checksum(&self.line) } else { !line::has_checksum(&self.line) };
        if !is_valid {
            return Err(self.corrupt("its checksum is wrong"));
        }
        for ((field, found), (_, expected)) in header.fields().into_iter().zip(expected.fields()) {
            if found != expected {
                return Err(BulkError::JournalMismatch { path: self.path.to_owned(), field, found, expected });
            }
        }
        Ok(Some(version))
    }

    /// Reads all other lines, and returns the states of the groups after the last one.
    pub(super) fn states<K: BulkKind>(
        &mut self,
        plan: &Plan<K>,
        activation_plan: Option<&Plan<Activation>>,
    ) -> Result<JournalStates<K>, BulkError> {
        let groups: Vec<_> = plan.groups().collect();
        let activation_groups: Vec<_> = activation_plan.into_iter().flat_map(Plan::groups).collect();
        let mut states = JournalStates::untouched(plan, activation_plan);
        while self.next()? {
            let Entry { line, activation } = self.parse()?;
            if activation {
                self.apply(line, &activation_groups, &mut states.activations)?;
            } else {
                self.apply(line, &groups, &mut states.groups)?;
            }
        }
        Ok(states)
    }

    /// Changes the record of the group of a line.
    fn apply<K: BulkKind>(
        &self,
        line: Line,
        groups: &[Group<'_, K>],
        records: &mut [GroupRecord<K::Id>],
    ) -> Result<(), BulkError> {
        let (index, state) = match line {
            Line::Starting { group: index, token, first_start, excluded } => {
                let position = self.position(groups, index)?;
                let group = &groups[position];
                self.check_items(group, &excluded)?;
                let positions: Vec<_> = excluded.iter().map(|item| item.position).collect();
                if group.client_token_without(&positions) != token {
                    return Err(self.corrupt("the token is not that of the group"));
                }
                records[position].first_start = first_start;
                records[position].excluded = excluded;
                (index, GroupState::Indeterminate)
            }
            Line::Started { group, job } => (group, GroupState::Running { job: job.into() }),
            Line::Ended { group, job, status, mut items } => {
                if status == JobStatus::Completed {
                    // Version 1 had no status for items that a completed job does not list.
                    for item in &mut items {
                        item.status.get_or_insert(ItemStatus::Finished);
                    }
                }
                self.check_items(&groups[self.position(groups, group)?], &items)?;
                (group, GroupState::Finished { job: job.into(), status, items })
            }
            Line::Refused { group, error } => (group, GroupState::Refused { error }),
            Line::Missing { group, job, error } => (group, GroupState::Missing { job: job.into(), error }),
            Line::Unknown => return Ok(()),
        };
        records[self.position(groups, index)?].state = state;
        Ok(())
    }

    fn check_items<K: BulkKind>(&self, group: &Group<'_, K>, items: &[ItemResult]) -> Result<(), BulkError> {
        let positions: Vec<_> = group.positions().collect();
        if items.iter().any(|item| positions.binary_search(&item.position).is_err()) {
            return Err(self.corrupt("an item is not of the group"));
        }
        Ok(())
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, BulkError> {
        let line = str::from_utf8(&self.line).map_err(|error| self.corrupt(&error.to_string()))?;
        serde_json::from_str(line).map_err(|error| self.corrupt(&error.to_string()))
    }

    /// The position of the group with this number in the shard.
    fn position<K: BulkKind>(&self, groups: &[Group<'_, K>], index: usize) -> Result<usize, BulkError> {
        let position = groups.binary_search_by_key(&index, Group::index);
        position.map_err(|_| self.corrupt(&format!("group {index} is not of this run and shard")))
    }

    fn corrupt(&self, reason: &str) -> BulkError {
        BulkError::JournalCorrupt { path: self.path.to_owned(), line: self.line_number, reason: reason.to_owned() }
    }
}
