//! Grants: the scopes of a grant and the forms of its token (`wire.md` §4).

use std::fmt;

use super::generation::{GENERATIONS, PLAIN_TOKEN, SIGNED_TOKEN};

/// Permission that a grant gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Permission to read a resource.
    Read,
    /// Permission to change a resource.
    Write,
    /// Permission for everything.
    Admin,
    /// Permission to send migrations.
    Migrate,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Admin, Self::Migrate];

    /// Returns the name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Migrate => "migrate",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Form of a grant token. Each generation of the wire issues one.
#[derive(Debug)]
pub struct TokenForm {
    /// Shape, for a person: `fg-<grant id>`.
    pub shape: &'static str,
    /// Reads a token of this form.
    pub read: fn(&str) -> Option<GrantToken>,
    /// Writes a token of this form.
    pub write: fn(&GrantToken) -> String,
}

/// Bearer token, opaque to its holder.
#[derive(Clone, Debug)]
pub struct GrantToken {
    /// Id of the grant.
    pub grant_id: String,
    /// HMAC, in lower-case hex; `None` in a form without one.
    pub signature: Option<String>,
    form: &'static TokenForm,
}

impl GrantToken {
    /// Creates a token without a signature (G1).
    #[must_use]
    pub fn plain(grant_id: &str) -> Self {
        Self { grant_id: grant_id.to_owned(), signature: None, form: &PLAIN_TOKEN }
    }

    /// Creates a signed token (G3).
    #[must_use]
    pub fn signed(grant_id: &str, signature: &str) -> Self {
        let signature = Some(signature.to_owned());
        Self { grant_id: grant_id.to_owned(), signature, form: &SIGNED_TOKEN }
    }

    /// Reads a token of any generation.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        GENERATIONS.iter().find_map(|generation| (generation.token.read)(text))
    }
}

impl fmt::Display for GrantToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&(self.form.write)(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_back() {
        for text in ["fgs.01a2-7.00ff", "fg-01a2-7"] {
            let token = GrantToken::parse(text).expect("a token");
            assert_eq!(token.to_string(), text);
            assert_eq!(token.grant_id, "01a2-7");
        }
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in ["", "fgs.", "fgs.1", "fgs.1.", "fgs.1.xyz", "fg-", "fg-a b", "Bearer fg-1"] {
            assert!(GrantToken::parse(text).is_none(), "{text}");
        }
    }
}
