//! States of a peer (`wire.md` §6). Each platform decides which transitions it allows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// State of a peer's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerStatus {
    /// Proposed by an operator; the token is not used yet.
    Proposed,
    /// Accepted: the handshake is complete, and the peer may not call yet.
    Accepted,
    /// Enrolled: the peer may call.
    Enrolled,
    /// Active: the peer has called.
    Active,
    /// Degraded: the peer has not called for five minutes.
    Degraded,
    /// Suspended: the row waits for a review of the operator.
    Suspended,
    /// Revoked, the final state.
    Revoked,
}

impl PeerStatus {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Proposed,
        Self::Accepted,
        Self::Enrolled,
        Self::Active,
        Self::Degraded,
        Self::Suspended,
        Self::Revoked,
    ];

    /// Returns the name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Accepted => "accepted",
            Self::Enrolled => "enrolled",
            Self::Active => "active",
            Self::Degraded => "degraded",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Reads an operator's word for a state, in either case.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::parse(&text.trim().to_lowercase())
    }

    /// Returns whether an operator's word for a state means that the peering has ended, or `None` if the word is not known:
    /// a platform may name the state until the grace ends, or put the row of an ended peering away.
    #[must_use]
    pub fn means_ended(text: &str) -> Option<bool> {
        if text.trim().eq_ignore_ascii_case("archived") {
            return Some(true);
        }
        Self::read(text).map(|status| status == Self::Revoked)
    }

    /// Returns whether an operator's word for a state means that the peer is suspended: a platform may state more than
    /// the name on the wire.
    #[must_use]
    pub fn means_suspended(text: &str) -> bool {
        text.to_lowercase().contains(Self::Suspended.as_str().trim_end_matches("ed"))
    }

    /// Returns whether a peer in this state is admitted.
    #[must_use]
    pub fn may_call(self) -> bool {
        matches!(self, Self::Enrolled | Self::Active | Self::Degraded)
    }
}

impl fmt::Display for PeerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_word_for_the_end_is_read_in_either_case() {
        for (word, expected) in [
            ("revoked", Some(true)),
            (" REVOKED ", Some(true)),
            ("Archived", Some(true)),
            ("Active", Some(false)),
            ("suspended", Some(false)),
            ("revoking", None),
            ("terminated", None),
        ] {
            assert_eq!(PeerStatus::means_ended(word), expected, "{word}");
        }
    }
}
