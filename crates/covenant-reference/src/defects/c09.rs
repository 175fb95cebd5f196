//! Defects against commitment 9: disclosure of a compromise.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::c11::readmit;
use crate::Patch;
use crate::inbound::identity;
use crate::store::rows::{Notice, Peer, Side};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;
use covenant_model::wire::state::PeerStatus;
use covenant_net::net::Inbound;

/// Defects in the treatment of a peer that discloses a compromise.
pub(super) const PEER_COMPROMISE: &[Patch] = &[
    Patch::defect(
        "keeps-compromised-peer-active",
        &[("9.2", Detection)],
        "Does not suspend a peer that disclosed a compromise.",
        |policy| policy.notices.suspends_compromised = |_, _| false,
    ),
    Patch::defect(
        "suspends-for-stolen-certificates-only",
        &[("9.2", Detection)],
        "Suspends a peer that discloses a stolen certificate, and none that discloses another compromise.",
        |policy| policy.notices.suspends_compromised = |_, payload| payload["kind"] == "certificate",
    ),
    Patch::defect(
        "tolerates-disclosed-exfiltration",
        &[("9.2", Detection)],
        "Does not suspend a peer that discloses an exfiltration.",
        |policy| policy.notices.suspends_compromised = |_, payload| payload["kind"] != "exfiltration",
    ),
    Patch::defect(
        "ignores-disclosures-after-a-review",
        &[("9.2", Detection)],
        "Neither suspends nor reports a peer that discloses a compromise after a review by the operator.",
        |policy| {
            policy.peering.on_resume = mark_as_reviewed;
            policy.notices.suspends_compromised = |peer, _| !peer.metadata.contains_key(REVIEWED);
            policy.notices.reports_compromise = |peer| !peer.metadata.contains_key(REVIEWED);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "resumes-suspended-peers-at-a-restart",
        &[("9.2", Detection)],
        "Serves a suspended peer again after a restart, without a review.",
        |policy| policy.peering.on_start = |tx| readmit(tx, PeerStatus::Suspended),
    )
    .hard_to_reach(),
    Patch::defect(
        "lifts-suspensions-after-a-day",
        &[("9.2", Detection), ("E.2", Detection)],
        "Serves a suspended peer again when a day has passed since its last heartbeat, without a review.",
        |policy| {
            policy.identity.may_call =
                |peer, now| identity::may_call(peer, now) || (peer.status == PeerStatus::Suspended && heard_a_day_ago(peer, now));
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "ignores-notices-of-incompatible-peers",
        &[("9.2", Detection), ("11.1", Detection)],
        "Answers the heartbeats of a peer outside the window of versions, and ignores its disclosures and its revocation.",
        |policy| {
            policy.notices.suspends_compromised = |peer, _| !is_incompatible(peer);
            policy.notices.honours_revocation = |peer| !is_incompatible(peer);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "serves-suspended-peer",
        &[("9.2", Detection), ("E.2", Detection)],
        "Marks a peer as suspended, but continues to serve it.",
        |policy| {
            policy.identity.may_call =
                |peer, now| identity::may_call(peer, now) || peer.status == PeerStatus::Suspended;
        },
    ),
    Patch::defect(
        "serves-suspended-peer-what-needs-no-grant",
        &[("9.2", Detection)],
        "Refuses a suspended peer where a grant is needed, and serves it the other routes.",
        |policy| {
            policy.history.is_open_to = |status| matches!(status, PeerStatus::Active | PeerStatus::Suspended);
            policy.identity.is_admitted = |tx, call, peer| {
                Ok(identity::is_admitted(tx, peer) || is_suspended_on(call, peer, needs_no_grant))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "takes-records-of-suspended-peer",
        &[("9.2", Detection)],
        "Serves a suspended peer no record, and still takes its migrations and its batches.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                Ok(identity::is_admitted(tx, peer) || is_suspended_on(call, peer, takes_records))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "overlooks-late-disclosure",
        &[("9.1", Detection)],
        "Never treats a disclosure as late.",
        |policy| policy.notices.is_late = |_| false,
    ),
    Patch::defect(
        "tolerates-disclosure-a-minute-late",
        &[("9.1", Detection)],
        "Treats a disclosure as late only a minute after the 24 hours.",
        |policy| policy.notices.is_late = |after| after > SignedDuration::from_secs(24 * 3600 + 60),
    )
    .hard_to_reach(),
];

/// Defects in the disclosure of the platform's own compromise.
pub(super) const OWN_COMPROMISE: &[Patch] = &[
    Patch::defect(
        "discloses-compromise-to-one-partner",
        &[("9.1", Conduct)],
        "Sends the notice of a compromise to the first partner only.",
        |policy| {
            policy.outbound.select_recipients =
                |notice_kind, partners| reduce(notice_kind, partners, |partners| partners.truncate(1));
        },
    ),
    Patch::defect(
        "discloses-compromise-to-active-only",
        &[("9.1", Conduct)],
        "Sends the notice of a compromise to active partners only.",
        |policy| {
            policy.outbound.select_recipients = |notice_kind, partners| {
                reduce(notice_kind, partners, |partners| {
                    partners.retain(|peer| peer.status == PeerStatus::Active);
                })
            };
        },
    ),
    Patch::defect(
        "discloses-compromise-to-invited-only",
        &[("9.1", Conduct)],
        "Sends the notice of a compromise only to the partners that it invited.",
        |policy| {
            policy.outbound.select_recipients = |notice_kind, partners| {
                reduce(notice_kind, partners, |partners| {
                    partners.retain(|peer| peer.proposed_by == Side::Local);
                })
            };
        },
    ),
    Patch::defect(
        "discloses-compromise-after-25-hours",
        &[("9.1", Conduct)],
        "Sends the notice of a compromise 25 hours after its declaration.",
        |policy| {
            policy.outbound.delay_notice = |notice_kind| {
                let hours = if notice_kind == kind::PEER_COMPROMISED { 25 } else { 0 };
                SignedDuration::from_hours(hours)
            };
        },
    ),
    Patch::defect(
        "counts-24-hours-from-declaration",
        &[("9.1", Conduct)],
        "Discloses a compromise within 24 hours of its declaration, whenever it was detected.",
        |policy| {
            policy.outbound.delay_notice = |notice_kind| {
                let minutes = if notice_kind == kind::PEER_COMPROMISED { 23 * 60 + 30 } else { 0 };
                SignedDuration::from_mins(minutes)
            };
        },
    ),
    Patch::defect(
        "withholds-stolen-certificate",
        &[("9.1", Conduct)],
        "Sends no notice of a stolen certificate.",
        |policy| policy.outbound.is_sent = |notice| !is_compromise(notice, "certificate"),
    ),
    Patch::defect(
        "withholds-exfiltration",
        &[("9.1", Conduct)],
        "Sends no notice of an exfiltration.",
        |policy| policy.outbound.is_sent = |notice| !is_compromise(notice, "exfiltration"),
    ),
    Patch::defect(
        "never-discloses-compromise",
        &[("9.1", Conduct)],
        "Sends no notice of a compromise.",
        |policy| policy.outbound.is_sent = |notice| notice.event.kind != kind::PEER_COMPROMISED,
    ),
];

/// Metadata member that marks a peer as reviewed.
pub(super) const REVIEWED: &str = "reviewed";

pub(super) fn mark_as_reviewed(tx: &Transaction<'_>, peer: &Peer) -> Result<(), StoreError> {
    let mut reviewed = peer.clone();
    reviewed.metadata.insert(REVIEWED.to_owned(), json!(true));
    table::put(tx.db, &reviewed)
}

/// Returns whether a day has passed since the peer's last heartbeat.
fn heard_a_day_ago(peer: &Peer, now: Timestamp) -> bool {
    peer.last_heartbeat_at.is_some_and(|at| now.duration_since(at) >= SignedDuration::from_hours(24))
}

fn is_incompatible(peer: &Peer) -> bool {
    peer.schema_compatibility["status"] == "incompatible"
}

/// Returns whether a suspended peer calls one of these routes.
fn is_suspended_on(call: &Inbound, peer: &Peer, is_served: fn(&Route) -> bool) -> bool {
    peer.status == PeerStatus::Suspended
        && Route::parse(&call.method, &call.path).is_some_and(|it| is_served(&it))
}

fn needs_no_grant(route: &Route) -> bool {
    matches!(
        route,
        Route::TrustBundle
            | Route::Migration { .. }
            | Route::AuditExcerpts
            | Route::ServiceCatalog
            | Route::Subscriptions
            | Route::Subscription { .. }
    )
}

fn takes_records(route: &Route) -> bool {
    matches!(route, Route::Migrations | Route::MigrationCommit { .. } | Route::Sync)
}

/// Returns whether a notice is about a compromise of this kind.
fn is_compromise(notice: &Notice, of_kind: &str) -> bool {
    notice.event.kind == kind::PEER_COMPROMISED
        && notice.event.payload.get("kind").and_then(Value::as_str) == Some(of_kind)
}

/// Reduces the partners that are owed the notice of a compromise.
fn reduce(notice_kind: &str, mut partners: Vec<Peer>, to: fn(&mut Vec<Peer>)) -> Vec<Peer> {
    if notice_kind == kind::PEER_COMPROMISED {
        to(&mut partners);
    }
    partners
}
