//! One group of a plan.

use std::fmt;
use std::ops::Range;

use super::{BulkKind, Plan};
use crate::model::ClientToken;

/// A group of items of a plan that become one job.
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
#[derive(Clone, Copy)]
pub struct Group<'a, K: BulkKind> {
    pub(super) plan: &'a Plan<K>,
    pub(super) index: usize,
}

impl<'a, K: BulkKind> Group<'a, K> {
    /// The number of the group in the whole plan, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The items of the group, in the order of the input.
    pub fn items(&self) -> &'a [K::Item] {
        &self.plan.items[self.range()]
    }

    /// The index of each item in the input, from 0. They are consecutive unless duplicates were dropped.
    pub fn positions(&self) -> impl ExactSizeIterator<Item = usize> + use<'a, K> {
        let plan = self.plan;
        self.range().map(|kept| plan.positions.get(kept).copied().unwrap_or(kept))
    }

    /// The client token of the job: two starts with the same token are one job. It is `bulk1-` and 64 hexadecimal
    /// digits.
    pub fn client_token(&self) -> ClientToken {
        token(self.plan.group_hashes[self.index])
    }

    /// The items that are not at these positions of the input.
    pub(in crate::bulk) fn items_without(&self, positions: &[usize]) -> Vec<K::Item> {
        let items = self.positions().zip(self.items()).filter(|(position, _)| !positions.contains(position));
        items.map(|(_, item)| item.clone()).collect()
    }

    /// The client token of a job of [`items_without`](Self::items_without).
    pub(in crate::bulk) fn client_token_without(&self, positions: &[usize]) -> ClientToken {
        if positions.is_empty() {
            return self.client_token();
        }
        token(self.plan.options.group_hash::<K>(&self.items_without(positions)))
    }

    /// The indexes of the items among those of the plan.
    pub(in crate::bulk) fn range(&self) -> Range<usize> {
        let start = self.index * self.plan.group_size;
        start..self.plan.items.len().min(start + self.plan.group_size)
    }
}

fn token(hash: [u8; 32]) -> ClientToken {
    format!("bulk1-{}", hex::encode(hash)).into()
}

impl<K: BulkKind> fmt::Debug for Group<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("index", &self.index).field("items", &self.items()).finish_non_exhaustive()
    }
}
