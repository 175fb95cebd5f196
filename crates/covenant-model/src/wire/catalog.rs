//! `GET /service_catalog`, `POST /subscriptions`, `DELETE /subscriptions/:id` (`powernode.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;

/// The catalogue, in `data`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceCatalog {
    /// What can be subscribed to.
    #[serde(default)]
    pub offerings: Vec<Offering>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<String>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One offering.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Offering {
    /// What it is subscribed by.
    pub slug: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `http`, `tcp`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Behind the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_port: Option<Value>,
    /// `read`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_grant_scopes: Option<Value>,
    /// Days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_grant_ttl_days: Option<Value>,
    /// Whether it can be subscribed to now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepting_new_subscriptions: Option<bool>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The request of a subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionRequest {
    /// The offering's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// The name under which the subscriber mounts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_hostname: Option<String>,
    /// Days: a number, or whatever stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_days: Option<Value>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The answer to a subscription, in `data` of 201.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionResponse {
    /// The grant that was issued.
    #[serde(default)]
    pub grant_id: String,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_seconds: Option<i64>,
    /// What else was said (`backend_host`, `backend_port`, `protocol`, `service_offering_id`).
    #[serde(flatten)]
    pub extra: Extra,
}

/// The answer to an ended subscription, in `data` of 200.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionEnd {
    /// Always true.
    #[serde(default)]
    pub revoked: bool,
    /// The grant that ended.
    #[serde(default)]
    pub grant_id: String,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
