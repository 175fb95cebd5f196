//! Ids of clauses and of the sections that contain them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Part of the contract: one of the twelve commitments, or a section after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Commitment, 1 to 12.
    Commitment(u8),
    /// Section E: findings and suspension.
    Enforcement,
    /// Section V: versions of the contract itself.
    Versioning,
    /// Section A: the acknowledgement made by accepting.
    Acknowledgement,
    /// Section O: the subjects that version 1 leaves out.
    OutOfScope,
}

impl Section {
    /// Returns every section, in the order of the contract.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let rest = [Self::Enforcement, Self::Versioning, Self::Acknowledgement, Self::OutOfScope];
        (1..=12).map(Self::Commitment).chain(rest).collect()
    }

    /// Returns a short title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Commitment(1) => "Identity disclosure",
            Self::Commitment(2) => "Reciprocity of grants",
            Self::Commitment(3) => "Truthful capabilities",
            Self::Commitment(4) => "Notice of revocation",
            Self::Commitment(5) => "Audit transparency",
            Self::Commitment(6) => "No undermining",
            Self::Commitment(7) => "Migration hygiene",
            Self::Commitment(8) => "Data residency",
            Self::Commitment(9) => "Compromise disclosure",
            Self::Commitment(10) => "Backwards compatibility",
            Self::Commitment(11) => "Exit and unbinding",
            Self::Commitment(12) => "Contract version honesty",
            Self::Commitment(_) => "No such commitment",
            Self::Enforcement => "Enforcement",
            Self::Versioning => "Contract versioning",
            Self::Acknowledgement => "Acknowledgement",
            Self::OutOfScope => "Out of scope",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commitment(number) => number.fmt(f),
            Self::Enforcement => f.pad("E"),
            Self::Versioning => f.pad("V"),
            Self::Acknowledgement => f.pad("A"),
            Self::OutOfScope => f.pad("O"),
        }
    }
}

/// Error for a text that is not a section of the contract.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no commitment: write a number from 1 to 12, or E, V, A or O")]
pub struct ParseSectionError(String);

impl FromStr for Section {
    type Err = ParseSectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "E" => Ok(Self::Enforcement),
            "V" => Ok(Self::Versioning),
            "A" => Ok(Self::Acknowledgement),
            "O" => Ok(Self::OutOfScope),
            number => match number.parse() {
                Ok(number @ 1..=12) => Ok(Self::Commitment(number)),
                _ => Err(ParseSectionError(text.to_owned())),
            },
        }
    }
}

/// Id of a clause, such as `7.1` or `E.2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClauseId {
    /// Section that contains the clause.
    pub section: Section,
    /// Number of the clause in its section, from 1.
    pub item: u8,
}

/// Error for a text that is not the id of a clause.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0:?} is no clause: write 7.1, or E.1, V.1, A.1, O.1")]
pub struct ParseClauseError(String);

impl FromStr for ClauseId {
    type Err = ParseClauseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseClauseError(text.to_owned());
        let (section, item) = text.split_once('.').ok_or_else(error)?;
        let section = section.parse().map_err(|_| error())?;
        match item.parse() {
            Ok(item) if item > 0 => Ok(Self { section, item }),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{}", self.section, self.item))
    }
}

impl Serialize for ClauseId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClauseId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for ClauseId {
    fn schema_name() -> Cow<'static, str> {
        "ClauseId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^([1-9]|1[0-2]|[EVAO])\.[1-9]$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_sort_by_section_then_item() {
        let mut ids: Vec<ClauseId> =
            ["O.1", "10.1", "2.3", "E.1", "2.1"].iter().map(|text| text.parse().expect(text)).collect();
        ids.sort();
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["2.1", "2.3", "10.1", "E.1", "O.1"]);
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "7", "7.", "7.0", "13.1", "0.1", "X.1", "7.1.1", "-7.1"] {
            assert!(text.parse::<ClauseId>().is_err(), "{text:?}");
        }
    }
}
