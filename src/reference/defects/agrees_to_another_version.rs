//! Answers a handshake for one contract version with the next.

use crate::contract::Face::{Conduct, Detection};
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "agrees-to-another-version",
    &[
        ("12.1", Conduct),
        ("12.1", Detection),
        ("12.2", Detection),
        ("V.2", Conduct),
        ("V.3", Conduct),
        ("A.1", Conduct),
        ("A.2", Conduct),
    ],
    "Answers a handshake for one contract version with the next.",
    |rules| rules.handshake.version_agreed = |asked| asked + 1,
);
