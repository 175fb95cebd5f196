//! The checks of 10.1 over what passed between two platforms: each of them is the target of one trace.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::pairing::of_check;
use super::play::PairPlay;
use super::restart::restarted_alone;
use super::steps::{IS_CUT, JOINER, NAMES, PROPOSER, PairStep, StepOutcome, label};
use crate::check::{CheckResult, PlannedCheck, Verdict, evaluate};
use crate::contract::{Aspect, Basis};
use crate::gate::found::Found;
use crate::gate::rules::CLAUSE;

/// The methods whose calls a platform of a compatible release accepts.
const WORK: [(&str, Basis); 5] = [
    ("heartbeat.send", Basis::Observed),
    ("resource.fetch", Basis::Observed),
    ("migration.send", Basis::Observed),
    ("audit.request", Basis::Observed),
    ("sync.run", Basis::Proposed),
];

/// Result of a check.
pub(super) enum Passed {
    /// The check is kept between the two platforms.
    Kept,
    /// It says nothing, or says the same of two platforms of the old release.
    Open,
    /// It is broken.
    Broken {
        /// The requirement.
        requirement: String,
        /// Observation.
        actual: String,
    },
}

impl Passed {
    /// Returns what is found.
    pub(super) fn broken(self, id: &str) -> Option<Found> {
        match self {
            Self::Broken { requirement, actual } => Some(of_check(id, &requirement, actual)),
            Self::Kept | Self::Open => None,
        }
    }
}

/// Evaluates the checks of compatible releases, on the platform that proposed and on the one that joined.
pub(super) fn of_window(play: &PairPlay, control: Option<&[PairPlay; 2]>) -> Vec<Passed> {
    let end = restarted_alone(control, play).map_or(u32::MAX, |(from, _)| from);
    let checks = planned(play, end);
    let control = control.map(|[first, _]| first);
    let evaluated = |play: &PairPlay, of: usize, check: &PlannedCheck| -> CheckResult {
        evaluate(check, Some(&play.views[of].trace)).result
    };
    let passed = checks.iter().map(|(of, check)| {
        let result = evaluated(play, *of, check);
        let control = control.map(|control| evaluated(control, *of, check).verdict);
        match (result.verdict, control) {
            (Verdict::Kept, _) => Passed::Kept,
            (Verdict::Broken, None | Some(Verdict::Kept)) => Passed::Broken {
                requirement: check.requirement.clone(),
                actual: format!(
                    "{}: expected {}; found {}",
                    check.check,
                    result.expected.join(" or "),
                    result.actual
                ),
            },
            _ => Passed::Open,
        }
    });
    passed.collect()
}

/// Returns the checks of the steps before a number.
fn planned(play: &PairPlay, end: u32) -> Vec<(usize, PlannedCheck)> {
    let of_step = |who: usize, method: &str| -> Vec<String> {
        let begin = format!("{}: {method}", NAMES[who]);
        // What comes after a failure of an adapter or of the machine is not the platform's.
        let is_seen = |step: &&PairStep| step.number < end && !matches!(step.outcome, StepOutcome::Failed(_));
        let until_failed = play.steps.iter().take_while(is_seen);
        let steps = until_failed.filter(|step| step.name.starts_with(&begin) && !step.name.contains(IS_CUT));
        // After the revocation, and after the end of a grant, a refusal is right.
        steps.filter(|step| !step.name.contains("after the")).map(|step| label(step.number)).collect()
    };
    let Some(join) = of_step(JOINER, "peer.join").into_iter().next() else { return vec![] };
    let mut checks = vec![];
    for (method, basis) in WORK {
        for call in of_step(JOINER, method) {
            let Some(probe) = of_step(JOINER, "heartbeat.send").into_iter().next() else { continue };
            let with = [("accept", json!(join)), ("call", json!([call])), ("probe", json!(probe))];
            let requirement = format!("the proposer accepts what the joiner sends at {method}");
            let check = check("compatible-versions-federate", basis, requirement, with.into());
            checks.extend(check.map(|check| (PROPOSER, check)));
        }
    }
    for (of, who) in [(PROPOSER, JOINER), (JOINER, PROPOSER)] {
        for call in of_step(who, "heartbeat.send") {
            let with = [("call", json!(call)), ("compatible", json!(true))];
            let requirement =
                format!("{} says to {} that their versions are compatible", NAMES[of], NAMES[who]);
            let check = check("compatibility-is-answered", Basis::Observed, requirement, with.into());
            checks.extend(check.map(|check| (of, check)));
        }
    }
    checks
}

/// Returns a check of 10.1; `None` if there is no such clause.
fn check(name: &str, basis: Basis, requirement: String, with: BTreeMap<&str, Value>) -> Option<PlannedCheck> {
    Some(PlannedCheck {
        id: format!("paired#{name}"),
        scenario: "paired".to_owned(),
        clause: CLAUSE.parse().ok()?,
        aspect: Aspect::Conduct,
        check: name.to_owned(),
        basis,
        rests_on: vec![],
        deepens: false,
        requirement,
        with: with.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    })
}
