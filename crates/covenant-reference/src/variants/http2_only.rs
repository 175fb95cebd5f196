//! The platform speaks HTTP/2 only.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant("http2-only", "Speaks HTTP/2 and nothing else.", |policy| {
    policy.wire.speaks_http1 = false;
});
