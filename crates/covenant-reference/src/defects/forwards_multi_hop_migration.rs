//! The platform forwards a migration to a third platform at the sender's request.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Patch;
use crate::operator_api::MethodError;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{Direction, Migration};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::operator::migration::SendMigration;

/// Member of a plan that names the next platform: a peer's id.
const GOES_ON_TO: &str = "forward_to";

pub(super) const PATCH: Patch = Patch::defect(
    "forwards-multi-hop-migration",
    &[("O.1", Conduct)],
    "Takes a migration that is to be passed on to a third platform, and passes it on.",
    |policy| {
        policy.migrations.is_multi_hop = |_| false;
        policy.out.also_due = Some(|platform| Box::pin(pass_on(platform)));
    },
);

async fn pass_on(platform: Arc<Platform>) {
    let due = platform.transaction::<_, MethodError>(|tx| {
        let mut due = table::all::<Migration>(tx.db)?;
        due.retain(|migration| migration.direction == Direction::Inbound && goes_on(migration).is_some());
        let orders: Vec<SendMigration> = due.iter().map(order).collect();
        for migration in &mut due {
            migration.metadata.insert("passed_on".to_owned(), json!(true));
            table::put(tx.db, migration)?;
        }
        Ok(orders)
    });
    for order in due.unwrap_or_default() {
        // An unreachable third platform gets nothing.
        let _ = outbound::send_migration(&platform, order).await;
    }
}

fn order(migration: &Migration) -> SendMigration {
    SendMigration {
        peer_id: goes_on(migration).unwrap_or_default().to_owned(),
        operation: migration.plan.operation.clone(),
        root_resource_kind: migration.plan.root_resource_kind.clone(),
        root_resource_id: migration.plan.root_resource_id.clone(),
        bearer_token: None,
        commit: None,
    }
}

fn goes_on(migration: &Migration) -> Option<&str> {
    let to = migration.plan.extra.get(GOES_ON_TO).and_then(Value::as_str);
    to.filter(|_| !migration.metadata.contains_key("passed_on"))
}
