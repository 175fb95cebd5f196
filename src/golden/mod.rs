//! Golden exchanges: recorded, normalised, compared by structure.
//!
//! Ids, times, digests, certificates and addresses are replaced by numbered placeholders. A golden
//! breaks when a member disappears, changes its type or its meaning, and not when one is added.

mod compare;
mod normalise;

pub use compare::{Difference, compare};
pub use normalise::normalise;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::transcript::Story;

/// A golden file: which exchange of which scenario, and what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// The scenario that it is taken from.
    pub scenario: String,
    /// The label of the exchange; the last where there are several.
    pub label: String,
    /// The exchange, normalised.
    pub exchange: Value,
}

impl Golden {
    /// Takes the exchange that a step labelled from a story. None where there is none.
    #[must_use]
    pub fn take(story: &Story, label: &str) -> Option<Self> {
        let (_, exchange) = story.exchanges_labelled(label).next_back()?;
        Some(Self {
            scenario: story.scenario().to_owned(),
            label: label.to_owned(),
            exchange: normalise(exchange),
        })
    }
}
