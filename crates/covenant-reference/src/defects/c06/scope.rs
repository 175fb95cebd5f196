//! Defects against 6.4: no access beyond what was declared and granted.

use jiff::Timestamp;
use serde_json::json;

use crate::Patch;
use crate::inbound::grants;
use crate::store::rows::{Capability, Grant};
use crate::store::{records, table};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::grant::Scope;

/// Defects in the limits of access.
pub(in crate::defects) const PATCHES: &[Patch] = &[
    Patch::defect(
        "omits-enumeration-finding",
        &[("6.4", Detection), ("E.1", Detection), ("E.2", Detection)],
        "Refuses enumeration, but reports no finding.",
        |policy| policy.counters.is_enumeration = |_, _| false,
    ),
    Patch::defect(
        "probes-undeclared-kinds",
        &[("6.4", Conduct)],
        "Also probes vaults and users when it probes the kinds that a peer declares.",
        |policy| {
            policy.outbound.select_probed_kinds =
                |declared| declared.into_iter().chain(["user".to_owned(), "vault".to_owned()]).collect();
        },
    ),
    Patch::defect(
        "syncs-kinds-undeclared-by-peer",
        &[("6.4", Conduct), ("7.5", Conduct)],
        "Syncs all of its kinds to every peer, whether or not the peer accepts them.",
        |policy| policy.outbound.accepts_kind = |_, _| true,
    ),
    Patch::defect(
        "accepts-migration-beyond-grant",
        &[("6.4", Detection)],
        "Accepts steps of kinds that neither the grant nor its dependencies cover.",
        |policy| policy.migration.covers_kind = |_, _, _| true,
    ),
    Patch::defect(
        "accepts-migration-of-undeclared-kind",
        &[("6.4", Detection)],
        "Accepts records of any kind in a migration, declared or not.",
        |policy| {
            policy.migration.covers_kind = |_, _, _| true;
            policy.migration.accepts_undeclared = |_| true;
        },
    ),
    Patch::defect(
        "reads-kinds-of-first-steps-only",
        &[("6.4", Detection)],
        "Reads the kinds of the first five steps of a plan, and accepts any kind after them.",
        |policy| policy.migration.select_checked_steps = |steps| &steps[..steps.len().min(5)],
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-grant-of-another-peer",
        &[("6.4", Detection)],
        "Accepts a grant from any peer that has its token.",
        |policy| policy.grants.belongs_to = |_, _| true,
    ),
    Patch::defect(
        "ignores-resource-id-of-grant",
        &[("6.4", Detection)],
        "Treats a grant for one record as a grant for every record of its kind.",
        |policy| policy.grants.covers_id = |_, _, _| true,
    ),
    Patch::defect(
        "ignores-kind-of-grant",
        &[("6.4", Detection)],
        "Serves every declared kind under any grant.",
        |policy| policy.grants.covers_kind = |_, _| true,
    ),
    Patch::defect(
        "interchanges-read-and-migrate-scopes",
        &[("6.4", Detection)],
        "Treats the scope `read` of a grant as `migrate`, and `migrate` as `read`.",
        |policy| policy.grants.allows = allows_interchanged,
    ),
    Patch::defect(
        "accepts-forged-tokens",
        &[("6.4", Detection)],
        "Accepts a token without checking its signature.",
        |policy| policy.grants.is_genuine = |_, _| true,
    ),
    Patch::defect(
        "ignores-instance-allowlists",
        &[("6.4", Detection)],
        "Ignores the lists of instances and networks that may call under a grant.",
        |policy| policy.grants.list_admits = |_, _| true,
    ),
    Patch::defect(
        "exposes-migration-to-any-peer",
        &[("6.4", Detection)],
        "Shows a migration to any peer that knows its id.",
        |policy| policy.migration.is_shown_to = |_, _| true,
    ),
    Patch::defect(
        "commits-migration-for-any-peer",
        &[("6.4", Detection)],
        "Commits an open migration for any peer that knows its id.",
        |policy| policy.migration.is_committed_by = |_, _| true,
    ),
    Patch::defect(
        "treats-allowlists-as-alternatives",
        &[("6.4", Detection)],
        "Accepts a grant if one of its allowlists matches, whatever the others say.",
        |policy| {
            policy.grants.allows_source =
                |grant, source| !grant.node_instance_ids.is_empty() || grants::allows_source(grant, source);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ignores-addresses-of-grants-to-migrate",
        &[("6.4", Detection)],
        "Compares the address of a caller with those that a grant names where the grant is no grant to migrate.",
        |policy| {
            policy.grants.allows_source = |grant, source| {
                let is_to_migrate = grant.permission_scopes.iter().any(|scope| scope == "migrate");
                is_to_migrate || grants::allows_source(grant, source)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "leaks-record-in-error-details",
        &[("6.4", Detection)],
        "Refuses an undeclared record, but reveals its content in the refusal.",
        |policy| {
            policy.resources.override_refusal = |tx, kind, id, reply| {
                if let Some(record) = records::find(tx.db, kind, id)? {
                    reply.body["details"] = json!({"refused": record.body});
                }
                Ok(())
            };
        },
    ),
    Patch::defect(
        "serves-undeclared-kinds",
        &[("6.4", Detection)],
        "Serves any kind of record under any grant, declared or not.",
        |policy| {
            policy.grants.covers_kind = |_, _| true;
            policy.resources.assume_declaration = |kind| Some(assumed_declaration(kind));
        },
    ),
    Patch::defect(
        "accepts-call-without-grant-token",
        &[("6.4", Detection)],
        "Uses any grant of the caller if a call has no token.",
        |policy| {
            policy.grants.assume_grant = |tx, peer_id| Ok(table::of_peer::<Grant>(tx.db, peer_id)?.pop());
        },
    ),
    Patch::defect(
        "exposes-internal-config",
        &[("6.4", Detection)],
        "Shows its configuration to any peer that asks.",
        |policy| {
            policy.inbound.answer_unknown_path = |call| {
                call.path.ends_with("/internal/config").then(|| json!({"database": "db.internal:5432"}))
            };
        },
    ),
    Patch::defect(
        "accepts-delete-request-on-resource",
        &[("6.4", Detection)],
        "Accepts a deletion from any peer that may read.",
        |policy| {
            policy.inbound.answer_unknown_path = |call| {
                (call.method == "DELETE" && call.path.contains("/resources/"))
                    .then(|| json!({"deleted": true}))
            };
        },
    ),
    Patch::defect(
        "accepts-write-request-on-resource",
        &[("6.4", Detection)],
        "Accepts changes to a record from a peer that may only read it.",
        |policy| {
            policy.inbound.answer_unknown_path = |call| {
                let is_change = ["PUT", "PATCH", "POST"].contains(&call.method.as_str());
                (is_change && call.path.contains("/resources/")).then(|| json!({"changed": true}))
            };
        },
    ),
];

fn allows_interchanged(grant: &Grant, scope: Scope, now: Timestamp) -> bool {
    let alike = match scope {
        Scope::Read => Scope::Migrate,
        Scope::Migrate => Scope::Read,
        other => other,
    };
    grants::allows(grant, scope, now) || grants::allows(grant, alike, now)
}

fn assumed_declaration(kind: &str) -> Capability {
    Capability {
        id: kind.to_owned(),
        peer_id: None,
        resource_kind: kind.to_owned(),
        schema_version: json!(1),
        direction: "bidirectional".to_owned(),
        policy: "manual".to_owned(),
        filter: None,
        conflict_resolution: None,
        dependencies: Vec::new(),
        migratable: None,
    }
}
