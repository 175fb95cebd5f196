//! The platform ignores the digest of the agreed contract when it joins.

use crate::Patch;
use covenant_model::contract::Aspect::Detection;

pub(super) const PATCH: Patch = Patch::defect(
    "joins-despite-digest-mismatch",
    &[("V.2", Detection)],
    "as the one who joins, compares the version of the contract and not its text",
    |policy| {
        policy.out.is_same_contract = |agreement| agreement.agreed.as_u64() == Some(agreement.asked);
    },
);
