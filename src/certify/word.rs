//! A person's word that a clause is kept which no wire shows, with the digest of its evidence, as a file.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contract::{ClauseId, Means, REGISTERS};
use crate::input::{self, InputError};
use crate::wire::canonical::sha256_hex;

/// The longest file of a word that is read, in bytes.
const BYTES_MAX: u64 = 64 * 1024;
/// The longest evidence that is read, in bytes.
const EVIDENCE_BYTES_MAX: u64 = 256 << 20;
/// The first lines of the file.
const HEAD: &str =
    "# A person's word, for covenant run --attest FILE. It is shown as that, and never counted as kept.\n";

/// What a person states about a clause.
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
    /// What the person shows for it.
    pub evidence: Evidence,
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
    /// The evidence is an empty file.
    #[error("{0}: the evidence is empty; name a file that shows something")]
    NoEvidence(String),
    /// The file has another form.
    #[error("{path}: no person's word: {what}\nhint: `covenant attest CLAUSE` writes such a file")]
    Form {
        /// The path of the file.
        path: String,
        /// What is wrong.
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
    fn checked(self) -> Result<Self, WordError> {
        let attestable = attestable();
        if !attestable.contains(&self.clause) {
            let attestable = attestable.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(WordError::Shown { clause: self.clause, attestable });
        }
        for (what, text) in [("--by", &self.by), ("--statement", &self.statement)] {
            if text.trim().is_empty() {
                return Err(WordError::Blank(what));
            }
        }
        // A statement may have several lines.
        let statement = self.statement.replace('\n', " ");
        let texts =
            [("by", &self.by), ("statement", &statement), ("the name of the evidence", &self.evidence.name)];
        if let Some((what, _)) = texts.into_iter().find(|(_, text)| text.contains(char::is_control)) {
            return Err(WordError::Hidden(what));
        }
        Ok(self)
    }

    /// Makes the word of a person.
    pub fn new(
        clause: ClauseId,
        statement: &str,
        by: &str,
        evidence: &Path,
        at: Timestamp,
    ) -> Result<Self, WordError> {
        let evidence = Evidence::of(evidence)?;
        if evidence.sha256 == sha256_hex("") {
            return Err(WordError::NoEvidence(evidence.name));
        }
        let (statement, by) = (statement.trim().to_owned(), by.trim().to_owned());
        Self { clause, statement, by, at, evidence }.checked()
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
        let Self { statement, by, at, evidence, .. } = self;
        format!(
            "{statement} (stated by {by} at {at}; evidence {}, SHA-256 {})",
            evidence.name, evidence.sha256
        )
    }
}

/// Returns the digest of the evidence that a recorded word names; `None` if the text is not that of a person's word with
/// evidence, but a bare statement.
#[must_use]
pub fn evidence_in(recorded: &str) -> Option<&str> {
    let (_, rest) = recorded.strip_suffix(')')?.rsplit_once(" (stated by ")?;
    let (named, sha256) = rest.rsplit_once(", SHA-256 ")?;
    (named.contains(" at ") && named.contains("; evidence ") && is_sha256(sha256)).then_some(sha256)
}

fn is_sha256(text: &str) -> bool {
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
mod tests {
    use super::*;

    #[test]
    fn a_word_reads_back_and_stands_for_nothing_that_a_run_shows() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = folder.path().join("notes.txt");
        std::fs::write(&notes, "called at noon").expect("written");
        let at = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let word = |clause: &str, statement: &str| {
            PersonsWord::new(clause.parse().expect("a clause"), statement, "Ada \"A\" Admin", &notes, at)
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
