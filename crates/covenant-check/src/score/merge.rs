//! Merging of verdicts.

use crate::check::Verdict;

/// Merges several verdicts into one: broken outranks unproven outranks kept. The result is not applicable
/// only if all are. Returns `None` if there are no verdicts.
#[must_use]
pub fn merge(verdicts: impl IntoIterator<Item = Verdict>) -> Option<Verdict> {
    verdicts.into_iter().min_by_key(|verdict| match verdict {
        Verdict::Broken => 0,
        Verdict::Unproven => 1,
        Verdict::Kept => 2,
        Verdict::NotApplicable => 3,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Draws a verdict.
    pub(in crate::score) fn verdict() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            Just(Verdict::Kept),
            Just(Verdict::Broken),
            Just(Verdict::Unproven),
            Just(Verdict::NotApplicable)
        ]
    }

    proptest! {
        #[test]
        fn the_order_in_which_verdicts_come_makes_no_difference(
            mut verdicts in proptest::collection::vec(verdict(), 0..8),
            at in 0_usize..8,
        ) {
            let merged = merge(verdicts.iter().copied());
            verdicts.reverse();
            prop_assert_eq!(merged, merge(verdicts.iter().copied()));
            let (left, right) = verdicts.split_at(at.min(verdicts.len()));
            let halves = merge(left.iter().copied()).into_iter().chain(merge(right.iter().copied()));
            prop_assert_eq!(merged, merge(halves));
        }
    }

    #[test]
    fn broken_outranks_unproven_outranks_kept() {
        use Verdict::{Broken, Kept, NotApplicable, Unproven};
        assert_eq!(merge([Kept, Unproven, Broken]), Some(Broken));
        assert_eq!(merge([Kept, Unproven, NotApplicable]), Some(Unproven));
        assert_eq!(merge([Kept, NotApplicable]), Some(Kept));
        assert_eq!(merge([NotApplicable]), Some(NotApplicable));
        assert_eq!(merge([]), None);
    }
}
