//! Defects against section E: findings and suspensions.

use jiff::SignedDuration;

use super::c09::{REVIEWED, mark_as_reviewed};
use crate::Patch;
use crate::governance::{self, severity};
use crate::store::rows::{Breach, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};

/// Defects in findings and suspensions.
pub(super) const PATCHES: &[Patch] = &[
    Patch::defect(
        "raises-no-findings",
        &[
            ("1.1", Detection),
            ("1.2", Detection),
            ("1.3", Detection),
            ("1.4", Detection),
            ("2.1", Detection),
            ("2.2", Detection),
            ("2.3", Detection),
            ("3.1", Detection),
            ("3.2", Detection),
            ("3.3", Detection),
            ("3.4", Detection),
            ("4.1", Detection),
            ("4.2", Detection),
            ("4.3", Detection),
            ("5.3", Detection),
            ("6.1", Detection),
            ("6.2", Detection),
            ("6.3", Detection),
            ("6.4", Detection),
            ("7.2", Detection),
            ("7.3", Detection),
            ("7.4", Detection),
            ("7.5", Detection),
            ("8.1", Detection),
            ("8.2", Detection),
            ("9.1", Detection),
            ("10.1", Detection),
            ("10.2", Detection),
            ("12.1", Detection),
            ("12.2", Detection),
            ("E.1", Detection),
            ("E.2", Detection),
            ("E.3", Conduct),
        ],
        "Refuses invalid calls, but raises no finding about anything.",
        |policy| policy.governance.is_reported = |_| false,
    ),
    Patch::defect(
        "never-suspends",
        &[("E.2", Detection)],
        "Counts breaches, but never suspends.",
        |policy| {
            policy.governance.suspends = |_, _| false;
        },
    ),
    Patch::defect(
        "forgets-breaches-after-an-hour",
        &[("E.2", Detection)],
        "Forgets a breach after an hour.",
        |policy| policy.governance.breach_window = SignedDuration::from_hours(1),
    ),
    Patch::defect(
        "forgets-breaches-at-a-restart",
        &[("E.2", Detection)],
        "Counts breaches from its last start on.",
        |policy| {
            policy.peering.on_start = |tx| {
                let breaches: Vec<Breach> = table::all(tx.db)?;
                breaches.iter().try_for_each(|breach| table::remove::<Breach>(tx.db, &breach.id).map(|_| ()))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "counts-breaches-of-each-kind-alone",
        &[("E.2", Detection)],
        "Counts the breaches of one norm by the kind of their finding, and suspends at the limit of one kind.",
        |policy| {
            policy.governance.breach_suspends = |tx, breach| {
                let breaches: Vec<Breach> = table::of_peer(tx.db, &breach.peer_id)?;
                let is_alike = |one: &&Breach| one.norm == breach.norm && one.finding == breach.finding;
                Ok(governance::suspends(breaches.iter().filter(is_alike).count(), tx.settings.breach_limit))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "counts-breaches-by-address",
        &[("E.2", Detection)],
        "Counts the breaches of all peers of one host together, and suspends the peer that commits the last of them.",
        |policy| policy.governance.count_breaches = breaches_of_host,
    )
    .hard_to_reach(),
    Patch::defect(
        "suspends-each-peer-once",
        &[("E.2", Detection)],
        "Suspends no peer again that its operator resumed once.",
        |policy| {
            policy.peering.on_resume = mark_as_reviewed;
            policy.governance.breach_suspends = |tx, breach| {
                let peer = table::find::<Peer>(tx.db, &breach.peer_id)?;
                Ok(peer.is_none_or(|peer| !peer.metadata.contains_key(REVIEWED)))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "suspends-at-first-breach",
        &[("E.2", Detection)],
        "Suspends at the first breach.",
        |policy| {
            policy.governance.suspends = |_, _| true;
        },
    ),
    Patch::defect(
        "omits-soft-findings",
        &[
            ("1.1", Detection),
            ("1.2", Detection),
            ("1.3", Detection),
            ("1.4", Detection),
            ("4.1", Detection),
            ("4.2", Detection),
            ("4.3", Detection),
            ("5.3", Detection),
            ("8.1", Detection),
            ("8.2", Detection),
            ("9.1", Detection),
            ("10.1", Detection),
            ("E.1", Detection),
            ("E.3", Conduct),
        ],
        "Shows its operator findings about hard norms only.",
        |policy| policy.governance.is_reported = |suspicion| !suspicion.norms.is_empty(),
    ),
    Patch::defect(
        "omits-low-severity-findings",
        &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection), ("8.1", Detection), ("E.3", Conduct)],
        "Raises no finding of low severity.",
        |policy| policy.governance.is_reported = |suspicion| severity(suspicion.kind) != "low",
    ),
];

/// Returns the number of recent breaches by the peers that are reached at the same host.
fn breaches_of_host(tx: &Transaction<'_>, peer_id: &str, norm: u8) -> Result<usize, StoreError> {
    let peers: Vec<Peer> = table::all(tx.db)?;
    let host = |peer: &Peer| peer.remote_instance_url.rsplit_once(':').map(|(host, _)| host.to_owned());
    let of_peer = peers.iter().find(|peer| peer.id == peer_id).and_then(host);
    let neighbours = peers.iter().filter(|peer| host(peer) == of_peer);
    neighbours.map(|peer| governance::recent_breaches(tx, &peer.id, norm)).sum()
}
