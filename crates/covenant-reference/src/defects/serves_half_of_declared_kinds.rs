//! The platform declares all kinds of its operator, but serves only those in the second half of the alphabet.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "serves-half-of-declared-kinds",
    &[("3.1", Conduct)],
    "Declares what its operator declares, and serves the kinds of the second half of the alphabet.",
    |policy| policy.capabilities.serves = |row| row.resource_kind.as_str() > "n",
);
