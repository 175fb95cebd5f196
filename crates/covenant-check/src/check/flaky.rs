//! A check whose verdict differs from play to play of its scenario.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A check that is broken in some plays of its scenario and not in all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flaky {
    /// The number of plays in which it is broken.
    pub broken: u64,
    /// The number of plays.
    pub plays: u64,
    /// The trace of the first play in which it is broken. The evidence is there.
    pub trace: String,
}

impl fmt::Display for Flaky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flaky: broken in {} of {} plays", self.broken, self.plays)
    }
}
