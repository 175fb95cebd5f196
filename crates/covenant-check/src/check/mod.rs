//! The results: pure functions of a finished trace, one file a commitment.
//!
//! A [`CheckDef`] is asked about one clause and aspect by a scenario's `[[check]]`, with arguments that
//! name entries of the trace by their labels. It sees the trace and nothing that moves, so
//! that a transcript evaluated again gives the same verdicts.

mod agreement;
mod arguments;
mod c01;
mod c02;
mod c03;
mod c04;
mod c05;
mod c06;
mod c07;
mod c08;
mod c09;
mod c10;
mod c11;
mod c12;
mod check_def;
mod common;
mod enforcement;
pub mod model;
mod out_of_scope;
mod versions;
mod watched_excerpt;

pub use arguments::Arguments;
pub use check_def::{CHECKS, CheckDef, Parameter, check_named};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use covenant_model::contract::{Aspect, Basis, ClauseId};
use covenant_model::transcript::Trace;

/// What was found out about a clause and aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The target keeps it: seen, not assumed.
    Kept,
    /// The target breaks it: seen, with evidence.
    Broken,
    /// It could not be observed. Never a pass.
    Unproven,
    /// The clause does not bear on this target.
    NotApplicable,
}

/// A check that a scenario announces before the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedCheck {
    /// Unique in a run: `07-migration-hygiene/crash#1`.
    pub id: String,
    /// The scenario that announces it.
    pub scenario: String,
    /// The clause it is about.
    pub clause: ClauseId,
    /// The aspect it is about.
    pub aspect: Aspect,
    /// The check's name.
    pub check: String,
    /// Which half of the binding it rests on.
    pub basis: Basis,
    /// What the clause asks of the target here, in a sentence.
    pub requirement: String,
    /// The check's arguments.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The verdict.
    pub verdict: Verdict,
    /// All answers that would have been right.
    pub expected: Vec<String>,
    /// What was seen.
    pub actual: String,
    /// Numbers of the trace's entries that show it.
    pub evidence: Vec<u64>,
}

/// A check that was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// What was announced.
    pub check: PlannedCheck,
    /// What was found.
    pub result: CheckResult,
}

impl CheckResult {
    /// Kept, as these entries show.
    #[must_use]
    pub fn kept(actual: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { verdict: Verdict::Kept, expected: vec![], actual: actual.into(), evidence }
    }

    /// Broken, as these entries show.
    #[must_use]
    pub fn broken(actual: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { verdict: Verdict::Broken, expected: vec![], actual: actual.into(), evidence }
    }

    /// Unproven, for this reason.
    #[must_use]
    pub fn unproven(actual: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { verdict: Verdict::Unproven, expected: vec![], actual: actual.into(), evidence }
    }

    /// Names an answer that would have been right.
    #[must_use]
    pub fn expecting(mut self, answer: impl Into<String>) -> Self {
        self.expected.push(answer.into());
        self
    }
}

/// Checks one announced check. Where the scenario did not come to its end, nothing is called
/// broken or kept: it is unproven, with how it ended as the reason.
#[must_use]
pub fn evaluate(check: &PlannedCheck, trace: Option<&Trace>) -> Evaluation {
    Evaluation { check: check.clone(), result: check_def::evaluate(check, trace) }
}
