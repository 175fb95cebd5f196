//! The platform offers contract versions of its own, 2 and 7, beside the others.

use crate::Patch;
use crate::store::rows::KnownContract;
use covenant_model::wire::canonical::sha256_hex;

pub(super) const PATCH: Patch = Patch::variant(
    "offers-extra-contract-versions",
    "Offers contract versions of its own, 2 and 7, beside the others.",
    |policy| {
        policy.handshake.also_known = || {
            let own = |version: u64| KnownContract {
                id: version.to_string(),
                version,
                digest: Some(sha256_hex(format!("version {version}"))),
                effective_at: Some("2099-01-01T00:00:00Z".to_owned()),
                deprecated_at: None,
            };
            vec![own(2), own(7)]
        }
    },
);
