//! The checks by name, and the evaluation of one.

use super::Verdict;
use super::{
    Arguments, CheckResult, PlannedCheck, c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, c12,
};
use super::{common, enforcement, out_of_scope, versions, watched_excerpt};
use covenant_model::contract::Aspect;
use covenant_model::transcript::{Outcome, ScenarioStart, Trace};

/// A check with its name and parameters.
#[derive(Debug)]
pub struct CheckDef {
    /// The name by which a scenario refers to it.
    pub name: &'static str,
    /// The question that it answers, in a sentence.
    pub about: &'static str,
    /// The parameters that it takes.
    pub parameters: &'static [Parameter],
    /// The function that evaluates it.
    pub evaluate: fn(&Trace, Arguments<'_>) -> CheckResult,
}

/// A parameter of a check.
#[derive(Debug)]
pub struct Parameter {
    /// The name in `with`.
    pub name: &'static str,
    /// `true` if the argument is mandatory.
    pub required: bool,
    /// The meaning, in a few words.
    pub about: &'static str,
}

impl Parameter {
    /// Creates a mandatory parameter.
    #[must_use]
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, required: true, about }
    }

    /// Creates an optional parameter.
    #[must_use]
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, required: false, about }
    }
}

/// All checks, by group.
pub const CHECKS: &[&[CheckDef]] = &[
    common::CHECKS,
    c01::CHECKS,
    c02::CHECKS,
    c03::CHECKS,
    c04::CHECKS,
    c05::CHECKS,
    c06::CHECKS,
    c07::CHECKS,
    c08::CHECKS,
    c09::CHECKS,
    c10::CHECKS,
    c11::CHECKS,
    c12::CHECKS,
    enforcement::CHECKS,
    out_of_scope::CHECKS,
    versions::CHECKS,
    watched_excerpt::CHECKS,
];

/// Returns the check of that name.
#[must_use]
pub fn check_named(name: &str) -> Option<&'static CheckDef> {
    CHECKS.iter().flat_map(|group| group.iter()).find(|check| check.name == name)
}

pub(super) fn evaluate(check: &PlannedCheck, trace: Option<&Trace>) -> CheckResult {
    let Some(trace) = trace else {
        return CheckResult::unproven("the scenario was not run", vec![]);
    };
    let last = trace.entries().last().map(|entry| entry.n).into_iter().collect();
    let reason = match trace.outcome() {
        Some(Outcome::Completed) => {
            return match check_named(&check.check) {
                Some(definition) => {
                    (definition.evaluate)(trace, Arguments::new(&check.with)).given(check, trace)
                }
                None => CheckResult::unproven(format!("no check is called {:?}", check.check), vec![]),
            };
        }
        None => "the scenario was cut short".to_owned(),
        Some(Outcome::Target { reason }) => format!("the scenario could not go on: {reason}"),
        Some(Outcome::Unsupported { method }) => format!("the adapter does not know the method {method}"),
        Some(Outcome::Adapter { reason }) => format!("the adapter failed: {reason}"),
        Some(Outcome::Environment { reason }) => format!("the environment failed: {reason}"),
        Some(Outcome::Suite { reason }) => format!("the suite failed: {reason}"),
        Some(Outcome::Interrupted) => "the run was interrupted".to_owned(),
    };
    CheckResult::unproven(reason, last)
}

impl CheckResult {
    /// Replaces the result with `unproven` if no peer misbehaved. The reaction of a target to a misbehaviour
    /// that never happened says nothing about the clause: a target that gave its peer no occasion is neither
    /// `kept` nor a false `broken`.
    fn given(self, check: &PlannedCheck, trace: &Trace) -> Self {
        let evaluated = matches!(self.verdict, Verdict::Kept | Verdict::Broken);
        if !evaluated || check.aspect != Aspect::Detection || misbehaved(trace, Arguments::new(&check.with)) {
            return self;
        }
        Self {
            verdict: Verdict::Unproven,
            actual: "the target gave the peer no occasion to misbehave".to_owned(),
            ..self
        }
    }
}

/// Returns whether a peer did what its behaviours make it do: the peer that the check is about, if it names
/// one. In a scenario without such peers the steps themselves are the misbehaviour.
fn misbehaved(trace: &Trace, with: Arguments<'_>) -> bool {
    let mut behaviours = trace.start().map(ScenarioStart::behaviours).unwrap_or_default();
    if let Some(peer) = with.text_if_given("peer").filter(|peer| behaviours.contains_key(*peer)) {
        behaviours.retain(|name, _| name == peer);
    }
    behaviours.retain(|_, names| !names.is_empty());
    behaviours.is_empty()
        || trace.exchanges().any(|(_, exchange)| {
            let names = behaviours.get(&exchange.peer);
            names.is_some_and(|names| exchange.injected.iter().any(|injected| names.contains(injected)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Unproven};
    use covenant_model::clock::{Clock, Seed};
    use covenant_model::transcript::{Exchange, Operation, Transcript, What};
    use serde_json::json;

    const SOURCE: &str = r#"
        title = "mallory misbehaves"
        [[peer]]
        name = "mallory"
        behaviours = ["remapped-ids"]
        [[peer]]
        name = "eve"
        behaviours = ["remapped-ids"]
    "#;

    /// Returns the verdict on a target that reports nothing about mallory, who deviated as `injected`; eve
    /// misbehaved.
    fn evaluated(aspect: Aspect, injected: &[&str]) -> Verdict {
        let transcript = Transcript::in_memory();
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let start = ScenarioStart { source: SOURCE.to_owned(), seed: Seed(1) };
        let recorder = transcript.begin("x", start, clock);
        for (peer, injected) in [("mallory", injected), ("eve", &["remapped-ids"])] {
            recorder.record(None, None, What::Exchange(accept(peer, injected)));
        }
        for label in ["before", "after"] {
            let result = Some(json!({"findings": []}));
            let scan =
                Operation { method: "governance.scan".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(scan));
        }
        recorder.record(None, None, What::End(Outcome::Completed));
        let with = [("peer", "mallory"), ("before", "before"), ("after", "after")];
        let check = PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: "7.4".parse().expect("a clause"),
            aspect,
            check: "finding-raised".to_owned(),
            basis: covenant_model::contract::Basis::Proposed,
            requirement: String::new(),
            with: with.map(|(name, label)| (name.to_owned(), label.into())).into(),
        };
        evaluate(&check, Some(&recorder.trace())).verdict
    }

    fn accept(peer: &str, injected: &[&str]) -> Exchange {
        Exchange {
            injected: injected.iter().map(ToString::to_string).collect(),
            ..Exchange::to_target(peer)
                .on("POST", "accept")
                .answered_with(200, json!({"data": {"peer_id": peer}}))
        }
    }

    #[test]
    fn only_what_a_peer_did_can_go_unnoticed() {
        assert_eq!(evaluated(Aspect::Detection, &["remapped-ids"]), Broken);
        assert_eq!(evaluated(Aspect::Detection, &[]), Unproven);
        assert_eq!(evaluated(Aspect::Detection, &["hidden-conflict"]), Unproven);
        assert_eq!(evaluated(Aspect::Conduct, &[]), Broken);
    }
}
