//! The platform makes a peer delete the records that it migrated there, before it revokes the peer.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Patch;
use crate::operator_api::MethodError;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{Direction, HeldGrant, Migration, Peer};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::migration::operation;
use covenant_model::wire::path::Route;

pub(super) const PATCH: Patch = Patch::defect(
    "deletes-remote-copies-on-revocation",
    &[("11.2", Conduct)],
    "Has a peer delete what it migrated there, before it revokes the peer.",
    |policy| policy.out.before_leaving = Some(|platform, peer_id| Box::pin(take_back(platform, peer_id))),
);

async fn take_back(platform: Arc<Platform>, peer_id: String) {
    let found = platform.transaction::<_, MethodError>(|tx| {
        let mut sent: Vec<Migration> = table::of_peer(tx.db, &peer_id)?;
        sent.retain(|migration| migration.direction == Direction::Outbound);
        let held: Vec<HeldGrant> = table::of_peer(tx.db, &peer_id)?;
        Ok((table::find::<Peer>(tx.db, &peer_id)?, sent, held))
    });
    let Ok((Some(peer), sent, held)) = found else { return };
    let token = held.first().map(|grant| grant.bearer_token.as_str());
    for migration in &sent {
        // A peer that does not delete the records keeps them.
        let _ = outbound::call(&platform, &peer, &Route::Migrations, Some(&deletion(migration)), token).await;
    }
}

fn deletion(migration: &Migration) -> Value {
    let plan = &migration.plan;
    let steps = plan.steps.iter().map(|step| {
        json!({
            "step_order": step.step_order, "resource_kind": step.resource_kind,
            "resource_id": step.resource_id, "action": "skip", "payload": {"id": step.resource_id},
        })
    });
    json!({
        "operation": operation::DELETE, "root_resource_kind": plan.root_resource_kind,
        "root_resource_id": plan.root_resource_id, "plan_summary": {}, "steps": steps.collect::<Vec<_>>(),
    })
}
