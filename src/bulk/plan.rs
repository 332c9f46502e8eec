//! Which item is in which job, and which client token a job has.
//!
//! Pure: the same input, options and run id make the same plan, today, elsewhere and in the next version.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(super) use duplicates::named;
pub use duplicates::{Duplicate, DuplicateItem, Duplicates};
pub use kind::BulkKind;

mod duplicates;
mod kind;

use super::BulkError;
use crate::job::{Activation, Export, Import};
use crate::model::validation::{Path, Violations};
use crate::model::{ClientToken, RoleArn, RunId, S3Destination, SequenceStoreId};

/// Makes a [`Plan`]: what all its jobs have in common, and how to cut the input.
///
/// ```
/// use healthomics::bulk::{Duplicates, Planner};
///
/// let planner = Planner::activation("run-7".into(), "1234567890".into()).group_size(2).duplicates(Duplicates::Drop);
/// let plan = planner.plan(["5555555551", "5555555552", "5555555551", "5555555553"])?;
/// assert_eq!((plan.group_count(), plan.item_count(), plan.duplicates().len()), (2, 3, 1));
/// # Ok::<(), healthomics::bulk::BulkError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it plans nothing before `plan` is called"]
pub struct Planner<K> {
    options: Options,
    group_size: Option<usize>,
    duplicates: Duplicates,
    parameter_validation: bool,
    kind: PhantomData<K>,
}

/// What all jobs of a run have in common.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) run_id: RunId,
    pub(super) sequence_store_id: SequenceStoreId,
    pub(super) role_arn: Option<RoleArn>,
    pub(super) destination: Option<S3Destination>,
}

impl Planner<Export> {
    /// Exports from a store to a destination, as a role.
    pub fn export(run_id: RunId, store: SequenceStoreId, destination: S3Destination, role: RoleArn) -> Self {
        Self::new(run_id, store, Some(role), Some(destination))
    }
}

impl Planner<Import> {
    /// Imports into a store, as a role.
    pub fn import(run_id: RunId, store: SequenceStoreId, role: RoleArn) -> Self {
        Self::new(run_id, store, Some(role), None)
    }
}

impl Planner<Activation> {
    /// Activations in a store.
    pub fn activation(run_id: RunId, store: SequenceStoreId) -> Self {
        Self::new(run_id, store, None, None)
    }
}

impl<K: BulkKind> Planner<K> {
    fn new(
        run_id: RunId,
        sequence_store_id: SequenceStoreId,
        role_arn: Option<RoleArn>,
        destination: Option<S3Destination>,
    ) -> Self {
        let options = Options { run_id, sequence_store_id, role_arn, destination };
        Self {
            options,
            group_size: None,
            duplicates: Duplicates::default(),
            parameter_validation: true,
            kind: PhantomData,
        }
    }

    /// How many items a job gets: 1 to 100, for activations to 20. As many as possible by default.
    pub fn group_size(self, size: usize) -> Self {
        Self { group_size: Some(size), ..self }
    }

    /// What to do about items that are in the input more than once. They are refused by default.
    pub fn duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Whether items are checked against the service's model: `true` by default. See
    /// [`ClientBuilder::parameter_validation`](crate::ClientBuilder::parameter_validation), which the bulk calls of a
    /// client follow. The sizes of groups are always checked.
    pub fn parameter_validation(self, enabled: bool) -> Self {
        Self { parameter_validation: enabled, ..self }
    }

    /// Checks and cuts the input. Of no items it makes a plan without groups.
    ///
    /// # Errors
    ///
    /// [`BulkError::InvalidGroupSize`], [`BulkError::InvalidInput`] with everything that is wrong in options and items,
    /// [`BulkError::DuplicateItems`].
    pub fn plan<I: Into<K::Item>>(self, input: impl IntoIterator<Item = I>) -> Result<Plan<K>, BulkError> {
        let group_size = self.group_size.unwrap_or(K::MAX_ITEMS);
        if !(1..=K::MAX_ITEMS).contains(&group_size) {
            return Err(BulkError::InvalidGroupSize { kind: K::NAME, size: group_size, max: K::MAX_ITEMS });
        }
        let mut violations = self.options.check(self.parameter_validation);
        let check = |(position, item): (usize, I)| {
            let item = item.into();
            K::check(&item, position, &mut violations);
            item
        };
        let mut items: Vec<K::Item> = input.into_iter().enumerate().map(check).collect();
        if !violations.is_empty() {
            return Err(BulkError::InvalidInput(violations));
        }
        let duplicates = duplicates::find::<K>(&items);
        if self.duplicates == Duplicates::Refuse && !duplicates.is_empty() {
            return Err(duplicates::refuse::<K>(&items, &duplicates));
        }
        let positions = duplicates::drop_from(&mut items, &duplicates);
        Ok(Plan::new(self.options, group_size, items, positions, duplicates))
    }
}

impl Options {
    fn check(&self, parameter_validation: bool) -> Violations {
        let mut violations = Violations::new(parameter_validation);
        violations.run_id(&self.run_id);
        violations.path_id(Path::Root("sequenceStoreId"), self.sequence_store_id.as_str());
        if let Some(destination) = &self.destination {
            violations.s3_destination(Path::Root("destination"), destination.as_str());
        }
        if let Some(role) = &self.role_arn {
            violations.role_arn(role);
        }
        violations
    }

    fn encode<K: BulkKind>(&self, encoding: &mut Encoding) {
        encoding.member("kind", K::NAME);
        encoding.member("sequenceStoreId", self.sequence_store_id.as_str());
        if let Some(role) = &self.role_arn {
            encoding.member("roleArn", role.as_str());
        }
        if let Some(destination) = &self.destination {
            encoding.member("destination", destination.as_str());
        }
        encoding.member("runId", self.run_id.as_str());
        encoding.end();
    }
}

/// Which items go into which job, and the client token of each job: see [the module](super).
///
/// ```
/// use healthomics::bulk::Planner;
///
/// let planner = Planner::activation("run-7".into(), "1234567890".into());
/// let plan = planner.clone().plan(["5555555555"])?;
/// let elsewhere = planner.plan(["5555555555"])?;
/// assert_eq!(plan.digest(), elsewhere.digest());
/// for (group, other) in plan.groups().zip(elsewhere.groups()) {
///     assert_eq!(group.client_token(), other.client_token());
/// }
/// # Ok::<(), healthomics::bulk::BulkError>(())
/// ```
#[derive(Clone)]
pub struct Plan<K: BulkKind> {
    options: Options,
    group_size: usize,
    items: Vec<K::Item>,
    positions: Vec<usize>,
    duplicates: Vec<Duplicate>,
    hashes: Vec<[u8; 32]>,
    digest: String,
    shard: Shard,
}

/// One of several parts of a plan.
///
/// [`Plan::shard`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Shard {
    /// The number of this part, from 0.
    pub index: usize,
    /// The number of parts.
    pub count: usize,
}

impl<K: BulkKind> Plan<K> {
    fn new(
        options: Options,
        group_size: usize,
        items: Vec<K::Item>,
        positions: Vec<usize>,
        duplicates: Vec<Duplicate>,
    ) -> Self {
        // What is hashed is a format: a change of it starts the jobs of a run again that is resumed over an update.
        let mut token = Encoding::new("healthomics bulk token 1");
        options.encode::<K>(&mut token);
        let hash = |group: &[K::Item]| {
            let mut token = token.clone();
            for item in group {
                K::members(item, &mut |name, value| token.member(name, value));
                token.end();
            }
            token.digest()
        };
        let hashes: Vec<[u8; 32]> = items.chunks(group_size).map(hash).collect();

        let mut plan = Encoding::new("healthomics bulk plan 1");
        options.encode::<K>(&mut plan);
        plan.number(group_size);
        plan.number(hashes.len());
        for hash in &hashes {
            plan.0.update(hash);
        }
        for Duplicate { position, first } in &duplicates {
            plan.number(*position);
            plan.number(*first);
        }
        let digest = hex::encode(plan.digest());
        let shard = Shard { index: 0, count: 1 };
        Self { options, group_size, items, positions, duplicates, hashes, digest, shard }
    }

    /// Shard `index` of `count`: the groups whose index is `index` modulo `count`. All shards together are the whole
    /// plan, no two have a group in common. Of a shard, it makes another shard of the whole plan.
    ///
    /// # Errors
    ///
    /// [`BulkError::InvalidShard`] if `index` is not below `count`.
    ///
    /// ```
    /// # use healthomics::bulk::Planner;
    /// # let planner = Planner::activation("run-7".into(), "1234567890".into()).group_size(1);
    /// let plan = planner.plan(["5555555551", "5555555552", "5555555553"])?;
    /// let mine = plan.shard(0, 2)?;
    /// assert_eq!(mine.groups().map(|group| group.index()).collect::<Vec<_>>(), [0, 2]);
    /// // What is asked of the plan is still of all of it.
    /// assert_eq!((mine.group_count(), mine.current_shard().count), (3, 2));
    /// # Ok::<(), healthomics::bulk::BulkError>(())
    /// ```
    pub fn shard(self, index: usize, count: usize) -> Result<Self, BulkError> {
        if index < count {
            Ok(Self { shard: Shard { index, count }, ..self })
        } else {
            Err(BulkError::InvalidShard { index, count })
        }
    }

    /// The groups of this shard, in input order: each becomes a job.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = Group<'_, K>> {
        let Shard { index, count } = self.shard;
        (index..self.hashes.len().max(index)).step_by(count).map(|index| Group { plan: self, index })
    }

    /// How many groups the whole plan has.
    pub fn group_count(&self) -> usize {
        self.hashes.len()
    }

    /// How many items a group has, but for the last.
    pub fn group_size(&self) -> usize {
        self.group_size
    }

    /// How many items the whole plan has, without those that were dropped.
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    /// The items that were dropped, in input order.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.duplicates
    }

    /// Which part of the plan this is: 0 of 1 if it is all of it.
    pub fn current_shard(&self) -> Shard {
        self.shard
    }

    /// The name of the run.
    pub fn run_id(&self) -> &RunId {
        &self.options.run_id
    }

    /// The store that all jobs work on.
    pub fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.options.sequence_store_id
    }

    /// The role of the jobs; activations have none.
    pub fn role_arn(&self) -> Option<&RoleArn> {
        self.options.role_arn.as_ref()
    }

    /// Where exports go.
    pub fn destination(&self) -> Option<&S3Destination> {
        self.options.destination.as_ref()
    }

    /// What no other whole plan has in common with this one: a SHA-256 of everything in it, in hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl<K: BulkKind> fmt::Debug for Plan<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("options", &self.options)
            .field("items", &self.items.len())
            .field("duplicates", &self.duplicates.len())
            .field("groups", &self.hashes.len())
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

/// What one job of a plan does.
///
/// ```
/// # use healthomics::bulk::Planner;
/// # let planner = Planner::activation("run-7".into(), "1234567890".into()).group_size(2);
/// let plan = planner.plan(["5555555551", "5555555552", "5555555553"])?;
/// let last = plan.groups().last().unwrap();
/// assert_eq!((last.index(), last.items()), (1, &["5555555553".into()][..]));
/// assert_eq!(last.positions().collect::<Vec<_>>(), [2]);
/// assert!(last.client_token().as_str().starts_with("bulk1-"));
/// # Ok::<(), healthomics::bulk::BulkError>(())
/// ```
pub struct Group<'a, K: BulkKind> {
    plan: &'a Plan<K>,
    index: usize,
}

impl<'a, K: BulkKind> Group<'a, K> {
    /// Its number in the whole plan, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its items.
    pub fn items(&self) -> &'a [K::Item] {
        &self.plan.items[self.range()]
    }

    /// Where each of its items stands in the input, from 0.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = usize> + use<'a, K> {
        let plan = self.plan;
        self.range().map(|kept| plan.positions.get(kept).copied().unwrap_or(kept))
    }

    /// What tells the service that two starts of this group mean the same job.
    pub fn client_token(&self) -> ClientToken {
        format!("bulk1-{}", hex::encode(self.plan.hashes[self.index])).into()
    }

    fn range(&self) -> Range<usize> {
        let start = self.index * self.plan.group_size;
        start..self.plan.items.len().min(start + self.plan.group_size)
    }
}

impl<K: BulkKind> Clone for Group<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: BulkKind> Copy for Group<'_, K> {}

impl<K: BulkKind> fmt::Debug for Group<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("index", &self.index).field("items", &self.items()).finish_non_exhaustive()
    }
}

/// Feeds a hash so that different input can't look alike: each text comes after its length, each list has an end.
#[derive(Clone)]
struct Encoding(Sha256);

impl Encoding {
    fn new(what: &str) -> Self {
        let mut encoding = Self(Sha256::new());
        encoding.text(what);
        encoding
    }

    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text);
    }

    fn member(&mut self, name: &str, value: &str) {
        self.0.update([1]);
        self.text(name);
        self.text(value);
    }

    fn end(&mut self) {
        self.0.update([0]);
    }

    fn digest(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests;
