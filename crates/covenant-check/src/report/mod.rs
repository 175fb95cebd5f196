//! The reports of a run: for a person, for a program, for a CI server.
//!
//! A [`Report`] is data, built once; the formats are functions of it. Each format escapes all text that came
//! from a target.

mod diagnostics;
mod diff;
mod escape;
mod facts;
mod format;
mod headline;
mod known;
#[cfg(test)]
pub(crate) mod sample;
mod shown;

pub use diagnostics::{Diagnostic, diagnostics};
pub use diff::{Apart, Change, DIFF_FORMATS, DiffFormat, ReportDiff};
pub use escape::terminal;
pub use facts::{Fact, ShownCertificate, TargetFacts, TargetFinder};
pub use format::{CheckLine, FORMATS, JSON_LINES, ReportFormat, RunEvent, SCHEMA_VERSION, schema};
pub use known::{KnownBreach, KnownFault};
pub use shown::{ShownEntry, ShownKind, ShownTrace, clearest_entry, is_named, shown_trace};

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::{Evaluation, Flaky, Verdict};
use crate::score::{ByBasis, Score};
use crate::warning::Warning;
use covenant_model::contract::HeldText;
use covenant_model::transcript::Outcome;
use covenant_model::{Fault, Stage, shell};

/// The complete report of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of the format: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of the suite.
    pub covenant: String,
    /// The seed of the run.
    pub seed: u64,
    /// The target under test, as the run recorded it.
    pub target: String,
    /// The defects and variants of the embedded reference; `None` if the target is another platform.
    pub reference: Option<Vec<String>>,
    /// The words that named another target, as the run recorded them. No program runs them.
    pub target_arguments: Vec<String>,
    /// Facts about the target that the run shows: release, address, certificate.
    #[serde(default)]
    pub platform: TargetFacts,
    /// The time at which the run began, by the clock of the machine that ran it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub began: Option<Timestamp>,
    /// The time that it took, by the same clock, in milliseconds; `None` if the transcript has no end.
    #[serde(default)]
    pub took_milliseconds: Option<u64>,
    /// The id of the contract text that the target is held to, such as `2026-05`; `None` if it is unknown.
    pub contract_text: Option<String>,
    /// The contract text as it was named, and what named it.
    #[serde(flatten)]
    pub contract: HeldText,
    /// The version of the suite's binding.
    pub binding: String,
    /// The settings that affect verdicts.
    pub settings: BTreeMap<String, Value>,
    /// `true` if only a part of the suite was requested.
    pub partial: bool,
    /// The outcome of the run; `None` if the transcript has no end: the run was killed or goes on, or the file was cut.
    pub outcome: Option<Outcome>,
    /// The SHA-256 of the transcript, in hex. The transcript is not signed: whoever can write it can write another, so
    /// the digest proves nothing unless it was kept elsewhere.
    pub transcript_sha256: String,
    /// The reason why the run says nothing about the target; `None` if it does.
    pub void: Option<String>,
    /// The stages that failed on this target. What needs them is unproven.
    pub failed_stages: Vec<FailedStage>,
    /// The verdicts, merged by clause and commitment.
    pub score: Score,
    /// All planned checks, with their results.
    pub checks: Vec<EvaluatedCheck>,
    /// The entries that show the breaches, shortened. The transcript has them whole.
    #[serde(default)]
    pub shown: Vec<ShownTrace>,
    /// All scenarios, with their outcomes.
    pub scenarios: Vec<ScenarioRow>,
    /// The methods that would prove more, sorted by how much they would prove, most first.
    pub missing_methods: Vec<MissingMethod>,
    /// Observations that no clause covers. It changes no verdict and no exit code.
    pub warnings: Vec<Warning>,
    /// The points of the diagnosis, if the run was one: an audit from outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// The numbers of planned and evaluated checks.
    pub counts: Counts,
    /// The entries of known breaches that fail the run: what they name no longer breaks, or they have expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_faults: Vec<KnownFault>,
}

/// Meaning of a transcript without an end, for a person.
pub const NO_END: &str = "the transcript ends without the record that seals it: the run was killed or goes on, or the file was cut";
/// Limits of the digests of a transcript, for a person.
pub const UNSIGNED: &str = "it is not signed: compare the digest with one that was kept elsewhere; it does not show who made the \
                            run, or that it took place";

/// The setting of a run that marks it as a redacted copy: the digest of the original, the numbers of replaced values, and
/// the checks whose verdict does not follow from the copy.
pub const REDACTED: &str = "redacted";

impl Report {
    /// Returns the SHA-256 of the transcript that this run is a redacted copy of; `None` if it is no copy.
    #[must_use]
    pub fn redacted_from(&self) -> Option<&str> {
        self.settings.get(REDACTED)?["original_sha256"].as_str()
    }

    /// Returns the target as a report shows it. A platform other than the embedded reference is quoted, because the
    /// transcript may come from anyone.
    #[must_use]
    pub fn recorded_target(&self) -> String {
        match self.reference {
            Some(_) => self.target.clone(),
            None => format!("{} (as recorded)", shell::word(&self.target)),
        }
    }

    /// Returns the words that named the target, quoted; `None` if there are none.
    #[must_use]
    pub fn recorded_arguments(&self) -> Option<String> {
        let words = &self.target_arguments;
        (self.reference.is_none() && !self.is_audit() && !words.is_empty()).then(|| shell::line(words))
    }

    /// Returns true if the report is of an audit.
    #[must_use]
    pub fn is_audit(&self) -> bool {
        self.settings.get("audit") == Some(&Value::Bool(true))
    }

    /// Returns true if the report is of an audit without a token, as an anonymous client.
    #[must_use]
    pub fn is_of_anonymous_client(&self) -> bool {
        self.settings.get("anonymous") == Some(&Value::Bool(true))
    }

    /// Returns the scenarios that were begun. A further play of one is no scenario of its own.
    pub fn scenarios_once(&self) -> impl Iterator<Item = &ScenarioRow> {
        self.scenarios.iter().filter(|row| row.retry == 0)
    }

    /// Returns the flaky checks.
    pub fn flaky(&self) -> impl Iterator<Item = (&EvaluatedCheck, &Flaky)> {
        self.checks.iter().filter_map(|check| Some((check, check.evaluation.flaky.as_ref()?)))
    }

    /// Returns whether the run was interrupted, or lacks its end.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        if self.outcome.as_ref().is_some_and(Outcome::is_early_end) {
            return false;
        }
        let mut outcomes = self.scenarios.iter().filter_map(|row| row.outcome.as_ref()).chain(&self.outcome);
        self.outcome.is_none() || outcomes.any(|outcome| *outcome == Outcome::Interrupted)
    }
}

/// A check with its verdict, and the command that shows it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvaluatedCheck {
    /// The check and its result.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// The command that repeats just this check.
    pub replay: String,
    /// Why the breach is known; `None` if it is not, or there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownBreach>,
}

/// A method that the adapter lacks, and the aspects that it would prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingMethod {
    /// The name of the method.
    pub method: String,
    /// The aspects of clauses that are unproven because it is missing, such as `10.2 conduct`.
    pub aspects: Vec<String>,
}

/// A stage that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedStage {
    /// The stage that failed.
    pub stage: Stage,
    /// The id of the scenario that tried it.
    pub scenario: String,
    /// The fault that ended it.
    pub fault: Fault,
    /// The number of scenarios and properties that need the stage and were not played.
    pub blocked: u64,
}

/// The row of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioRow {
    /// The id of the scenario.
    pub id: String,
    /// The outcome; `None` if the run was interrupted.
    pub outcome: Option<Outcome>,
    /// The number of entries in its trace.
    pub entries: u64,
    /// The real time that it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_milliseconds: Option<u64>,
    /// The number of the play: 0 for the first one, more for a further one of the same scenario.
    #[serde(default, skip_serializing_if = "is_first")]
    pub retry: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_first(retry: &u32) -> bool {
    *retry == 0
}

impl ScenarioRow {
    /// Creates the row of a scenario whose times are not known.
    #[must_use]
    pub fn new(id: impl Into<String>, outcome: Option<Outcome>, entries: u64) -> Self {
        Self { id: id.into(), outcome, entries, took_milliseconds: None, retry: 0 }
    }

    /// Returns the scenario that the row is of. The row of a further play has the name of its trace.
    #[must_use]
    pub fn scenario(&self) -> &str {
        let further = (self.retry > 0).then(|| format!(" retry {}", self.retry));
        further.and_then(|suffix| self.id.strip_suffix(&suffix)).unwrap_or(&self.id)
    }
}

/// The numbers of planned and evaluated checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// The number of checks that were planned before the run.
    pub planned: u64,
    /// The number of checks whose scenario completed, so that its trace could be evaluated.
    pub emitted: u64,
    /// The number of verdicts `kept`.
    pub kept: u64,
    /// The number of verdicts `broken`.
    pub broken: u64,
    /// The number of verdicts `unproven`.
    pub unproven: u64,
    /// The number of verdicts `not applicable`.
    pub not_applicable: u64,
    /// The number of flaky checks, which `unproven` counts too.
    #[serde(default)]
    pub flaky: u64,
    /// The numbers of verdicts of the checks of each basis.
    pub by_basis: ByBasis<VerdictCounts>,
}

/// The numbers of verdicts of some checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerdictCounts {
    /// The number of verdicts `kept`.
    pub kept: u64,
    /// The number of verdicts `broken`.
    pub broken: u64,
    /// The number of verdicts `unproven`.
    pub unproven: u64,
    /// The number of verdicts `not applicable`.
    pub not_applicable: u64,
}

impl VerdictCounts {
    /// Counts verdicts.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Kept => &mut counts.kept,
                Verdict::Broken => &mut counts.broken,
                Verdict::Unproven => &mut counts.unproven,
                Verdict::NotApplicable => &mut counts.not_applicable,
            } += 1;
        }
        counts
    }
}
