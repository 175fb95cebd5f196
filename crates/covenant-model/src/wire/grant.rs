//! Grants: the scopes of a grant and the forms of its token (`wire.md` §4).

use std::fmt;

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

    /// Returns the word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Migrate => "migrate",
        }
    }

    /// Reads the word on the wire.
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

/// Bearer token, opaque to its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantToken {
    /// Form `fgs.<grant id>.<hex HMAC>` (G3).
    Signed {
        /// Id of the grant.
        grant_id: String,
        /// HMAC, in lower-case hex.
        signature: String,
    },
    /// Form `fg-<grant id>` (G1).
    Plain {
        /// Id of the grant.
        grant_id: String,
    },
}

impl GrantToken {
    /// Reads a token of either form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("fgs.") {
            let (grant_id, signature) = rest.split_once('.')?;
            let hex = !signature.is_empty() && signature.bytes().all(|b| b.is_ascii_hexdigit());
            return (hex && super::path::is_id(grant_id))
                .then(|| Self::Signed { grant_id: grant_id.to_owned(), signature: signature.to_owned() });
        }
        let grant_id = text.strip_prefix("fg-")?;
        super::path::is_id(grant_id).then(|| Self::Plain { grant_id: grant_id.to_owned() })
    }

    /// Returns the id of the grant that the token names.
    #[must_use]
    pub fn grant_id(&self) -> &str {
        match self {
            Self::Signed { grant_id, .. } | Self::Plain { grant_id } => grant_id,
        }
    }
}

impl fmt::Display for GrantToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signed { grant_id, signature } => write!(f, "fgs.{grant_id}.{signature}"),
            Self::Plain { grant_id } => write!(f, "fg-{grant_id}"),
        }
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
            assert_eq!(token.grant_id(), "01a2-7");
        }
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in ["", "fgs.", "fgs.1", "fgs.1.", "fgs.1.xyz", "fg-", "fg-a b", "Bearer fg-1"] {
            assert_eq!(GrantToken::parse(text), None, "{text}");
        }
    }
}
