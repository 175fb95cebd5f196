//! Which cut entries of a trace were read.
//!
//! A check is a pure function of what it reads. If it read no entry that was cut, its result is that over the whole
//! entry too, so that one cut answer costs the checks that need it, and no other.

use std::sync::atomic::{AtomicU64, Ordering};

use super::entry::{Entry, What};

/// Marks of a trace. A copy of a trace has marks of its own.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Number of the first entry that was cut; 0 if there is none.
    first_cut: u64,
    /// Number of a cut entry that counts as read in any case; 0 if there is none. What was left out of a note, or in place
    /// of any entry, may concern every check.
    always: u64,
    /// Number of a cut entry that was read; 0 if none was.
    read: AtomicU64,
}

impl Reads {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let cut = |is_note: bool| {
            let mut cut = entries.iter().filter(|entry| entry.cut);
            cut.find(|entry| !is_note || !matches!(*entry.what, What::Operation(_)))
                .map_or(0, |entry| entry.n)
        };
        Self { first_cut: cut(false), always: cut(true), read: AtomicU64::new(0) }
    }

    /// Notes that an entry was read.
    pub(super) fn note(&self, entry: &Entry) {
        if entry.cut {
            self.read.store(entry.n, Ordering::Relaxed);
        }
    }

    /// Notes that every entry may have been read.
    pub(super) fn note_all(&self) {
        if self.first_cut > 0 {
            self.read.store(self.first_cut, Ordering::Relaxed);
        }
    }

    pub(super) fn forget(&self) {
        self.read.store(0, Ordering::Relaxed);
    }

    /// Returns the number of a cut entry that was read, or that counts as read.
    pub(super) fn of_cut(&self) -> Option<u64> {
        [self.read.load(Ordering::Relaxed), self.always].into_iter().find(|n| *n > 0)
    }
}

impl Clone for Reads {
    fn clone(&self) -> Self {
        Self { first_cut: self.first_cut, always: self.always, read: AtomicU64::new(0) }
    }
}

/// Marks are no content.
impl PartialEq for Reads {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
