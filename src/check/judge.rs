//! The judges by name, and how one is asked.

use super::Verdict;
use super::{Arguments, Declared, Judgement, c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, c12};
use super::{common, enforcement, out_of_scope, versions, watched_excerpt};
use crate::contract::Face;
use crate::transcript::{Ending, ScenarioStart, Story};

/// A judgement by name.
#[derive(Debug)]
pub struct Judge {
    /// What a scenario calls it.
    pub name: &'static str,
    /// The question it answers, in a sentence.
    pub about: &'static str,
    /// What it is told.
    pub parameters: &'static [Parameter],
    /// The judgement.
    pub decide: fn(&Story, Arguments<'_>) -> Judgement,
}

/// A parameter of a judge.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in `with`.
    pub name: &'static str,
    /// Whether it has to be given.
    pub required: bool,
    /// What it says.
    pub about: &'static str,
}

impl Parameter {
    /// A parameter that has to be given.
    #[must_use]
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, required: true, about }
    }

    /// A parameter that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, required: false, about }
    }
}

/// Every judge.
pub const JUDGES: &[&[Judge]] = &[
    common::JUDGES,
    c01::JUDGES,
    c02::JUDGES,
    c03::JUDGES,
    c04::JUDGES,
    c05::JUDGES,
    c06::JUDGES,
    c07::JUDGES,
    c08::JUDGES,
    c09::JUDGES,
    c10::JUDGES,
    c11::JUDGES,
    c12::JUDGES,
    enforcement::JUDGES,
    out_of_scope::JUDGES,
    versions::JUDGES,
    watched_excerpt::JUDGES,
];

/// The judge of that name.
#[must_use]
pub fn judge(name: &str) -> Option<&'static Judge> {
    JUDGES.iter().flat_map(|group| group.iter()).find(|judge| judge.name == name)
}

pub(super) fn decide(check: &Declared, story: Option<&Story>) -> Judgement {
    let Some(story) = story else {
        return Judgement::unproven("the scenario was not run", vec![]);
    };
    let last = story.entries().last().map(|entry| entry.n).into_iter().collect();
    let reason = match story.ending() {
        Some(Ending::Completed) => {
            return match judge(&check.judge) {
                Some(judge) => (judge.decide)(story, Arguments::new(&check.with)).given(check, story),
                None => Judgement::unproven(format!("no judge is called {:?}", check.judge), vec![]),
            };
        }
        None => "the scenario was cut short".to_owned(),
        Some(Ending::Target { reason }) => format!("the scenario could not go on: {reason}"),
        Some(Ending::Unsupported { verb }) => format!("the adapter does not know the verb {verb}"),
        Some(Ending::Adapter { reason }) => format!("the adapter failed: {reason}"),
        Some(Ending::Environment { reason }) => format!("the environment failed: {reason}"),
        Some(Ending::Suite { reason }) => format!("the suite failed: {reason}"),
        Some(Ending::Interrupted) => "the run was interrupted".to_owned(),
    };
    Judgement::unproven(reason, last)
}

impl Judgement {
    /// What a target did about a misbehaviour that never came about says nothing of it: a target that
    /// gave its peer no occasion is neither praised for noticing nor slandered for not noticing.
    fn given(self, check: &Declared, story: &Story) -> Self {
        let judged = matches!(self.verdict, Verdict::Kept | Verdict::Broken);
        if !judged || check.face != Face::Detection || misbehaved(story, Arguments::new(&check.with)) {
            return self;
        }
        Self {
            verdict: Verdict::Unproven,
            actual: "the target gave the peer no occasion to misbehave".to_owned(),
            ..self
        }
    }
}

/// Whether a peer did what its behaviours make it do: the peer that the check is about, where it
/// names one. In a scenario without such peers the steps themselves are the misbehaviour.
fn misbehaved(story: &Story, with: Arguments<'_>) -> bool {
    let mut behaviours = story.start().map(ScenarioStart::behaviours).unwrap_or_default();
    if let Some(peer) = with.text_if_given("peer").filter(|peer| behaviours.contains_key(*peer)) {
        behaviours.retain(|name, _| name == peer);
    }
    behaviours.retain(|_, names| !names.is_empty());
    behaviours.is_empty()
        || story.exchanges().any(|(_, exchange)| {
            let names = behaviours.get(&exchange.peer);
            names.is_some_and(|names| exchange.injected.iter().any(|injected| names.contains(injected)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Unproven};
    use crate::clock::{Clock, Seed};
    use crate::transcript::{Exchange, Operation, Transcript, What};
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

    /// The judgement on a target that reports nothing of mallory, who did this; eve misbehaved.
    fn judged(face: Face, injected: &[&str]) -> Verdict {
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
                Operation { verb: "governance.scan".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(scan));
        }
        recorder.record(None, None, What::End(Ending::Completed));
        let with = [("peer", "mallory"), ("before", "before"), ("after", "after")];
        let check = Declared {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: "7.4".parse().expect("a clause"),
            face,
            judge: "finding-raised".to_owned(),
            basis: crate::contract::Basis::Proposed,
            requirement: String::new(),
            with: with.map(|(name, label)| (name.to_owned(), label.into())).into(),
        };
        decide(&check, Some(&recorder.story())).verdict
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
        assert_eq!(judged(Face::Detection, &["remapped-ids"]), Broken);
        assert_eq!(judged(Face::Detection, &[]), Unproven);
        assert_eq!(judged(Face::Detection, &["hidden-conflict"]), Unproven);
        assert_eq!(judged(Face::Conduct, &[]), Broken);
    }
}
