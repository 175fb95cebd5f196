//! The platform serves a grant after its end.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch =
    Patch::defect("honours-expired-grants", &[("2.2", Conduct)], "Serves a grant after its end.", |policy| {
        policy.grants.has_expired = |_, _| false;
    });
