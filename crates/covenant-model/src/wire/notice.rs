//! Events, notices and findings, in the event form of the platform.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;

/// Event. In the `events` of a heartbeat it is a notice (proposed); in an excerpt it is an audit entry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Id of the event.
    #[serde(default)]
    pub id: Value,
    /// Kind, with dots: `federation.peer.accepted`.
    #[serde(default)]
    pub kind: String,
    /// Severity: `low`, `medium`, `high` or `critical`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Time, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emitted_at: Option<String>,
    /// Id shared by the events of one operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Part of the platform that emits the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Payload; its members depend on the kind.
    #[serde(default)]
    pub payload: Value,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Kinds of notices in the binding.
pub mod kind {
    /// 4.1: payload `federation_peer_id`, `reason`, `effective_at`, `grace_until`.
    pub const PEER_REVOKED: &str = "platform.peer.revoked";
    /// 2.1, 6.2: payload `grant_id`, `remote_subject`, `resource_kind`, `resource_id`?, `permission_scopes`,
    /// `expires_at`, `bearer_token`?.
    pub const GRANT_ISSUED: &str = "platform.grant.issued";
    /// 2.3: payload `grant_id`, `reason`, `effective_at`.
    pub const GRANT_REVOKED: &str = "platform.grant.revoked";
    /// 9.1, 9.2: payload `detected_at`, `kind`, `summary`.
    pub const PEER_COMPROMISED: &str = "platform.peer.compromised";
    /// 10.2: payload `version`, `breaks_at`, `notice_url`.
    pub const RELEASE_DEPRECATED: &str = "platform.release.deprecated";
    /// 8.2: payload `from`, `to`, `effective_at`.
    pub const RESIDENCY_CHANGED: &str = "platform.residency.changed";
}

/// Finding of the governance scan (`wire.md` §6).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Kind, such as `peer_capability_drift`. Checks use the name only if the contract names it.
    #[serde(default)]
    pub kind: String,
    /// Severity: `low`, `medium`, `high` or `critical`.
    #[serde(default)]
    pub severity: String,
    /// Id of the peer that the finding is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federation_peer_id: Option<String>,
    /// Message, for a person.
    #[serde(default)]
    pub message: String,
    /// Facts, as data.
    #[serde(default)]
    pub payload: Value,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Kinds of findings: those of the observed scanner and, from `IDENTITY_UNDISCLOSED` on, the proposed ones.
pub mod finding {
    #![expect(missing_docs, reason = "each constant says its own text")]
    pub const CAPABILITY_DRIFT: &str = "peer_capability_drift";
    pub const HEARTBEAT_STALE: &str = "peer_heartbeat_stale";
    pub const CERT_EXPIRING: &str = "peer_cert_expiring";
    pub const CERT_EXPIRED: &str = "peer_cert_expired";
    pub const SCHEMA_VERSION_DRIFT: &str = "peer_schema_version_drift";
    pub const SCHEMA_VERSION_MISSING: &str = "peer_schema_version_missing";
    pub const RESIDENCY_MISSING: &str = "peer_residency_missing";
    pub const STALE_ACCEPTED: &str = "stale_accepted_without_handshake";
    pub const MIGRATION_FAILED: &str = "migration_chain_failed";
    pub const IDENTITY_UNDISCLOSED: &str = "peer_identity_undisclosed";
    pub const GRANT_BROKEN: &str = "peer_grant_broken";
    pub const REVOKED_SILENTLY: &str = "peer_revoked_silently";
    pub const GRACE_CUT: &str = "peer_grace_cut";
    pub const AUDIT_OVERDUE: &str = "peer_audit_overdue";
    pub const HANDSHAKE_FLOOD: &str = "peer_handshake_flood";
    pub const MASS_GRANTS: &str = "peer_mass_grants";
    pub const SYNC_CORRUPT: &str = "peer_sync_corrupt";
    pub const PROBING: &str = "peer_probing";
    pub const MIGRATION_UNTRUTHFUL: &str = "peer_migration_untruthful";
    pub const SYNC_AFTER_MIGRATION: &str = "peer_sync_after_migration";
    pub const RESIDENCY_MOVED: &str = "peer_residency_moved";
    pub const BREAK_UNANNOUNCED: &str = "peer_break_unannounced";
    pub const DISCLOSURE_LATE: &str = "peer_disclosure_late";
    pub const CONTRACT_MISMATCH: &str = "peer_contract_mismatch";
}
