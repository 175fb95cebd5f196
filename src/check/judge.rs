//! The judges by name, and how one is asked.

use super::{Arguments, Declared, Judgement, c01, c02, c03, c04, c05, c06, c07, c08, c09, c10, c11, c12};
use super::{common, enforcement, out_of_scope, versions};
use crate::transcript::{Ending, Story};

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
                Some(judge) => (judge.decide)(story, Arguments::new(&check.with)),
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
