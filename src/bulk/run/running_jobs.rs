//! The jobs of a bulk run that have not ended, and the groups that they belong to.

use std::collections::{HashMap, HashSet};
use std::task::{Context, Poll};

use crate::bulk::BulkStart;
use crate::job::{Job, Retrying, StoreWatch, WatchEvent};

/// The running jobs of a bulk run, and the watch that follows them.
pub(super) struct RunningJobs<K: BulkStart> {
    watch: StoreWatch<K>,
    running: HashMap<K::Id, RunningJob>,
    /// Jobs that have ended.
    ended: HashSet<K::Id>,
}

#[derive(Default)]
struct RunningJob {
    /// The indexes of the groups that were given this job: usually one, but the service may return one job for several
    /// starts.
    groups: Vec<usize>,
    /// Whether a list shows that the job has ended. It does not use the quota any more, and its outcome follows.
    end_listed: bool,
}

/// The groups of a job that has ended or can't be followed any more.
pub(super) struct GroupsOfJob {
    pub(super) indexes: Vec<usize>,
    /// Whether no other group was given this job.
    pub(super) is_sole: bool,
}

impl<K: BulkStart> RunningJobs<K> {
    pub(super) fn new(watch: StoreWatch<K>) -> Self {
        Self { watch, running: HashMap::new(), ended: HashSet::new() }
    }

    /// Adds a job that was started a moment ago.
    pub(super) fn add_started(&mut self, job: Job<K>, group: usize) {
        if self.add_group(job.id(), group) {
            self.watch.add_started(job);
        }
    }

    /// Adds a job that was running when the run was interrupted.
    pub(super) fn add_resumed(&mut self, job: Job<K>, group: usize) {
        if self.add_group(job.id(), group) {
            self.watch.add(job);
        }
    }

    /// Whether the job is new.
    fn add_group(&mut self, job_id: &K::Id, group: usize) -> bool {
        let job = self.running.entry(job_id.clone()).or_default();
        job.groups.push(group);
        job.groups.len() == 1
    }

    /// Notes a job that ended before the run was resumed.
    pub(super) fn add_ended(&mut self, job_id: K::Id) {
        self.ended.insert(job_id);
    }

    /// Notes that a list shows the end of a job.
    pub(super) fn set_end_listed(&mut self, job_id: &K::Id) {
        if let Some(job) = self.running.get_mut(job_id) {
            job.end_listed = true;
        }
    }

    /// Removes a job that has ended or can't be followed any more. `None` if it is not running.
    pub(super) fn remove(&mut self, job_id: &K::Id) -> Option<GroupsOfJob> {
        let indexes = self.running.remove(job_id)?.groups;
        let is_first_end = self.ended.insert(job_id.clone());
        let is_sole = indexes.len() == 1 && is_first_end;
        Some(GroupsOfJob { indexes, is_sole })
    }

    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// How many jobs use the quota of running jobs, as far as is known.
    pub(super) fn quota_usage(&self) -> usize {
        self.running.values().filter(|job| !job.end_listed).count()
    }

    /// The group of a running job, if it has one group only.
    pub(super) fn only_group(&self, job_id: &K::Id) -> Option<usize> {
        match self.running.get(job_id)?.groups.as_slice() {
            [group] => Some(*group),
            _ => None,
        }
    }

    /// What is being retried, if some of the jobs can't be polled at present.
    pub(super) fn retrying(&self) -> Option<&Retrying> {
        self.watch.retrying()
    }

    /// The next event of the watch; `None` while no job is running.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<WatchEvent<K>>> {
        self.watch.poll(cx)
    }
}
