//! The built-in scenarios.

use crate::scenario::{Library, LibraryError, Source};

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// The built-in scenario of the handshake, which runs first.
pub(crate) const HANDSHAKE: &str = "00-sanity/handshake";

/// Reads the scenarios of a source, or the built-in scenarios if it is `None`.
pub fn library(source: Option<&std::path::Path>) -> Result<Library, LibraryError> {
    let source = source.map_or(Source::BuiltIn(SCENARIOS), |path| Source::Path(path.to_owned()));
    Library::open(&source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;
    use crate::check::checks;
    use crate::property::{PROPERTIES, Property};
    use crate::scenario::{CheckSpec, Step, load};
    use crate::transcript::Addition;
    use covenant_model::contract::{Aspect, Basis};
    use std::collections::BTreeSet;

    #[test]
    fn every_built_in_scenario_loads_and_each_stage_has_one() {
        let library = library(None).expect("sound scenarios");
        // The program itself looks for no fault in them.
        for loaded in library.iter() {
            if let Err(error) = load(&loaded.id, &loaded.id, &loaded.source) {
                panic!("{error}");
            }
        }
        let mut stages: Vec<_> = library.iter().filter_map(|loaded| loaded.scenario.stage).collect();
        stages.sort();
        let every = [
            Stage::Handshake,
            Stage::Heartbeat,
            Stage::Read,
            Stage::Migrate,
            Stage::Sync,
            Stage::Notice,
            Stage::Revoke,
        ];
        assert_eq!(stages, every);
    }

    #[test]
    fn every_check_is_asked_by_some_scenario() {
        let library = library(None).expect("sound scenarios");
        let watch = crate::audit::watch_scenario(true).expect("a sound scenario");
        let properties: BTreeSet<String> = PROPERTIES.iter().flat_map(asked_by).collect();
        for definition in checks() {
            let mut parts = library.iter().chain([&watch]);
            let asked = properties.contains(definition.id)
                || parts.any(|loaded| {
                    loaded.scenario.checks.iter().any(|check| check.get_ref().check == definition.id)
                });
            assert!(asked, "no scenario asks the check {}", definition.id);
        }
    }

    #[test]
    fn every_check_that_deepens_another_has_one_that_does_not() {
        let library = library(None).expect("sound scenarios");
        let checks = || library.iter().flat_map(|loaded| &loaded.scenario.checks).map(toml::Spanned::get_ref);
        let obligation =
            |check: &CheckSpec| (check.clause, check.aspect, check.basis, check.since, check.until);
        let plain: BTreeSet<_> = checks().filter(|check| !check.deepens).map(obligation).collect();
        let deepening: Vec<_> = checks().filter(|check| check.deepens).collect();
        assert!(!deepening.is_empty());
        for check in deepening {
            let (clause, aspect) = (check.clause, check.aspect);
            assert!(plain.contains(&obligation(check)), "only deepening checks for {clause} {aspect}");
        }
    }

    /// A target that does not know an addition of the binding can't notice a misbehaviour in it.
    #[test]
    fn each_check_of_a_misbehaviour_in_an_addition_rests_on_the_addition() {
        let clauses = |addition: Addition| -> &[&str] {
            match addition {
                Addition::Metadata => &["1.1", "1.2", "1.4"],
                Addition::ResourceKinds => &["3.1", "3.2", "3.3"],
                Addition::ContractVersion => &["12.1", "12.2"],
                Addition::ContractDigest => &["V.2"],
                Addition::Notices => &["2.3", "6.2", "9.1", "9.2", "11.1"],
                // It is one of two ways of the notice of an end: see below.
                Addition::Status => &[],
            }
        };
        let mut seen = BTreeSet::new();
        for loaded in library(None).expect("sound scenarios").iter() {
            for check in loaded.scenario.checks.iter().map(toml::Spanned::get_ref) {
                let is_of_addition = check.aspect == Aspect::Detection && check.basis == Basis::Proposed;
                let clause = check.clause.to_string();
                let additions =
                    Addition::ALL.into_iter().filter(|it| clauses(*it).contains(&clause.as_str()));
                for addition in additions.filter(|_| is_of_addition) {
                    let rests = check.rests_on.contains(&addition);
                    assert!(rests, "{}: the check of {clause} does not rest on {addition}", loaded.id);
                    seen.insert(addition);
                }
            }
            // A peer contradicts what was agreed by a member of its heartbeats.
            let sends = |step: &Step| match step {
                Step::Heartbeat(beat) => !beat.with["contract_version"].is_null(),
                _ => false,
            };
            let mut steps = loaded.scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
            let mut behaviours = loaded.scenario.peers.iter().flat_map(|peer| &peer.behaviours);
            let contradicts =
                steps.any(sends) || behaviours.any(|behaviour| behaviour == "contract-mismatch");
            // What was agreed stays on record for a target that ignores the member, too.
            let mut checks = loaded.scenario.checks.iter().map(toml::Spanned::get_ref);
            let asks_for_notice = checks.any(|check| check.clause.to_string() != "V.2");
            let rests_on_status = loaded.scenario.rests_on(Addition::Status);
            // A step `revoke` sends an event beside the status.
            let by_status = |step: &Step| match step {
                Step::Heartbeat(beat) => !beat.with["status"].is_null() && beat.with["events"].is_null(),
                _ => false,
            };
            let mut steps = loaded.scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
            assert!(rests_on_status || !steps.any(by_status), "{}: no check rests on status", loaded.id);
            seen.extend(rests_on_status.then_some(Addition::Status));
            let rests = loaded.scenario.rests_on(Addition::ContractVersion);
            let must_rest = contradicts && asks_for_notice;
            assert!(rests || !must_rest, "{}: no check rests on contract_version", loaded.id);
        }
        assert_eq!(seen.len(), Addition::ALL.len(), "{seen:?}");
    }

    /// Returns the checks that a property runs on each case.
    fn asked_by(property: &Property) -> Vec<String> {
        let source = property.sample().expect("a case");
        let case = load("case", "case", &source).expect("a sound scenario");
        case.scenario.checks.iter().map(|check| check.get_ref().check.clone()).collect()
    }

    #[test]
    fn every_behaviour_is_played_in_some_scenario() {
        let library = library(None).expect("sound scenarios");
        for behaviour in crate::peer::behaviours::BEHAVIOURS.iter().filter(|b| !b.clauses.is_empty()) {
            let played = library.iter().any(|loaded| {
                loaded
                    .scenario
                    .peers
                    .iter()
                    .any(|peer| peer.behaviours.iter().any(|name| name == behaviour.name))
            });
            assert!(played, "no scenario plays the behaviour {}", behaviour.name);
        }
    }
}
