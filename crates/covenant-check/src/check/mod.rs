//! The checks: pure functions of a finished trace, one file per check.
//!
//! A scenario's `[[check]]` applies one of the [`checks`] to one clause and aspect, with arguments that name
//! entries of the trace by their labels. The check sees the trace and nothing that changes, so that a
//! transcript gives the same verdicts when it is evaluated again.

mod acknowledgement;
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
mod contract_text;
mod deepening;
mod definition;
mod enforcement;
mod evaluate;
mod flaky;
mod general;
mod migration_model;
mod outcome;
mod pause;
mod query;
mod run_release;
mod schema;
mod scope;
mod spoken;
mod table;
mod text;
#[cfg(test)]
mod trace_builder;
mod unseen;
mod versioning;

pub use arguments::{ArgumentError, Parameter, ParameterKind};
pub use contract_text::{depends_on_text, evaluate_under, not_asked_for_reason};
pub use deepening::leave_to_plain_checks;
use definition::Evaluate;
pub use definition::{AbsentCall, CheckDef};
#[cfg(test)]
use evaluate::result_of;
pub use evaluate::{breaks_so_far, ended_at, ended_at_deadline, evaluate, missing_method};
pub use flaky::Flaky;
pub use schema::add_arguments;
pub use table::{check_with_id, checks};
pub use versioning::{digest_written, digests_listed};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use covenant_model::contract::{Aspect, Basis, ClauseId};
use covenant_model::transcript::Addition;

/// The verdict on a clause and aspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The target keeps it: seen, not assumed.
    Kept,
    /// The target breaks it: seen, with evidence.
    Broken,
    /// It could not be observed. Never a pass.
    Unproven,
    /// The clause does not apply to this target.
    NotApplicable,
}

/// A check that a scenario lists before the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedCheck {
    /// The id, unique in a run: `07-migration-hygiene/crash#1`.
    pub id: String,
    /// The scenario that lists it.
    pub scenario: String,
    /// The clause that it is about.
    pub clause: ClauseId,
    /// The aspect that it is about.
    pub aspect: Aspect,
    /// The name of the check.
    pub check: String,
    /// The basis: the half of the binding that it uses.
    pub basis: Basis,
    /// The additions of the binding without which a breach proves nothing: a target that does not speak one may
    /// not know it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<Addition>,
    /// The check shows in a longer history, or for another value, what another check of this clause and aspect shows.
    /// What it cannot show is left to that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deepens: bool,
    /// The requirement of the clause on the target here, in a sentence.
    pub requirement: String,
    /// The arguments of the check.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// The verdict on the clause and aspect.
    pub verdict: Verdict,
    /// All answers that would have been right.
    pub expected: Vec<String>,
    /// The observed answer.
    pub actual: String,
    /// The numbers of the trace entries that show it.
    pub evidence: Vec<u64>,
}

/// A check that was evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// The planned check.
    pub check: PlannedCheck,
    /// The verdict with its evidence.
    pub result: CheckResult,
    /// Results of several plays of the scenario, if it is broken in some of them alone. The verdict is unproven then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaky: Option<Flaky>,
}

impl Evaluation {
    /// Returns the name of the trace that has the evidence.
    #[must_use]
    pub fn trace(&self) -> &str {
        self.flaky.as_ref().map_or(&self.check.scenario, |flaky| &flaky.trace)
    }
}

impl CheckResult {
    /// Creates a result `kept`, as these entries show.
    #[must_use]
    pub fn kept(actual: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { verdict: Verdict::Kept, expected: vec![], actual: actual.into(), evidence }
    }

    /// Creates a result `broken`, as these entries show.
    #[must_use]
    pub fn broken(actual: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { verdict: Verdict::Broken, expected: vec![], actual: actual.into(), evidence }
    }

    /// Creates a result `unproven`, for this reason.
    #[must_use]
    pub fn unproven(actual: impl Into<String>, evidence: Vec<u64>) -> Self {
        Self { verdict: Verdict::Unproven, expected: vec![], actual: actual.into(), evidence }
    }

    /// Adds an answer that would have been right.
    #[must_use]
    pub fn expecting(mut self, answer: impl Into<String>) -> Self {
        self.expected.push(answer.into());
        self
    }
}
