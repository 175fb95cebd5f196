//! Declares a schema version and takes no migration that carries it.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-the-schema-it-declares",
    &[("3.2", Conduct)],
    "Declares a schema version and takes no migration that carries it.",
    |rules| rules.capabilities.takes_schema = |_, given| given.is_null(),
);
