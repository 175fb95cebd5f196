//! The platform sends its authority and takes the peer's when it joins, in place of a signing request.

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "exchanges-ca-certificates",
    "Where it joins, it has no certificate signed: it gives its authority, and takes the peer's.",
    |policy| {
        policy.out.introduces_with = |tx, _| ("peer_ca_bundle_pem", tx.keys.authority.pem().to_owned());
    },
);
