//! Serves a grant after its end.

use crate::contract::Aspect::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch =
    Patch::defect("serves-expired-grants", &[("2.2", Conduct)], "Serves a grant after its end.", |policy| {
        policy.grants.has_expired = |_, _| false;
    });
