//! The platform also probes vaults and users when it probes the kinds that a peer declares.

use crate::Patch;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "probes-undeclared-kinds",
    &[("6.4", Conduct)],
    "Asks every peer for vaults and users too, when it looks at what they declare.",
    |policy| {
        policy.out.kinds_probed =
            |declared| declared.into_iter().chain(["user".to_owned(), "vault".to_owned()]).collect();
    },
);
