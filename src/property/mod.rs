//! Properties: scenarios generated from a seed, evaluated against a model, and shrunk to the shortest case
//! that still breaks.
//!
//! A property is a strategy of scenarios. Its cases are played one after another, each against a target of
//! its own, and recorded in one trace, `property/NAME`; the labels of case 7 end in `@7`. Each check is
//! evaluated over every case. A case that breaks is shrunk to a scenario that can be saved and run.

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
    /// The name on the command line.
    pub name: &'static str,
    /// The commitment that the property concerns.
    pub commitment: u8,
    /// The statement that holds, as one sentence.
    pub about: &'static str,
    /// The scenarios that always run first, each once. Together they exercise every check, whatever the seed
    /// draws. They shrink like the others.
    pub edge_cases: fn() -> Vec<BoxedStrategy<String>>,
    /// The strategy of scenarios, as files.
    pub scenarios: fn() -> BoxedStrategy<String>,
}

/// All properties.
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

/// Returns the property of this name.
#[must_use]
pub fn property(name: &str) -> Option<&'static Property> {
    PROPERTIES.iter().find(|property| property.name == name)
}

impl Property {
    /// Returns a fixed scenario of the property. All its scenarios plan the same checks.
    #[must_use]
    pub fn sample(&self) -> Option<String> {
        let tree = (self.scenarios)().new_tree(&mut TestRunner::deterministic()).ok()?;
        Some(tree.current())
    }

    /// Returns the name of the trace.
    #[must_use]
    pub fn trace(&self) -> String {
        format!("property/{}", self.name)
    }
}

/// Returns the name of the property that a trace belongs to.
#[must_use]
pub fn of_trace(trace: &str) -> Option<&str> {
    trace.strip_prefix("property/")
}
