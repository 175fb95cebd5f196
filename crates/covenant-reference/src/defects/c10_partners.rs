//! Defects against commitment 10 in which versions of a partner are compared, and in an upgrade.

use semver::Version;
use serde_json::json;

use crate::handshake::{release, versions};
use crate::store::rows::Peer;
use crate::store::{StoreError, facts, table};
use crate::transaction::Transaction;
use crate::{Patch, governance};
use covenant_model::contract::Aspect::{Conduct, Detection};

/// Name of the fact that keeps the release of the start before.
const STARTED_RELEASE: &str = "started_release";

/// Defects in the compared versions, and in an upgrade.
pub(super) const PATCHES: &[Patch] = &[
    Patch::defect(
        "compares-major-versions-by-their-beginning",
        &[("10.1", Detection)],
        "Takes each major version that begins with its own for the same, so 11.4.0 goes with 1.4.0.",
        |policy| {
            policy.handshake.are_compatible =
                |local, remote| versions::are_compatible(local, remote) || begins_alike(local, remote);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "compares-versions-beside-metadata-only",
        &[("10.1", Detection)],
        "Compares the version of a heartbeat that states one beside its metadata, and no other.",
        |policy| {
            policy.handshake.compares_version =
                |heartbeat| heartbeat.is_some_and(|body| body["platform_version"].is_string());
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "suspends-partners-at-upgrade",
        &[("10.1", Conduct)],
        "Suspends every partner when it starts at another release than before.",
        |policy| policy.peering.on_start = suspend_at_upgrade,
    )
    .hard_to_reach(),
];

fn begins_alike(local: &str, remote: &str) -> bool {
    let [Ok(local), Ok(remote)] = [local, remote].map(Version::parse) else {
        return false;
    };
    remote.major.to_string().starts_with(&local.major.to_string()) && local.minor.abs_diff(remote.minor) <= 1
}

fn suspend_at_upgrade(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let release = release(tx)?;
    let before = facts::text(tx.db, STARTED_RELEASE)?;
    facts::set(tx.db, STARTED_RELEASE, &json!(release))?;
    if before.is_some_and(|before| before != release) {
        for mut peer in table::all::<Peer>(tx.db)? {
            governance::suspend(tx, &mut peer, "the platform was upgraded")?;
        }
    }
    Ok(())
}
