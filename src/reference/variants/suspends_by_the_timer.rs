//! Counts breaches at once, and suspends when its timers run.

use std::sync::Arc;

use crate::reference::Patch;
use crate::reference::govern;
use crate::reference::operate::OperatorError;
use crate::reference::platform::Platform;
use crate::reference::store::rows::{Breach, Peer};
use crate::reference::store::table;

pub(super) const PATCH: Patch = Patch::variant(
    "suspends-by-the-timer",
    "Counts breaches at once, and suspends when its timers run.",
    |rules| {
        rules.govern.suspends = |_, _| false;
        rules.out.also_due = Some(|platform| Box::pin(async move { review(&platform) }));
    },
);

fn review(platform: &Arc<Platform>) {
    // What could not be written is done when the timers run again.
    let _ = platform.act::<_, OperatorError>(|act| {
        for mut peer in table::all::<Peer>(act.db)? {
            for breach in table::of_peer::<Breach>(act.db, &peer.id)? {
                let recent = govern::recent_breaches(act, &peer.id, breach.norm)?;
                if govern::suspends(recent, act.settings.breach_limit) {
                    govern::suspend(act, &mut peer, "repeated breach")?;
                }
            }
        }
        Ok(())
    });
}
