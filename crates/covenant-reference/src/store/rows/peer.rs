//! The row that the platform keeps for a peer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use covenant_model::wire::state::PeerStatus;

/// A peer, in any state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "`peer_kind` is the wire's name")]
pub(crate) struct Peer {
    pub(crate) id: String,
    pub(crate) status: PeerStatus,
    /// `platform`, or `sdwan_only`, which stops at accepted.
    pub(crate) peer_kind: String,
    /// The side that proposed: this platform, or the peer that it joined.
    pub(crate) proposed_by: Side,
    pub(crate) remote_instance_url: String,
    pub(crate) spawn_role: Option<String>,
    pub(crate) spawn_mode: Option<String>,
    pub(crate) proposed_at: Timestamp,

    /// SHA-256 of the acceptance token, in hex. It is kept after use, so that a flood can be attributed.
    pub(crate) token_sha256: Option<String>,
    pub(crate) token_expires_at: Option<Timestamp>,
    pub(crate) token_used_at: Option<Timestamp>,

    pub(crate) contract_version_agreed: Option<u64>,
    pub(crate) contract_digest: Option<String>,
    /// The time at which the contract was acknowledged (A.1). It outlives a revocation (A.2).
    pub(crate) acknowledged_at: Option<Timestamp>,
    pub(crate) accepted_at: Option<Timestamp>,
    pub(crate) handshake_at: Option<Timestamp>,
    pub(crate) enrolled_at: Option<Timestamp>,

    /// The disclosure, merged member by member.
    pub(crate) metadata: Map<String, Value>,
    pub(crate) capabilities: Value,
    pub(crate) endpoints: Value,
    pub(crate) extension_slugs: Value,
    pub(crate) sync_cursor: Value,
    pub(crate) platform_version: Option<String>,
    pub(crate) data_residency: Option<String>,
    pub(crate) schema_compatibility: Value,

    /// The CN that it must present to this platform.
    pub(crate) inbound_subject: String,
    /// Its own authority, if trust was exchanged. `None` if this platform's authority signed its request.
    pub(crate) anchor_pem: Option<String>,
    /// Serial number, in hex, of the certificate that this platform signed for it.
    pub(crate) certificate_serial: Option<String>,
    pub(crate) certificate_not_after: Option<Timestamp>,
    pub(crate) certificate_revoked_at: Option<Timestamp>,

    /// The row that it keeps for this platform, if it named one.
    pub(crate) remote_peer_id: Option<String>,
    /// The CN that this platform presents to it, if it asked for one.
    pub(crate) outbound_subject: Option<String>,
    /// The identity that it issued to this platform (chain and key, PEM). `None` if this platform presents a
    /// leaf of its own authority.
    pub(crate) outbound_identity_pem: Option<String>,
    /// The authorities to which its server chains. `None` if its certificate is pinned at first use.
    pub(crate) server_anchor_pem: Option<String>,
    pub(crate) server_fingerprint: Option<String>,

    /// The time of its last heartbeat call.
    pub(crate) last_heartbeat_at: Option<Timestamp>,
    /// The time of the last heartbeat call to it, whatever the result.
    pub(crate) heartbeat_sent_at: Option<Timestamp>,
    /// The time before which this platform calls neither its accept nor its heartbeat.
    pub(crate) paused_until: Option<Timestamp>,
    /// The time since which it has refused every call of this platform.
    pub(crate) refusing_since: Option<Timestamp>,

    pub(crate) suspended_reason: Option<String>,
    /// A revocation by this platform that is announced and not yet in force.
    pub(crate) pending_revocation: Option<PendingRevocation>,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) revoked_by: Option<Side>,
    pub(crate) revoke_reason: Option<String>,
    /// The time from which an open migration is no longer accepted (4.3).
    pub(crate) grace_until: Option<Timestamp>,
}

/// One of the two sides of a peering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    /// This platform.
    Local,
    /// The peer.
    Remote,
}

/// A revocation that was decided and is being announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingRevocation {
    pub(crate) reason: Option<String>,
    pub(crate) effective_at: Timestamp,
    pub(crate) grace_until: Timestamp,
}

impl Peer {
    /// The name of the member `token_sha256`.
    pub(crate) const TOKEN: &str = "token_sha256";

    /// Creates the row of a newly proposed peer.
    pub(crate) fn proposed(
        id: String,
        proposed_by: Side,
        remote_instance_url: String,
        now: Timestamp,
    ) -> Self {
        Self {
            inbound_subject: covenant_model::wire::header::inbound_subject(&id),
            id,
            status: PeerStatus::Proposed,
            peer_kind: "platform".to_owned(),
            proposed_by,
            remote_instance_url,
            spawn_role: None,
            spawn_mode: None,
            proposed_at: now,
            token_sha256: None,
            token_expires_at: None,
            token_used_at: None,
            contract_version_agreed: None,
            contract_digest: None,
            acknowledged_at: None,
            accepted_at: None,
            handshake_at: None,
            enrolled_at: None,
            metadata: Map::new(),
            capabilities: Value::Null,
            endpoints: Value::Null,
            extension_slugs: Value::Null,
            sync_cursor: Value::Null,
            platform_version: None,
            data_residency: None,
            schema_compatibility: Value::Null,
            anchor_pem: None,
            certificate_serial: None,
            certificate_not_after: None,
            certificate_revoked_at: None,
            remote_peer_id: None,
            outbound_subject: None,
            outbound_identity_pem: None,
            server_anchor_pem: None,
            server_fingerprint: None,
            last_heartbeat_at: None,
            heartbeat_sent_at: None,
            paused_until: None,
            refusing_since: None,
            suspended_reason: None,
            pending_revocation: None,
            revoked_at: None,
            revoked_by: None,
            revoke_reason: None,
            grace_until: None,
        }
    }

    /// Returns whether the handshake is complete and the peering has not ended.
    pub(crate) fn is_partner(&self) -> bool {
        !matches!(self.status, PeerStatus::Proposed | PeerStatus::Revoked)
    }
}
