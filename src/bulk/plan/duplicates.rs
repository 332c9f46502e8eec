//! Items that are in the input more than once.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::BulkKind;
use crate::bulk::BulkError;
use crate::model::text::Quoted;

/// The number of duplicates that an error names.
const NAMED_DUPLICATES: usize = 5;

/// What to do about items that are in the input more than once: the same read set, or for imports the same files, even
/// if other fields differ.
///
/// ```
/// use healthomics::bulk::{Duplicates, Planner};
///
/// let planner = Planner::activation("run-7".into(), "1234567890".into());
/// let input = ["5555555551", "5555555552", "5555555551"];
/// let refused = planner.clone().plan(input).unwrap_err();
/// assert!(refused.to_string().contains(r#"sources[2] "5555555551" is sources[0]"#));
///
/// let plan = planner.duplicates(Duplicates::Drop).plan(input)?;
/// assert_eq!(plan.item_count(), 2);
/// # Ok::<(), healthomics::bulk::BulkError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Duplicates {
    /// Refuse the input.
    #[default]
    Refuse,
    /// Keep the first of them and drop the others; [`Plan::duplicates`](crate::bulk::Plan::duplicates) lists those that
    /// were dropped.
    Drop,
}

/// An item of the input that is a duplicate of an earlier one.
///
/// ```
/// # use healthomics::bulk::{Duplicates, Planner};
/// # let planner = Planner::activation("run-7".into(), "1234567890".into()).duplicates(Duplicates::Drop);
/// let plan = planner.plan(["5555555551", "5555555552", "5555555551"])?;
/// for duplicate in plan.duplicates() {
///     println!("item {} is item {} again", duplicate.position, duplicate.first);
/// }
/// assert_eq!((plan.duplicates()[0].position, plan.duplicates()[0].first), (2, 0));
/// # Ok::<(), healthomics::bulk::BulkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Duplicate {
    /// The index of the item in the input, from 0.
    pub position: usize,
    /// The index of the first of the items that are the same.
    pub first: usize,
}

/// A duplicate, with the name of the item.
///
/// ```
/// use healthomics::bulk::{BulkError, Planner};
///
/// let planner = Planner::activation("run-7".into(), "1234567890".into());
/// if let Err(BulkError::DuplicateItems { first, .. }) =
///     planner.plan(["5555555551", "5555555551"])
/// {
///     assert_eq!(
///         (first[0].name.as_str(), first[0].duplicate.position),
///         ("5555555551", 1)
///     );
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DuplicateItem {
    /// The id of the read set, or the location of the file of an import; two files are joined by ` + `.
    pub name: String,
    /// The indexes of the item and of the one that it duplicates.
    pub duplicate: Duplicate,
}

/// `sources[7] "5555555555" is sources[3]; and 2 more`
pub(crate) fn list_duplicates(first: &[DuplicateItem], count: usize) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        for (index, DuplicateItem { name, duplicate }) in first.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}sources[{}] {} is sources[{}]", duplicate.position, Quoted(name), duplicate.first)?;
        }
        match count.saturating_sub(first.len()) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    })
}

/// The items that are duplicates of earlier ones, in the order of the input.
pub(super) fn find<K: BulkKind>(items: &[K::Item]) -> Vec<Duplicate> {
    // Sorting by hashes is fast and puts equal keys next to each other; the keys are compared as well.
    let hash = |(position, item)| {
        let mut hasher = DefaultHasher::new();
        K::key(item).hash(&mut hasher);
        (hasher.finish(), position)
    };
    let mut order: Vec<(u64, usize)> = items.iter().enumerate().map(hash).collect();
    order.sort_unstable_by(|(hash, position), (other_hash, other)| {
        let keys = || K::key(&items[*position]).cmp(&K::key(&items[*other]));
        hash.cmp(other_hash).then_with(keys).then(position.cmp(other))
    });
    let mut duplicates = Vec::new();
    for same in order.chunk_by(|(hash, a), (other, b)| hash == other && K::key(&items[*a]) == K::key(&items[*b])) {
        let (_, first) = same[0];
        duplicates.extend(same[1..].iter().map(|&(_, position)| Duplicate { position, first }));
    }
    duplicates.sort_unstable_by_key(|duplicate| duplicate.position);
    duplicates
}

/// Drops the duplicates. Returns the original index of each remaining item, or an empty list if nothing was dropped.
pub(super) fn drop_from<T>(items: &mut Vec<T>, duplicates: &[Duplicate]) -> Vec<usize> {
    if duplicates.is_empty() {
        return Vec::new();
    }
    let mut dropped = duplicates.iter().map(|duplicate| duplicate.position).peekable();
    let positions: Vec<usize> = (0..items.len()).filter(|position| dropped.next_if_eq(position).is_none()).collect();
    let mut kept = positions.iter().copied().peekable();
    let mut position = 0..;
    items.retain(|_| position.next().is_some_and(|position| kept.next_if_eq(&position).is_some()));
    positions
}

/// The error that names the first few duplicates.
pub(super) fn refuse<K: BulkKind>(items: &[K::Item], duplicates: &[Duplicate]) -> BulkError {
    let named =
        |duplicate: &Duplicate| DuplicateItem { name: name::<K>(&items[duplicate.position]), duplicate: *duplicate };
    BulkError::DuplicateItems {
        first: duplicates.iter().take(NAMED_DUPLICATES).map(named).collect(),
        count: duplicates.len(),
    }
}

fn name<K: BulkKind>(item: &K::Item) -> String {
    match K::key(item) {
        (name, None) => name.to_owned(),
        (first, Some(second)) => format!("{first} + {second}"),
    }
}
