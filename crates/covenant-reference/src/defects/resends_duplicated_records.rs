//! The platform sends duplicated records again without a request.

use std::sync::Arc;

use serde_json::json;

use crate::Patch;
use crate::operator_api::MethodError;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{Direction, Migration};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::operator::migration::SendMigration;
use covenant_model::wire::migration::operation;

/// Metadata member that marks a migration as followed up.
const FOLLOWED_UP: &str = "followed_up";

pub(super) const PATCH: Patch = Patch::defect(
    "resends-duplicated-records",
    &[("7.5", Conduct)],
    "Sends a copy of what it has copied once again, by itself.",
    |policy| policy.out.also_due = Some(|platform| Box::pin(follow_up(platform))),
);

async fn follow_up(platform: Arc<Platform>) {
    let due = platform.transaction::<_, MethodError>(|tx| {
        let mut due: Vec<Migration> = table::all(tx.db)?;
        due.retain(|migration| {
            let is_copy = migration.plan.operation == operation::DUPLICATE;
            let is_sent = migration.direction == Direction::Outbound && migration.status == "completed";
            is_copy && is_sent && !migration.metadata.contains_key(FOLLOWED_UP)
        });
        for migration in &mut due {
            migration.metadata.insert(FOLLOWED_UP.to_owned(), json!(true));
            table::put(tx.db, migration)?;
        }
        Ok(due.iter().filter_map(again).collect::<Vec<_>>())
    });
    for order in due.unwrap_or_default() {
        // An unreachable peer gets nothing.
        let _ = outbound::send_migration(&platform, order).await;
    }
}

fn again(migration: &Migration) -> Option<SendMigration> {
    let source = migration.plan.steps.last()?.payload.get("metadata")?["duplicated_from"].as_str()?;
    Some(SendMigration {
        peer_id: migration.peer_id.clone(),
        operation: operation::DUPLICATE.to_owned(),
        root_resource_kind: migration.plan.root_resource_kind.clone(),
        root_resource_id: source.to_owned(),
        bearer_token: None,
        commit: None,
    })
}
