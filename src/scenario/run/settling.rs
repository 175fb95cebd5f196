//! A list that a target writes in pieces, after it answered what the entries are about.

use std::time::Duration;

use crate::clock::Stopwatch;

/// The time in which a list that is complete does not grow. It is longer than the time between two reads, since a
/// target may write its entries in the background.
const QUIET: Duration = Duration::from_secs(1);

/// The growth of a list that is read again and again.
pub(super) struct Settling {
    count: Option<usize>,
    unchanged: Stopwatch,
    quiet: Duration,
}

impl Settling {
    /// Starts to wait, for no longer than the time that the suite waits for something. It is zero where the target
    /// has completed all when it answers.
    pub(super) fn start(poll_timeout: Duration) -> Self {
        Self { count: None, unchanged: Stopwatch::start(), quiet: QUIET.min(poll_timeout) }
    }

    /// Returns true if the list, which has this many items now, has not grown for a while.
    pub(super) fn has_settled(&mut self, count: usize) -> bool {
        if self.count.replace(count) != Some(count) {
            self.unchanged = Stopwatch::start();
        }
        self.unchanged.elapsed() >= self.quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_settled_when_it_did_not_grow_for_a_while() {
        let mut at_once = Settling::start(Duration::ZERO);
        assert!(at_once.has_settled(3), "nothing is written later");
        let mut settling = Settling::start(Duration::from_secs(10));
        assert!(!settling.has_settled(3) && !settling.has_settled(3));
        let mut slow = Settling { quiet: Duration::ZERO, ..Settling::start(Duration::from_secs(10)) };
        assert!(slow.has_settled(3));
        slow.quiet = QUIET;
        assert!(!slow.has_settled(4), "a late entry");
    }
}
