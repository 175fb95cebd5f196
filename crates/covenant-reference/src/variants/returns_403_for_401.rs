//! The platform returns 403 in place of 401.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("returns-403-for-401", "Says 403 where another says 401.", |policy| {
        policy.wire.override_outbound = |_, outbound| {
            if outbound.status == 401 {
                outbound.status = 403;
            }
        }
    });
