//! Reads the lines of a journal.

use std::path::Path;

use serde::de::DeserializeOwned;

use super::line::{self, Entry, Header, ItemResult, Line, MAGIC, VERSION};
use super::{GroupRecord, GroupState, JournalStates};
use crate::bulk::{BulkError, BulkKind, Group, Plan};
use crate::job::Activation;
use crate::model::{ItemStatus, JobStatus};

/// The limit of a line. A line has at most the results of a hundred items, whose messages come from a response of at
/// most 8 MiB; each character may be escaped.
const MAX_LINE_BYTES: usize = 64 << 20;

/// Reads the lines of a journal from parts of it. A last line without a newline is what a crash left of a write.
pub(super) struct Reader<'p, K: BulkKind> {
    path: &'p Path,
    /// The header of the plan.
    expected: Header,
    groups: Vec<Group<'p, K>>,
    activation_groups: Vec<Group<'p, Activation>>,
    states: JournalStates<K>,
    /// The part of a line after the last complete line.
    tail: Vec<u8>,
    /// The number of the current line, from 1.
    line_number: usize,
    /// The version of the format. `None` before the first line.
    version: Option<u64>,
}

impl<'p, K: BulkKind> Reader<'p, K> {
    pub(super) fn new(path: &'p Path, plan: &'p Plan<K>, activation_plan: Option<&'p Plan<Activation>>) -> Self {
        Self {
            path,
            expected: Header::of(plan),
            groups: plan.groups().collect(),
            activation_groups: activation_plan.into_iter().flat_map(Plan::groups).collect(),
            states: JournalStates::untouched(plan, activation_plan),
            tail: Vec::new(),
            line_number: 0,
            version: None,
        }
    }

    /// Reads the next part.
    pub(super) fn push(&mut self, mut part: &[u8]) -> Result<(), BulkError> {
        while let Some(newline) = part.iter().position(|byte| *byte == b'\n') {
            let (end, rest) = part.split_at(newline + 1);
            self.add_to_tail(end)?;
            let line = std::mem::take(&mut self.tail);
            self.line_number += 1;
            self.line(&line)?;
            part = rest;
        }
        self.add_to_tail(part)
    }

    fn add_to_tail(&mut self, part: &[u8]) -> Result<(), BulkError> {
        if self.tail.len() + part.len() >= MAX_LINE_BYTES {
            self.line_number += 1;
            return Err(self.corrupt("it is longer than any line of a journal"));
        }
        self.tail.extend_from_slice(part);
        Ok(())
    }

    /// The version of the format, `None` if there is no header, and the states of the groups after the last line.
    pub(super) fn finish(mut self) -> Result<(Option<u64>, JournalStates<K>), BulkError> {
        let is_complete_line = line::is_line_without_newline(&self.tail);
        match self.version {
            None => {
                // A header that was not written completely is written again. Any other file is not a journal, and is not
                // changed.
                let part = &self.tail;
                let is_header =
                    part.starts_with(MAGIC) || MAGIC.starts_with(part) || part.iter().all(|byte| *byte == 0);
                self.line_number = 1;
                if !is_header || is_complete_line {
                    return Err(self.corrupt("not a journal of a bulk run"));
                }
            }
            Some(version) if version > 1 && is_complete_line => {
                self.line_number += 1;
                return Err(self.corrupt("it does not end in a newline"));
            }
            Some(_) => {}
        }
        Ok((self.version, self.states))
    }

    /// Reads a complete line.
    fn line(&mut self, line: &[u8]) -> Result<(), BulkError> {
        match self.version {
            None => self.version = Some(self.header(line)?),
            Some(version) => {
                if version > 1 && !line::has_valid_checksum(line) {
                    return Err(self.corrupt("its checksum is wrong"));
                }
                let Entry { line, activation } = self.parse(line)?;
                let applied = if activation {
                    apply(line, &self.activation_groups, &mut self.states.activations)
                } else {
                    apply(line, &self.groups, &mut self.states.groups)
                };
                applied.map_err(|reason| self.corrupt(&reason))?;
            }
        }
        Ok(())
    }

    /// Reads the header, checks it against the one of the plan, and returns the version of the format.
    fn header(&self, line: &[u8]) -> Result<u64, BulkError> {
        if !line.starts_with(MAGIC) {
            return Err(self.corrupt("not a journal of a bulk run"));
        }
        let header: Header = self.parse(line)?;
        let version = header.version;
        if version == 0 {
            return Err(self.corrupt("it has no version"));
        }
        if version > VERSION {
            let path = self.path.to_owned();
            return Err(BulkError::JournalUnsupportedVersion { path, version, supported: VERSION });
        }
        // A checksum in a header of version 1 means that its version is wrong.
        let is_valid = if version > 1 { line::has_valid_checksum(line) } else { !line::has_checksum(line) };
        if !is_valid {
            return Err(self.corrupt("its checksum is wrong"));
        }
        for ((field, found), (_, expected)) in header.fields().into_iter().zip(self.expected.fields()) {
            if found != expected {
                return Err(BulkError::JournalMismatch { path: self.path.to_owned(), field, found, expected });
            }
        }
        Ok(version)
    }

    fn parse<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T, BulkError> {
        let line = str::from_utf8(line).map_err(|error| self.corrupt(&error.to_string()))?;
        serde_json::from_str(line).map_err(|error| self.corrupt(&error.to_string()))
    }

    fn corrupt(&self, reason: &str) -> BulkError {
        BulkError::JournalCorrupt { path: self.path.to_owned(), line: self.line_number, reason: reason.to_owned() }
    }
}

/// Changes the record of the group of a line. The error is what is wrong with the line.
fn apply<K: BulkKind>(line: Line, groups: &[Group<'_, K>], records: &mut [GroupRecord<K::Id>]) -> Result<(), String> {
    let (index, state) = match line {
        Line::Starting { group: index, token, first_start, excluded } => {
            let position = position(groups, index)?;
            let group = &groups[position];
            check_items(group, &excluded)?;
            let positions: Vec<_> = excluded.iter().map(|item| item.position).collect();
            if group.client_token_without(&positions) != token {
                return Err("the token is not that of the group".to_owned());
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
            check_items(&groups[position(groups, group)?], &items)?;
            (group, GroupState::Finished { job: job.into(), status, items })
        }
        Line::Refused { group, error } => (group, GroupState::Refused { error }),
        Line::Missing { group, job, error } => (group, GroupState::Missing { job: job.into(), error }),
        Line::Unknown => return Ok(()),
    };
    records[position(groups, index)?].state = state;
    Ok(())
}

fn check_items<K: BulkKind>(group: &Group<'_, K>, items: &[ItemResult]) -> Result<(), String> {
    let positions: Vec<_> = group.positions().collect();
    if items.iter().any(|item| positions.binary_search(&item.position).is_err()) {
        return Err("an item is not of the group".to_owned());
    }
    Ok(())
}

/// The position of the group with this number in the shard.
fn position<K: BulkKind>(groups: &[Group<'_, K>], index: usize) -> Result<usize, String> {
    let position = groups.binary_search_by_key(&index, Group::index);
    position.map_err(|_| format!("group {index} is not of this run and shard"))
}
