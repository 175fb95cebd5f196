//! Profiles: what a run has to show for a certification. Each rule is a row of a table, from which the help, the lists
//! and the digest of a profile are made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

use serde_json::json;

use crate::check::PlannedCheck;
use crate::contract::{Aspect, Basis, ClauseId, HeldText, Means, TextRange, V1_2026_05};
use crate::docs::parts;
use crate::runner::{CASES, planned_with_texts};
use crate::scenario::LibraryError;
use crate::score::{AspectScore, Standing};
use crate::wire::canonical::sha256_hex;

/// A profile.
#[derive(Debug)]
pub struct Profile {
    /// The name, as the command line has it.
    pub name: &'static str,
    /// Coverage, in a phrase.
    pub about: &'static str,
    /// The basis whose checks count; `None` counts both.
    basis: Option<Basis>,
    /// Aspects that must be kept, in words.
    pub kept: &'static str,
    /// Aspects that may be attested, in words.
    pub attested: &'static str,
    /// Aspects that are named as not exercised, in words.
    pub not_exercised: &'static str,
    /// The number of days for which a person's word counts, up to the signature.
    pub(super) word_days_max: u32,
}

/// The number of days for which a person's word counts.
const WORD_DAYS_MAX: u32 = 90;

/// Rules of every profile.
pub const RULES: [&str; 4] = [
    "Anything that is broken, on either basis, known or not, makes the result FAILED.",
    "Anything that is unproven costs PASSED: the result is WARNED. So does a flaky check, on either basis: without `--retries` its \
     breach could have been the result.",
    "What does not apply to the target is named, and costs nothing.",
    "What the profile asks for and the run did not play costs PASSED: an aspect, one of its checks, or cases of the properties \
     below the default of a run.",
];

/// Every profile.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "observed",
        about: "what the wire as platforms speak it can show",
        basis: Some(Basis::Observed),
        kept: "each aspect that a check of the observed wire evaluates, by all such checks of the suite",
        attested: "nothing",
        not_exercised: "each other aspect: those that only the proposed binding or a person shows",
        word_days_max: WORD_DAYS_MAX,
    },
    Profile {
        name: "full",
        about: "the whole contract, on the observed wire and on the proposed binding",
        basis: None,
        kept: "each aspect of the contract text, by all checks of the suite",
        attested: "what no wire shows (4.4), which must be attested by a file of `covenant attest` about this target and this release, \
                   given in the 90 days before the signature; any other word costs PASSED, as does a bare `--attest \
                   CLAUSE=STATEMENT`, which names nobody",
        not_exercised: "nothing but what the run did not play",
        word_days_max: WORD_DAYS_MAX,
    },
];

/// An aspect of a clause.
pub(super) type AspectId = (ClauseId, Aspect);

/// A check as a profile knows it: what it is about, its basis, and its name.
type Known = (ClauseId, Aspect, Basis, String);

/// Demands of a profile on a run under one contract text.
#[derive(Debug)]
pub(super) struct Demand {
    /// The aspects that must be kept or attested, each with the checks that must have been played.
    pub(super) aspects: BTreeMap<AspectId, BTreeSet<String>>,
    /// Those of them that only a person can attest.
    pub(super) attestable: BTreeSet<AspectId>,
    /// Every check of the suite, by id.
    suite: BTreeMap<String, Known>,
}

impl Profile {
    /// Returns the profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// Returns the standing of an aspect by the checks that count.
    pub(super) const fn standing(&self, row: &AspectScore) -> Standing {
        match self.basis {
            Some(basis) => *row.by_basis.on(basis),
            None => row.standing,
        }
    }

    /// Returns what the profile asks of a run under this contract text.
    pub(super) fn demand(&self, held: &HeldText) -> Result<Demand, LibraryError> {
        let known = held.register();
        let register = known.unwrap_or(&V1_2026_05);
        let mut demand =
            Demand { aspects: BTreeMap::new(), attestable: BTreeSet::new(), suite: BTreeMap::new() };
        let asked: Vec<_> = register.clauses().into_iter().filter(|clause| !clause.withdrawn).collect();
        if self.basis.is_none() {
            for clause in &asked {
                for aspect in clause.aspects() {
                    demand.aspects.insert((clause.id, aspect), BTreeSet::new());
                    if clause.observation(aspect).is_some_and(|seen| seen.by == Means::Attestation) {
                        demand.attestable.insert((clause.id, aspect));
                    }
                }
            }
        }
        for (check, texts) in suite()? {
            if known.is_some_and(|register| !texts.contains(register)) {
                continue;
            }
            let counts = self.basis.is_none_or(|basis| basis == check.basis);
            if counts && asked.iter().any(|clause| clause.id == check.clause) {
                let checks = demand.aspects.entry((check.clause, check.aspect)).or_default();
                checks.insert(check.id.clone());
            }
            demand.suite.insert(check.id.clone(), known_check(check));
        }
        Ok(demand)
    }

    /// Returns the names of the aspects that the profile asks for.
    pub fn aspects(&self, held: &HeldText) -> Result<Vec<String>, LibraryError> {
        let demand = self.demand(held)?;
        Ok(demand.aspects.keys().map(|(clause, aspect)| format!("{clause} {aspect}")).collect())
    }

    /// Returns the digest of what the profile asks: another one is another profile, though it has the same name.
    pub fn digest(&self, held: &HeldText) -> Result<String, LibraryError> {
        let demand = self.demand(held)?;
        let name = |(clause, aspect): &AspectId| format!("{clause} {aspect}");
        let aspects: BTreeMap<String, &BTreeSet<String>> =
            demand.aspects.iter().map(|(aspect, checks)| (name(aspect), checks)).collect();
        let attestable: Vec<String> = demand.attestable.iter().map(name).collect();
        let text = json!({"profile": self.name, "rules": RULES, "kept": self.kept, "attested": self.attested,
            "cases": CASES, "word_days": self.word_days_max, "aspects": aspects, "attestable": attestable});
        Ok(sha256_hex(text.to_string()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Demand {
    /// Returns whether a check is the suite's own.
    pub(super) fn has(&self, check: &PlannedCheck) -> bool {
        self.suite.get(&check.id) == Some(&known_check(check))
    }
}

/// Returns the planned checks of the suite, each with the contract texts for which it holds. They are read once.
fn suite() -> Result<&'static [(PlannedCheck, TextRange)], LibraryError> {
    static SUITE: OnceLock<Vec<(PlannedCheck, TextRange)>> = OnceLock::new();
    if let Some(checks) = SUITE.get() {
        return Ok(checks);
    }
    let parts = parts()?;
    let checks = parts.iter().flat_map(|loaded| planned_with_texts(&loaded.id, loaded)).collect();
    Ok(SUITE.get_or_init(|| checks))
}

fn known_check(check: &PlannedCheck) -> Known {
    (check.clause, check.aspect, check.basis, check.check.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{REGISTERS, TextSource};

    #[test]
    fn full_asks_for_every_aspect_and_observed_for_those_that_the_wire_shows() {
        for register in REGISTERS {
            let held = HeldText::known(register, TextSource::User);
            let of = |name: &str| Profile::named(name).expect("a profile").demand(&held).expect("a demand");
            let (observed, full) = (of("observed"), of("full"));
            let asked = register.clauses().into_iter().filter(|clause| !clause.withdrawn);
            assert_eq!(full.aspects.len(), asked.map(|clause| clause.aspects().count()).sum::<usize>());
            assert!(observed.aspects.keys().all(|aspect| full.aspects.contains_key(aspect)));
            assert!(observed.aspects.len() > 30 && observed.aspects.len() < full.aspects.len());
            assert!(observed.aspects.values().all(|checks| !checks.is_empty()));
            // What no check evaluates can be attested alone.
            let unchecked: BTreeSet<AspectId> =
                full.aspects.iter().filter(|(_, checks)| checks.is_empty()).map(|(id, _)| *id).collect();
            assert_eq!(unchecked, full.attestable);
            assert_eq!(unchecked.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>(), ["4.4"]);
            assert!(observed.attestable.is_empty());
        }
    }

    #[test]
    fn the_page_has_every_rule_in_the_same_words() {
        let page = include_str!("../../docs/certification.md");
        for rule in RULES {
            assert!(page.contains(&format!("- {rule}\n")), "{rule}");
        }
        for Profile { name, about, kept, attested, not_exercised, .. } in PROFILES {
            if *attested != "nothing" {
                assert!(attested.contains(&format!("in the {WORD_DAYS_MAX} days before")), "{attested}");
            }
            let row = format!("| `{name}` | {about} | {kept} | {attested} | {not_exercised} |");
            assert!(page.contains(&row), "{row}");
        }
    }

    #[test]
    fn a_digest_is_of_one_profile_and_one_text() {
        let mut digests = BTreeSet::new();
        for register in REGISTERS {
            let held = HeldText::known(register, TextSource::User);
            digests.extend(PROFILES.iter().map(|profile| profile.digest(&held).expect("a digest")));
            let again = HeldText::known(register, TextSource::Describe);
            digests.extend(PROFILES.iter().map(|profile| profile.digest(&again).expect("a digest")));
        }
        assert_eq!(digests.len(), PROFILES.len() * REGISTERS.len());
    }
}
