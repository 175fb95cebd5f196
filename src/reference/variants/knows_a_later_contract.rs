//! Offers contract version 7 beside the others.

use crate::reference::Patch;
use crate::reference::store::rows::KnownContract;
use crate::wire::canonical::sha256_hex;

pub(super) const PATCH: Patch =
    Patch::variant("knows-a-later-contract", "Offers contract version 7 beside the others.", |rules| {
        rules.handshake.also_known = || {
            vec![KnownContract {
                id: "7".to_owned(),
                version: 7,
                digest: Some(sha256_hex("version 7")),
                effective_at: Some("2099-01-01T00:00:00Z".to_owned()),
                deprecated_at: None,
            }]
        }
    });
