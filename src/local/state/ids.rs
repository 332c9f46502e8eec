//! Ids, and positions in lists.

use std::collections::HashSet;

/// The position of an entry in a list, which is sorted by creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// When the entry was created, in nanoseconds since 1970.
    pub(crate) created: i128,
    /// Sorts entries that were created at the same time.
    pub(crate) number: u64,
}

/// Issues ids of ten digits: the same ones in the same order in every run, some with a leading zero. No id is issued
/// twice, even for different kinds of things, so that a mixed-up id is not found.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    issued: u64,
    /// Ids that a test has chosen.
    reserved: HashSet<String>,
}

impl Ids {
    /// A number that grows with every id.
    pub(crate) fn issued(&self) -> u64 {
        self.issued
    }

    /// Makes sure that an id is not issued.
    pub(crate) fn reserve(&mut self, id: &str) {
        if !self.reserved.contains(id) {
            self.reserved.insert(id.to_owned());
        }
    }

    pub(crate) fn next(&mut self) -> String {
        loop {
            self.issued += 1;
            // The factor has no divisor in common with 10^10: no id is repeated before all have been used.
            let id = u128::from(self.issued) * 2_718_281_829 % 10_000_000_000;
            let id = format!("{id:010}");
            if !self.reserved.contains(&id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_ten_digits_and_do_not_repeat() {
        let mut ids = Ids::default();
        let all: Vec<_> = (0..10_000).map(|_| ids.next()).collect();
        assert!(all.iter().all(|id| id.len() == 10 && id.bytes().all(|byte| byte.is_ascii_digit())));
        assert!(all.iter().any(|id| id.starts_with('0')));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all[..2], ["2718281829", "5436563658"]);
    }

    #[test]
    fn reserved_ids_are_not_issued() {
        let mut ids = Ids::default();
        ids.reserve("2718281829");
        assert_eq!(ids.next(), "5436563658");
    }
}
