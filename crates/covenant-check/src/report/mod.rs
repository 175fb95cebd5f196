//! What a run says: to a person, to a program, to a CI server.
//!
//! A [`Report`] is data, made once; the formats are functions of it. Whatever came from a target
//! is escaped in each of them.

mod escape;
mod json;
mod junit;
mod text;

pub use escape::terminal;
pub use json::{SCHEMA_VERSION, json, schema};
pub use junit::junit;
pub use text::text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::Evaluation;
use crate::score::Score;
use covenant_model::transcript::Outcome;

/// A run, told whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The suite's version.
    pub covenant: String,
    /// The run's seed.
    pub seed: u64,
    /// What was evaluated.
    pub target: String,
    /// The contract's version.
    pub contract_version: u32,
    /// SHA-256 hex of the contract's text.
    pub contract_digest: String,
    /// The version of the suite's binding.
    pub binding: String,
    /// Settings that bear on verdicts.
    pub settings: BTreeMap<String, Value>,
    /// Whether the run was asked for a part of the suite only.
    pub partial: bool,
    /// How the run ended; none where it was killed.
    pub outcome: Option<Outcome>,
    /// Why the run says nothing of the target, where it does not.
    pub void: Option<String>,
    /// The score.
    pub score: Score,
    /// Every check that was planned, with what was found.
    pub checks: Vec<EvaluatedCheck>,
    /// Every scenario, with how it ended.
    pub scenarios: Vec<ScenarioRow>,
    /// Methods that would prove more, those first that would prove most.
    pub missing_methods: Vec<MissingMethod>,
    /// How many checks were planned, and how many were evaluated on what they saw.
    pub counts: Counts,
}

/// A check with its verdict, and how to see it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvaluatedCheck {
    /// The check, and what was found.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// A command that does just this again.
    pub replay: String,
}

/// A method that the adapter lacks, and what it would prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingMethod {
    /// The method.
    pub method: String,
    /// `10.2 conduct`: aspects of clauses that are unproven for want of it.
    pub aspects: Vec<String>,
}

/// A scenario's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioRow {
    /// Its id.
    pub id: String,
    /// How it ended; none where the run was cut short.
    pub outcome: Option<Outcome>,
    /// How many entries its trace has.
    pub entries: u64,
}

/// Planned against evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Checks that were planned before the run.
    pub planned: u64,
    /// Checks whose scenario came to its end, so that its trace could be evaluated.
    pub emitted: u64,
    /// Verdicts.
    pub kept: u64,
    /// Verdicts.
    pub broken: u64,
    /// Verdicts.
    pub unproven: u64,
    /// Verdicts.
    pub not_applicable: u64,
}
