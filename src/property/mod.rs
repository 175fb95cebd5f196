//! Properties: scenarios generated from a seed, evaluated against a model, and shrunk to the shortest case
//! that still breaks.
//!
//! A property is a strategy of scenarios. Its cases are played one after another, each against a target of
//! its own, and recorded in one trace, `property/NAME`; the labels of case 7 end in `@7`. Each check is
//! evaluated over every case. A case that breaks is shrunk to a scenario that can be saved and run.

mod arrivals;
mod audits;
mod build;
mod compromises;
mod contract_versions;
mod declarations;
mod disclosures;
mod driver;
mod exits;
mod grants;
mod plans;
mod residencies;
mod revocations;
mod versions;
mod whole;

pub use driver::{CaseProgress, Setting, check};

use proptest::strategy::{BoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::scenario::{Scenario, write};

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
    pub edge_cases: fn() -> Vec<BoxedStrategy<Scenario>>,
    /// The strategy of scenarios.
    pub scenarios: fn() -> BoxedStrategy<Scenario>,
    /// Returns the same history without what an operator may not be able to do, such as a crash. It is played where a
    /// method is missing, so that one dimension costs no case. What the dimension would show has scenarios of its own.
    pub reduced: fn(&Scenario) -> Option<Scenario>,
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
    /// Returns a fixed scenario of the property, as a file. All its scenarios plan the same checks.
    #[must_use]
    pub fn sample(&self) -> Option<String> {
        let tree = (self.scenarios)().new_tree(&mut TestRunner::deterministic()).ok()?;
        write(&tree.current()).ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn every_case_is_written_and_read_as_the_same() {
        for property in PROPERTIES {
            // The last strategy gives the sample.
            for strategy in (property.edge_cases)().into_iter().chain([(property.scenarios)()]) {
                let case = strategy.new_tree(&mut TestRunner::deterministic()).expect("a case").current();
                let written = write(&case).expect("no null");
                let loaded = load(property.name, property.name, &written).expect("a sound scenario");
                assert_eq!(loaded.scenario, case);
                assert_eq!(write(&loaded.scenario).expect("no null"), written);
            }
        }
    }
}
