//! States of a peer (`powernode.md` §6). Which may follow which is a platform's business.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a peer's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerStatus {
    /// An operator proposed it; its token waits.
    Proposed,
    /// It shook operator and may not call yet.
    Accepted,
    /// It may call.
    Enrolled,
    /// It called.
    Active,
    /// It has not called for five minutes.
    Degraded,
    /// Waits for the operator's review.
    Suspended,
    /// The end.
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

    /// The word on the wire.
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

    /// Reads the word on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether a peer in this state is let in.
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
