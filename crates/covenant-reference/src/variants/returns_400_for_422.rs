//! The platform returns 400 in place of 422.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("returns-400-for-422", "Says 400 where another says 422.", |policy| {
        policy.wire.override_outbound = |_, outbound| {
            if outbound.status == 422 {
                outbound.status = 400;
            }
        }
    });
