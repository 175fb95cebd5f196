//! Defects in the notice of a grant's revocation (2.3).

use crate::Patch;
use crate::store::rows::{Grant, Notice, Peer, Side};
use crate::store::table;
use covenant_model::contract::Aspect::Conduct;
use covenant_model::wire::notice::kind;

/// Defects in the notice of a grant's revocation.
pub(in crate::defects) const NOTICES: &[Patch] = &[
    Patch::defect(
        "omits-grant-revocation-notice",
        &[("2.3", Conduct)],
        "Does not announce the revocation of a grant in any form.",
        |policy| policy.outbound.is_sent = |notice| notice.event.kind != kind::GRANT_REVOKED,
    ),
    Patch::defect(
        "never-retries-grant-revocation-notice",
        &[("2.3", Conduct)],
        "Sends the notice of a grant's revocation once, and never retries it.",
        |policy| {
            policy.outbound.is_sent =
                |notice| notice.event.kind != kind::GRANT_REVOKED || notice.attempts == 0;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "keeps-last-undelivered-notice-only",
        &[("2.3", Conduct)],
        "Keeps one undelivered notice for each peer, the last one.",
        |policy| policy.outbound.select_kept = without_replaced,
    )
    .hard_to_reach(),
    Patch::defect(
        "keeps-first-undelivered-notice-only",
        &[("2.3", Conduct)],
        "Keeps one undelivered notice for each peer, the first one.",
        |policy| policy.outbound.select_kept = without_refused,
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-no-notice-without-a-reason",
        &[("2.3", Conduct), ("4.1", Conduct), ("4.2", Conduct)],
        "Announces the revocation of a grant or a peer only if its operator gave a reason.",
        |policy| {
            policy.outbound.is_sent = |notice| {
                let ends = [kind::GRANT_REVOKED, kind::PEER_REVOKED].contains(&notice.event.kind.as_str());
                !ends || !notice.event.payload["reason"].is_null()
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "sends-no-notice-beyond-latin-1",
        &[("2.3", Conduct), ("4.1", Conduct), ("4.2", Conduct), ("9.1", Conduct)],
        "Sends no notice with a character that Latin-1 does not have.",
        |policy| {
            policy.outbound.is_sent =
                |notice| notice.event.payload.to_string().chars().all(|c| u32::from(c) <= 0xff);
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "holds-notices-behind-an-unreachable-peer",
        &[("2.3", Conduct), ("4.1", Conduct), ("4.2", Conduct)],
        "Sends the notices of revocations from one queue for all peers, which stops at a notice that it cannot deliver.",
        |policy| {
            policy.outbound.may_deliver = |tx, notice| {
                let notices: Vec<Notice> = table::all(tx.db)?;
                let holds_up = |other: &Notice| {
                    other.peer_id != notice.peer_id && other.attempts > 0 && other.delivered_at.is_none()
                };
                let ends = [kind::GRANT_REVOKED, kind::PEER_REVOKED].contains(&notice.event.kind.as_str());
                Ok(!ends || !notices.iter().any(holds_up))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "announces-ends-of-wide-grants-alone",
        &[("2.3", Conduct)],
        "Announces the end of a grant for every record of a kind, and not that of a grant for one record.",
        |policy| {
            policy.outbound.may_deliver = |tx, notice| {
                let grant_id = notice.event.payload["grant_id"].as_str().unwrap_or_default();
                let ended: Option<Grant> = table::find(tx.db, grant_id)?;
                Ok(ended.is_none_or(|grant| grant.resource_id.is_none()))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "notifies-no-peer-that-it-joined",
        &[("2.3", Conduct), ("4.1", Conduct), ("4.2", Conduct)],
        "Sends the notices of revocations to the peers that its operator proposed, and not to those that it joined.",
        |policy| {
            policy.outbound.may_deliver = |tx, notice| {
                let peer: Option<Peer> = table::find(tx.db, &notice.peer_id)?;
                let is_joined = peer.is_some_and(|peer| peer.proposed_by == Side::Remote);
                let ends = [kind::GRANT_REVOKED, kind::PEER_REVOKED].contains(&notice.event.kind.as_str());
                Ok(!is_joined || !ends)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "forgets-undelivered-notices-at-a-restart",
        &[("2.3", Conduct), ("4.1", Conduct), ("4.2", Conduct), ("9.1", Conduct)],
        "Forgets at a restart each notice that a peer was still owed.",
        |policy| {
            policy.peering.on_start = |tx| {
                let mut notices: Vec<Notice> = table::all(tx.db)?;
                notices.retain(|notice| notice.delivered_at.is_none());
                notices.iter().try_for_each(|notice| table::remove::<Notice>(tx.db, &notice.id).map(drop))
            };
        },
    )
    .hard_to_reach(),
];

/// Removes each undelivered notice that a later one replaced.
fn without_replaced(mut notices: Vec<Notice>) -> Vec<Notice> {
    let last = notices.pop();
    notices.retain(|notice| notice.delivered_at.is_some());
    notices.extend(last);
    notices
}

/// Removes each notice that became due while another one was undelivered.
fn without_refused(notices: Vec<Notice>) -> Vec<Notice> {
    let mut kept: Vec<Notice> = Vec::new();
    for notice in notices {
        let was_open = |other: &Notice| other.delivered_at.is_none_or(|at| at > notice.created_at);
        if !kept.iter().any(was_open) {
            kept.push(notice);
        }
    }
    kept
}
