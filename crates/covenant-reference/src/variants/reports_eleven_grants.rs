//! The platform treats eleven grants within an hour as mass grants.

use crate::Patch;

pub(super) const PATCH: Patch =
    Patch::variant("reports-eleven-grants", "Takes eleven grants within an hour for a mass.", |policy| {
        policy.watch.is_mass = |_, all| all > 10;
    });
