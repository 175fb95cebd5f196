//! Variants of findings and suspensions.

use std::sync::Arc;

use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Breach, Peer};
use crate::store::table;
use crate::{Patch, governance};

/// Variants in the thresholds of suspensions and findings.
pub(super) const PATCHES: &[Patch] = &[
    Patch::variant(
        "suspends-at-the-second-breach",
        "Suspends at the second breach of a norm, the strictest choice that the contract allows.",
        |policy| policy.governance.suspends = |breaches, _| breaches >= 2,
    )
    .deciding(&["who is suspended"]),
    Patch::variant("suspends-at-the-fourth-breach", "Suspends at the fourth breach of a norm.", |policy| {
        policy.governance.suspends = |breaches, _| breaches >= 4;
    })
    .deciding(&["who is suspended"]),
    Patch::variant(
        "suspends-on-timer",
        "Counts breaches at once, but suspends when its timers run.",
        |policy| {
            policy.governance.suspends = |_, _| false;
            policy.outbound.on_timers =
                Some(|platform| Box::pin(async move { suspend_repeat_offenders(&platform) }));
        },
    )
    .deciding(&["who is suspended"]),
    Patch::variant(
        "reports-enumeration-at-first-rejection",
        "Treats the first rejected target as enumeration.",
        |policy| {
            policy.counters.is_enumeration = |targets, absent| targets >= 1 || absent >= 20;
        },
    )
    .deciding(&["what is enumeration"]),
    Patch::variant(
        "reports-enumeration-after-20-rejections",
        "Treats twenty rejected targets, and no fewer, as enumeration.",
        |policy| {
            policy.counters.is_enumeration = |targets, absent| targets + absent >= 20;
        },
    )
    .deciding(&["what is enumeration"]),
    Patch::variant(
        "reports-eleven-grants",
        "Treats eleven grants within an hour as mass grants.",
        |policy| {
            policy.counters.is_mass_grant = |_, all| all > 10;
        },
    ),
];

fn suspend_repeat_offenders(platform: &Arc<Platform>) {
    // A failed write is repeated when the timers run again.
    let _ = platform.transaction::<_, MethodError>(|tx| {
        for mut peer in table::all::<Peer>(tx.db)? {
            for breach in table::of_peer::<Breach>(tx.db, &peer.id)? {
                let recent = governance::recent_breaches(tx, &peer.id, breach.norm)?;
                if governance::suspends(recent, tx.settings.breach_limit) {
                    governance::suspend(tx, &mut peer, "repeated breach")?;
                }
            }
        }
        Ok(())
    });
}
