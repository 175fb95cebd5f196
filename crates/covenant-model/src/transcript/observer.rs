//! Observer of a trace that goes on without end.

use super::entry::Entry;

/// Observer of the entries of a trace as they are recorded, masked and numbered.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// Gets one entry.
    fn recorded(&self, entry: &Entry);
}
