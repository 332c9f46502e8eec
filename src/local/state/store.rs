//! Sequence stores.

use std::collections::{BTreeMap, HashMap, btree_map};
use std::ops::Bound;

use super::ids::Position;
use super::read_set::ReadSet;
use crate::local::snapshot::JobKind;

/// The read sets and jobs of one sequence store.
#[derive(Default)]
pub(crate) struct Store {
    read_sets: BTreeMap<String, ReadSet>,
    /// The ids of the read sets by their positions in the list.
    listed_read_sets: BTreeMap<Position, String>,
    /// The indices of the jobs of each kind by their positions in the list.
    listed_jobs: HashMap<JobKind, BTreeMap<Position, usize>>,
}

impl Store {
    pub(crate) fn get(&self, id: &str) -> Option<&ReadSet> {
        self.read_sets.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut ReadSet> {
        self.read_sets.get_mut(id)
    }

    /// All read sets, sorted by id.
    pub(crate) fn read_sets(&self) -> btree_map::Values<'_, String, ReadSet> {
        self.read_sets.values()
    }

    /// Adds a read set, or replaces the one with the same id.
    pub(crate) fn insert(&mut self, read_set: ReadSet) {
        let id = read_set.snapshot.id.to_string();
        self.remove(&id);
        self.listed_read_sets.insert(read_set.position(), id.clone());
        self.read_sets.insert(id, read_set);
    }

    /// Removes a read set; returns whether there was one.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Some(read_set) = self.read_sets.remove(id) else { return false };
        self.listed_read_sets.remove(&read_set.position());
        true
    }

    pub(crate) fn insert_job(&mut self, kind: JobKind, position: Position, index: usize) {
        self.listed_jobs.entry(kind).or_default().insert(position, index);
    }

    /// The ids of the read sets after a position in their list.
    pub(crate) fn read_sets_after(&self, position: Bound<Position>) -> impl Iterator<Item = (Position, &str)> {
        self.listed_read_sets.range((position, Bound::Unbounded)).map(|(position, id)| (*position, id.as_str()))
    }

    /// The indices of the jobs of a kind after a position in their list.
    pub(crate) fn jobs_after(
        &self,
        kind: JobKind,
        position: Bound<Position>,
    ) -> impl Iterator<Item = (Position, usize)> {
        let jobs = self.listed_jobs.get(&kind).into_iter();
        jobs.flat_map(move |jobs| jobs.range((position, Bound::Unbounded))).map(|(position, index)| (*position, *index))
    }
}
