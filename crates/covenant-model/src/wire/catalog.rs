//! `GET /service_catalog`, `POST /subscriptions`, `DELETE /subscriptions/:id` (`wire.md` §5).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Extra;
use super::whole::maybe_whole;

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
    #[serde(default, deserialize_with = "maybe_whole", skip_serializing_if = "Option::is_none")]
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

/// Returns the offering of a catalogue's data that a subscription is tried on: one that takes new subscriptions, if possible
/// with a stated capacity; else the first one.
#[must_use]
pub fn offering_to_try(data: &Value) -> Option<&Value> {
    let offerings = data["offerings"].as_array()?;
    let is_open = |offering: &&Value| offering["accepting_new_subscriptions"] != Value::Bool(false);
    let open = || offerings.iter().filter(is_open);
    let limited = open().find(|offering| capacity(offering).is_some());
    limited.or_else(|| open().next()).or_else(|| offerings.first())
}

/// Returns the capacity that an offering states: the largest number in it that is named as the room for subscribers. A
/// current count, or a limit of something else, is none. Nor is zero, by which some mean that there is no limit.
#[must_use]
pub fn capacity(offering: &Value) -> Option<u64> {
    const EXACT: [&str; 4] = ["capacity", "max_capacity", "seats", "slots"];
    const COUNTS: [&str; 4] = ["current", "active", "used", "per_"];
    let stated = offering["capacity_metadata"].as_object()?.iter();
    let is_capacity = |name: &str| {
        let name = name.to_lowercase();
        let limits_subscribers =
            name.contains("subscri") && ["max", "limit"].iter().any(|part| name.contains(part));
        (EXACT.contains(&name.as_str()) || limits_subscribers)
            && !COUNTS.iter().any(|part| name.contains(part))
    };
    let stated = stated.filter(|(name, _)| is_capacity(name)).filter_map(|(_, value)| value.as_u64());
    stated.filter(|room| *room > 0).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_open_offering_with_a_capacity_is_tried_first() {
        let closed = json!({"slug": "closed", "accepting_new_subscriptions": false, "capacity_metadata": {"seats": 3}});
        let open = json!({"slug": "open", "accepting_new_subscriptions": true});
        let limited = json!({"slug": "limited", "capacity_metadata": {"max_subscribers": 2}});
        for (offerings, expected) in [
            (json!([closed, open, limited]), json!("limited")),
            (json!([closed, open]), json!("open")),
            (json!([closed]), json!("closed")),
            (json!([]), Value::Null),
            (Value::Null, Value::Null),
        ] {
            let data = json!({ "offerings": offerings });
            let tried = offering_to_try(&data).map_or(Value::Null, |offering| offering["slug"].clone());
            assert_eq!(tried, expected, "{data}");
        }
    }
}
