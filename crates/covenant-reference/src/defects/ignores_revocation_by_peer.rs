//! The platform receives a peer's revocation, but keeps the peer.

use crate::Patch;
use covenant_model::contract::Aspect::{Conduct, Detection};

pub(super) const PATCH: Patch = Patch::defect(
    "ignores-revocation-by-peer",
    &[("4.3", Conduct), ("4.3", Detection), ("11.1", Detection), ("11.5", Detection)],
    "Hears that a peer leaves, and keeps it.",
    |policy| policy.notices.honours_leave = |_| false,
);
