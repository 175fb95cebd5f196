//! Defects against commitment 3: true capability claims.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::capabilities;
use crate::governance;
use crate::inbound::sync;
use crate::store::records::Record;
use crate::store::rows::{Capability, Peer};
use crate::store::{StoreError, facts, table};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use crate::variants::inventory::ONE_WAY_KINDS;
use crate::variants::sync::has_ever_passed;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::notice::finding;
use covenant_model::wire::sync::SyncBatch;

/// Defects in declared and served kinds, and in the findings about a peer's claims.
pub(super) const KINDS: &[Patch] = &[
    Patch::defect(
        "rejects-declared-kind",
        &[("3.1", Conduct)],
        "Declares every kind, but answers 422 for the last one in alphabetical order.",
        |policy| {
            policy.capabilities.serves = |row| row.resource_kind != CLAIMED;
            policy.capabilities.override_document = declare_unserved_kind;
        },
    ),
    Patch::defect(
        "serves-half-of-declared-kinds",
        &[("3.1", Conduct)],
        "Declares all kinds of its operator, but serves only the second half of the alphabet.",
        |policy| policy.capabilities.serves = |row| row.resource_kind.as_str() > "n",
    ),
    Patch::defect(
        "declares-kind-of-one-peer-to-all",
        &[("3.1", Conduct)],
        "Declares a kind to every peer, but serves it to the one that its operator chose.",
        |policy| policy.capabilities.listed = declared_to_anyone,
    )
    .hard_to_reach(),
    Patch::defect(
        "rejects-kinds-declared-to-one-peer",
        &[("3.1", Conduct)],
        "Declares a kind to the one peer that its operator chose, but serves kinds that are for every peer only.",
        |policy| policy.capabilities.serves = |row| row.peer_id.is_none(),
    )
    .hard_to_reach(),
    Patch::defect(
        "denies-records-of-kinds-declared-to-one-peer",
        &[("3.1", Conduct)],
        "Declares a kind to the one peer that its operator chose, and answers it that no record of the kind is there.",
        |policy| policy.resources.override_record = only_of_kinds_for_all,
    )
    .hard_to_reach(),
    Patch::defect(
        "rejects-declared-agents-as-not-found",
        &[("3.1", Conduct)],
        "Declares agents, but answers every request for one with not found.",
        |policy| {
            policy.resources.override_record =
                |_, _, record| Ok(Some(record).filter(|record| record.kind != "agent"));
        },
    ),
    Patch::defect(
        "applies-migrations-of-kinds-that-do-not-migrate",
        &[("3.1", Conduct)],
        "Declares a kind as not migratable, and applies a migration of it.",
        |policy| {
            policy.capabilities.refusal = |_, record, is_migrated| {
                let is_refused = is_migrated && record.kind == "bulletin";
                Ok(is_refused.then(|| "it only flows out".to_owned()))
            };
        },
    )
    .on(&ONE_WAY_KINDS),
    Patch::defect(
        "applies-migrations-of-kinds-that-flow-out",
        &[("3.1", Conduct)],
        "Declares a kind as one that only flows out, and applies a migration of it.",
        |policy| {
            policy.capabilities.refusal = |_, record, is_migrated| {
                let is_refused = is_migrated && record.kind == "ledger";
                Ok(is_refused.then(|| "it does not migrate".to_owned()))
            };
        },
    )
    .on(&ONE_WAY_KINDS),
    Patch::defect(
        "rejects-declared-schema-version",
        &[("3.2", Conduct)],
        "Declares a schema version, but rejects every migration that carries it.",
        |policy| policy.capabilities.accepts_schema = |_, given| given.is_null(),
    ),
    Patch::defect(
        "accepts-first-schema-version-only",
        &[("3.2", Conduct)],
        "Accepts migrations of the first schema version only, whatever it declares.",
        |policy| policy.capabilities.accepts_schema = |_, given| given.is_null() || given == 1,
    ),
    Patch::defect(
        "declares-the-next-schema-version",
        &[("3.2", Conduct)],
        "Declares version 3.0 of each schema, whatever version it runs.",
        |policy| {
            policy.capabilities.override_document = |document| {
                for row in document["resource_kinds"].as_array_mut().into_iter().flatten() {
                    row["schema_version"] = json!("3.0");
                }
            };
        },
    ),
    Patch::defect(
        "keeps-schema-version-of-first-use",
        &[("3.2", Conduct)],
        "Measures migrations by the schema version at the first one of their kind, whatever it declares later.",
        |policy| policy.capabilities.schema_in_force = schema_of_first_use,
    )
    .hard_to_reach(),
    Patch::defect(
        "declares-a-filter-it-ignores",
        &[("3.3", Conduct)],
        "Declares a filter, but shows records outside it.",
        |policy| policy.capabilities.passes_filter = |_, _| true,
    ),
    Patch::defect(
        "skips-filter-on-sync",
        &[("3.3", Conduct)],
        "Applies its filter to reads, but syncs records outside it.",
        |policy| policy.outbound.passes_filter = |_, _, _| true,
    ),
    Patch::defect(
        "syncs-what-left-its-filter",
        &[("3.3", Conduct)],
        "Goes on to sync a record that passed its filter once, and left it by a change.",
        |policy| policy.outbound.passes_filter = has_ever_passed,
    )
    .hard_to_reach(),
    Patch::defect(
        "ignores-filter-by-false-and-by-empty-text",
        &[("3.3", Conduct)],
        "Does not apply the part of a filter whose value is false, zero or an empty text.",
        |policy| {
            policy.capabilities.passes_filter = passes_truthy_filter;
            policy.outbound.passes_filter = |_, filter, record| passes_truthy_filter(filter, &record.body);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "matches-filter-on-any-key",
        &[("3.3", Conduct)],
        "Admits a record that matches only one key of its filter.",
        |policy| {
            policy.capabilities.passes_filter = matches_any_key;
            policy.outbound.passes_filter = |_, filter, record| matches_any_key(filter, &record.body);
        },
    ),
    Patch::defect(
        "passes-records-without-a-filtered-member",
        &[("3.3", Conduct)],
        "Admits a record that lacks a member which its filter names.",
        |policy| {
            policy.capabilities.passes_filter = passes_present_members;
            policy.outbound.passes_filter = |_, filter, record| passes_present_members(filter, &record.body);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "overlooks-capability-drift",
        &[("3.1", Detection), ("3.2", Detection), ("3.3", Detection), ("3.4", Detection), ("E.1", Detection)],
        "Does not notice any false capability claim.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::CAPABILITY_DRIFT,
    ),
    Patch::defect(
        "holds-the-first-record-of-a-batch-against-the-filter",
        &[("3.3", Detection), ("3.4", Detection)],
        "Holds the first record of a batch against the filter that its peer declares, and takes the others as they are.",
        |policy| {
            policy.sync.matches_declared_filter = |peer, batch| {
                let first = SyncBatch { records: batch.records.iter().take(1).cloned().collect(), ..batch.clone() };
                sync::matches_declared_filter(peer, &first)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "reports-drift-of-every-enrolled-peer",
        &[("3.1", Detection), ("3.2", Detection), ("3.3", Detection), ("3.4", Detection)],
        "Reports a drift of every peer that it enrols, and checks no claim.",
        |policy| {
            policy.peering.on_enrolment = report_new_peer;
            policy.governance.is_reported = |suspicion| !is_drift(suspicion) || suspicion.message == NEW_PEER;
        },
    ),
    Patch::defect(
        "reports-drift-of-every-filtered-sync",
        &[("3.4", Detection)],
        "Reports a drift of every peer that declares a filter and syncs, whatever it syncs.",
        |policy| {
            policy.sync.matches_declared_filter =
                |peer, _| !peer.capabilities.to_string().contains("\"filter\"");
        },
    ),
];

/// Defects in what counts as no capability.
pub(super) const CLAIMS: &[Patch] = &[
    Patch::defect(
        "takes-an-empty-object-for-capabilities",
        &[("3.4", Detection)],
        "Does not notice extensions whose capabilities are an empty object.",
        |policy| {
            policy.capabilities.claims_nothing =
                |claimed| *claimed != json!({}) && capabilities::claims_nothing(claimed);
        },
    ),
    Patch::defect(
        "takes-absent-capabilities-for-some",
        &[("3.4", Detection), ("E.1", Detection)],
        "Does not notice extensions of a peer that sends no capabilities at all.",
        |policy| {
            policy.capabilities.claims_nothing =
                |claimed| !claimed.is_null() && capabilities::claims_nothing(claimed);
        },
    ),
    Patch::defect(
        "takes-an-empty-list-of-kinds-for-capabilities",
        &[("3.4", Detection)],
        "Does not notice extensions whose capabilities list no kind.",
        |policy| {
            policy.capabilities.claims_nothing =
                |claimed| claimed["resource_kinds"].is_null() && capabilities::claims_nothing(claimed);
        },
    ),
];

/// Defects in the probes of a peer's claims.
pub(super) const PROBES: &[Patch] = &[
    Patch::defect(
        "overlooks-bogus-kinds",
        &[("3.1", Detection), ("3.4", Detection)],
        "Ignores a 404 for a kind that the peer declared.",
        |policy| {
            policy.outbound.is_drift = |_| false;
        },
    ),
    Patch::defect(
        "overlooks-bogus-schemas",
        &[("3.2", Detection), ("3.4", Detection)],
        "Ignores the rejection of a schema version that the peer declared.",
        |policy| {
            policy.outbound.is_schema_drift = |_| false;
        },
    ),
];

/// The kind that it declares in addition to those of its operator.
const CLAIMED: &str = "zeppelin";

fn declare_unserved_kind(document: &mut Value) {
    if let Some(kinds) = document["resource_kinds"].as_array_mut().filter(|kinds| !kinds.is_empty()) {
        kinds.push(json!({
            "kind": CLAIMED, "schema_version": 1, "direction": "bidirectional", "policy": "manual",
        }));
    }
}

fn declared_to_anyone(tx: &Transaction<'_>, peer_id: &str) -> Result<Vec<Capability>, StoreError> {
    let mut rows = capabilities::declared(tx, peer_id)?;
    for row in table::all::<Capability>(tx.db)? {
        if rows.iter().all(|known| known.resource_kind != row.resource_kind) {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn only_of_kinds_for_all(
    tx: &Transaction<'_>,
    _: &Peer,
    record: Record,
) -> Result<Option<Record>, StoreError> {
    let rows = table::all::<Capability>(tx.db)?;
    let is_for_all = rows.iter().any(|row| row.peer_id.is_none() && row.resource_kind == record.kind);
    Ok(Some(record).filter(|_| is_for_all))
}

fn schema_of_first_use(tx: &Transaction<'_>, row: &Capability) -> Value {
    let name = format!("schema/{}", row.id);
    if let Ok(Some(first)) = facts::find(tx.db, &name) {
        return first;
    }
    // The version counts for this use even where it can't be kept for the next.
    let _ = facts::set(tx.db, &name, &row.schema_version);
    row.schema_version.clone()
}

fn passes_truthy_filter(filter: &Map<String, Value>, record: &Map<String, Value>) -> bool {
    let mut truthy = filter.clone();
    truthy.retain(|_, wanted| *wanted != false && *wanted != 0 && *wanted != "");
    capabilities::passes_filter(&truthy, record)
}

fn passes_present_members(filter: &Map<String, Value>, record: &Map<String, Value>) -> bool {
    let mut present = filter.clone();
    present.retain(|name, _| record.contains_key(name));
    capabilities::passes_filter(&present, record)
}

fn matches_any_key(filter: &Map<String, Value>, record: &Map<String, Value>) -> bool {
    filter.iter().any(|(key, wanted)| {
        let found = record.get(key).unwrap_or(&Value::Null);
        wanted == found || wanted.as_array().is_some_and(|any| any.contains(found))
    })
}

const NEW_PEER: &str = "a new peer";

fn is_drift(suspicion: &Suspicion) -> bool {
    suspicion.kind == finding::CAPABILITY_DRIFT
}

fn report_new_peer(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    governance::note(tx, &peer.id, &Suspicion::soft(finding::CAPABILITY_DRIFT, NEW_PEER, json!({})))
}
