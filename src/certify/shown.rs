//! Attestations and verifications as text for a person.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::{CertificationResult, LIMITS, Named, State, Statement, Verification};
use crate::report::terminal;

impl CertificationResult {
    /// Returns the result in the words of in-toto.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Warned => "WARNED",
            Self::Failed => "FAILED",
        }
    }
}

impl Statement {
    /// Returns the statement as text: the result first, and never more than the run covered.
    #[must_use]
    pub fn text(&self) -> String {
        let predicate = &self.predicate;
        // A foreign file may hold lines of its own in any text.
        let profile = terminal(self.profile_name().unwrap_or("unknown"));
        let counting: Vec<_> =
            predicate.attested.iter().filter(|word| word.does_not_count.is_none()).collect();
        let is_attested = |test: &&String| counting.iter().any(|word| word.test == **test);
        let unproven: Vec<String> =
            predicate.warned_tests.iter().filter(|test| !is_attested(test)).cloned().collect();
        let counts = [
            (predicate.passed_tests.len(), "kept"),
            (predicate.failed_tests.len(), "broken"),
            (unproven.len(), "unproven"),
            (counting.len(), "attested by a person"),
            (predicate.not_exercised.len(), "not exercised"),
            (predicate.not_applicable.len(), "not applicable"),
        ];
        let counts = counts.map(|(count, what)| format!("{count} {what}"));
        let mut text = format!("{}, profile {profile}: {}\n", predicate.result.name(), counts.join(", "));
        if let Some(target) = self.target() {
            let digest = target.sha256().map_or_else(|| "none".to_owned(), terminal);
            let _ = writeln!(text, "target: {}\ncertificate: {digest}", terminal(&target.name));
        }
        if let Some(several) = &predicate.certificates {
            let _ = writeln!(text, "certificates: {}", terminal(several));
        }
        self.write_configuration(&mut text);
        let _ = writeln!(text, "operator plane: {}", terminal(&predicate.operator_plane));
        let validity = &predicate.validity;
        let began = validity.run_began.map_or_else(|| "unknown".to_owned(), |began| began.to_string());
        let _ = writeln!(text, "run: began at {began}, by the clock of whoever made it");
        let _ = writeln!(
            text,
            "valid: from {} until {}, or until the release of the target or the profile changes",
            validity.issued, validity.expires
        );
        if let Some(old) = &predicate.supersedes {
            let (sha256, key_id) = (terminal(&old.sha256), terminal(&old.key_id));
            let _ = writeln!(text, "supersedes: SHA-256 {sha256}, of the key {key_id}");
        }
        for (what, tests) in [("broken", &predicate.failed_tests), ("unproven", &unproven)] {
            if !tests.is_empty() {
                let _ = writeln!(text, "{what}: {}", terminal(&tests.join(", ")));
            }
        }
        for breach in &predicate.breaches {
            let entries: Vec<String> = breach.entries.iter().map(|n| format!("#{n}")).collect();
            let entries = if entries.is_empty() { "no entry".to_owned() } else { entries.join(", ") };
            let (test, check) = (terminal(&breach.test), terminal(&breach.check));
            let _ = writeln!(text, "breach: {test}: {check}, {entries}");
        }
        for word in &predicate.attested {
            let (test, statement) = (terminal(&word.test), terminal(&word.statement));
            let _ = match &word.does_not_count {
                None => writeln!(text, "a person's word: {test}: {statement}"),
                Some(why) => {
                    writeln!(
                        text,
                        "a person's word that does not count: {test}: {statement}: {}",
                        terminal(why)
                    )
                }
            };
        }
        named(&mut text, "not exercised", &predicate.not_exercised);
        named(&mut text, "not applicable", &predicate.not_applicable);
        text
    }

    /// Writes under which contract text, and with what, the run was made.
    fn write_configuration(&self, text: &mut String) {
        let shown = |name: &str, member: &str| match self.annotation(name, member) {
            None | Some(Value::Null) => "unknown".to_owned(),
            Some(Value::String(value)) => terminal(value),
            Some(other) => terminal(&other.to_string()),
        };
        let digest = self.configured("contract").and_then(|one| one.digest.get("sha256"));
        let _ = writeln!(
            text,
            "contract: version {}, text {} ({}), SHA-256 {}",
            shown("contract", "version"),
            shown("contract", "text"),
            shown("contract", "source"),
            digest.map_or_else(|| "unknown".to_owned(), |digest| terminal(digest))
        );
        let _ = writeln!(
            text,
            "suite: covenant {}, binding {}, seed {}",
            shown("suite", "version"),
            shown("binding", "version"),
            shown("seed", "seed")
        );
    }
}

/// Writes what is named, by reason.
fn named(text: &mut String, what: &str, all: &[Named]) {
    let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Named { test, why } in all {
        by_reason.entry(why).or_default().push(test);
    }
    for (why, tests) in by_reason {
        let _ = writeln!(text, "{what}: {}: {}", terminal(&tests.join(", ")), terminal(why));
    }
}

impl Verification {
    /// Returns the verification as text: the statement, then each point.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = match (&self.statement, self.why_not()) {
            (Some(statement), None) => format!("the attestation holds\n{}\n", statement.text()),
            (Some(statement), Some(why)) => format!("NOT VERIFIED: {why}\nit states: {}\n", statement.text()),
            (None, why) => format!("NOT VERIFIED: {}\n\n", why.unwrap_or_default()),
        };
        for point in &self.points {
            let state = match point.state {
                State::Holds => "holds",
                State::Fails => "FAILS",
                State::NotChecked => "not checked",
            };
            let _ = writeln!(text, "{state:<13}{:<13}{}", point.about, terminal(&point.detail));
        }
        let _ = writeln!(text, "\n{LIMITS}");
        text
    }
}
