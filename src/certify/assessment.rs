//! Assessment of the report of a run under a profile.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::profile::{AspectId, Demand};
use super::{Profile, RecordedWord};
use crate::check::{Evaluation, Verdict};
use crate::contract::{Aspect, Basis, ClauseId};
use crate::report::Report;
use crate::runner::CASES;
use crate::scenario::LibraryError;
use crate::score::{AspectScore, Standing};

/// Why an aspect is not applicable, if the report has no other reason.
const NOT_APPLICABLE: &str = "it does not apply to the target";

/// Why a bare statement does not count.
const BARE: &str = "it is a bare statement, which names nobody, no target and no evidence; `covenant attest` writes one that does";
/// Why a word about something else does not count.
const SHOWN: &str = "a run shows whether this is kept, so no word stands for it";

/// The result of a certification, in the words of in-toto.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CertificationResult {
    /// The profile is met whole.
    Passed,
    /// Nothing is broken, and the profile is not met whole.
    Warned,
    /// Something is broken.
    Failed,
}

/// Something that was not exercised, or does not apply, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name of the aspect, or what else it is.
    pub test: String,
    /// The reason for which it costs the result.
    pub why: String,
}

/// A person's word about an aspect that no wire shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestedByPerson {
    /// The name of the aspect.
    pub test: String,
    /// The statement, with who gave it about which target, and the digest of the evidence, as far as the run has them.
    pub statement: String,
    /// Why the word does not count; `None` if it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub does_not_count: Option<String>,
}

/// A check that is broken, with what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokenCheck {
    /// The name of the aspect.
    pub test: String,
    /// The clause.
    pub clause: ClauseId,
    /// The aspect.
    pub aspect: Aspect,
    /// The basis of the check.
    pub basis: Basis,
    /// The id of the check in the report.
    pub check: String,
    /// The scenario, whose trace in the transcript has the entries.
    pub scenario: String,
    /// The numbers of the entries that show the breach.
    pub entries: Vec<u64>,
}

/// Results of a run under a profile. A test is an aspect of a clause, such as `7.1 conduct`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// The result.
    pub result: CertificationResult,
    /// Tests that are kept.
    pub passed: Vec<String>,
    /// Tests that are unproven or attested.
    pub warned: Vec<String>,
    /// Tests that are broken.
    pub failed: Vec<String>,
    /// The checks that are broken, with their evidence.
    pub breaches: Vec<BrokenCheck>,
    /// Tests that persons attest.
    pub attested: Vec<AttestedByPerson>,
    /// Tests that were not exercised.
    pub not_exercised: Vec<Named>,
    /// Tests that do not apply to the target.
    pub not_applicable: Vec<Named>,
}

/// Why a run can be certified for no profile.
#[derive(Debug, Error)]
pub enum NotCertified {
    /// The built-in scenarios are invalid.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The run was ended before all was played.
    #[error("the run was {0}: certify one that was played to its end")]
    NoEnd(String),
    /// The run says nothing of the target.
    #[error("the run is void, so there is nothing to certify: {0}")]
    Void(String),
    /// No check has a verdict.
    #[error("nothing was evaluated, so there is nothing to certify: no check is kept or broken")]
    Nothing,
    /// The run is an audit.
    #[error("this is an audit, which plays a part of the suite alone: certify a run")]
    Audit,
    /// The run has checks of someone else.
    #[error(
        "the check {0} is none of this version of the suite, which certifies runs of its own scenarios alone: leave --scenarios \
         out, and use the version that made the run"
    )]
    Foreign(String),
    /// Nothing identifies the target.
    #[error(
        "the target showed no certificate in this run, and an attestation names it by its certificate: call it with https"
    )]
    NoCertificate,
}

impl Assessment {
    /// Returns what a report shows for a profile, in an attestation that is signed at `signed`.
    pub fn of(report: &Report, profile: &Profile, signed: Timestamp) -> Result<Self, NotCertified> {
        refuse(report)?;
        let demand = profile.demand(&report.contract)?;
        if let Some(foreign) = report.checks.iter().find(|check| !demand.has(&check.evaluation.check)) {
            return Err(NotCertified::Foreign(foreign.evaluation.check.id.clone()));
        }
        let mut assessed = Self {
            result: CertificationResult::Warned,
            passed: vec![],
            warned: vec![],
            failed: vec![],
            breaches: breaches(report),
            attested: vec![],
            not_exercised: vec![],
            not_applicable: vec![],
        };
        let mut is_met = assessed.add_cases(report);
        // A word is about one target, and does not last for ever.
        let why_not = |statement: &str| match RecordedWord::read(statement) {
            Some(word) => word.why_not(&report.platform, &report.target, signed, profile.word_days_max),
            None => Some(BARE.to_owned()),
        };
        let flaky: BTreeSet<AspectId> = report.flaky().map(|(one, _)| aspect_of(&one.evaluation)).collect();
        for row in &report.score.aspects {
            if flaky.contains(&(row.clause, row.aspect)) && row.standing != Standing::Broken {
                // A retry turns no breach into what passes, also if the profile does not ask for the check.
                assessed.warned.push(format!("{} {}", row.clause, row.aspect));
                is_met = false;
                continue;
            }
            is_met &= assessed.add(row, profile, &demand, &why_not);
        }
        assessed.result = match () {
            () if !assessed.failed.is_empty() => CertificationResult::Failed,
            () if is_met && !assessed.passed.is_empty() => CertificationResult::Passed,
            () => CertificationResult::Warned,
        };
        Ok(assessed)
    }

    /// Names the cases that a run left out. Returns whether it played enough.
    fn add_cases(&mut self, report: &Report) -> bool {
        let played = report.settings.get("cases").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let is_enough = played >= u64::from(CASES);
        if !is_enough {
            let why = format!("the run played {played} cases of each property, and {CASES} are asked for");
            self.not_exercised.push(Named { test: "cases of the properties".to_owned(), why });
        }
        is_enough
    }

    /// Adds an aspect. Returns whether it leaves nothing of the profile open.
    fn add(
        &mut self,
        row: &AspectScore,
        profile: &Profile,
        demand: &Demand,
        why_not: &dyn Fn(&str) -> Option<String>,
    ) -> bool {
        let id: AspectId = (row.clause, row.aspect);
        let test = format!("{} {}", row.clause, row.aspect);
        let reason = |otherwise: &str| row.reason.clone().unwrap_or_else(|| otherwise.to_owned());
        if row.standing == Standing::Broken {
            self.failed.push(test);
            return false;
        }
        let Some(checks) = demand.aspects.get(&id) else {
            if row.standing == Standing::NotApplicable {
                self.not_applicable.push(Named { test, why: reason(NOT_APPLICABLE) });
            } else {
                let why = format!("no check of the profile {profile} evaluates it");
                self.not_exercised.push(Named { test, why });
            }
            return true;
        };
        let played = checks.iter().filter(|check| row.checks.contains(check)).count();
        match profile.standing(row) {
            Standing::Broken => self.failed.push(test),
            Standing::NotEvaluated => {
                self.not_exercised.push(Named { test, why: "the run did not play it".to_owned() });
            }
            Standing::Kept | Standing::NotApplicable if played < checks.len() => {
                let why = format!("the run played {played} of the {} checks of the suite", checks.len());
                self.not_exercised.push(Named { test, why });
            }
            Standing::Kept => {
                self.passed.push(test);
                return true;
            }
            Standing::NotApplicable => {
                self.not_applicable.push(Named { test, why: reason(NOT_APPLICABLE) });
                return true;
            }
            Standing::Unproven => self.warned.push(test),
            Standing::Attested => {
                self.warned.push(test.clone());
                let statement = reason("");
                let can_be_attested = demand.attestable.contains(&id);
                let does_not_count =
                    if can_be_attested { why_not(&statement) } else { Some(SHOWN.to_owned()) };
                let counts = does_not_count.is_none();
                self.attested.push(AttestedByPerson { test, statement, does_not_count });
                return counts;
            }
        }
        false
    }
}

fn aspect_of(evaluation: &Evaluation) -> AspectId {
    (evaluation.check.clause, evaluation.check.aspect)
}

/// Returns the checks that are broken, in the order of the report.
fn breaches(report: &Report) -> Vec<BrokenCheck> {
    let evaluations = report.checks.iter().map(|checked| &checked.evaluation);
    let broken = evaluations.filter(|evaluation| evaluation.result.verdict == Verdict::Broken);
    let breaches = broken.map(|evaluation| {
        let check = &evaluation.check;
        BrokenCheck {
            test: format!("{} {}", check.clause, check.aspect),
            clause: check.clause,
            aspect: check.aspect,
            basis: check.basis,
            check: check.id.clone(),
            scenario: check.scenario.clone(),
            entries: evaluation.result.evidence.clone(),
        }
    });
    breaches.collect()
}

/// Refuses a run that cannot be certified.
fn refuse(report: &Report) -> Result<(), NotCertified> {
    if report.is_audit() {
        return Err(NotCertified::Audit);
    }
    if report.is_interrupted() {
        return Err(NotCertified::NoEnd(report.cut().unwrap_or_else(|| "interrupted".to_owned())));
    }
    if let Some(why) = &report.void {
        return Err(NotCertified::Void(why.clone()));
    }
    if report.counts.kept + report.counts.broken == 0 {
        return Err(NotCertified::Nothing);
    }
    if report.platform.certificate_sha256.is_none() {
        return Err(NotCertified::NoCertificate);
    }
    Ok(())
}

#[cfg(test)]
#[path = "assessment_tests.rs"]
pub(super) mod tests;
