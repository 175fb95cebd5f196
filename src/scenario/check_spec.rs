//! A check of a scenario, as its file has it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::contract::{Aspect, Basis, ClauseId, TextId, TextRange};
use crate::transcript::Addition;

/// A check of the scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// The id of the clause: `"7.1"`.
    pub clause: ClauseId,
    /// `conduct` or `detection`.
    pub aspect: Aspect,
    /// The name of the check; `covenant list checks` lists them.
    pub check: String,
    /// The half of the binding that the check rests on.
    #[serde(default)]
    pub basis: Basis,
    /// The additions of the binding without which a breach proves nothing: `["metadata"]`. Where nothing shows
    /// that the target speaks one, a breach is unproven.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<Addition>,
    /// The check shows in a longer history, or for another value, what another check of this clause and aspect shows.
    /// What it cannot show is not applicable, not unproven, where the run has another check of this clause, aspect and basis:
    /// that one decides. A breach counts as any other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deepens: bool,
    /// The first contract text for which the check holds: `"2026-06"`. Without it, the check holds from the
    /// first known text on. A run whose text is not in the range leaves the check out; if the text is unknown,
    /// a check with a range is unproven. A scenario all of whose checks are left out is not played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<TextId>,
    /// The last contract text for which the check holds. Without it, the check holds for every later text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<TextId>,
    /// The obligation of the target in this scenario, as one sentence.
    pub requirement: String,
    /// The arguments of the check, mostly labels that steps gave with `as`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, Value>,
}

impl CheckSpec {
    /// Returns the contract texts for which the check holds.
    #[must_use]
    pub fn texts(&self) -> TextRange {
        TextRange { since: self.since, until: self.until }
    }
}
