//! The platform answers an anonymous accept with 200, and leaves the peer at `accepted`.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "keeps-anonymous-peer-accepted",
    "Answers an anonymous accept with 200, and leaves the peer at `accepted`.",
    |policy| policy.handshake.refuses_anonymous = |_| false,
);
