//! A person's word that a clause is kept which no wire shows, with the digest of its evidence, as a file.

use std::path::Path;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contract::{ClauseId, Means, REGISTERS};
use crate::input::{self, InputError};
use crate::wire::canonical::sha256_hex;
use crate::wire::harmless::does_something;

/// The longest file of a word that is read, in bytes.
const BYTES_MAX: u64 = 64 * 1024;
/// The longest evidence that is read, in bytes.
const EVIDENCE_BYTES_MAX: u64 = 256 << 20;
/// The first lines of the file.
const HEAD: &str =
    "# A person's word, for covenant run --attest FILE. It is shown as that, and never counted as kept.\n";

/// The texts between the parts of a recorded word.
pub(super) const STATED_BY: &str = " (stated by ";
pub(super) const ABOUT: &str = " about ";
pub(super) const EVIDENCE: &str = "; evidence ";

/// Statement of a person about a clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonsWord {
    /// The id of the clause.
    pub clause: ClauseId,
    /// The statement.
    pub statement: String,
    /// The name of the person.
    pub by: String,
    /// The time at which it was given.
    pub at: Timestamp,
    /// The target that it is about.
    pub target: WordTarget,
    /// Evidence of the person.
    pub evidence: Evidence,
}

/// The target of a person's word. The word counts for the run of a target of which all of this is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordTarget {
    /// The address or the name of the target, as a report has it: `embedded` for the embedded reference.
    pub name: String,
    /// The release that it runs.
    pub release: Version,
    /// The SHA-256 of the DER of its certificate, in hex; `None` if its certificate says nothing, as that of a target
    /// which gets a new one with each start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
}

/// A file that a person shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The name of the file, without its folder.
    pub name: String,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
}

/// An error for a person's word.
#[derive(Debug, Error)]
pub enum WordError {
    /// The path is that of no file that can be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The run shows what the person would state.
    #[error(
        "{clause}: a run shows whether it is kept, so no person's word stands for it; a person attests {attestable} alone"
    )]
    Shown {
        /// The clause.
        clause: ClauseId,
        /// The clauses that a person attests.
        attestable: String,
    },
    /// A text says nothing.
    #[error("{0}: it is empty; say it in words")]
    Blank(&'static str),
    /// A text has characters that hide it, or breaks the line.
    #[error("{0}: it has characters that are not shown; write it in plain text, a name in one line")]
    Hidden(&'static str),
    /// A text has a part of the form in which a run records a word.
    #[error("{what}: it has {part:?}, which marks the parts of a word in a run; write it in other words")]
    Part {
        /// Holder of it.
        what: &'static str,
        /// The part.
        part: &'static str,
    },
    /// The evidence is an empty file.
    #[error("{0}: the evidence is empty; name a file that shows something")]
    NoEvidence(String),
    /// The file has another form.
    #[error("{path}: no person's word: {what}\nhint: `covenant attest CLAUSE` writes such a file")]
    Form {
        /// The path of the file.
        path: String,
        /// Fault.
        what: String,
    },
}

impl Evidence {
    /// Makes the digest of a file.
    pub fn of(path: &Path) -> Result<Self, InputError> {
        let sha256 = sha256_hex(input::read(path, EVIDENCE_BYTES_MAX)?);
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self { name, sha256 })
    }
}

impl PersonsWord {
    /// Refuses a word that says nothing, or that is about a clause which a run shows.
    pub(super) fn checked(self) -> Result<Self, WordError> {
        let attestable = attestable();
        if !attestable.contains(&self.clause) {
            let attestable = attestable.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(WordError::Shown { clause: self.clause, attestable });
        }
        let target = &self.target.name;
        for (what, text) in [("--by", &self.by), ("--statement", &self.statement), ("--target", target)] {
            if text.trim().is_empty() {
                return Err(WordError::Blank(what));
            }
        }
        // A statement may have several lines.
        let statement = self.statement.replace('\n', " ");
        let texts = [
            ("by", &self.by, &[STATED_BY][..]),
            ("statement", &statement, &[STATED_BY]),
            ("target", target, &[STATED_BY, ABOUT, EVIDENCE]),
            ("the name of the evidence", &self.evidence.name, &[STATED_BY, EVIDENCE]),
        ];
        for (what, text, parts) in texts {
            if text.contains(|c: char| c.is_control() || does_something(c)) {
                return Err(WordError::Hidden(what));
            }
            if let Some(part) = parts.iter().copied().find(|part| text.contains(part)) {
                return Err(WordError::Part { what, part });
            }
        }
        Ok(self)
    }

    /// Makes the word of a person.
    pub fn new(
        clause: ClauseId,
        statement: &str,
        by: &str,
        target: WordTarget,
        evidence: &Path,
        at: Timestamp,
    ) -> Result<Self, WordError> {
        let evidence = Evidence::of(evidence)?;
        if evidence.sha256 == sha256_hex("") {
            return Err(WordError::NoEvidence(evidence.name));
        }
        let (statement, by) = (statement.trim().to_owned(), by.trim().to_owned());
        Self { clause, statement, by, at, target, evidence }.checked()
    }

    /// Returns whether a bare statement has the form in which a run records a word with evidence.
    #[must_use]
    pub fn is_imitated(statement: &str) -> bool {
        statement.contains(STATED_BY.trim())
    }

    /// Reads a word from its file.
    pub fn read(path: &Path) -> Result<Self, WordError> {
        Self::parse(&input::read_text(path, BYTES_MAX)?, &path.display().to_string())
    }

    /// Parses the text of a word. `file` appears in errors.
    pub fn parse(text: &str, file: &str) -> Result<Self, WordError> {
        let form = |what: String| WordError::Form { path: file.to_owned(), what };
        let word: Self =
            toml::from_str(text).map_err(|error| form(error.to_string().trim_end().to_owned()))?;
        if !is_sha256(&word.evidence.sha256) {
            return Err(form("evidence.sha256 is not a SHA-256 in 64 hex digits".to_owned()));
        }
        if word.target.certificate_sha256.as_deref().is_some_and(|sha256| !is_sha256(sha256)) {
            return Err(form("target.certificate_sha256 is not a SHA-256 in 64 hex digits".to_owned()));
        }
        if word.evidence.name.contains(['/', '\\']) {
            return Err(form("evidence.name is the name of a file, without its folder".to_owned()));
        }
        word.checked()
    }

    /// Returns the word as its file has it.
    #[must_use]
    pub fn toml(&self) -> String {
        format!("{HEAD}{}", toml::to_string(self).expect("texts alone"))
    }

    /// Returns the word as a run records it.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            statement,
            by,
            at,
            target: WordTarget { name, release, certificate_sha256 },
            evidence,
            ..
        } = self;
        let certificate = certificate_sha256.as_ref();
        let certificate = certificate.map_or_else(String::new, |sha256| format!(", certificate {sha256}"));
        format!(
            "{statement}{STATED_BY}{by} at {at}{ABOUT}{name}, release {release}{certificate}{EVIDENCE}{}, SHA-256 {})",
            evidence.name, evidence.sha256
        )
    }
}

/// Returns whether a text is a SHA-256 in hex.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns the clauses that no wire shows, under any contract text.
fn attestable() -> Vec<ClauseId> {
    let clauses = REGISTERS.iter().flat_map(|register| register.clauses());
    let by_person = |clause: &&crate::contract::Clause| {
        let seen = clause.aspects().filter_map(|aspect| clause.observation(aspect));
        seen.into_iter().any(|seen| seen.by == Means::Attestation)
    };
    let mut ids: Vec<ClauseId> = clauses.filter(by_person).map(|clause| clause.id).collect();
    ids.dedup();
    ids.sort();
    ids.dedup();
    ids
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::certify::RecordedWord;

    /// Returns a target that a word may be about.
    pub(in crate::certify) fn target() -> WordTarget {
        WordTarget {
            name: "https://platform.example".to_owned(),
            release: Version::new(1, 4, 2),
            certificate_sha256: Some("cd".repeat(32)),
        }
    }

    #[test]
    fn no_part_of_a_word_imitates_another_part() {
        let mut word = target();
        word.name = "https://a.example about https://b.example".to_owned();
        let evidence = Evidence { name: "notes.txt".to_owned(), sha256: "ab".repeat(32) };
        let word = PersonsWord {
            clause: "4.4".parse().expect("a clause"),
            statement: "kept".to_owned(),
            by: "Ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            target: word,
            evidence,
        };
        assert!(matches!(word.clone().checked(), Err(WordError::Part { what: "target", part: ABOUT })));
        let named = |by: &str, file: &str| PersonsWord {
            by: by.to_owned(),
            evidence: Evidence { name: file.to_owned(), ..word.evidence.clone() },
            target: target(),
            ..word.clone()
        };
        assert!(named("Ada (stated by Eve", "notes.txt").checked().is_err());
        assert!(named("Ada", "x; evidence y").checked().is_err());
        assert!(named("Ada", "notes.txt").checked().is_ok());
        for bare in ["by phone", "by phone (stated by Ada at noon; evidence notes.txt, SHA-256 0)"] {
            assert_eq!(RecordedWord::read(bare), None, "{bare}");
        }
    }

    #[test]
    fn a_word_reads_back_and_stands_for_nothing_that_a_run_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = folder.path().join("notes.txt");
        std::fs::write(&notes, "called at noon").expect("written");
        let at = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let word = |clause: &str, statement: &str| {
            let target = target();
            PersonsWord::new(
                clause.parse().expect("a clause"),
                statement,
                "Ada \"A\" Admin",
                target,
                &notes,
                at,
            )
        };
        let given = word("4.4", "confirmed\nby phone").expect("a word");
        let path = folder.path().join("word.toml");
        std::fs::write(&path, given.toml()).expect("written");
        assert_eq!(PersonsWord::read(&path).expect("a word"), given);
        let text = given.text();
        assert!(text.contains("Ada") && text.contains(&sha256_hex("called at noon")), "{text}");
        let shown = word("7.1", "trust me").expect_err("a run shows it").to_string();
        assert!(shown.contains("7.1") && shown.contains("4.4 alone"), "{shown}");
        assert!(matches!(word("4.4", " "), Err(WordError::Blank("--statement"))));
        std::fs::write(&path, given.toml().replace("\"4.4\"", "\"7.1\"")).expect("written");
        assert!(matches!(PersonsWord::read(&path), Err(WordError::Shown { .. })));
        std::fs::write(&path, "clause = 4\n").expect("written");
        let error = PersonsWord::read(&path).expect_err("another form").to_string();
        assert!(error.contains("word.toml") && error.contains("covenant attest"), "{error}");
    }
}
