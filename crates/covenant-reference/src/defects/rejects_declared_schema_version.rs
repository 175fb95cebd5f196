//! The platform declares a schema version, but rejects every migration that carries it.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "rejects-declared-schema-version",
    &[("3.2", Conduct)],
    "Declares a schema version and takes no migration that carries it.",
    |policy| policy.capabilities.takes_schema = |_, given| given.is_null(),
);
