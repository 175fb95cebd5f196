//! Defects against commitment 4: notice and grace of a revocation.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::Patch;
use crate::inbound::{grants, identity};
use crate::migration::{self, Outcome, Plan};
use crate::outbound::Called;
use crate::peering::{GRACE, grace_lasts};
use crate::store::rows::{Migration, Peer, Side};
use crate::store::{StoreError, facts, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::notice::kind;
use covenant_model::wire::state::PeerStatus;
use covenant_net::net::Inbound;

/// Defects in the grace for open migrations, and in the rejection of other calls after a revocation (4.3, 11.5).
pub(super) const AFTER_REVOCATION: &[Patch] = &[
    Patch::defect(
        "denies-migration-grace",
        &[("4.3", Conduct)],
        "Refuses open migrations as soon as it revokes.",
        |policy| policy.peering.compute_grace_end = |effective_at| effective_at,
    ),
    Patch::defect(
        "denies-grace-to-revoking-peer",
        &[("4.3", Conduct)],
        "Refuses a peer's open migrations as soon as the peer revokes.",
        |policy| {
            policy.migration.is_in_grace = |peer, migration, now| {
                peer.revoked_by != Some(Side::Remote) && migration::plan::is_in_grace(peer, migration, now)
            }
        },
    ),
    Patch::defect(
        "ends-grace-at-a-restart",
        &[("4.3", Conduct)],
        "Ends the grace of each ended peering when it starts.",
        |policy| {
            policy.peering.on_start = |tx| {
                for mut peer in table::all::<Peer>(tx.db)? {
                    peer.grace_until = peer.grace_until.map(|end| end.min(tx.now));
                    table::put(tx.db, &peer)?;
                }
                Ok(())
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "refuses-migration-received-at-revocation",
        &[("4.3", Conduct)],
        "Refuses a migration whose body was half received when it revoked.",
        |policy| policy.migration.takes_what_began = false,
    ),
    Patch::defect(
        "loses-migration-received-at-revocation",
        &[("4.3", Conduct)],
        "Reports a migration whose body was half received when it revoked as applied, but stores nothing of it.",
        |policy| {
            policy.migration.apply = |plan| {
                if plan.peer.status != PeerStatus::Revoked || plan.request.commit == Some(false) {
                    return migration::apply(plan);
                }
                let applied = u64::try_from(plan.request.steps.len()).unwrap_or(u64::MAX);
                Ok(Outcome { applied, ..Outcome::default() })
            }
        },
    ),
    Patch::defect(
        "extends-grace-to-an-hour",
        &[("4.3", Conduct)],
        "Accepts open migrations for an hour after a revocation.",
        |policy| {
            policy.peering.compute_grace_end = hour_after;
            policy.migration.is_in_grace = is_within_grace;
        },
    ),
    Patch::defect(
        "measures-grace-from-migration-opening",
        &[("4.3", Conduct), ("9.2", Detection)],
        "Measures the five minutes of grace from the opening of a migration.",
        |policy| {
            policy.migration.is_in_grace = |_, migration, now| {
                migration.status == "transferring" && now.duration_since(migration.opened_at) < GRACE
            }
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "limits-grace-to-one-migration",
        &[("4.3", Conduct)],
        "Accepts one open migration within the grace, and refuses the others.",
        |policy| {
            policy.migration.apply = |plan| {
                if plan.peer.grace_until.is_some() {
                    table::put(plan.tx.db, &Peer { grace_until: None, ..plan.peer.clone() })?;
                }
                migration::apply(plan)
            }
        },
    ),
    Patch::defect(
        "shortens-grace-of-later-revocations",
        &[("4.3", Conduct)],
        "Grants five minutes of grace at its first revocation, and two at each later one.",
        |policy| {
            policy.migration.apply = |plan| {
                if is_late_after_later_revocation(plan)? {
                    let message = "the grace has ended".to_owned();
                    return Err(migration::Failure::Failed { message, conflict: None });
                }
                migration::apply(plan)
            }
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "confirms-commit-without-storing",
        &[("4.3", Conduct), ("7.2", Conduct), ("7.3", Conduct)],
        "Reports an open migration as applied, but stores nothing of it.",
        |policy| {
            policy.migration.apply = |plan| match plan.request.commit {
                Some(false) => {
                    let applied = u64::try_from(plan.request.steps.len()).unwrap_or(u64::MAX);
                    Ok(Outcome { applied, ..Outcome::default() })
                }
                _ => migration::apply(plan),
            }
        },
    ),
    Patch::defect(
        "overlooks-denied-grace",
        &[("4.3", Detection)],
        "Does not notice that a revoking peer cuts off open migrations.",
        |policy| policy.outbound.cuts_grace = |_, _, _| false,
    ),
    Patch::defect(
        "reports-cut-only-after-grace",
        &[("4.3", Detection)],
        "Reports a migration in flight as cut off only if it is refused after the grace.",
        |policy| {
            policy.outbound.cuts_grace = |peer, now, called| {
                let is_over = peer.revoked_at.is_some_and(|at| now.duration_since(at) >= GRACE);
                is_over && called.is_refused()
            };
        },
    ),
    Patch::defect(
        "reports-rejection-just-after-grace",
        &[("4.3", Detection)],
        "Expects a revoking peer to grant six minutes of grace.",
        |policy| {
            policy.outbound.cuts_grace =
                |peer, now, called| cuts_grace_of(SignedDuration::from_mins(6), peer, now, called);
        },
    ),
    Patch::defect(
        "expects-four-minutes-of-grace",
        &[("4.3", Detection)],
        "Expects a revoking peer to grant only four minutes of grace.",
        |policy| {
            policy.outbound.cuts_grace =
                |peer, now, called| cuts_grace_of(SignedDuration::from_mins(4), peer, now, called);
        },
    ),
    Patch::defect(
        "serves-revoked-peer",
        &[("4.3", Conduct), ("11.5", Conduct), ("11.5", Detection)],
        "Continues to serve a revoked peer, with the peer's old certificate.",
        |policy| {
            policy.identity.is_revoked = |_, _| false;
            policy.identity.may_call =
                |peer, now| peer.status == PeerStatus::Revoked || identity::may_call(peer, now);
        },
    ),
    Patch::defect(
        "serves-self-revoked-peer",
        &[("4.3", Conduct), ("11.5", Detection)],
        "Continues to serve a peer that revoked, with the peer's old certificate.",
        |policy| {
            policy.identity.is_revoked = |peer, _| peer.revoked_by == Some(Side::Local);
            policy.identity.may_call =
                |peer, now| peer.revoked_by == Some(Side::Remote) || identity::may_call(peer, now);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "serves-revoked-peer-on-open-connection",
        &[("11.5", Conduct), ("11.5", Detection)],
        "Serves a revoked peer on its open connection, except for migrations.",
        |policy| policy.identity.is_admitted = is_admitted_on_connection,
    )
    .hard_to_reach(),
    Patch::defect(
        "serves-excerpts-to-revoked-peer",
        &[("11.5", Conduct), ("11.5", Detection)],
        "Refuses a revoked peer on every route but the one of the audit excerpts.",
        |policy| {
            policy.history.is_open_to = |_| true;
            policy.identity.is_admitted =
                |tx, call, peer| Ok(is_admitted_on(tx, call, peer, "/audit_excerpts"));
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "serves-resources-to-revoked-peer",
        &[("11.5", Conduct), ("11.5", Detection)],
        "Refuses a revoked peer on every route but the one of the resources.",
        |policy| {
            policy.grants.is_revoked = |grant| grants::is_revoked(grant) && !grant.revoked_with_peer;
            policy.identity.is_admitted = |tx, call, peer| Ok(is_admitted_on(tx, call, peer, "/resources/"));
        },
    ),
    Patch::defect(
        "accepts-sync-of-revoked-peer",
        &[("11.5", Conduct), ("11.5", Detection)],
        "Refuses a revoked peer on every route but the one of the sync.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| Ok(is_admitted_on(tx, call, peer, "/sync"));
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "serves-operator-revoked-peer",
        &[("4.3", Conduct), ("11.5", Conduct)],
        "Continues to serve a peer that its operator revoked, with the peer's old certificate.",
        |policy| {
            policy.identity.is_revoked = |peer, _| peer.revoked_by == Some(Side::Remote);
            policy.identity.may_call =
                |peer, now| peer.revoked_by == Some(Side::Local) || identity::may_call(peer, now);
        },
    ),
    Patch::defect(
        "serves-revoked-peer-once-degraded",
        &[("4.3", Conduct), ("11.5", Conduct)],
        "Shows a degraded peer as revoked, but continues to serve it.",
        |policy| {
            policy.peering.revokes_certificate = |peer| peer.status != PeerStatus::Degraded;
            policy.identity.may_call = |peer, now| {
                let is_forgotten =
                    peer.status == PeerStatus::Revoked && peer.certificate_revoked_at.is_none();
                is_forgotten || identity::may_call(peer, now)
            };
        },
    ),
    Patch::defect(
        "serves-revoked-peer-during-grace",
        &[("11.5", Conduct), ("11.5", Detection)],
        "Serves a revoked peer, with its old certificate, until the grace for its migrations ends.",
        |policy| {
            policy.identity.is_revoked =
                |peer, now| !grace_lasts(peer, now) && identity::is_revoked(peer, now);
            policy.identity.may_call = |peer, now| grace_lasts(peer, now) || identity::may_call(peer, now);
        },
    )
    .hard_to_reach(),
];

/// Defects in the notice of a revocation, and in the detection of a revocation without notice.
pub(super) const NOTICES: &[Patch] = &[
    Patch::defect(
        "omits-peer-revocation-notice",
        &[("4.1", Conduct), ("4.2", Conduct)],
        "Does not announce a revocation in any form.",
        |policy| policy.outbound.is_sent = |notice| notice.event.kind != kind::PEER_REVOKED,
    ),
    Patch::defect(
        "sends-revocation-notice-a-minute-late",
        &[("4.1", Conduct), ("4.2", Conduct)],
        "Sends the notice of a revocation a minute late, after the first refused call.",
        |policy| {
            policy.outbound.delay_notice = |notice_kind| {
                let minutes = i64::from(notice_kind == kind::PEER_REVOKED);
                SignedDuration::from_mins(minutes)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "tears-down-before-notice",
        &[("4.1", Conduct), ("4.2", Conduct)],
        "Puts a revocation in force before it sends the notice.",
        |policy| policy.peering.announces_first = false,
    ),
    Patch::defect(
        "ends-grants-before-revocation-notice",
        &[("4.1", Conduct), ("4.2", Conduct)],
        "Serves no grant of a peer from the moment of its revocation, and cuts its heartbeats after the notice.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let is_ended = peer.pending_revocation.is_some() && call.path.contains("/resources/");
                Ok(identity::is_admitted(tx, peer) && !is_ended)
            };
        },
    ),
    Patch::defect(
        "omits-revocation-notice-to-suspended",
        &[("4.1", Conduct), ("4.2", Conduct)],
        "Revokes a suspended peer without a notice.",
        |policy| policy.peering.announces_to = |peer| peer.suspended_reason.is_none(),
    ),
    Patch::defect(
        "never-retries-peer-revocation-notice",
        &[("4.1", Conduct), ("4.2", Conduct)],
        "Sends the notice of a peer's revocation once, and never retries it.",
        |policy| {
            policy.outbound.is_sent =
                |notice| notice.event.kind != kind::PEER_REVOKED || notice.attempts == 0;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-revoked-status-without-event",
        &[("4.1", Conduct)],
        "Announces a revocation by the heartbeat's status, without the event.",
        |policy| {
            policy.outbound.override_heartbeat = |body| {
                if body.get("status") == Some(&json!("revoked")) {
                    body.remove("events");
                }
            };
        },
    ),
    Patch::defect(
        "sends-revoked-event-without-status",
        &[("4.2", Conduct)],
        "Announces a revocation by its event, in a heartbeat whose status is unchanged.",
        |policy| {
            policy.outbound.override_heartbeat = |body| {
                body.insert("status".to_owned(), json!("active"));
            };
        },
    ),
    Patch::defect(
        "overlooks-silent-revocation",
        &[("4.1", Detection), ("4.2", Detection)],
        "Does not report a peer that refuses every call.",
        |policy| {
            policy.outbound.has_revoked_silently = |_, _| false;
            policy.outbound.is_stale = |_, _| false;
        },
    ),
    Patch::defect(
        "overlooks-unreachable-peer",
        &[("4.1", Detection)],
        "Reports a peer that refuses its calls, but not a peer that is unreachable.",
        |policy| policy.outbound.is_stale = |_, _| false,
    ),
    Patch::defect(
        "reports-silent-revocation-after-a-day",
        &[("4.1", Detection), ("4.2", Detection)],
        "Notices a peer that refuses every call only after a day.",
        |policy| {
            policy.outbound.is_stale =
                |last_call_at, now| now.duration_since(last_call_at) > SignedDuration::from_hours(24);
            policy.outbound.has_revoked_silently = |peer, now| {
                peer.refusing_since
                    .is_some_and(|since| now.duration_since(since) > SignedDuration::from_hours(24))
            };
        },
    ),
];

/// Returns whether the peer of a plan was revoked more than two minutes ago, and another peer before it.
fn is_late_after_later_revocation(plan: &Plan<'_>) -> Result<bool, StoreError> {
    let Some(revoked_at) = plan.peer.revoked_at else { return Ok(false) };
    let is_later = table::all::<Peer>(plan.tx.db)?
        .iter()
        .any(|other| other.id != plan.peer.id && other.revoked_at.is_some_and(|at| at < revoked_at));
    Ok(is_later && plan.tx.now.duration_since(revoked_at) > SignedDuration::from_mins(2))
}

fn hour_after(effective_at: Timestamp) -> Timestamp {
    effective_at.saturating_add(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MAX)
}

fn is_within_grace(peer: &Peer, migration: &Migration, now: Timestamp) -> bool {
    migration.status == "transferring" && peer.grace_until.is_some_and(|end| now < end)
}

/// Returns whether a peer that gave notice refuses an open migration within a grace of this length.
fn cuts_grace_of(grace: SignedDuration, peer: &Peer, now: Timestamp, called: &Called) -> bool {
    let is_owed = peer.revoked_at.is_some_and(|at| now.duration_since(at) < grace);
    peer.revoked_by == Some(Side::Remote) && is_owed && called.is_refused()
}

/// Returns whether a peer may call, which a revoked one may on this route alone.
fn is_admitted_on(tx: &Transaction<'_>, call: &Inbound, peer: &Peer, route: &str) -> bool {
    identity::is_admitted(tx, peer) || peer.status == PeerStatus::Revoked && call.path.contains(route)
}

fn is_admitted_on_connection(tx: &Transaction<'_>, call: &Inbound, peer: &Peer) -> Result<bool, StoreError> {
    let connection = format!("connection {} of {}", call.connection, peer.id);
    if identity::is_admitted(tx, peer) {
        facts::set(tx.db, &connection, &json!(true))?;
        return Ok(true);
    }
    let is_revoked = peer.status == PeerStatus::Revoked && !call.path.contains("/migrations");
    Ok(is_revoked && facts::find(tx.db, &connection)?.is_some())
}
