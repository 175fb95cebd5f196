//! Variants of the handshake.

use crate::Patch;
use crate::handshake::disclosure;
use crate::reply::Reply;
use crate::store::rows::Peer;
use crate::transaction::Transaction;
use serde_json::json;

/// Variants in the start of a peering.
pub(super) const PATCHES: &[Patch] = &[
    KEEPS_ANONYMOUS,
    ENROLS_AT_HEARTBEAT,
    Patch::variant(
        "takes-no-address-from-heartbeats",
        "Goes on to call a peer at the address of its accept where a heartbeat names another one.",
        |policy| {
            policy.peering.override_updated = |before, peer| {
                if before.endpoints.as_array().is_some_and(|endpoints| !endpoints.is_empty()) {
                    peer.endpoints.clone_from(&before.endpoints);
                }
            };
        },
    ),
    Patch::variant(
        "answers-accept-without-version",
        "Answers an accept that names no contract version with 200, and records nothing.",
        |policy| policy.handshake.answers_unversioned = Some(still_proposed),
    ),
    Patch::variant(
        "requires-credentials-at-accept",
        "Refuses an accept that has neither a signing request nor an authority.",
        |policy| policy.handshake.requires_credentials = true,
    ),
    Patch::variant(
        "exchanges-ca-certificates",
        "Sends its authority and stores the peer's when it joins, in place of a signing request.",
        |policy| {
            policy.outbound.choose_credentials =
                |tx, _| ("peer_ca_bundle_pem", tx.keys.authority.pem().to_owned());
        },
    ),
];

/// Variant in which an anonymous peer is accepted and not enrolled.
pub(crate) const KEEPS_ANONYMOUS: Patch = Patch::variant(
    "keeps-anonymous-peer-accepted",
    "Answers an anonymous accept with 200, and leaves the peer at `accepted`.",
    |policy| policy.handshake.refuses_anonymous = admits_anonymous,
);

/// Variant in which every peer is accepted before it is enrolled.
pub(crate) const ENROLS_AT_HEARTBEAT: Patch = Patch::variant(
    "enrols-at-first-heartbeat",
    "Leaves every peer at `accepted` until its first heartbeat with a complete disclosure.",
    |policy| {
        policy.handshake.refuses_anonymous = admits_anonymous;
        policy.handshake.enrols = |_, _| false;
        policy.handshake.enrols_at_heartbeat = Some(|metadata| disclosure::find_gaps(metadata).is_empty());
    },
);

/// Returns the answer to an accept that acknowledges nothing: its peer is proposed as before.
fn still_proposed(peer: &Peer) -> Reply {
    Reply::success(&json!({"peer_id": peer.id, "status": peer.status, "contract_version_agreed": 0}))
}

fn admits_anonymous(_: &Transaction<'_>, _: &Peer, _: &[&'static str]) -> bool {
    false
}
