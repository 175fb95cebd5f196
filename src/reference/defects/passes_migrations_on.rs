//! Takes a migration that is to be passed on to a third platform.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "passes-migrations-on",
    &[("O.1", Conduct)],
    "Takes a migration that is to be passed on to a third platform.",
    |rules| rules.migrations.is_multi_hop = |_| false,
);
