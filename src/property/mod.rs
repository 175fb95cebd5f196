//! Properties: scenarios generated from a seed, evaluated against a model, shrunk to the shortest that
//! still breaks.
//!
//! A property is a strategy of scenarios. Its cases are played one after another, each against a
//! target of its own, and told in one trace, `property/NAME`: the labels of case 7 end in `@7`. The
//! check `every-case` asks another check about each of them. A case that breaks is shrunk, and
//! what is left of it is a scenario that can be saved and run.

mod arrivals;
mod audits;
mod compromises;
mod contract_versions;
mod declarations;
mod disclosures;
mod driver;
mod exits;
mod file;
mod grants;
mod plans;
mod residencies;
mod revocations;
mod versions;
mod whole;

pub use driver::{Setting, check};

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// A property of the target, over generated histories.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// What the command line calls it.
    pub name: &'static str,
    /// The commitment that it is about.
    pub commitment: u8,
    /// What holds, in a sentence.
    pub about: &'static str,
    /// Scenarios that are always played, each once, and first: together they have something to say to
    /// every check, whatever the seed draws. They shrink as the others do.
    pub edge_cases: fn() -> Vec<BoxedStrategy<String>>,
    /// Scenarios, as files.
    pub scenarios: fn() -> BoxedStrategy<String>,
}

/// Every property.
pub const PROPERTIES: &[Property] = &[
    disclosures::PROPERTY,
    grants::PROPERTY,
    declarations::PROPERTY,
    revocations::PROPERTY,
    audits::PROPERTY,
    arrivals::PROPERTY,
    plans::PROPERTY,
    residencies::PROPERTY,
    compromises::PROPERTY,
    versions::PROPERTY,
    exits::EXITS,
    exits::LEAVES,
    contract_versions::PROPERTY,
];

/// The property of that name.
#[must_use]
pub fn property(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

impl Property {
    /// Some scenario of it, always the same: what it announces is what every case announces.
    #[must_use]
    pub fn sample(&self) -> Option<String> {
        let tree = (self.scenarios)().new_tree(&mut TestRunner::deterministic()).ok()?;
        Some(tree.current())
    }

    /// The name of its trace.
    #[must_use]
    pub fn trace(&self) -> String {
        format!("property/{}", self.name)
    }
}

/// The property that a trace tells of, by the trace's name.
#[must_use]
pub fn of_trace(trace: &str) -> Option<&str> {
    trace.strip_prefix("property/")
}
