//! Deeds of a behaviour of its own accord. Most behaviours change what a peer says anyway and do nothing more.

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::simulated::Simulated;
use crate::peer::{Behaviour, CallOutcome, StepContext};
use crate::wire::Extra;
use crate::wire::sync::SyncRecord;

/// The number of heartbeats of a flood, which no target has to stand (`binding.md`, "Numbers").
const FLOOD_CALLS: usize = 300;
/// The number of calls of a flood at the same time.
const FLOOD_AT_ONCE: usize = 8;
/// The reason that a notice gives.
const REASON: &str = "the simulator was asked to";

/// A deed of a behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// Revoke a grant that it issued.
    RevokeGrants,
    /// Send a batch of each kind that the target declares for migrations only.
    Sync,
    /// Send a flood of heartbeats.
    Flood,
    /// Revoke the peering. It is the last deed of a round.
    Revoke,
}

impl Deed {
    /// Returns the deed that a behaviour asks for with each heartbeat but the first of a peering.
    pub(super) fn of(behaviour: &Behaviour) -> Option<Self> {
        match behaviour.name {
            "handshake-flood" | "capability-churn" => Some(Self::Flood),
            "silent-revocation" | "rejects-open-migrations" | "demands-deletion" => Some(Self::Revoke),
            "silent-grant-revocation" => Some(Self::RevokeGrants),
            "sync-after-migration" => Some(Self::Sync),
            _ => None,
        }
    }
}

/// Returns whether a behaviour shows in calls of its own, which a peer makes beside its heartbeats.
#[must_use]
pub fn makes_calls(behaviour: &Behaviour) -> bool {
    Deed::of(behaviour).is_some()
}

/// The deeds of a set of behaviours, in order, each once.
pub(super) fn deeds(behaviours: &[&'static Behaviour]) -> Vec<Deed> {
    let mut deeds: Vec<Deed> = behaviours.iter().filter_map(|behaviour| Deed::of(behaviour)).collect();
    deeds.sort();
    deeds.dedup();
    deeds
}

impl Simulated {
    /// Does what the behaviours of the peer ask for.
    pub(super) async fn do_deeds(&self) {
        for deed in deeds(&self.peer.behaviours()) {
            match deed {
                Deed::RevokeGrants => self.revoke_grants().await,
                Deed::Sync => self.sync_migration_only().await,
                Deed::Flood => self.flood().await,
                // The line of the exchange says what became of it.
                Deed::Revoke => drop(self.revoke().await),
            }
        }
    }

    async fn flood(&self) {
        let lane = |calls: usize| async move {
            for _ in 0..calls {
                let _ = self.outcome(self.peer.heartbeat(&StepContext::default(), &Value::Null).await);
            }
        };
        let share =
            |place: usize| FLOOD_CALLS / FLOOD_AT_ONCE + usize::from(place < FLOOD_CALLS % FLOOD_AT_ONCE);
        join_all((0..FLOOD_AT_ONCE).map(|place| lane(share(place)))).await;
    }

    /// Revokes the peering, with the notice that the behaviours leave. Returns what it did, or why the notice did not arrive.
    pub(super) async fn revoke(&self) -> Result<&'static str, String> {
        if !self.peer.is_federated() {
            return Err("it is not federated, so there is nothing to revoke".to_owned());
        }
        match self.peer.revoke(&StepContext::default(), REASON).await {
            Ok(None) => {
                self.note("revokes the peering without a notice", |behaviour| behaviour.revokes_silently);
                Ok("revoked, without a notice")
            }
            Ok(Some(notice)) => match self.outcome(Ok(notice)) {
                Ok(()) => Ok("revoked"),
                Err(why) => Err(format!("revoked on this side, and the notice did not arrive: {why}")),
            },
            failed => {
                self.outcome(failed.map(Option::unwrap_or_default)).map(|()| "revoked").map_err(|why| {
                    format!(
                        "not revoked: no notice can be sent ({why}); silent-revocation revokes without one"
                    )
                })
            }
        }
    }

    async fn revoke_grants(&self) {
        for id in self.peer.open_grants() {
            let revoked = self.peer.revoke_grant(&StepContext::default(), &id, REASON).await;
            if let Ok(None) = &revoked {
                self.note("revokes a grant without a notice", |behaviour| behaviour.ends_grants_silently);
                continue;
            }
            let _ = self.outcome(revoked.map(Option::unwrap_or_default));
        }
    }

    /// Sends a batch of each kind that the target declared for migrations only.
    async fn sync_migration_only(&self) {
        let kinds = self.migration_only_kinds();
        if kinds.is_empty() {
            self.say("the target declares no kind for migrations only, so there is none to sync");
        }
        for kind in kinds {
            let _ = self.sync(&kind).await;
        }
    }

    /// Sends a batch of one record. Returns why it was not taken.
    pub(super) async fn sync(&self, kind: &str) -> Result<(), String> {
        let id = self.new_id();
        let payload: Map<String, Value> = [("id", json!(id)), ("name", json!("simulated"))]
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let record = SyncRecord { id, updated_at: self.now().to_string(), payload, extra: Extra::default() };
        self.outcome(self.peer.sync(&StepContext::default(), kind, vec![record], &Value::Null).await)
    }
}

/// Returns the kinds that the data of an answer declares for migrations only.
pub(super) fn migration_only(answer: &CallOutcome) -> Option<Vec<String>> {
    let kinds = answer.data.as_ref()?["capabilities"]["resource_kinds"].as_array()?;
    let only = kinds.iter().filter(|row| row["direction"] == "migration_only");
    Some(only.filter_map(|row| row["kind"].as_str().map(ToOwned::to_owned)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::behaviours::{BEHAVIOURS, behaviour};

    #[test]
    fn each_behaviour_that_oversteps_or_stays_silent_has_an_act() {
        for behaviour in BEHAVIOURS {
            let needs =
                behaviour.oversteps.is_some() || behaviour.revokes_silently || behaviour.ends_grants_silently;
            assert!(!needs || Deed::of(behaviour).is_some(), "{} does nothing", behaviour.name);
        }
    }

    #[test]
    fn a_peer_revokes_last_and_floods_once() {
        let named = ["silent-revocation", "handshake-flood", "capability-churn", "bogus-kind"];
        let named: Vec<&Behaviour> = named.iter().map(|name| behaviour(name).expect(name)).collect();
        assert_eq!(deeds(&named), [Deed::Flood, Deed::Revoke]);
    }
}
