//! A person's word as a run records it, and whether it counts for the target of the run.

use jiff::{SignedDuration, Timestamp};
use semver::Version;
use url::Url;

use super::word::{ABOUT, EVIDENCE, STATED_BY, is_sha256};
use crate::report::TargetFacts;

/// How far the clock of a person may be ahead.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// A word as a run recorded it, with what decides whether it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedWord<'a> {
    at: Timestamp,
    target: &'a str,
    release: Version,
    certificate: Option<&'a str>,
    /// The SHA-256 of the evidence.
    pub evidence: &'a str,
}

impl<'a> RecordedWord<'a> {
    /// Reads a recorded word; `None` if the text is not that of a person's word with evidence, but a bare statement.
    #[must_use]
    pub fn read(recorded: &'a str) -> Option<Self> {
        let (_, rest) = recorded.strip_suffix(')')?.rsplit_once(STATED_BY)?;
        let (rest, evidence) = rest.rsplit_once(", SHA-256 ")?;
        let (rest, _) = rest.rsplit_once(EVIDENCE)?;
        let (rest, release) = rest.rsplit_once(", release ")?;
        let (release, certificate) = match release.split_once(", certificate ") {
            Some((release, certificate)) => (release, Some(certificate)),
            None => (release, None),
        };
        let (rest, target) = rest.rsplit_once(ABOUT)?;
        let (_, at) = rest.rsplit_once(" at ")?;
        let word =
            Self { at: at.parse().ok()?, target, release: release.parse().ok()?, certificate, evidence };
        let digests = [Some(evidence), certificate].into_iter().flatten().all(is_sha256);
        digests.then_some(word)
    }

    /// Returns why the word does not count for a target, in an attestation that is signed at `signed`; `None` if it
    /// counts. `named` is the target as the run recorded it.
    pub(super) fn why_not(
        &self,
        facts: &TargetFacts,
        named: &str,
        signed: Timestamp,
        days_max: u32,
    ) -> Option<String> {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let is_target =
            self.target == named || facts.address.as_deref().is_some_and(|own| is_same(self.target, own));
        if !is_target {
            return Some(format!("it is about {}, and this is {}", self.target, shown(&facts.address)));
        }
        if facts.release.as_deref() != Some(self.release.to_string().as_str()) {
            return Some(format!(
                "it is about release {}, and the target runs {}",
                self.release,
                shown(&facts.release)
            ));
        }
        if let Some(sha256) = self.certificate.filter(|sha256| !facts.has_shown(sha256)) {
            return Some(format!("it is about the certificate {sha256}, which the target did not show"));
        }
        if self.at.duration_until(signed) > SignedDuration::from_hours(24 * i64::from(days_max)) {
            return Some(format!(
                "it was given at {}, more than {days_max} days before the signature",
                self.at
            ));
        }
        (signed.duration_until(self.at) > AHEAD_MAX)
            .then(|| format!("it was given at {}, which is after the signature", self.at))
    }
}

/// Returns whether two addresses are the same one: a slash at the end says nothing.
fn is_same(one: &str, other: &str) -> bool {
    let usual = |text: &str| text.parse::<Url>().map_or_else(|_| text.to_owned(), |url| url.to_string());
    usual(one).trim_end_matches('/') == usual(other).trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certify::word::tests::target;
    use crate::certify::{Evidence, PersonsWord, WordTarget};

    fn facts() -> TargetFacts {
        TargetFacts {
            release: Some("1.4.2".to_owned()),
            address: Some("https://platform.example/".to_owned()),
            certificate_sha256: Some("cd".repeat(32)),
            ..TargetFacts::default()
        }
    }

    fn given(target: WordTarget, at: &str) -> String {
        let word = PersonsWord {
            clause: "4.4".parse().expect("a clause"),
            statement: "by phone, at noon (twice) about it".to_owned(),
            by: "Ada at Example about to leave".to_owned(),
            at: at.parse().expect("a timestamp"),
            target,
            evidence: Evidence {
                name: "notes about it, release 2, SHA-256 0.txt".to_owned(),
                sha256: "ab".repeat(32),
            },
        };
        word.checked().expect("a word").text()
    }

    #[test]
    fn a_word_counts_for_its_target_and_release_alone_and_for_a_time() {
        let signed = "2026-06-30T00:00:00Z".parse().expect("a timestamp");
        let why = |text: &str, facts: &TargetFacts| {
            let word = RecordedWord::read(text).expect("a recorded word");
            word.why_not(facts, "the platform behind the adapter x", signed, 30)
        };
        let text = given(target(), "2026-06-01T00:00:00Z");
        assert_eq!(RecordedWord::read(&text).map(|word| word.evidence.to_owned()), Some("ab".repeat(32)));
        assert_eq!(why(&text, &facts()), None);
        let by_name = WordTarget {
            name: "the platform behind the adapter x".to_owned(),
            certificate_sha256: None,
            ..target()
        };
        assert_eq!(why(&given(by_name, "2026-06-01T00:00:00Z"), &facts()), None);

        let of = |change: fn(&mut TargetFacts)| {
            let mut facts = facts();
            change(&mut facts);
            why(&text, &facts).expect("it does not count")
        };
        assert!(
            of(|facts| facts.address = Some("https://other.example/".to_owned())).contains("other.example")
        );
        assert!(of(|facts| facts.release = Some("1.4.3".to_owned())).contains("the target runs 1.4.3"));
        assert!(of(|facts| facts.release = None).contains("the target runs unknown"));
        assert!(of(|facts| facts.certificate_sha256 = Some("ef".repeat(32))).contains("did not show"));
        let old = why(&given(target(), "2026-05-30T23:00:00Z"), &facts()).expect("too old");
        assert!(old.contains("more than 30 days"), "{old}");
        let ahead = why(&given(target(), "2026-06-30T00:06:00Z"), &facts()).expect("from the future");
        assert!(ahead.contains("after the signature"), "{ahead}");
    }
}
