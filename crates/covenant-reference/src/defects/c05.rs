//! Defects against commitment 5: audit and excerpts.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::operator_api::OPERATOR;
use crate::store::rows::{AuditEntry, Direction, Grant, Peer};
use crate::store::{StoreError, facts, records, table};
use crate::transaction::Transaction;
use crate::variants::FORBIDS_SUSPENDED;
use crate::{Patch, history};
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::state::PeerStatus;

/// Defects in the audit and in the excerpts that the platform sends.
pub(super) const AUDIT: &[Patch] = &[
    Patch::defect(
        "omits-rejected-calls-from-audit",
        &[("5.1", Conduct)],
        "Audits only successful calls.",
        |policy| policy.history.override_entry = |_, entry| was_granted(&entry).then_some(entry),
    ),
    Patch::defect(
        "stores-excerpt-entries-in-own-audit",
        &[("5.1", Conduct)],
        "Stores the entries of a peer's excerpt in its own audit, as if they had occurred here.",
        |policy| policy.outbound.store_excerpt = store_entries,
    ),
    Patch::defect(
        "audits-successes-twice-rejections-never",
        &[("5.1", Conduct)],
        "Audits each success twice, under two names, and no rejection.",
        |policy| {
            policy.history.override_entry = |_, entry| was_granted(&entry).then_some(entry);
            policy.history.derive_extra_entry = |entry| {
                let action = format!("{}.seen", entry.action);
                was_granted(entry).then(|| AuditEntry { action, ..entry.clone() })
            };
        },
    ),
    Patch::defect(
        "duplicates-audit-entries",
        &[("5.1", Conduct)],
        "Writes each audit entry twice.",
        |policy| {
            policy.history.derive_extra_entry = |entry| Some(entry.clone());
        },
    ),
    Patch::defect(
        "omits-outbound-calls-from-audit",
        &[("5.1", Conduct)],
        "Audits inbound calls, but no outbound calls.",
        |policy| {
            policy.history.override_entry = |_, entry| (entry.direction == Direction::Inbound).then_some(entry);
        },
    ),
    Patch::defect(
        "omits-reads-of-catalogue-from-audit",
        &[("5.1", Conduct)],
        "Audits no read of its service catalogue and none of its trust bundle.",
        |policy| {
            policy.history.override_entry = |_, entry| {
                let is_public =
                    ["/service_catalog", "/trust_bundle"].iter().any(|end| entry.route.ends_with(end));
                (entry.direction == Direction::Outbound || !is_public).then_some(entry)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-conflicting-calls-from-audit",
        &[("5.1", Conduct)],
        "Audits no call that it answers with a conflict, and every other.",
        |policy| {
            policy.history.override_entry = |_, entry| (entry.status != Some(CONFLICT)).then_some(entry);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-invalid-calls-from-audit",
        &[("5.1", Conduct)],
        "Audits no call that it answers with 400.",
        |policy| policy.history.override_entry = |_, entry| (entry.status != Some(400)).then_some(entry),
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-reads-of-absent-records-from-audit",
        &[("5.1", Conduct)],
        "Audits no read of a record that is not there.",
        |policy| {
            policy.history.override_entry = |tx, entry| {
                let read = entry.route.split_once("/resources/").and_then(|(_, place)| place.split_once('/'));
                let is_absent = read.is_some_and(|(kind, id)| {
                    was_granted(&entry) && records::find(tx.db, kind, id).is_ok_and(|record| record.is_none())
                });
                (!is_absent).then_some(entry)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-calls-of-suspended-peers-from-audit",
        &[("5.1", Conduct)],
        "Audits no call of a peer that is suspended.",
        |policy| {
            policy.history.override_entry = |tx, entry| {
                let peer: Option<Peer> = table::find(tx.db, &entry.federation_peer_id).ok().flatten();
                let is_suspended = peer.is_some_and(|peer| peer.status == PeerStatus::Suspended);
                let is_refused = is_suspended && entry.direction == Direction::Inbound && !was_granted(&entry);
                (!is_refused).then_some(entry)
            };
        },
    )
    .hard_to_reach()
    .on(&FORBIDS_SUSPENDED),
    Patch::defect(
        "omits-commits-from-audit",
        &[("5.1", Conduct)],
        "Audits a migration when it is sent, and never its commit.",
        |policy| {
            policy.history.override_entry = |_, entry| (!entry.route.ends_with("/commit")).then_some(entry);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-ends-of-subscriptions-from-audit",
        &[("5.1", Conduct)],
        "Audits each subscription, and the end of none.",
        |policy| {
            policy.history.override_entry = |_, entry| (!entry.route.starts_with("DELETE ")).then_some(entry);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-own-migrations-from-audit",
        &[("5.1", Conduct)],
        "Audits each call of its own but the migrations that it sends.",
        |policy| policy.history.override_entry = |_, entry| (!is_sent(&entry, "migrations")).then_some(entry),
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-own-batches-from-audit",
        &[("5.1", Conduct)],
        "Audits each call of its own but the batches of records that it sends.",
        |policy| policy.history.override_entry = |_, entry| (!is_sent(&entry, "sync")).then_some(entry),
    )
    .hard_to_reach(),
    Patch::defect(
        "audits-calls-for-owner-of-grant",
        &[("5.1", Conduct)],
        "Audits a call under a grant of another peer as a call of that peer.",
        |policy| {
            policy.history.choose_account =
                |caller, owner_of_grant| owner_of_grant.unwrap_or(caller).to_owned();
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "audits-first-peer-alone",
        &[("5.1", Conduct)],
        "Audits the calls of the peer that joined first, and those of no other peer.",
        |policy| {
            policy.history.override_entry = |tx, entry| {
                let peers: Vec<Peer> = table::all(tx.db).unwrap_or_default();
                let first = peers.iter().min_by_key(|peer| (peer.proposed_at, &peer.id));
                let is_first = first.is_none_or(|peer| peer.id == entry.federation_peer_id);
                is_first.then_some(entry)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "records-platform-as-remote-subject",
        &[("5.2", Conduct)],
        "Records itself as the remote subject.",
        |policy| {
            policy.history.override_entry =
                |_, entry| Some(AuditEntry { remote_subject: "platform".to_owned(), ..entry });
        },
    ),
    Patch::defect(
        "omits-grant-subject-from-audit",
        &[("5.2", Conduct)],
        "Omits the subject from an audit entry if a grant carried the call.",
        |policy| {
            policy.history.override_entry = |_, entry| {
                let by_grant = !entry.remote_subject.starts_with("fed:");
                Some(AuditEntry {
                    remote_subject: if by_grant { String::new() } else { entry.remote_subject },
                    ..entry
                })
            }
        },
    ),
    Patch::defect(
        "omits-subject-of-migrations-from-audit",
        &[("5.2", Conduct)],
        "Names no subject in the audit entry of a migration.",
        |policy| {
            policy.history.override_entry = |_, entry| {
                let is_migration = entry.route.contains("/migrations");
                let remote_subject = if is_migration { String::new() } else { entry.remote_subject };
                Some(AuditEntry { remote_subject, ..entry })
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "records-subject-of-first-grant",
        &[("5.2", Conduct)],
        "Names the subject of a peer's first grant in the audit entries of calls under each grant.",
        |policy| {
            policy.history.choose_subject = |tx, grant| {
                let grants: Vec<Grant> = table::of_peer(tx.db, &grant.peer_id)?;
                let first = grants.into_iter().min_by_key(|grant| grant.issued_at);
                Ok(first.unwrap_or(grant).remote_subject)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "records-first-peer-as-subject-of-heartbeats",
        &[("5.2", Conduct), ("5.4", Conduct)],
        "Names the peer that joined first as the one who sent each heartbeat.",
        |policy| {
            policy.history.override_entry = |tx, entry| {
                let peers: Vec<Peer> = table::all(tx.db).unwrap_or_default();
                let first = peers.iter().min_by_key(|peer| (peer.proposed_at, &peer.id));
                let is_heartbeat = entry.direction == Direction::Inbound && entry.action == "federation.heartbeat";
                let named = first.filter(|_| is_heartbeat).map(|peer| format!("fed:{}", peer.id));
                let remote_subject = named.unwrap_or_else(|| entry.remote_subject.clone());
                Some(AuditEntry { remote_subject, ..entry })
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "omits-peer-id-from-audit",
        &[("5.1", Conduct), ("5.4", Conduct)],
        "Omits the peer's id from an audit entry.",
        |policy| {
            policy.history.override_entry =
                |_, entry| Some(AuditEntry { federation_peer_id: String::new(), ..entry });
            policy.history.belongs_to = |_, _, _| true;
        },
    ),
    Patch::defect(
        "shows-audit-of-all-peers",
        &[("5.4", Conduct)],
        "Sends every peer the audit of all peers.",
        |policy| policy.history.belongs_to = |_, _, _| true,
    ),
    Patch::defect(
        "shows-audit-of-revoked-peers",
        &[("5.4", Conduct)],
        "Leaves the entries of the other peers out of an excerpt, but not those of peers that are revoked.",
        |policy| {
            policy.history.belongs_to = |tx, entry, peer_id| {
                let peer = table::find::<Peer>(tx.db, &entry.federation_peer_id).ok().flatten();
                let is_gone = peer.is_some_and(|peer| peer.status == PeerStatus::Revoked);
                is_gone || history::belongs_to(tx, entry, peer_id)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "shows-audit-of-all-peers-after-a-restart",
        &[("5.4", Conduct)],
        "Sends every peer the audit of all peers once it was started a second time.",
        |policy| {
            policy.history.belongs_to =
                |tx, entry, peer_id| history::belongs_to(tx, entry, peer_id) || last_start(tx).is_some();
            policy.peering.on_start = note_start;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "takes-excerpts-from-the-last-start-on",
        &[("5.4", Conduct)],
        "Takes an excerpt from what happened since it was last started.",
        |policy| {
            policy.history.belongs_to = |tx, entry, peer_id| {
                let is_recent = last_start(tx).is_none_or(|start| entry.at >= start);
                history::belongs_to(tx, entry, peer_id) && is_recent
            };
            policy.peering.on_start = note_start;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "shows-full-audit-to-readmitted-peer",
        &[("5.4", Conduct)],
        "Sends a peer that was revoked and admitted again the audit of all peers.",
        |policy| {
            policy.history.belongs_to =
                |tx, entry, peer_id| history::belongs_to(tx, entry, peer_id) || has_returned(tx, peer_id);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "shows-migrations-of-all-peers-in-excerpt",
        &[("5.4", Conduct)],
        "Sends every peer the migrations of all peers, beside the peer's own entries.",
        |policy| {
            policy.history.belongs_to = |_, entry, peer_id| {
                entry.federation_peer_id == peer_id || entry.route.ends_with("/migrations")
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "takes-excerpts-by-subject",
        &[("5.4", Conduct)],
        "Sends a peer the entries of every call under a subject that one of its grants has.",
        |policy| {
            policy.history.belongs_to = |tx, entry, peer_id| {
                let grants: Vec<Grant> = table::of_peer(tx.db, peer_id).unwrap_or_default();
                let is_named = grants.iter().any(|grant| grant.remote_subject == entry.remote_subject);
                is_named || history::belongs_to(tx, entry, peer_id)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "adds-operator-notes-to-excerpts",
        &[("5.4", Conduct)],
        "Adds what its operator noted about the peer to each entry of an excerpt.",
        |policy| {
            policy.inbound.override_body = |route, body| {
                let peer_id = body.pointer("/data/peer_id").and_then(Value::as_str).unwrap_or_default();
                let note = format!("{peer_id} asks for more than it needs");
                add_to_events(route, body, "operator_note", &note);
            };
        },
    ),
    Patch::defect(
        "names-local-user-in-excerpts",
        &[("5.4", Conduct)],
        "Names the local user under whose account an entry was written in the entries of an excerpt.",
        |policy| policy.inbound.override_body = |route, body| add_to_events(route, body, "user_id", OPERATOR),
    ),
    Patch::defect(
        "sends-empty-excerpts",
        &[("5.3", Conduct), ("5.4", Conduct)],
        "Answers with an excerpt at once, but the excerpt is empty.",
        |policy| policy.history.belongs_to = |_, _, _| false,
    ),
    Patch::defect(
        "omits-rejected-calls-from-excerpts",
        &[("5.4", Conduct)],
        "Audits rejected calls, but omits them from the caller's excerpt.",
        |policy| {
            policy.history.belongs_to =
                |tx, entry, peer_id| history::belongs_to(tx, entry, peer_id) && was_granted(entry);
        },
    ),
    Patch::defect(
        "refuses-excerpts-of-a-window",
        &[("5.3", Conduct)],
        "Refuses each request for an excerpt that names the window for which it is.",
        |policy| policy.history.read_time = |_| None,
    ),
    Patch::defect(
        "ignores-offset-of-a-window",
        &[("5.4", Conduct)],
        "Reads the ends of a requested window as if they were stated in UTC, and states them as it was asked.",
        |policy| {
            policy.history.read_time = |text| {
                let stated = text.len().checked_sub(OFFSET.len()).filter(|_| !text.ends_with('Z'));
                let utc = stated.and_then(|end| text.get(..end)).map(|start| format!("{start}Z"));
                utc.and_then(|utc| utc.parse().ok()).or_else(|| history::read_time(text))
            };
            policy.history.state_time =
                |time, asked| asked.map_or_else(|| time.to_string(), ToOwned::to_owned);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-promised-excerpt-to-anyone",
        &[("5.4", Conduct)],
        "Promises each excerpt for an hour later, and sends it to any peer that names the promise.",
        |policy| {
            policy.history.excerpt_delay = |_, _| Some(SignedDuration::from_hours(1));
            policy.history.is_promised_to = |_, _| true;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-the-end-of-a-window",
        &[("5.4", Conduct)],
        "Omits from the excerpt of a window of hours what happened in its first half.",
        |policy| {
            policy.history.is_within = |since, until, at| {
                let window = until.duration_since(since);
                let is_short = window < SignedDuration::from_hours(24);
                history::is_within(since, until, at) && !(is_short && at.duration_since(since) < window / 2)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "takes-excerpt-from-first-hundred-entries",
        &[("5.3", Conduct), ("5.4", Conduct)],
        "Takes an excerpt from the first hundred entries of a peer, whatever window it is for.",
        |policy| {
            policy.history.select_entries = |peer_id, mut entries| {
                entries.retain(|entry| entry.federation_peer_id == peer_id);
                entries.truncate(LONG_LOG);
                entries
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "withholds-excerpt-of-a-long-log",
        &[("5.3", Conduct)],
        "Promises the excerpt of a peer with more than a hundred entries, and never sends it.",
        |policy| {
            policy.history.excerpt_delay =
                |tx, peer_id| has_long_log(tx, peer_id).then(|| SignedDuration::from_hours(72));
            policy.history.is_due = |_, _| false;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "promises-excerpt-in-four-days",
        &[("5.3", Conduct)],
        "Promises an excerpt for four days later.",
        |policy| policy.history.excerpt_delay = |_, _| Some(SignedDuration::from_hours(96)),
    ),
    Patch::defect(
        "promises-excerpt-a-second-late",
        &[("5.3", Conduct)],
        "Promises an excerpt for 72 hours and one second later.",
        |policy| policy.history.excerpt_delay = |_, _| Some(SignedDuration::from_secs(72 * 3600 + 1)),
    )
    .hard_to_reach(),
];

/// Defects in the detection of overdue excerpts.
pub(super) const REQUESTED_EXCERPTS: &[Patch] = &[
    Patch::defect(
        "overlooks-overdue-excerpts",
        &[("5.3", Detection)],
        "Does not report an excerpt that never arrives.",
        |policy| policy.outbound.is_overdue = |_, _| false,
    ),
    Patch::defect(
        "accepts-rejection-as-excerpt",
        &[("5.3", Detection)],
        "Stops waiting for an excerpt once the peer refuses it.",
        |policy| {
            policy.outbound.contains_excerpt = |called| called.status.is_some_and(|status| status != 202);
        },
    ),
    Patch::defect(
        "reports-overdue-excerpt-after-a-week",
        &[("5.3", Detection)],
        "Reports an overdue excerpt only after a week.",
        |policy| {
            policy.outbound.is_overdue =
                |request, now| now.duration_since(request.requested_at) > SignedDuration::from_hours(24 * 7);
        },
    )
    .hard_to_reach(),
];

fn store_entries(tx: &Transaction<'_>, excerpt: &Value) -> Result<(), StoreError> {
    for event in excerpt["events"].as_array().into_iter().flatten() {
        let text = |name: &str| event["payload"][name].as_str().unwrap_or_default().to_owned();
        let entry = AuditEntry {
            id: tx.new_id(),
            at: tx.now,
            federation_peer_id: text("federation_peer_id"),
            remote_subject: text("remote_subject"),
            action: text("action"),
            direction: Direction::Inbound,
            route: text("action"),
            status: Some(200),
            correlation_id: tx.correlation_id.clone(),
        };
        table::put(tx.db, &entry)?;
    }
    Ok(())
}

fn add_to_events(route: &str, body: &mut Value, member: &str, text: &str) {
    let events = body.pointer_mut("/data/events").filter(|_| route == "audit_excerpts");
    for event in events.and_then(Value::as_array_mut).into_iter().flatten() {
        event["payload"][member] = Value::from(text);
    }
}

/// The fact under which these defects keep the time of the last start.
const LAST_START: &str = "last_start";

/// Notes the time of a start after the first.
fn note_start(tx: &Transaction<'_>) -> Result<(), StoreError> {
    let starts = facts::find(tx.db, facts::STARTS)?.and_then(|starts| starts.as_u64());
    if starts.is_some_and(|starts| starts > 1) {
        facts::set(tx.db, LAST_START, &Value::from(tx.now.to_string()))?;
    }
    Ok(())
}

/// Returns the time of the last start after the first.
fn last_start(tx: &Transaction<'_>) -> Option<Timestamp> {
    facts::text(tx.db, LAST_START).ok().flatten()?.parse().ok()
}

/// The status of a call that conflicts with what is there.
const CONFLICT: u16 = 409;

/// The form of an offset from UTC.
const OFFSET: &str = "+00:00";

/// The number of entries of a peer beyond which its log is long.
const LONG_LOG: usize = 100;

fn has_long_log(tx: &Transaction<'_>, peer_id: &str) -> bool {
    let entries: Vec<AuditEntry> = table::all(tx.db).unwrap_or_default();
    entries.iter().filter(|entry| entry.federation_peer_id == peer_id).count() > LONG_LOG
}

fn was_granted(entry: &AuditEntry) -> bool {
    entry.status.is_some_and(|status| status < 400)
}

fn has_returned(tx: &Transaction<'_>, peer_id: &str) -> bool {
    let peers: Vec<Peer> = table::all(tx.db).unwrap_or_default();
    let address = peers.iter().find(|peer| peer.id == peer_id).map(|peer| &peer.remote_instance_url);
    let is_gone = |peer: &Peer| peer.status == PeerStatus::Revoked;
    peers.iter().any(|peer| is_gone(peer) && Some(&peer.remote_instance_url) == address)
}

/// Returns whether an entry is about a call of the platform's own to a route of this name.
fn is_sent(entry: &AuditEntry, route: &str) -> bool {
    entry.direction == Direction::Outbound && entry.route.contains(route)
}
