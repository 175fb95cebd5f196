//! The platform speaks HTTP/1.1 only.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant("http1-only", "Speaks HTTP/1.1 and nothing else.", |policy| {
    policy.wire.speaks_http2 = false;
});
