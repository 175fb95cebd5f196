//! `GET /service_catalog`, `POST /subscriptions`, `DELETE /subscriptions/:id` (`wire.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;

/// Service catalogue, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceCatalog {
    /// Offerings that a caller can subscribe to.
    #[serde(default)]
    pub offerings: Vec<Offering>,
    /// Time of generation, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One offering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Offering {
    /// Slug that a subscription names.
    pub slug: String,
    /// Name, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Protocol: `http`, `tcp`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Port of the service behind the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_port: Option<Value>,
    /// Scopes of the grant, such as `read`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_grant_scopes: Option<Value>,
    /// Lifetime of the grant, in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_grant_ttl_days: Option<Value>,
    /// `true` if the offering accepts new subscriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepting_new_subscriptions: Option<bool>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Request of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionRequest {
    /// Slug of the offering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// Host name under which the subscriber mounts the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_hostname: Option<String>,
    /// Lifetime in days: a number, or any other JSON that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_days: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to a subscription, in `data` of a 201.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionResponse {
    /// Id of the issued grant.
    #[serde(default)]
    pub grant_id: String,
    /// Expiry, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Lifetime, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<i64>,
    /// Other members, such as `backend_host`, `backend_port`, `protocol` and `service_offering_id`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Response to the end of a subscription, in `data` of a 200.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionEnd {
    /// Always `true`.
    #[serde(default)]
    pub revoked: bool,
    /// Id of the grant that ended.
    #[serde(default)]
    pub grant_id: String,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
