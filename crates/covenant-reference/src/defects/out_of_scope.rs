//! Defects against section O: features out of scope.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Patch;
use crate::method_error::MethodError;
use crate::outbound;
use crate::platform::Platform;
use crate::store::rows::{AuditEntry, Direction, Migration, OperatorEvent, Peer};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::operator::migration::SendMigration;
use covenant_net::net::Outbound;

/// Defects that provide a feature which the contract excludes.
pub(super) const PATCHES: &[Patch] = &[
    Patch::defect(
        "forwards-multi-hop-migration",
        &[("O.1", Conduct)],
        "Forwards a migration to a third platform at the sender's request.",
        |policy| {
            policy.migration.is_multi_hop = |_| false;
            policy.outbound.on_timers = Some(|platform| Box::pin(forward_migrations(platform)));
        },
    ),
    Patch::defect(
        "accepts-federated-sign-in",
        &[("O.1", Conduct)],
        "Opens a session for any user whom a peer names as signed in.",
        |policy| {
            policy.inbound.answer_unknown_path = |call| {
                call.path.ends_with("/federated_sign_in").then(|| json!({"session": "open", "user": "guest"}))
            };
        },
    ),
    Patch::defect(
        "opens-session-by-redirect",
        &[("O.1", Conduct)],
        "Accepts multi-hop migrations, and answers a federated sign-in by a redirect with a session.",
        |policy| {
            policy.migration.is_multi_hop = |_| false;
            policy.inbound.override_response = |call, outbound| {
                if call.path.ends_with("/federated_sign_in") {
                    let headers = [("location", "/dashboard"), ("set-cookie", "session=4f6b2c9d; HttpOnly")];
                    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
                    *outbound = Outbound { status: 302, headers: headers.into(), ..Outbound::default() };
                }
            };
        },
    ),
    Patch::defect(
        "replicates-audit-in-heartbeats",
        &[("O.1", Conduct)],
        "Sends the last entries of its audit, of whichever peer, with each introduction.",
        |policy| {
            policy.handshake.extend_introduction = |tx, _, members| {
                let mut entries: Vec<AuditEntry> = table::all(tx.db).unwrap_or_default();
                entries.reverse();
                entries.truncate(REPLICATED_MAX);
                members.insert("audit_log".to_owned(), json!(entries));
            };
        },
    ),
    Patch::defect(
        "replicates-events-to-others",
        &[("O.1", Conduct)],
        "Sends the events for its operator that are about other peers with each introduction.",
        |policy| {
            policy.handshake.extend_introduction = |tx, peer, members| {
                let mut events: Vec<OperatorEvent> = table::all(tx.db).unwrap_or_default();
                events
                    .retain(|event| event.federation_peer_id.as_ref().is_some_and(|about| *about != peer.id));
                if let Some(metadata) = members.get_mut("metadata") {
                    metadata["recent_events"] = json!(events);
                }
            };
        },
    ),
    Patch::defect(
        "introduces-peers-to-each-other",
        &[("O.1", Conduct)],
        "Sends each peer the addresses of all others, so that they form a mesh.",
        |policy| {
            policy.handshake.extend_introduction = |tx, peer, members| {
                let mut peers: Vec<Peer> = table::all(tx.db).unwrap_or_default();
                peers.retain(|other| other.id != peer.id);
                let urls: Vec<Value> =
                    peers.iter().map(|other| json!({"url": other.remote_instance_url})).collect();
                members.insert("known_peers".to_owned(), json!(urls));
            };
        },
    ),
    Patch::defect(
        "accepts-audit-replication",
        &[("O.1", Conduct)],
        "Replicates its audit to any peer on request.",
        |policy| {
            policy.inbound.answer_unknown_path =
                |call| call.path.ends_with("/audit_replication").then(|| json!({"replication": "started"}));
        },
    ),
];

/// Maximum number of entries that one introduction carries.
const REPLICATED_MAX: usize = 200;
/// Member of a plan that names the next platform: a peer's id.
const NEXT_PLATFORM: &str = "forward_to";

async fn forward_migrations(platform: Arc<Platform>) {
    let due = platform.transaction::<_, MethodError>(|tx| {
        let mut due = table::all::<Migration>(tx.db)?;
        due.retain(|migration| {
            migration.direction == Direction::Inbound && next_platform(migration).is_some()
        });
        let orders: Vec<SendMigration> = due.iter().map(forwarding_order).collect();
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

fn forwarding_order(migration: &Migration) -> SendMigration {
    SendMigration {
        peer_id: next_platform(migration).unwrap_or_default().to_owned(),
        operation: migration.plan.operation.clone(),
        root_resource_kind: migration.plan.root_resource_kind.clone(),
        root_resource_id: migration.plan.root_resource_id.clone(),
        bearer_token: None,
        commit: None,
    }
}

fn next_platform(migration: &Migration) -> Option<&str> {
    let to = migration.plan.extra.get(NEXT_PLATFORM).and_then(Value::as_str);
    to.filter(|_| !migration.metadata.contains_key("passed_on"))
}
