//! The platform speaks TLS 1.2 at most.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant("tls12-only", "Speaks TLS 1.2 and nothing newer.", |policy| {
    policy.wire.speaks_tls13 = false;
});
