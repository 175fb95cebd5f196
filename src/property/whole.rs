//! A given history, which shrinks action by action.

use std::fmt::Debug;

use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Builds a strategy that begins with the whole history. If it breaks, shrinking removes one action after
/// another that is not needed. At least one action stays.
pub(super) fn whole<T: Clone + Debug>(actions: impl IntoIterator<Item = T>) -> impl Strategy<Value = Vec<T>> {
    Whole(actions.into_iter().collect())
}

#[derive(Debug)]
struct Whole<T>(Vec<T>);

impl<T: Clone + Debug> Strategy for Whole<T> {
    type Tree = Cut<T>;
    type Value = Vec<T>;

    fn new_tree(&self, _: &mut TestRunner) -> NewTree<Self> {
        let actions = self.0.iter().map(|action| (action.clone(), true)).collect();
        Ok(Cut { actions, next: 0 })
    }
}

/// The actions, a flag for each that is still included, and the next one to remove.
struct Cut<T> {
    actions: Vec<(T, bool)>,
    next: usize,
}

impl<T: Clone + Debug> ValueTree for Cut<T> {
    type Value = Vec<T>;

    fn current(&self) -> Vec<T> {
        self.actions.iter().filter(|(_, is_in)| *is_in).map(|(action, _)| action.clone()).collect()
    }

    fn simplify(&mut self) -> bool {
        let is_last = self.actions.iter().filter(|(_, is_in)| *is_in).count() <= 1;
        let Some((_, is_in)) = self.actions.get_mut(self.next).filter(|_| !is_last) else { return false };
        *is_in = false;
        self.next += 1;
        true
    }

    /// Restores the last action. The restored history is known to break, so the next action is tried at once.
    fn complicate(&mut self) -> bool {
        let last = self.next.checked_sub(1).and_then(|last| self.actions.get_mut(last));
        let Some((_, is_in)) = last else { return false };
        *is_in = true;
        self.simplify()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the actions that shrinking leaves of five, if a history breaks that contains `needed`.
    fn left(needed: &[u32]) -> Vec<u32> {
        let mut tree = whole(1..=5_u32).new_tree(&mut TestRunner::deterministic()).expect("a tree");
        assert_eq!(tree.current(), [1, 2, 3, 4, 5]);
        let mut goes_on = tree.simplify();
        while goes_on {
            let breaks = needed.iter().all(|action| tree.current().contains(action));
            goes_on = if breaks { tree.simplify() } else { tree.complicate() };
        }
        tree.current()
    }

    #[test]
    fn what_is_not_needed_is_left_out_and_one_act_stays() {
        assert_eq!(left(&[2, 4]), [2, 4]);
        assert_eq!(left(&[1]), [1]);
        assert_eq!(left(&[1, 2, 3, 4, 5]), [1, 2, 3, 4, 5]);
        assert_eq!(left(&[]), [5]);
    }
}
