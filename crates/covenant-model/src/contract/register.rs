//! The clauses of one contract text, as data.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::texts::REGISTERS;
use super::{Aspect, Class, Clause, ClauseId, Means, Observation, Section};

/// Clauses of one contract text. Version and digest together identify the text; two texts may share a version.
#[derive(Debug)]
pub struct Register {
    /// Id on the command line and in scenario files: the month of the publication, such as `2026-05`.
    pub id: &'static str,
    /// Version number of the contract.
    pub contract_version: u32,
    /// SHA-256 of the published Markdown text, lower-case hex.
    pub digest: &'static str,
    /// Date of the publication.
    pub published: &'static str,
    /// Date on which the text took effect.
    pub effective: &'static str,
    /// Commitments whose breach raises a finding by itself (E.1).
    pub scanned: &'static [u8],
    /// Findings whose names the text fixes, by commitment. A platform names all others itself.
    pub named_findings: &'static [(u8, &'static str)],
    /// Text of which this one is a revision; its rows apply unless `rows` replaces them.
    pub base: Option<&'static Register>,
    /// Own rows, in order: all clauses of a text without a base, else those that differ.
    pub rows: &'static [Clause],
}

impl Register {
    /// Returns the clause with this id.
    #[must_use]
    pub fn clause(&self, id: ClauseId) -> Option<&'static Clause> {
        let own = self.rows.iter().find(|clause| clause.id == id);
        own.or_else(|| self.base?.clause(id))
    }

    /// Returns every clause, in order.
    #[must_use]
    pub fn clauses(&self) -> Vec<&'static Clause> {
        let own = |id: ClauseId| self.rows.iter().any(|clause| clause.id == id);
        let inherited = self.base.map(Self::clauses).unwrap_or_default();
        let mut clauses: Vec<&'static Clause> =
            inherited.into_iter().filter(|clause| !own(clause.id)).chain(self.rows).collect();
        clauses.sort_by_key(|clause| clause.id);
        clauses
    }

    /// Returns the clauses of a section.
    pub fn section(&self, section: Section) -> impl Iterator<Item = &'static Clause> + use<> {
        self.clauses().into_iter().filter(move |clause| clause.id.section == section)
    }

    /// Returns every aspect of every clause.
    pub fn aspects(&self) -> impl Iterator<Item = (ClauseId, Aspect)> + use<> {
        self.clauses().into_iter().flat_map(|clause| clause.aspects().map(|aspect| (clause.id, aspect)))
    }

    /// Returns whether a breach of this clause raises a finding by itself (E.1).
    #[must_use]
    pub fn scans(&self, id: ClauseId) -> bool {
        matches!(id.section, Section::Commitment(number) if self.scanned.contains(&number))
    }

    /// Returns the name of the finding that the text fixes for breaches of a section.
    #[must_use]
    pub fn named_finding(&self, section: Section) -> Option<&'static str> {
        let of_section = |(number, _): &&(u8, _)| section == Section::Commitment(*number);
        self.named_findings.iter().find(of_section).map(|(_, name)| *name)
    }
}

impl PartialEq for Register {
    fn eq(&self, other: &Self) -> bool {
        (self.contract_version, self.digest) == (other.contract_version, other.digest)
    }
}

impl Eq for Register {}

/// Reference to a known contract text by its id. Texts are ordered by their publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextId(pub &'static Register);

impl TextId {
    /// Returns the text with this id.
    #[must_use]
    pub fn named(id: &str) -> Option<Self> {
        REGISTERS.iter().find(|register| register.id == id).map(|register| Self(register))
    }

    fn place(self) -> Option<usize> {
        REGISTERS.iter().position(|register| *register == self.0)
    }
}

impl PartialOrd for TextId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TextId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

impl fmt::Display for TextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.id)
    }
}

impl Serialize for TextId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id)
    }
}

impl<'de> Deserialize<'de> for TextId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::named(&text).ok_or_else(|| {
            let known: Vec<String> = REGISTERS.iter().map(|register| format!("`{}`", register.id)).collect();
            serde::de::Error::custom(format!(
                "unknown contract text `{text}`, expected {}",
                known.join(" or ")
            ))
        })
    }
}

impl JsonSchema for TextId {
    fn schema_name() -> Cow<'static, str> {
        "TextId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let ids: Vec<&str> = REGISTERS.iter().map(|register| register.id).collect();
        json_schema!({"description": "Id of a contract text: the month of its publication.", "type": "string", "enum": ids})
    }
}

/// Contract texts for which a check holds, by the first and the last of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextRange {
    /// First text; `None` if the check holds from the first known text on.
    pub since: Option<TextId>,
    /// Last text; `None` if the check holds for every later text.
    pub until: Option<TextId>,
}

impl TextRange {
    /// Returns whether the range contains this text.
    #[must_use]
    pub fn contains(self, register: &'static Register) -> bool {
        let text = TextId(register);
        self.since.is_none_or(|since| since <= text) && self.until.is_none_or(|until| text <= until)
    }

    /// Returns the known texts in the range.
    pub fn texts(self) -> impl Iterator<Item = &'static Register> + Clone {
        REGISTERS.iter().copied().filter(move |register| self.contains(register))
    }

    /// Returns whether the range contains every known text.
    #[must_use]
    pub fn holds_for_all(self) -> bool {
        self.texts().count() == REGISTERS.len()
    }
}

impl fmt::Display for TextRange {
    /// Writes `since 2026-06`, `until 2026-05`, or both; nothing for an open range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = [("since", self.since), ("until", self.until)];
        let ends = ends.into_iter().filter_map(|(word, end)| Some(format!("{word} {}", end?)));
        f.write_str(&ends.collect::<Vec<_>>().join(" "))
    }
}

/// Creates a row of a register.
pub(super) const fn clause(
    section: Section,
    item: u8,
    class: Class,
    obligation: &'static str,
    conduct: Option<Observation>,
    detection: Option<Observation>,
) -> Clause {
    Clause { id: ClauseId { section, item }, class, obligation, conduct, detection, withdrawn: false }
}

/// Creates a row of a clause that a later text withdraws. `instead` is what that text says in its place. The
/// aspects stay, so that a report shows them as not applicable.
pub(super) const fn withdrawn(
    section: Section,
    item: u8,
    class: Class,
    instead: &'static str,
    conduct: Option<Observation>,
    detection: Option<Observation>,
) -> Clause {
    Clause { withdrawn: true, ..clause(section, item, class, instead, conduct, detection) }
}

/// Creates the description of an observation.
#[expect(clippy::unnecessary_wraps, reason = "an aspect is there or not: the table reads best so")]
pub(super) const fn seen(by: Means, how: &'static str) -> Option<Observation> {
    Some(Observation { how, by })
}
