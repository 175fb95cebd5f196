//! Rows of agreements: grants, capabilities, contract versions, overlay addresses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A grant that this platform issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) remote_subject: String,
    pub(crate) resource_kind: String,
    pub(crate) resource_id: Option<String>,
    pub(crate) permission_scopes: Vec<String>,
    /// Allowed instance ids. Empty means no restriction, here and in the next two fields.
    pub(crate) node_instance_ids: Vec<String>,
    pub(crate) sdwan_network_ids: Vec<String>,
    pub(crate) source_cidrs: Vec<String>,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// Set while the revocation is announced and not yet in force.
    pub(crate) is_being_revoked: bool,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) revoke_reason: Option<String>,
    /// Set if it was revoked together with the peer: it still covers open migrations while the grace lasts.
    pub(crate) revoked_with_peer: bool,
    pub(crate) archived_at: Option<Timestamp>,
    /// The subscribed offering, if the grant is a subscription.
    pub(crate) service_slug: Option<String>,
}

/// A grant that a peer issued to this platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct HeldGrant {
    /// The row's own id: two peers may issue the same grant id.
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) grant_id: String,
    pub(crate) bearer_token: String,
    pub(crate) resource_kind: String,
    pub(crate) resource_id: Option<String>,
    pub(crate) permission_scopes: Vec<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) held_since: Timestamp,
    /// The time at which the peer announced its end.
    pub(crate) revoked_at: Option<Timestamp>,
}

/// A declared kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Capability {
    pub(crate) id: String,
    /// The peer it is declared to. `None` if it is declared to every peer.
    pub(crate) peer_id: Option<String>,
    pub(crate) resource_kind: String,
    pub(crate) schema_version: Value,
    pub(crate) direction: String,
    pub(crate) policy: String,
    pub(crate) filter: Option<Map<String, Value>>,
    pub(crate) conflict_resolution: Option<String>,
    /// Kinds that may travel with it in one migration.
    pub(crate) dependencies: Vec<String>,
    /// `true` if records of the kind are migrated. `None` if the declaration does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) migratable: Option<bool>,
}

/// A contract version in the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KnownContract {
    /// The number as a string.
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) digest: Option<String>,
    pub(crate) effective_at: Option<String>,
    pub(crate) deprecated_at: Option<String>,
}

/// An overlay network address at which a peer is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct OverlayAddress {
    pub(crate) id: String,
    pub(crate) peer_id: String,
    pub(crate) address: String,
    pub(crate) mounted_at: Timestamp,
    pub(crate) unmounted_at: Option<Timestamp>,
}
