//! The platform counts breaches at once, but suspends when its timers run.

use std::sync::Arc;

use crate::Patch;
use crate::governance;
use crate::operator_api::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Breach, Peer};
use crate::store::table;

pub(super) const PATCH: Patch = Patch::variant(
    "suspends-on-timer",
    "Counts breaches at once, and suspends when its timers run.",
    |policy| {
        policy.govern.suspends = |_, _| false;
        policy.out.also_due = Some(|platform| Box::pin(async move { review(&platform) }));
    },
);

fn review(platform: &Arc<Platform>) {
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
