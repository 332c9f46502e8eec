//! A plan of a bulk run: which item is in which job, and which client token a job has.
//!
//! Planning is pure: the same input, options and run id make the same plan on every machine and in every later version.

mod duplicates;
mod group;
mod hasher;
mod kind;

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

pub(super) use self::duplicates::list_duplicates;
pub use self::duplicates::{Duplicate, DuplicateItem, Duplicates};
pub use self::group::Group;
use self::hasher::PlanHasher;
pub use self::kind::BulkKind;
use super::BulkError;
use crate::job::{Activation, Export, Import};
use crate::model::validation::{Path, Violations};
use crate::model::{RoleArn, RunId, S3Destination, SequenceStoreId};

/// Makes a [`Plan`] from the options that all of its jobs have in common and the input.
///
/// ```
/// use healthomics::bulk::{Duplicates, Planner};
///
/// let planner = Planner::activation("run-7".into(), "1234567890".into())
///     .group_size(2)
///     .duplicates(Duplicates::Drop);
/// let plan = planner.plan(["5555555551", "5555555552", "5555555551", "5555555553"])?;
/// assert_eq!(
///     (plan.group_count(), plan.item_count(), plan.duplicates().len()),
///     (2, 3, 1)
/// );
/// # Ok::<(), healthomics::bulk::BulkError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a planner does nothing until `plan` is called"]
pub struct Planner<K> {
    options: Options,
    group_size: Option<usize>,
    duplicates: Duplicates,
    parameter_validation: bool,
    kind: PhantomData<K>,
}

/// The options that all jobs of a run have in common.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) run_id: RunId,
    pub(super) sequence_store_id: SequenceStoreId,
    pub(super) role_arn: Option<RoleArn>,
    pub(super) destination: Option<S3Destination>,
    pub(super) activate_archived: bool,
}

impl Planner<Export> {
    /// A planner of exports: from a store to a destination, `s3://bucket/prefix/`, by a role that may write there.
    pub fn export(run_id: RunId, store: SequenceStoreId, destination: S3Destination, role: RoleArn) -> Self {
        Self::new(run_id, store, Some(role), Some(destination))
    }

    /// Whether archived read sets are activated before they are exported: `false` by default. See
    /// [`ExportReadSets::activate_archived`](super::ExportReadSets::activate_archived).
    pub fn activate_archived(mut self, enabled: bool) -> Self {
        self.options.activate_archived = enabled;
        self
    }
}

impl Planner<Import> {
    /// A planner of imports: into a store, by a role that may read the files.
    pub fn import(run_id: RunId, store: SequenceStoreId, role: RoleArn) -> Self {
        Self::new(run_id, store, Some(role), None)
    }
}

impl Planner<Activation> {
    /// A planner of activations in a store.
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
        let options = Options { run_id, sequence_store_id, role_arn, destination, activate_archived: false };
        Self {
            options,
            group_size: None,
            duplicates: Duplicates::default(),
            parameter_validation: true,
            kind: PhantomData,
        }
    }

    /// The number of items of a job: 1 to 100, for activations 1 to 20. The default is the largest.
    pub fn group_size(self, size: usize) -> Self {
        Self { group_size: Some(size), ..self }
    }

    /// What to do about items that are in the input more than once. The default is to refuse the input.
    pub fn duplicates(self, duplicates: Duplicates) -> Self {
        Self { duplicates, ..self }
    }

    /// Whether items are checked against the service's model: `true` by default. See
    /// [`ClientBuilder::parameter_validation`](crate::ClientBuilder::parameter_validation), which the bulk calls of a
    /// client follow. The sizes of groups are always checked.
    pub fn parameter_validation(self, enabled: bool) -> Self {
        Self { parameter_validation: enabled, ..self }
    }

    /// Checks the input and divides it into groups. An empty input makes a plan without groups.
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

    fn hash<K: BulkKind>(&self, hasher: &mut PlanHasher) {
        hasher.field("kind", K::NAME);
        hasher.field("sequenceStoreId", self.sequence_store_id.as_str());
        if let Some(role) = &self.role_arn {
            hasher.field("roleArn", role.as_str());
        }
        if let Some(destination) = &self.destination {
            hasher.field("destination", destination.as_str());
        }
        hasher.field("runId", self.run_id.as_str());
        hasher.end();
    }

    /// The hash of a group, which is in its client token.
    fn group_hash<K: BulkKind>(&self, items: &[K::Item]) -> [u8; 32] {
        let mut hasher = PlanHasher::new("healthomics bulk token 1");
        self.hash::<K>(&mut hasher);
        for item in items {
            K::fields(item, &mut |name, value| hasher.field(name, value));
            hasher.end();
        }
        hasher.finish()
    }
}

/// Which items go into which job, and the client token of each job: see the [module](crate::bulk).
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
    /// The index of each item in the input; empty if no duplicates were dropped.
    positions: Vec<usize>,
    duplicates: Vec<Duplicate>,
    group_hashes: Vec<[u8; 32]>,
    digest: String,
    shard: Shard,
}

/// A part of a plan, for one of several workers.
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
        let group_hashes: Vec<_> = items.chunks(group_size).map(|items| options.group_hash::<K>(items)).collect();

        let mut hasher = PlanHasher::new("healthomics bulk plan 1");
        options.hash::<K>(&mut hasher);
        hasher.number(group_size);
        hasher.number(group_hashes.len());
        for hash in &group_hashes {
            hasher.hash(hash);
        }
        for Duplicate { position, first } in &duplicates {
            hasher.number(*position);
            hasher.number(*first);
        }
        if options.activate_archived {
            hasher.field("activateArchived", "true");
        }
        let digest = hex::encode(hasher.finish());
        let shard = Shard { index: 0, count: 1 };
        Self { options, group_size, items, positions, duplicates, group_hashes, digest, shard }
    }

    /// Shard `index` of `count`: the groups whose number is `index` modulo `count`. All shards together are the whole
    /// plan, and no two have a group in common. The shard of a shard is one of the whole plan.
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
    /// // Counts are still those of the whole plan.
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

    /// The groups of this shard, in the order of the input: each becomes a job.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = Group<'_, K>> {
        let Shard { index, count } = self.shard;
        (index..self.group_hashes.len().max(index)).step_by(count).map(|index| Group { plan: self, index })
    }

    /// The number of groups of the whole plan.
    pub fn group_count(&self) -> usize {
        self.group_hashes.len()
    }

    /// The number of items of each group but the last, which may have fewer.
    pub fn group_size(&self) -> usize {
        self.group_size
    }

    /// The number of items of the whole plan, without dropped duplicates.
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    /// The duplicates that were dropped, in the order of the input.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.duplicates
    }

    /// The part of the plan that this is: 0 of 1 for the whole plan.
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

    /// The role that the jobs use; `None` for activations.
    pub fn role_arn(&self) -> Option<&RoleArn> {
        self.options.role_arn.as_ref()
    }

    /// The destination of exports; `None` for other kinds.
    pub fn destination(&self) -> Option<&S3Destination> {
        self.options.destination.as_ref()
    }

    /// Whether archived read sets are activated before they are exported.
    pub(super) fn activates_archived(&self) -> bool {
        self.options.activate_archived
    }

    /// The SHA-256 of the whole plan, as 64 hexadecimal digits. Plans that differ in options or items have different
    /// digests; all shards of a plan have the same.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl Plan<Export> {
    /// The plan of the activations before the exports: jobs of up to 20 of the same read sets, in the same order. `None`
    /// unless archived read sets are activated ([`Planner::activate_archived`]).
    ///
    /// It is the plan of the whole run. A shard runs those of its groups that its exports need.
    ///
    /// ```
    /// use healthomics::bulk::Planner;
    ///
    /// let role = "arn:aws:iam::123456789012:role/OmicsExport";
    /// let bucket = "s3://my-bucket/";
    /// let planner =
    ///     Planner::export("run-7".into(), "1234567890".into(), bucket.into(), role.into());
    /// let ids = (0..250).map(|n| format!("{:010}", 5_555_555_555_u64 + n));
    /// let plan = planner.activate_archived(true).plan(ids)?;
    /// let activations = plan.activation_plan().unwrap();
    /// assert_eq!((plan.group_count(), activations.group_count()), (3, 13));
    /// # Ok::<(), healthomics::bulk::BulkError>(())
    /// ```
    pub fn activation_plan(&self) -> Option<Plan<Activation>> {
        if !self.options.activate_archived {
            return None;
        }
        let options = Options {
            run_id: self.options.run_id.clone(),
            sequence_store_id: self.options.sequence_store_id.clone(),
            role_arn: None,
            destination: None,
            activate_archived: false,
        };
        let items = self.items.clone();
        Some(Plan::new(options, Activation::MAX_ITEMS, items, self.positions.clone(), self.duplicates.clone()))
    }
}

impl<K: BulkKind> fmt::Debug for Plan<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("options", &self.options)
            .field("items", &self.items.len())
            .field("duplicates", &self.duplicates.len())
            .field("groups", &self.group_hashes.len())
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
