//! Joins with no contract version, where it asks of others that they name one.

use crate::contract::Face::Conduct;
use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-without-a-word",
    &[("A.1", Conduct)],
    "Joins with no contract version, where it asks of others that they name one.",
    |rules| {
        rules.out.amend_join = |body| {
            body.remove("contract_version");
        }
    },
);
