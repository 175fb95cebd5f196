//! Where it joins, it has no certificate signed: it gives its authority, and takes the peer's.

use crate::reference::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "exchanges-authorities",
    "Where it joins, it has no certificate signed: it gives its authority, and takes the peer's.",
    |rules| {
        rules.out.introduces_with = |act, _| ("peer_ca_bundle_pem", act.keys.authority.pem().to_owned());
    },
);
