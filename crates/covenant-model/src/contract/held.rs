//! The contract text that a target keeps, as far as it is known.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::{Register, TextId};
use super::texts::{REGISTERS, V1_2026_05, register};

/// Number of hexadecimal digits of a SHA-256.
const DIGEST_DIGITS: usize = 64;

/// Contract text that a run holds a target to. The text is unknown if there is no digest, or if the digest is
/// that of no register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldText {
    /// Version number of the contract.
    pub contract_version: u32,
    /// SHA-256 of the contract text, in hex; `None` if none was named.
    pub contract_digest: Option<String>,
    /// The source that named the text.
    #[serde(default)]
    pub contract_source: TextSource,
}

/// Source that named the contract text of a run, in the order in which the sources are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextSource {
    /// The user, with `--contract` or in `covenant.toml`.
    User,
    /// The operator plane, with `describe`.
    Describe,
    /// The operator plane, with `contract.list`.
    ContractList,
    /// The target's answer to an accept without a digest.
    Accept,
    /// Nothing: the list of contracts names several texts, and accept none of them.
    Several,
    /// Nothing: every source was asked.
    Nothing,
    /// Nothing: an audit asks no source, because its token is valid for one accept.
    Unasked,
    /// The transcript names no source: the text is assumed.
    #[default]
    Assumed,
}

impl HeldText {
    /// Returns a known text.
    #[must_use]
    pub fn known(register: &Register, source: TextSource) -> Self {
        Self::stated(register.contract_version, register.digest, source)
    }

    /// Returns the text with this digest, which may be that of no register.
    #[must_use]
    pub fn stated(contract_version: u32, digest: &str, source: TextSource) -> Self {
        let contract_digest = Some(digest.to_ascii_lowercase());
        Self { contract_version, contract_digest, contract_source: source }
    }

    /// Returns an unknown text of which nothing was named.
    #[must_use]
    pub fn unknown(source: TextSource) -> Self {
        Self { contract_version: V1_2026_05.contract_version, contract_digest: None, contract_source: source }
    }

    /// Reads the value of `--contract`: the id of a text, or a SHA-256 in hex.
    pub fn named(text: &str) -> Result<Self, String> {
        if let Some(TextId(register)) = TextId::named(text) {
            return Ok(Self::known(register, TextSource::User));
        }
        if Self::is_digest(text) {
            return Ok(Self::stated(V1_2026_05.contract_version, text, TextSource::User));
        }
        let known: Vec<&str> = REGISTERS.iter().map(|register| register.id).collect();
        Err(format!("{text:?}: expected {}, or a SHA-256 of 64 hexadecimal digits", known.join(", ")))
    }

    /// Returns whether a text is a SHA-256 in hex, and so names a contract text.
    #[must_use]
    pub fn is_digest(text: &str) -> bool {
        text.len() == DIGEST_DIGITS && text.bytes().all(|digit| digit.is_ascii_hexdigit())
    }

    /// Returns the register of the text; `None` if the text is unknown.
    #[must_use]
    pub fn register(&self) -> Option<&'static Register> {
        register(self.contract_version, self.contract_digest.as_deref()?)
    }

    /// Returns the digest that peers name to the target: that of a known text, or one that the user or the
    /// target's own accept named. `None` names none.
    #[must_use]
    pub fn digest_to_send(&self) -> Option<&str> {
        let is_sure = matches!(self.contract_source, TextSource::User | TextSource::Accept);
        self.contract_digest.as_deref().filter(|_| is_sure || self.register().is_some())
    }

    /// Returns the short name of the text: its id, else its digest; `None` if nothing was named.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.register().map(|register| register.id).or(self.contract_digest.as_deref())
    }
}

impl fmt::Display for HeldText {
    /// Writes the text and its source, in one line for a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.contract_source;
        match (self.register(), &self.contract_digest) {
            (Some(register), _) => write!(f, "{} ({source})", register.id),
            (None, Some(digest)) => {
                write!(
                    f,
                    "unknown: {} ({source}) is the digest of no known text",
                    digest.get(..12).unwrap_or(digest)
                )
            }
            (None, None) => write!(f, "unknown ({source}); pass --contract"),
        }
    }
}

impl fmt::Display for TextSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::User => "named by the user",
            Self::Describe => "named by describe",
            Self::ContractList => "named by contract.list",
            Self::Accept => "named in the answer to an accept without a digest",
            Self::Several => "several texts are listed, and accept names none",
            Self::Nothing => "neither describe, contract.list nor accept names it",
            Self::Unasked => "an audit asks no one for it",
            Self::Assumed => "assumed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::V1_2026_06;

    #[test]
    fn a_user_names_a_text_by_its_id_or_its_digest() {
        for text in REGISTERS {
            for name in [text.id.to_owned(), text.digest.to_owned(), text.digest.to_uppercase()] {
                assert_eq!(HeldText::named(&name).map(|held| held.register()), Ok(Some(*text)), "{name}");
            }
        }
        let other = HeldText::named(&"ab".repeat(32)).expect("a digest");
        assert_eq!((other.register(), other.name()), (None, Some("ab".repeat(32).as_str())));
        for wrong in ["", "2026-07", "v1", &"ab".repeat(31), &"xy".repeat(32)] {
            let error = HeldText::named(wrong).expect_err(wrong);
            assert!(error.contains("2026-05, 2026-06"), "{error}");
        }
    }

    #[test]
    fn a_text_reads_back_with_its_source_or_without_one() {
        let held = HeldText::known(&V1_2026_06, TextSource::ContractList);
        let json = serde_json::to_string(&held).expect("json");
        assert_eq!(serde_json::from_str::<HeldText>(&json).expect("a text"), held);
        let of_old = serde_json::json!({"contract_version": 1, "contract_digest": V1_2026_05.digest});
        let held: HeldText = serde_json::from_value(of_old).expect("a text");
        assert_eq!((held.register(), held.contract_source), (Some(&V1_2026_05), TextSource::Assumed));
        assert_eq!(held.to_string(), "2026-05 (assumed)");
    }

    #[test]
    fn peers_name_no_digest_that_only_a_list_shows() {
        let other = |source| HeldText::stated(1, &"ab".repeat(32), source);
        assert_eq!(other(TextSource::ContractList).digest_to_send(), None);
        assert!(other(TextSource::Accept).digest_to_send().is_some());
        let known = HeldText::known(&V1_2026_06, TextSource::ContractList);
        assert_eq!(known.digest_to_send(), Some(V1_2026_06.digest));
        assert_eq!(HeldText::unknown(TextSource::Nothing).digest_to_send(), None);
    }

    #[test]
    fn an_unknown_text_says_so_and_names_the_option() {
        let nothing = HeldText::unknown(TextSource::Nothing);
        assert_eq!((nothing.register(), nothing.name()), (None, None));
        assert!(nothing.to_string().ends_with("pass --contract"), "{nothing}");
        let other = HeldText::stated(1, &"AB".repeat(32), TextSource::Accept).to_string();
        assert!(other.starts_with("unknown: abababababab (named in the answer"), "{other}");
    }
}
